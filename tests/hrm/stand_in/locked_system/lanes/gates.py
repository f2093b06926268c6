"""Lanes that are opened, left and closed."""

from dataclasses import dataclass, field


@dataclass
class GateResult:
    approved: bool
    decision: str | None = None
    lane_id: str | None = None
    metadata: dict = field(default_factory=dict)


@dataclass
class WorkDeclarationGate:
    detected_goal: str

    def execute(self, store, user_response=None):
        return GateResult(True, "create", "lane_1")


@dataclass
class LaneSwitchGate:
    current_lane_id: str
    interrupt_goal: str

    def execute(self, store, user_response, bookmark=None, next_steps=None, open_questions=None):
        if not bookmark:
            return GateResult(False, metadata={"error": "no bookmark"})
        return GateResult(True, "switch", "lane_2")


@dataclass
class EvaluationGate:
    lane_id: str
    current_goal: str

    def execute(self, store, user_response, final_summary=None):
        return GateResult(True, "complete", self.lane_id)
