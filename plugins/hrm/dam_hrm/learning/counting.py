"""
Count what worked, until it has worked often enough to be a pattern.

Counted is what was done in a situation, both exactly the same but for fractions. A failure begins the count anew.
Only so many counts are kept; the one that was not seen for the longest time is let go first.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from dam_hrm.learning.situations import code_of, key_of, rounded
from dam_hrm.learning.values import Pattern, Situation

OFTEN_ENOUGH: Final = 3
"""Successes that make a pattern."""
LEARNED: Final = 0.8
"""The confidence of a pattern that was just learned: by the rule of succession, of 3 successes in 3."""
MAX_COUNTS: Final = 256
SOURCE: Final = "observed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What worked some times."""

    when: Situation
    then: str
    evidence: tuple[str, ...]
    """A handle for each time."""

    @property
    def key(self) -> str:
        """What it is counted by."""
        return key_of(self.then, self.when)

    def as_pattern(self, turn: int) -> Pattern:
        """Make the pattern of it."""
        return Pattern(
            pattern_code=code_of(self.then, self.when),
            when=self.when,
            then=self.then,
            confidence=LEARNED,
            evidence=self.evidence,
            hits=len(self.evidence),
            last_turn=turn,
            source=SOURCE,
        )


class Counts:
    """What is being counted. Takes no lock: `layer` does."""

    def __init__(self) -> None:
        self._by_key: OrderedDict[str, Count] = OrderedDict()

    @property
    def all(self) -> tuple[Count, ...]:
        """Every count; the one that was seen last is the last."""
        return tuple(self._by_key.values())

    def observe(self, situation: Situation, then: str, *, worked: bool, evidence: str) -> Count | None:
        """Count a success, or begin anew; give what has now worked often enough: it is counted no longer."""
        seen = Count(when=rounded(situation), then=then, evidence=(evidence,))
        before = self._by_key.pop(seen.key, None)
        if not worked:
            return None
        if before is not None:
            seen = Count(when=seen.when, then=then, evidence=(*before.evidence, evidence))
        if len(seen.evidence) >= OFTEN_ENOUGH:
            return seen
        self.keep(seen)
        return None

    def keep(self, count: Count) -> None:
        """Go on from a count, one short of a pattern at most, unless it was begun anew."""
        if count.key not in self._by_key:
            self._by_key[count.key] = Count(
                when=count.when, then=count.then, evidence=count.evidence[: OFTEN_ENOUGH - 1]
            )
        while len(self._by_key) > MAX_COUNTS:
            self._by_key.popitem(last=False)
