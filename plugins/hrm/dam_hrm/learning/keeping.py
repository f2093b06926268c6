"""
Patterns and counts as JSON values, and back.

What cannot be read back is set aside, one by one, each with the reason; the rest is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from dam_hrm.learning.counting import Count
from dam_hrm.learning.errors import BadPattern
from dam_hrm.learning.situations import plain
from dam_hrm.learning.values import Pattern

NAMESPACE: Final = "learning"
KEY: Final = "patterns"
VERSION: Final = 1

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was read back."""

    patterns: tuple[Pattern, ...] = ()
    counts: tuple[Count, ...] = ()
    set_aside: tuple[str, ...] = ()
    """Why something was not."""


def to_json(patterns: Iterable[Pattern], counts: Iterable[Count]) -> dict[str, Any]:
    """Give a record for memory."""
    return {
        "version": VERSION,
        "patterns": [_pattern_to_json(pattern) for pattern in patterns],
        "counts": [
            {"when": dict(count.when), "then": count.then, "evidence": list(count.evidence)} for count in counts
        ],
    }


def from_json(record: Any) -> Kept:
    """Read a record of memory."""
    if not isinstance(record, dict):
        return Kept(set_aside=(f"the record is {type(record).__name__}, no mapping",))
    if record.get("version") != VERSION:
        return Kept(set_aside=(f"the record is of version {record.get('version')!r:.80}, not {VERSION}",))
    patterns, bad_patterns = _each("pattern", record.get("patterns"), _pattern_from_json)
    counts, bad_counts = _each("count", record.get("counts"), _count_from_json)
    return Kept(patterns=patterns, counts=counts, set_aside=(*bad_patterns, *bad_counts))


def _each(what: str, items: Any, read: Callable[[Any], _T]) -> tuple[tuple[_T, ...], tuple[str, ...]]:
    if not isinstance(items, list):
        return (), (f"the record has no list of {what}s",)
    good, bad = [], []
    for number, item in enumerate(items, start=1):
        try:
            good.append(read(item))
        except (BadPattern, KeyError, TypeError, AttributeError) as error:
            bad.append(f"{what} {number}: {type(error).__name__}: {error}")
    return tuple(good), tuple(bad)


def _pattern_to_json(pattern: Pattern) -> dict[str, Any]:
    return {
        "pattern_code": pattern.pattern_code,
        "when": dict(plain(pattern.when)),
        "then": pattern.then,
        "confidence": float(pattern.confidence),
        "evidence": list(pattern.evidence),
        "protected": pattern.protected,
        "hits": pattern.hits,
        "misses": pattern.misses,
        "source": pattern.source,
    }


def _pattern_from_json(item: Any) -> Pattern:
    return Pattern(
        pattern_code=item["pattern_code"],
        when=plain(item["when"]),
        then=item["then"],
        confidence=item["confidence"],
        evidence=tuple(item["evidence"]),
        protected=item["protected"] is True,
        hits=item["hits"],
        misses=item["misses"],
        source=str(item["source"]),
    )


def _count_from_json(item: Any) -> Count:
    evidence = tuple(str(handle) for handle in item["evidence"])
    return Count(when=plain(item["when"]), then=str(item["then"]), evidence=evidence)
