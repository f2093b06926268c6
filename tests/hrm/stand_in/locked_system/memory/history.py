"""What has happened."""

from dataclasses import dataclass


@dataclass
class GateTransition:
    gate: str


class History:
    def add_gate_transition(self, transition):
        self.last = transition
