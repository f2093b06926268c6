"""Gates that answer with an object, and keep what they did in two memories."""

from dataclasses import dataclass

from locked_system.memory.history import GateTransition
from locked_system.memory.slow import Decision
from locked_system.words import Stance


@dataclass
class GateResult:
    success: bool
    gate: str
    reason: str


class GateController:
    def __init__(self, stance, slow, history):
        self.stance, self.slow, self.history = stance, slow, history
        self.rests = 0

    def attempt_gate(self, gate, reason, target_stance=None):
        target = target_stance or (Stance.EXECUTION if gate == "commitment" else Stance.SENSEMAKING)
        if not self.stance.transition(target, gate, reason):
            return GateResult(False, gate, f"{gate} does not lead to {target.value}")
        self.history.add_gate_transition(GateTransition(gate))
        return GateResult(True, gate, reason)

    def attempt_emergency(self, reason):
        if self.rests:
            return GateResult(False, "emergency", "it was used just now")
        self.rests = 3
        self.slow.add_decision(Decision("d1", f"stop: {reason}"))
        return GateResult(True, "emergency", reason)
