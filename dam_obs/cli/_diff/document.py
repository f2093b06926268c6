"""What ``dam-obs diff --json`` prints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dam_obs.store.intervals import RateChange, Ratio
from dam_obs.store.populations import Comparison, Group, Verdict

if TYPE_CHECKING:
    from dam_obs.cli._diff.run_document import RunsDocument

SCHEMA_VERSION: Final = 1
"""Raised when a field goes or changes its meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two populations."""

    trace: str
    """Where it was read from."""
    filter: str
    """What let its events through; empty for all."""
    newest: int | None
    """Only so many of the newest; `None` for all."""
    skip_newest: int
    """After leaving out so many of the newest."""
    events: int
    without_group: int
    """Events among them that have nothing to be grouped by, and are not compared."""
    skipped: dict[str, int]
    """Lines without an event, by reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSide:
    """One group in one population."""

    events: int
    spans: int
    """Events that have a duration."""
    median_ns: float | None
    p95_ns: int | None
    errors: int
    blocked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A ratio of medians, or a difference of rates, with its interval."""

    value: float | None
    """`None` where it is without bound, as the ratio of something to nothing."""
    low: float | None
    high: float | None
    p: float
    """The chance to see as much of a change where there is none; not corrected for many comparisons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDocument:
    """One group."""

    group: str
    verdict: Verdict
    before: GroupSide | None
    after: GroupSide | None
    ratio_of_medians: Change | None
    errors: Change | None
    errors_changed: bool
    """It stands after the correction for many comparisons, as verdicts do."""
    blocked: Change | None
    blocked_changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffDocument:
    """What is printed."""

    schema_version: int
    by: str
    level: float
    """Of the intervals."""
    false_discovery_rate: float
    before: Side
    after: Side
    groups: tuple[GroupDocument, ...]
    """What changed most first."""
    runs: RunsDocument | None = None
    """What else is known of two runs; `None` where events alone were compared."""


def document(
    before: Side,
    after: Side,
    comparisons: Sequence[Comparison],
    *,
    by: str,
    level: float,
    runs: RunsDocument | None = None,
) -> DiffDocument:
    """Put together what is printed."""
    return DiffDocument(
        schema_version=SCHEMA_VERSION,
        by=by,
        level=level,
        false_discovery_rate=round(1 - level, 9),
        before=before,
        after=after,
        groups=tuple(group_document(each) for each in comparisons),
        runs=runs,
    )


def group_document(each: Comparison) -> GroupDocument:
    """Put together what is printed of one group."""
    return GroupDocument(
        group=each.name,
        verdict=each.verdict,
        before=_side(each.before),
        after=_side(each.after),
        ratio_of_medians=change_of(each.time),
        errors=change_of(each.errors),
        errors_changed=each.errors_changed,
        blocked=change_of(each.blocked),
        blocked_changed=each.blocked_changed,
    )


def _side(group: Group | None) -> GroupSide | None:
    if group is None:
        return None
    times = group.times
    return GroupSide(
        events=group.events,
        spans=times.middle.size if times is not None else 0,
        median_ns=times.middle.median if times is not None else None,
        p95_ns=times.p95_ns if times is not None else None,
        errors=group.errors,
        blocked=group.blocked,
    )


def change_of(change: Ratio | RateChange | None) -> Change | None:
    """Put together what is printed of a change."""
    if change is None:
        return None
    return Change(value=_bounded(change.value), low=_bounded(change.low), high=_bounded(change.high), p=change.p)


def _bounded(value: float) -> float | None:
    return None if value == math.inf else value
