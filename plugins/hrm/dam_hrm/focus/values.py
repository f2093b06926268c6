"""What the focus layer works with: stances, gates, lanes, consent and routes of signals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dam_hrm.names import Name


class Stance(Name):
    """How a session goes about its work; one at a time."""

    SENSEMAKING = "sensemaking"
    DISCOVERY = "discovery"
    EXECUTION = "execution"
    EVALUATION = "evaluation"


class GateType(Name):
    """What a gate guards."""

    FRAMING = "Framing"
    COMMITMENT = "Commitment"
    EVALUATION = "Evaluation"
    EMERGENCY = "Emergency"
    WRITE_APPROVAL = "WriteApproval"
    AGENT_APPROVAL = "AgentApproval"


class Reducer(Name):
    """How the answers of several agents become one."""

    PASS_THROUGH = "pass_through"  # noqa: S105 - no password
    MERGE = "merge"
    VOTE = "vote"
    SYNTHESIZE = "synthesize"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRequest:
    """A question to a gate."""

    gate_type: GateType
    context: Mapping[str, Any] = field(default_factory=dict)
    """What it is about; plain values."""

    @property
    def summary(self) -> str:
        """``WriteApprovalGate``."""
        return f"{self.gate_type.value}Gate"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """A gate's answer."""

    allowed: bool
    reason: str

    def __post_init__(self) -> None:
        _check_decision("a gate", self.allowed, self.reason)

    @property
    def decision(self) -> Literal["allowed", "denied"]:
        """For the trace."""
        return "allowed" if self.allowed else "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class StanceChange:
    """A change of stance that is wished for, and the gate it goes through."""

    from_stance: Stance
    to_stance: Stance
    gate: GateType
    reason: str = ""

    @property
    def summary(self) -> str:
        """``sensemaking→execution``."""
        return f"{self.from_stance.value}→{self.to_stance.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A line of work, leased for some turns."""

    lane_id: str
    goal: str
    status: Literal["active", "paused", "expired", "completed"]
    turns_left: int
    """Turns until its lease is up; a paused lane keeps what it had."""
    stance: Stance
    """In which it was left, and goes on."""
    bookmark: str = ""
    """Where to go on, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSwitch:
    """A change of lane that is wished for."""

    from_lane: str | None
    """Its id; `None` where none is active."""
    to_lane: str | None
    """`None`: to pause, and work in no lane."""
    reason: str = ""
    bookmark: str = ""
    """Where the lane that is left should go on."""
    leaves_as: Literal["paused", "expired", "completed"] = "paused"
    """What becomes of the lane that is left. An expired one is over, whatever is answered."""
    opens: Lane | None = None
    """The lane that is switched to, where there is none of its name yet."""

    @property
    def summary(self) -> str:
        """``writing→taxes``, ``-`` for none."""
        return f"{self.from_lane or '-'}→{self.to_lane or '-'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """Whether an operation may be done within a scope."""

    operation: str
    scope: str

    @property
    def summary(self) -> str:
        """``memory.write on altitude.*``."""
        return f"{self.operation} on {self.scope}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The user's answer, given now or before."""

    allowed: bool
    reason: str
    asked: bool = False
    """It was asked for now; a second time it is not."""

    def __post_init__(self) -> None:
        _check_decision("consent", self.allowed, self.reason)

    @property
    def decision(self) -> Literal["allowed", "denied"]:
        """For the trace."""
        return "allowed" if self.allowed else "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What a piece of input calls for, beside its content."""

    signal_type: str
    """``none``, ``formal_work``, ``interrupt``, ``urgency``, ``completion``, ``emotional``, or a plugin's own."""
    text: str
    strength: float = 1.0
    """0 to 1."""

    def __post_init__(self) -> None:
        if not isinstance(self.signal_type, str) or not isinstance(self.text, str):
            raise TypeError(f"a signal's type and text are str, not {self.signal_type!r:.80} and {self.text!r:.80}")
        if not (0 <= self.strength <= 1):
            raise ValueError(f"a signal's strength is from 0 to 1, not {self.strength}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one agent says."""

    agent: str
    text: str
    confidence: float = 1.0
    """0 to 1; weighs its vote."""

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise TypeError(f"agent {self.agent}: its text is a str, not {type(self.text).__name__}")
        if not (0 <= self.confidence <= 1):
            raise ValueError(f"agent {self.agent}: its confidence is from 0 to 1, not {self.confidence}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """Where a signal went, and what came back."""

    signal_type: str
    bundle: str
    agents: tuple[str, ...]
    """Those that answered, in the bundle's order."""
    reducer: Reducer
    text: str
    answers: tuple[Answer, ...] = ()
    allowed: bool = True
    """False where the agent approval gate let no agent through."""
    reason: str = ""
    """Who of the bundle is missing, and why."""

    @property
    def outcome(self) -> str:
        """The agents that answered, for the trace; ``nobody``."""
        return ", ".join(self.agents) or "nobody"


def _check_decision(what: str, allowed: object, reason: object) -> None:
    """Refuse what is no clear yes or no: text such as ``"no"`` would count as a yes."""
    if not isinstance(allowed, bool):
        raise TypeError(f"{what} answers allowed=True or False, not {allowed!r:.80}")
    if not isinstance(reason, str):
        raise TypeError(f"the reason of {what} is a str, not {type(reason).__name__}")
