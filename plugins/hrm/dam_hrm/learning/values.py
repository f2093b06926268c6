"""What the learning layer works with: patterns, each with a code, a confidence and the evidence for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from dam_hrm.learning.errors import BadPattern
from dam_hrm.learning.situations import plain

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

    def __post_init__(self) -> None:
        if not isinstance(self.pattern_code, str) or not _CODE.fullmatch(self.pattern_code):
            raise BadPattern(f"{self.pattern_code!r:.90} is no code: use up to 80 of a to z, 0 to 9 and _")
        if not isinstance(self.then, str) or not self.then:
            raise BadPattern(f"pattern {self.pattern_code} says what to do as {self.then!r:.80}: give words")
        _check_share(f"pattern {self.pattern_code}", self.confidence)
        if not isinstance(self.evidence, tuple) or not all(isinstance(handle, str) for handle in self.evidence):
            raise BadPattern(
                f"pattern {self.pattern_code} has {self.evidence!r:.80} as evidence: give a tuple of texts"
            )
        for count in (self.hits, self.misses, self.last_turn):
            if not isinstance(count, int) or isinstance(count, bool) or count < 0:
                raise BadPattern(f"pattern {self.pattern_code} counts {count!r:.80}: give 0 or a whole number above it")
        plain(self.when)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What patterns say of a situation."""

    pattern_code: str | None
    """The best one's; `None` where none fits."""
    confidence: float
    then: str = ""
    also: tuple[str, ...] = ()
    """The codes of others that fit, the better ones first."""

    def __post_init__(self) -> None:
        _check_share("a match", self.confidence)

    @property
    def outcome(self) -> str:
        """The best one's code, ``none`` where none fits."""
        return self.pattern_code or "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimmed:
    """Which pattern went, or why it stayed."""

    pattern_code: str
    removed: bool
    reason: str

    def __post_init__(self) -> None:
        if not isinstance(self.removed, bool):
            raise BadPattern(f"a pattern is removed or not: give True or False, not {self.removed!r:.80}")

    @property
    def outcome(self) -> Literal["removed", "kept"]:
        """For the trace."""
        return "removed" if self.removed else "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generalized:
    """One pattern out of several; `pattern` is `None` where they have too little in common."""

    from_patterns: tuple[str, ...]
    to_pattern: str | None
    """Its code."""
    reason: str
    pattern: Pattern | None = field(default=None)

    def __post_init__(self) -> None:
        if self.to_pattern != (self.pattern and self.pattern.pattern_code):
            raise BadPattern(f"the one pattern is named {self.to_pattern} and has another code")

    @property
    def outcome(self) -> Literal["generalized", "refused"]:
        """For the trace."""
        return "refused" if self.pattern is None else "generalized"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What was taken in from earlier sessions."""

    patterns: int
    """How many."""
    set_aside: tuple[str, ...] = ()
    """What could not be read, each with the reason."""


_CODE: Final = re.compile(r"[a-z0-9_]{1,80}")


def _check_share(what: str, number: object) -> None:
    if not isinstance(number, (int, float)) or isinstance(number, bool) or not 0 <= number <= 1:
        raise BadPattern(f"{what} has a confidence of {number!r:.80}: give a number from 0 to 1")
