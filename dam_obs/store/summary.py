"""
Sum up the newest events of a trace: by layer, and the slowest ones.

Averages and quantiles are over spans alone: a moment has no duration. Quantiles are
durations that occurred. How it is laid out is the command's business.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Final, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from dam_obs.store.recall import Recall
from dam_obs.trace.events import Status, TraceEvent
from dam_obs.trace.layers import BUILT_IN

Ints: TypeAlias = npt.NDArray[np.int64]

_STATUSES: Final[tuple[Status, ...]] = get_args(Status)
_LONGEST_NS: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long the spans of a layer took."""

    mean_ns: int
    p50_ns: int
    p95_ns: int
    max_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSummary:
    """One layer's events."""

    layer: str
    """Its full name; its code, where a plugin's layer was written with that alone."""

    operations: int
    """Spans and moments."""

    by_status: dict[Status, int]
    """Each status with its count, 0 where there was none."""

    durations: Durations | None
    """`None` where all its events are moments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSummary:
    """What a trace's newest events come to."""

    read: int
    """Events in the trace."""

    events: int
    """The newest of them, which were summed up."""

    layers: tuple[LayerSummary, ...]
    """The built-in ones in their order, then those of plugins by name; only those that occur."""

    slowest: tuple[TraceEvent, ...]
    """The slowest spans, slowest first; of equal ones the older first."""


def summarise(trace: Recall, *, last: int, slowest: int) -> TraceSummary:
    """
    Sum up a trace.

    Args:
        trace: Is iterated once.
        last: Only so many of the newest events.
        slowest: How many of the slowest spans to name at most.
    """
    window = _Window(last)
    for event in trace:
        window.add(event)
    layers, statuses, durations = window.columns()
    spans = np.flatnonzero(durations >= 0)
    ordered = spans[np.argsort(-durations[spans], kind="stable")][:slowest]
    first = len(trace) - len(durations)
    positions = (ordered + first).tolist()
    found = dict(zip(sorted(positions), trace.take(positions), strict=True))
    return TraceSummary(
        read=len(trace),
        events=len(durations),
        layers=tuple(
            _layer(name, statuses[layers == number], durations[layers == number])
            for name, number in sorted(window.layers.items(), key=lambda item: _rank(item[0]))
            if (layers == number).any()
        ),
        slowest=tuple(found[position] for position in positions),
    )


def duration_ns(event: TraceEvent) -> int | None:
    """Return how long an event took; `None` for a moment. A file of the seed's form has whole milliseconds alone."""
    if event.kind == "event":
        return None
    known = event.duration_ns if event.duration_ns is not None else event.duration_ms * 1_000_000
    return min(max(known, 0), _LONGEST_NS)


class _Window:
    """Numbers about the newest events."""

    def __init__(self, last: int) -> None:
        self._last = last
        self._columns = (array("q"), array("q"), array("q"))
        self.layers: dict[str, int] = {}

    def add(self, event: TraceEvent) -> None:
        layers, statuses, durations = self._columns
        took = duration_ns(event)
        layers.append(self.layers.setdefault(event.hrm_layer, len(self.layers)))
        statuses.append(_STATUSES.index(event.status))
        durations.append(-1 if took is None else took)
        if len(layers) >= 2 * self._last:
            self._forget_old()

    def columns(self) -> tuple[Ints, Ints, Ints]:
        """Return layers, statuses and durations; a duration of -1 is a moment's."""
        self._forget_old()
        layers, statuses, durations = (np.array(column, dtype=np.int64) for column in self._columns)
        return layers, statuses, durations

    def _forget_old(self) -> None:
        for column in self._columns:
            del column[: -self._last]


def _rank(name: str) -> tuple[int, str]:
    names = [each.name for each in BUILT_IN]
    return (names.index(name), "") if name in names else (len(names), name)


def _layer(name: str, statuses: Ints, durations: Ints) -> LayerSummary:
    return LayerSummary(
        layer=name,
        operations=len(statuses),
        by_status={status: int((statuses == number).sum()) for number, status in enumerate(_STATUSES)},
        durations=_durations(durations[durations >= 0]),
    )


def _durations(spans: Ints) -> Durations | None:
    if not len(spans):
        return None
    p50, p95 = np.quantile(spans, [0.5, 0.95], method="inverted_cdf")
    return Durations(mean_ns=round(float(spans.mean())), p50_ns=int(p50), p95_ns=int(p95), max_ns=int(spans.max()))
