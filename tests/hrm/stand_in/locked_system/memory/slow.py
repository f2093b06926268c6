"""What changes seldom."""

from dataclasses import dataclass


@dataclass
class Commitment:
    frame: str


@dataclass
class Decision:
    id: str
    decision: str


class SlowMemory:
    def set_commitment(self, commitment):
        self.commitment = commitment

    def add_decision(self, decision):
        self.decision = decision
