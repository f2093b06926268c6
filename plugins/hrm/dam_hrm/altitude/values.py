"""What the altitude layer works with: levels, moves between them, plans, verdicts and actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from dam_hrm.checks import check_each, check_share, check_type, check_word
from dam_hrm.names import Name


class Level(Name):
    """How far above the moment a conversation is."""

    IDENTITY = "L4"
    STRATEGY = "L3"
    OPERATIONS = "L2"
    MOMENT = "L1"

    @property
    def height(self) -> int:
        """4 for identity, 1 for the moment."""
        return int(self.value[1])

    @property
    def above(self) -> Level | None:
        """The level that this one rests on; `None` for identity."""
        return Level(f"L{self.height + 1}") if self.height < len(Level) else None

    @property
    def below(self) -> Level | None:
        """The level that rests on this one; `None` for the moment."""
        return Level(f"L{self.height - 1}") if self.height > 1 else None


class Footing(Name):
    """What a session's level rests on."""

    ESTABLISHED = "established"
    """The level above it is established, or there is none."""
    FAST_LANE = "fast_lane"
    """An atomic request."""
    SKIP = "skip"
    """A reason for passing over a level."""
    RISEN = "risen"
    """It was gone up to, from below an exception."""
    GRANTED = "granted"
    """A plugin's word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A change of level that is wished for."""

    from_level: Level
    to_level: Level
    reason: str = ""
    """Why; a move that skips a level needs one."""
    atomic: bool = False
    """It is for one request that is answered at once: the fast lane."""

    @property
    def summary(self) -> str:
        """``L3→L2``."""
        return f"{self.from_level.value}→{self.to_level.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What became of a move."""

    allowed: bool
    reason: str
    """Why it was allowed or not, in words for the user."""
    note: str = ""
    """What the user should be told along with it: the fast lane's reminder of what is missing above."""
    skipped: tuple[Level, ...] = ()
    """Levels that were passed over, in the order in which they were."""

    def __post_init__(self) -> None:
        check_type("whether a move is allowed", self.allowed, bool)
        check_type("a move's reason", self.reason, str)
        check_type("a move's note", self.note, str)
        check_each("the levels that were skipped", self.skipped, Level)

    @property
    def outcome(self) -> Literal["success", "blocked"]:
        """For the trace."""
        return "success" if self.allowed else "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done about an intent."""

    altitude: Level
    intent: str
    plan_summary: str
    """One line."""
    steps: tuple[str, ...] = ()
    action_type: str = "answer"
    """What carries it out: the name of an action."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """For the action."""

    def __post_init__(self) -> None:
        check_type("a plan's altitude", self.altitude, Level)
        check_type("a plan's summary", self.plan_summary, str)
        check_each("the steps", self.steps, str)
        check_type("an action's type", self.action_type, str)
        check_type("an action's arguments", self.arguments, Mapping)


Verdict = Literal["approved", "revise", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What is thought of a plan."""

    altitude: Level
    verdict: Verdict
    confidence: float
    """0 to 1."""
    reason: str = ""

    def __post_init__(self) -> None:
        check_word("a verdict", self.verdict, get_args(Verdict))
        check_share("the confidence in a verdict", self.confidence)
        check_type("a verdict's reason", self.reason, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do now."""

    altitude: Level
    action_type: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResult:
    """What doing it came to."""

    allowed: bool
    output: str
    """What the user is told."""
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_type("whether an action is allowed", self.allowed, bool)
        check_type("an action's output", self.output, str)
        check_type("an action's reason", self.reason, str)
