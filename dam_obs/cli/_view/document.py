"""
What was chosen of a trace as one JSON document: the events in their trees, with what their shape says.

docs/view.md describes every field; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from dam_obs.cli._view.picture import Picture, Row
from dam_obs.store.critical import Segment
from dam_obs.store.select import Selection
from dam_obs.store.timing import duration_ns
from dam_obs.trace.events import TraceEvent

SCHEMA_VERSION: Final = 1
"""Raised when a field goes or changes its meaning; a new field does not raise it."""


class Stretch(msgspec.Struct, frozen=True):
    """A stretch of time."""

    start_ns: int
    """Since the root started."""
    duration_ns: int


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the critical path."""

    position: int | None
    """Whose own work or waiting it was: its place in `TraceDocument.events`; `None` if it was not asked for."""
    handle: str
    operation: str
    """With the layer: ``focus.gate_check``."""
    start_ns: int
    duration_ns: int


class EventDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One event in its place. What the trace's shape says is `None` where the trace is too large to be taken apart."""

    depth: int
    parent: int | None
    """The place of its parent in `TraceDocument.events`; `None` for the first."""
    context: bool
    start_ns: int | None = None
    duration_ns: int | None = None
    self_ns: int | None = None
    covered_ns: int | None = None
    uncovered_ns: int | None = None
    longest_gap: Stretch | None = None
    critical_ns: int | None = None
    children_at_once: int | None = None
    mean_children_at_once: float | None = None
    siblings_at_once: int | None = None
    event: TraceEvent


class TraceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One trace, or what was asked for of it."""

    remarks: tuple[str, ...]
    start: str
    duration_ns: int | None
    events_in_trace: int | None
    critical_path: list[Step] | None
    events: list[EventDocument]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """All that `dam-obs view --json` prints."""

    schema_version: int
    trace: str
    events_in_trace: int
    skipped: Mapping[str, int]
    left_out_events: int
    left_out_traces: int
    traces: list[TraceDocument]


def document(pictures: Sequence[Picture], selection: Selection, name: str, skipped: Mapping[str, int]) -> Document:
    """
    Make the document of what was chosen.

    Args:
        pictures: The traces.
        selection: What was chosen.
        name: Where it is from.
        skipped: Lines there that were no events, by reason.
    """
    return Document(
        schema_version=SCHEMA_VERSION,
        trace=name,
        events_in_trace=selection.read,
        skipped=skipped,
        left_out_events=selection.left_out,
        left_out_traces=selection.left_out_traces,
        traces=[_trace(picture) for picture in pictures],
    )


def _trace(picture: Picture) -> TraceDocument:
    shape = picture.anatomy
    position = {id(row.event): number for number, row in enumerate(picture.rows)}
    return TraceDocument(
        remarks=picture.remarks,
        start=picture.root.timestamp,
        duration_ns=duration_ns(picture.root),
        events_in_trace=None if shape is None else len(shape.parts),
        critical_path=None if shape is None else [_step(segment, position) for segment in shape.path],
        events=[_event(row, number) for row, number in zip(picture.rows, _parents(picture.rows), strict=True)],
    )


def _step(segment: Segment, position: Mapping[int, int]) -> Step:
    event = segment.node.event
    return Step(
        position=position.get(id(event)),
        handle=event.trace_id,
        operation=f"{event.hrm_layer}.{event.operation}",
        start_ns=segment.start_ns,
        duration_ns=segment.length_ns,
    )


def _parents(rows: Sequence[Row]) -> Iterator[int | None]:
    above: list[int] = []
    for number, row in enumerate(rows):
        del above[row.depth :]
        yield above[-1] if above else None
        above.append(number)


def _event(row: Row, parent: int | None) -> EventDocument:
    part = row.part
    if part is None:
        return EventDocument(
            depth=row.depth, parent=parent, context=row.context, duration_ns=duration_ns(row.event), event=row.event
        )
    return EventDocument(
        depth=row.depth,
        parent=parent,
        context=row.context,
        start_ns=part.place.start_ns,
        duration_ns=part.duration_ns,
        self_ns=part.self_ns,
        covered_ns=part.covered_ns,
        uncovered_ns=part.uncovered_ns,
        longest_gap=None if part.gap is None else Stretch(part.gap.start_ns, part.gap.length_ns),
        critical_ns=part.critical_ns,
        children_at_once=part.at_once,
        mean_children_at_once=round(part.mean_at_once, 3),
        siblings_at_once=part.beside,
        event=row.event,
    )
