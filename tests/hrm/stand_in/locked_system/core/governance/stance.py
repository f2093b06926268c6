"""A stance that only the commitment gate leads to execution."""

from locked_system.words import Stance


class StanceMachine:
    def __init__(self):
        self.current = Stance.SENSEMAKING

    def transition(self, to_stance, gate, reason):
        allowed = (to_stance is Stance.EXECUTION) == (gate == "commitment")
        if allowed:
            self.current = to_stance
        return allowed
