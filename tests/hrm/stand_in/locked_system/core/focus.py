"""Another generation of stances and gates: gates answer with a boolean."""

from locked_system.words import Gate, Stance


class StanceMachine:
    def __init__(self):
        self.current = Stance.SENSEMAKING

    def transition(self, to_stance, gate, reason):
        allowed = (to_stance is Stance.EXECUTION) == (gate is Gate.COMMITMENT)
        if allowed:
            self.current = to_stance
        return allowed


class GateController:
    def attempt(self, gate, context):
        return gate is Gate.FRAMING or bool(context)
