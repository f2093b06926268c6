"""What the learning layer works with: patterns, each with a code, a confidence and the evidence for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Situation = Mapping[str, str | float | int | bool]
"""What a turn was like, by name: an input's classification, stance, level, signal. Patterns are matched against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Something that happened often enough to be expected."""

    pattern_code: str
    """Its name: lower case letters, digits and ``_``."""
    when: Situation
    """What a situation must have for the pattern to match."""
    then: str
    """What to do: a strategy's name, or words."""
    confidence: float
    """0 to 1."""
    evidence: tuple[str, ...] = ()
    """Where it was seen: handles of events, or turns as ``session:turn``; the newest last, bounded."""
    protected: bool = False
    """It is never trimmed."""
    hits: int = 0
    misses: int = 0
    last_turn: int = 0
    """The session's turn in which it last matched or was changed."""
    source: str = ""
    """Who made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What patterns say of a situation."""

    pattern_code: str | None
    """The best one's; `None` where none fits."""
    confidence: float
    then: str = ""
    also: tuple[str, ...] = ()
    """The codes of others that fit, the better ones first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimmed:
    """Which pattern went, or why it stayed."""

    pattern_code: str
    removed: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Generalized:
    """One pattern out of several; `pattern` is `None` where they have too little in common."""

    from_patterns: tuple[str, ...]
    to_pattern: str | None
    """Its code."""
    reason: str
    pattern: Pattern | None = field(default=None)
