"""Gates that a user answers later."""

from enum import Enum
from types import SimpleNamespace


class Status(Enum):
    APPROVED = "approved"
    DENIED = "denied"


class GateController:
    def resolve_gate(self, gate_id, user_response):
        status = Status.APPROVED if user_response["type"] == "approve" else Status.DENIED
        return SimpleNamespace(status=status, gate_type="write_approval")
