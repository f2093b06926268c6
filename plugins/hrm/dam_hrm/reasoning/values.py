"""What the reasoning layer works with: what an input is like, how to go about it, and when to change that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from dam_hrm.checks import check_share, check_type, check_word
from dam_hrm.names import Name


class Strategy(Name):
    """A way to go about an input."""

    QUICK_ANSWER = "quick_answer"
    DECOMPOSITION = "decomposition"
    VERIFICATION = "verification"
    EXPLORATION = "exploration"
    DIALOGUE = "dialogue"


Complexity = Literal["simple", "moderate", "complex"]
Conflict = Literal["none", "internal", "external"]
Stakes = Literal["low", "medium", "high"]
Horizon = Literal["immediate", "near", "far"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What an input is like."""

    input_type: str
    """``question``, ``task``, ``decision``, ``statement``, ``command``, or a plugin's own."""
    complexity: Complexity
    uncertainty: float
    """0 to 1."""
    conflict: Conflict
    stakes: Stakes
    horizon: Horizon
    confidence: float
    """0 to 1: in this classification."""

    def __post_init__(self) -> None:
        check_type("an input's type", self.input_type, str)
        check_word("complexity", self.complexity, get_args(Complexity))
        check_share("uncertainty", self.uncertainty)
        check_word("conflict", self.conflict, get_args(Conflict))
        check_word("stakes", self.stakes, get_args(Stakes))
        check_word("horizon", self.horizon, get_args(Horizon))
        check_share("the confidence in a classification", self.confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyChoice:
    """Which strategy, and why."""

    strategy: Strategy
    reason: str
    fallback: Strategy | None = None
    """What to do where it fails."""

    def __post_init__(self) -> None:
        check_type("a strategy", self.strategy, Strategy)
        check_type("a strategy's reason", self.reason, str)
        if self.fallback is not None:
            check_type("a fallback", self.fallback, Strategy)


MAX_LEVEL: Final = 3
"""Of escalation."""

Trigger = Literal["uncertainty", "conflict", "cost_value", "horizon", "pattern_match", "override", "simplified"]
"""What changes how much care an input gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """A change of how much care an input gets; levels from 0 (none) to 3."""

    from_level: int
    to_level: int
    """Lower than `from_level`: the way back."""
    trigger: Trigger
    reason: str = ""

    @property
    def summary(self) -> str:
        """``0→1``."""
        return f"{self.from_level}→{self.to_level}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """What became of it."""

    allowed: bool
    level: int
    """That holds now."""
    reason: str

    def __post_init__(self) -> None:
        check_type("whether an escalation is allowed", self.allowed, bool)
        if self.level not in range(MAX_LEVEL + 1):
            raise ValueError(f"an escalation level is 0 to {MAX_LEVEL}, not {self.level!r:.80}")
        check_type("an escalation's reason", self.reason, str)
