"""
Figures about the events of a trace, as data: what `sums` finds, and ``dam-obs stats`` shows.

Averages and quantiles are over spans alone, since a moment has no duration. Quantiles are
durations that occurred.
"""

from __future__ import annotations

from dataclasses import dataclass

from dam_obs.trace.events import Status, TraceEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long the spans of a group took."""

    mean_ns: int
    p50_ns: int
    p90_ns: int
    p95_ns: int
    p99_ns: int
    max_ns: int
    total_ns: int
    """All together; a span that ran within another of the group counts in both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a group of events comes to."""

    name: str
    """An operation of a layer, or a group that the user asked for."""
    operations: int
    """Spans and moments."""
    by_status: dict[Status, int]
    """Each status with its count, 0 where there was none."""
    error_rate: float
    """The part of the operations that ended in an error: from 0 to 1."""
    blocked_rate: float
    durations: Durations | None
    """`None` where all its events are moments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFigures:
    """One layer's events."""

    layer: str
    """Its full name; its code, where a plugin's layer was written with that alone."""
    operations: int
    by_status: dict[Status, int]
    error_rate: float
    blocked_rate: float
    durations: Durations | None
    by_operation: tuple[Figures, ...]
    """Those that took the longest together first."""
    operations_left_out: int
    """Names of operations beyond the bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The events by what the user named."""

    by: str
    groups: tuple[Figures, ...]
    """Those that took the longest together first."""
    groups_left_out: int
    """Groups beyond the bound."""
    events_without: int
    """Events that have nothing to be grouped by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """How a group did over time: for each bucket a number."""

    name: str
    operations: tuple[int, ...]
    p95_ns: tuple[int | None, ...]
    """`None` for a bucket without a span."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTime:
    """The events by when they started, in buckets of the same length."""

    first_ns: int
    """When the first bucket begins: nanoseconds since the epoch."""
    bucket_ns: int
    buckets: int
    by: str
    series: tuple[Series, ...]
    """In the order of the groups, or else of the layers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What a trace's newest events come to."""

    read: int
    """Events in the trace."""
    fitting: int
    """Those that were asked for."""
    events: int
    """The newest of them, which were summed up."""
    layers: tuple[LayerFigures, ...]
    """The built-in ones in their order, then those of plugins by name; only those that occur."""
    grouped: Groups | None
    over_time: OverTime | None
    """`None` where there are no events."""
    slowest: tuple[TraceEvent, ...]
    """The slowest spans, slowest first; of equal ones the older first."""
