"""
Traces and their events as rows, with what a screen says of each; and which of them fit a filter.

Pure data: nothing here knows how wide a screen is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from dam_obs.sinks.tree import layer_code
from dam_obs.store.filter import Filter
from dam_obs.store.timing import duration_ns, start_ns
from dam_obs.store.tree import Trace, traces
from dam_obs.text import printable
from dam_obs.trace.events import TraceEvent

_BETWEEN_LOOKS: Final = 500
"""Events that are asked before it is looked whether the answer is still wanted."""


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One event in its place in the tree."""

    event: TraceEvent
    depth: int
    parent: int | None
    """Its parent's number among the trace's rows."""
    end: int
    """The number of the first row behind it that is not below it."""
    label: str
    """Safe to print, on one line."""
    start_ns: int
    """Since the trace's first event began."""
    duration_ns: int | None


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One trace."""

    nodes: tuple[NodeRow, ...]
    """Each before those below it."""
    partial: bool
    """Its root has a parent that is not here."""
    when: str
    """Date and time as they were written, without fractions and offset."""
    extent_ns: int
    """From the first beginning to the last end."""
    errors: int
    blocked: int

    @property
    def root(self) -> NodeRow:
        """Return the row of the root."""
        return self.nodes[0]


@dataclass(frozen=True, slots=True)
class Found:
    """A trace with those of its events that a filter lets through."""

    row: TraceRow
    matching: frozenset[int]
    """Their numbers among the trace's rows."""


def rows_of(events: Iterable[TraceEvent]) -> tuple[TraceRow, ...]:
    """Put events together to traces, the newest first."""
    return tuple(_trace_row(trace) for trace in reversed(list(traces(events))))


def find(rows: Sequence[TraceRow], wanted: Filter, given_up: Callable[[], bool]) -> list[Found] | None:
    """
    Return the traces that have an event which is wanted.

    Args:
        rows: All traces.
        wanted: Lets events through.
        given_up: Asked now and then whether to stop; then the answer is `None`.
    """
    if wanted.is_everything:
        return [Found(row, frozenset(range(len(row.nodes)))) for row in rows]
    numbered = ((place, number, node.event) for place, row in enumerate(rows) for number, node in enumerate(row.nodes))
    matching: dict[int, list[int]] = {}
    while portion := list(islice(numbered, _BETWEEN_LOOKS)):
        if given_up():
            return None
        for place, number, event in portion:
            if wanted.matches(event):
                matching.setdefault(place, []).append(number)
    return [Found(rows[place], frozenset(numbers)) for place, numbers in matching.items()]


def _trace_row(trace: Trace) -> TraceRow:
    walked = [(depth, node.event) for depth, node in trace.root.walk()]
    starts = [start_ns(event) for _, event in walked]
    begin = min(starts)
    nodes = [
        NodeRow(event, depth, parent, end, _label(event), start - begin, duration_ns(event))
        for (depth, event), (parent, end), start in zip(
            walked, _kin([depth for depth, _ in walked]), starts, strict=True
        )
    ]
    return TraceRow(
        nodes=tuple(nodes),
        partial=trace.partial,
        when=printable(nodes[0].event.timestamp[:19].replace("T", " ")),
        extent_ns=max(node.start_ns + (node.duration_ns or 0) for node in nodes),
        errors=sum(node.event.status == "error" for node in nodes),
        blocked=sum(node.event.status == "blocked" for node in nodes),
    )


def _kin(depths: Sequence[int]) -> Iterator[tuple[int | None, int]]:
    """Yield for each row its parent and the row at which what is below it ends."""
    parents: list[int | None] = []
    ends = [len(depths)] * len(depths)
    above: list[int] = []
    for number, depth in enumerate(depths):
        for left in above[depth:]:
            ends[left] = number
        del above[depth:]
        parents.append(above[-1] if above else None)
        above.append(number)
    return zip(parents, ends, strict=True)


def _label(event: TraceEvent) -> str:
    given = f" {event.input_summary}" if event.input_summary else ""
    return printable(f"{layer_code(event)}.{event.operation}{given}{_outcome(event)}")


def _outcome(event: TraceEvent) -> str:
    if event.status == "error":
        kind = event.metadata.get("error.type")
        return f" → error: {kind}" if kind else " → error"
    says = event.output_summary or (event.status if event.status != "success" else "")
    return f" → {says}" if says else ""
