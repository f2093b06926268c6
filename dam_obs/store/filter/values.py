"""
Read what stands behind the colon: durations, times, numbers, comparisons and patterns.

Whole nanoseconds come out, for both ways in which a filter is asked compare those exactly.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from fractions import Fraction
from typing import Final

from dam_obs.store.filter.errors import BadFilter, nearest
from dam_obs.store.filter.tree import Pattern, Started, Took, Within, fold
from dam_obs.store.filter.words import Word
from dam_obs.store.timing import LONGEST_NS, epoch_ns

UNITS_NS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
"""The micro sign and the Greek letter look the same, and both are typed."""

_LISTED: Final = "ns, us, ms, s, m, h, d"
_COMPARISON: Final = re.compile(r"(<=|>=|<|>|=)?(.*)", re.DOTALL)
_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([^\d\s.]*)")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def pattern(word: Word) -> Pattern:
    """Return a text in which an unquoted ``*`` stands for anything."""
    return Pattern(tuple(fold(part.text) for part in word.split("*")))


def anywhere(word: Word) -> Pattern:
    """Return a pattern that finds the text wherever it stands."""
    return Pattern(("", *pattern(word).pieces, ""))


def took(word: Word) -> Took:
    """Read ``>100ms``, ``<=1s``, ``=5ms`` or a range, ``10ms..1s``."""
    low, dots, high = word.text.partition("..")
    if dots:
        least, most = _duration(low, word), _duration(high, word)
        if least > most:
            raise BadFilter(f"{word.text!r} begins after its end: write the shorter one first", word.mark)
        return Took(least, most)
    sign, amount = _compared(word.text)
    bound = _duration(amount, word)
    match sign:
        case ">":
            return Took(min(bound + 1, LONGEST_NS), LONGEST_NS)
        case ">=":
            return Took(bound, LONGEST_NS)
        case "<":
            return Took(0, bound - 1)
        case "<=":
            return Took(0, bound)
        case _:
            return Took(bound, bound)


def since(word: Word, now: datetime) -> Started:
    """Read how long ago, ``10m``, or a time in ISO form; what started then or later fits."""
    return Started(_moment(word, now), LONGEST_NS)


def before(word: Word, now: datetime) -> Started:
    """Read the same; what started earlier fits."""
    return Started(-LONGEST_NS, _moment(word, now))


def numbers(word: Word) -> Within | None:
    """Read a comparison of numbers, ``>40``, or a range of them, ``1..5``; `None` where it is neither."""
    if word.plain is None:
        return None
    low, dots, high = word.text.partition("..")
    if dots and _is_number(low) and _is_number(high):
        if float(low) > float(high):
            raise BadFilter(f"{word.text!r} begins after its end: write the smaller one first", word.mark)
        return Within(float(low), float(high), True, True)
    sign, amount = _compared(word.text)
    if sign in ("", "="):
        return None
    if not _is_number(amount):
        raise BadFilter(
            f'{amount!r} is no number to compare with: write one, or "{word.text}" to look for this text', word.mark
        )
    bound, too = float(amount), sign.endswith("=")
    return Within(bound, math.inf, too, True) if sign.startswith(">") else Within(-math.inf, bound, True, too)


def number(text: str) -> float | None:
    """Return the number that a text writes, if it does."""
    return float(text) if _is_number(text) else None


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and math.isfinite(float(text))


def _compared(text: str) -> tuple[str, str]:
    match = _COMPARISON.fullmatch(text)
    return (match[1] or "", match[2].strip()) if match else ("", text)


def _duration(text: str, word: Word) -> int:
    length = _length(text.strip(), word)
    if length is None:
        raise BadFilter(f"{text!r} is no duration: write one such as 100ms, >1.5s or 10ms..1s", word.mark)
    return length


def _moment(word: Word, now: datetime) -> int:
    age = _length(word.text, word)
    if age is not None:
        return max(-LONGEST_NS, epoch_ns(now) - age)
    try:
        moment = epoch_ns(datetime.fromisoformat(word.text))
    except ValueError:
        raise BadFilter(
            f"{word.text!r} is no time: write how long ago, such as 10m, or 2026-01-13T15:00 with or without an offset",
            word.mark,
        ) from None
    return max(-LONGEST_NS, min(moment, LONGEST_NS))


def _length(text: str, word: Word) -> int | None:
    """Return nanoseconds; `None` where there is no amount with a unit at all."""
    match = _AMOUNT.fullmatch(text)
    if match is None or (not match[2] and len(text) > 6):  # a date may be written as digits alone
        return None
    amount, unit = match.groups()
    if unit not in UNITS_NS:
        what = f"{unit!r} is no unit" if unit else f"{text!r} has no unit"
        raise BadFilter(f"{what}: {nearest(unit, UNITS_NS) if unit else ''}there are {_LISTED}", word.mark)
    return min(round(Fraction(amount) * UNITS_NS[unit]), LONGEST_NS)
