"""
Patterns and counts as JSON values, and back.

What cannot be read back is set aside, one by one, each with the reason, and written again as it was: a newer
version may know what to do with it. A record that is none of ours, or of a newer version, is not read at all.
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
    set_aside: tuple[SetAside, ...] = ()
    foreign: str = ""
    """Why nothing was read; such a record is not to be written over."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why something was not read."""
        return (*([self.foreign] if self.foreign else []), *(each.reason for each in self.set_aside))


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A part of the record that was not read."""

    reason: str
    kind: str
    """The list that it is in."""
    item: Any


def to_json(patterns: Iterable[Pattern], counts: Iterable[Count], set_aside: Iterable[SetAside] = ()) -> dict[str, Any]:
    """Give a record for memory."""
    record: dict[str, Any] = {
        "version": VERSION,
        "patterns": [_pattern_to_json(pattern) for pattern in patterns],
        "counts": [
            {"when": dict(count.when), "then": count.then, "evidence": list(count.evidence)} for count in counts
        ],
    }
    for each in set_aside:
        record[each.kind].append(each.item)
    return record


def from_json(record: Any) -> Kept:
    """Read a record of memory."""
    if not isinstance(record, dict) or record.get("version") != VERSION:
        version = record.get("version") if isinstance(record, dict) else None
        return Kept(foreign=f"what is kept is of version {version!r:.80}, and only {VERSION} is known here")
    patterns, bad_patterns = _each("patterns", record.get("patterns"), _pattern_from_json)
    counts, bad_counts = _each("counts", record.get("counts"), _count_from_json)
    return Kept(patterns=patterns, counts=counts, set_aside=(*bad_patterns, *bad_counts))


def _each(kind: str, items: Any, read: Callable[[Any], _T]) -> tuple[tuple[_T, ...], tuple[SetAside, ...]]:
    good, bad = [], []
    for number, item in enumerate(items if isinstance(items, list) else [items], start=1):
        try:
            good.append(read(item))
        except (BadPattern, KeyError, TypeError, AttributeError) as error:
            reason = f"{number} of the {kind}: {type(error).__name__}: {error}"
            bad.append(SetAside(reason=reason, kind=kind, item=item))
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
