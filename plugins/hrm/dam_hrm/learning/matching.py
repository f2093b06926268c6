"""
Find the pattern that fits a situation best.

A pattern fits where the situation has all of its conditions. Its score is its confidence, times a share that
grows with the number of conditions (one half for none, two thirds for one, three quarters for two, and so on): of
two that are equally sure, the one that says more about the situation is better. Where scores are equal, more conditions
win, then more hits, then the code that comes first in the alphabet: the order of learning never matters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dam_hrm.learning.situations import fits
from dam_hrm.learning.values import Match, Pattern, Situation

_DIGITS: Final = 9


def score(pattern: Pattern) -> float:
    """Say how good a pattern is that fits; 0 to 1, to as many digits that equal ones are equal."""
    conditions = len(pattern.when)
    return round(pattern.confidence * (conditions + 1) / (conditions + 2), _DIGITS)


def best(patterns: Iterable[Pattern], situation: Situation) -> list[Pattern]:
    """Give the patterns that fit, the better ones first."""
    fitting = [pattern for pattern in patterns if fits(pattern.when, situation)]
    return sorted(fitting, key=lambda each: (-score(each), -len(each.when), -each.hits, each.pattern_code))


def match(patterns: Iterable[Pattern], situation: Situation) -> Match:
    """Say which pattern fits best, and which others do."""
    fitting = best(patterns, situation)
    if not fitting:
        return Match(pattern_code=None, confidence=0.0)
    first, *others = fitting
    also = tuple(each.pattern_code for each in others)
    return Match(pattern_code=first.pattern_code, confidence=first.confidence, then=first.then, also=also)
