"""
Make one pattern out of several that say the same: what their conditions have in common.

They have too little in common where that is nothing, or less than `ENOUGH` of the conditions of the one that has
most. The new one is as sure as the least sure of them, and names them in its evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dam_hrm.learning.patterns import MAX_EVIDENCE, joined_evidence
from dam_hrm.learning.situations import code_of, same
from dam_hrm.learning.values import Generalized, Pattern, Situation

ENOUGH: Final = 0.5
MAX_SOURCES: Final = MAX_EVIDENCE // 2
"""Patterns that become one at once: each is to be found in its evidence."""
SOURCE: Final = "generalized"


def generalized(patterns: Sequence[Pattern]) -> Generalized:
    """Make one pattern out of several, or say why there is none."""
    codes = tuple(pattern.pattern_code for pattern in patterns)
    why_not = _refusal(patterns)
    if why_not:
        return Generalized(from_patterns=codes, to_pattern=None, reason=why_not)
    first, when = patterns[0], in_common(patterns)
    pattern = with_sources(
        Pattern(
            pattern_code=code_of(first.then, when),
            when=when,
            then=first.then,
            confidence=min(each.confidence for each in patterns),
            evidence=joined_evidence(*(each.evidence for each in patterns)),
            hits=sum(each.hits for each in patterns),
            misses=sum(each.misses for each in patterns),
            last_turn=max(each.last_turn for each in patterns),
            source=SOURCE,
        ),
        codes,
    )
    reason = f"in common: {', '.join(f'{name}={value}' for name, value in when.items())}"
    return Generalized(from_patterns=codes, to_pattern=pattern.pattern_code, reason=reason, pattern=pattern)


def in_common(patterns: Sequence[Pattern]) -> Situation:
    """Give the conditions that all have; of numbers that are near, the first one's."""
    first, *others = [pattern.when for pattern in patterns]
    return {
        name: value
        for name, value in first.items()
        if all(name in other and same(value, other[name]) for other in others)
    }


def with_sources(pattern: Pattern, codes: Sequence[str]) -> Pattern:
    """Name in a pattern's evidence those that it came from, so that they are the last to be let go."""
    return replace(pattern, evidence=joined_evidence(pattern.evidence, [f"pattern:{code}" for code in codes]))


def _refusal(patterns: Sequence[Pattern]) -> str:
    if not 2 <= len(patterns) <= MAX_SOURCES:
        return f"2 to {MAX_SOURCES} patterns become one, not {len(patterns)}"
    if len({pattern.then for pattern in patterns}) > 1:
        return f"they say different things: {', '.join(sorted({pattern.then for pattern in patterns}))}"
    common, most = len(in_common(patterns)), max(len(pattern.when) for pattern in patterns)
    if common == 0 or common < ENOUGH * most:
        return f"they have too little in common: {common} of {most} conditions"
    return ""
