"""What the reasoning layer works with: what an input is like, how to go about it, and when to change that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dam_hrm.names import Name


class Strategy(Name):
    """A way to go about an input."""

    QUICK_ANSWER = "quick_answer"
    DECOMPOSITION = "decomposition"
    VERIFICATION = "verification"
    EXPLORATION = "exploration"
    DIALOGUE = "dialogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What an input is like."""

    input_type: str
    """``question``, ``task``, ``decision``, ``statement``, ``command``, or a plugin's own."""
    complexity: Literal["simple", "moderate", "complex"]
    uncertainty: float
    """0 to 1."""
    conflict: Literal["none", "internal", "external"]
    stakes: Literal["low", "medium", "high"]
    horizon: Literal["immediate", "near", "far"]
    confidence: float
    """0 to 1: in this classification."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyChoice:
    """Which strategy, and why."""

    strategy: Strategy
    reason: str
    fallback: Strategy | None = None
    """What to do where it fails."""


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
