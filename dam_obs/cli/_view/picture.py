"""
What is to be shown of one trace, as data: its rows, and what its shape says of them.

How it looks is the business of the form that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from dam_obs.store.anatomy import Anatomy, Part, anatomy
from dam_obs.store.select import Selection
from dam_obs.store.tree import Trace, traces
from dam_obs.trace.events import TraceEvent

APART = "its parent is not in the trace"
"""Said of the root of a tree that is not whole."""

CUT = "parts of it came before"
"""Said of the root of a tree that was followed, whose beginning was shown, or let go, earlier."""

LATE = "its trace was shown before"
"""Said of what ended after the root of its trace had."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event in its place."""

    event: TraceEvent
    depth: int
    """0 for the root."""
    context: bool
    """It was not asked for and stands here for those below it."""
    part: Part | None
    """What the trace's shape says of it; `None` where the trace is not known whole."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One trace, or what was asked for of it."""

    trace: Trace
    rows: tuple[Row, ...]
    """Each before its children, siblings by when they started."""
    remarks: tuple[str, ...] = ()
    """What is to be said of the root."""
    anatomy: Anatomy | None = None
    """`None` where the trace is not known whole."""

    @property
    def root(self) -> TraceEvent:
        """The event at its top."""
        return self.rows[0].event


Asked: TypeAlias = Callable[[TraceEvent], bool]
"""Lets the events through that were asked for."""


def pictures(selection: Selection) -> list[Picture]:
    """Picture what was chosen, by when the traces started."""
    context = {id(event) for event in selection.ancestors}
    if selection.whole is None:
        return [pruned(trace, context) for trace in traces(selection.shown)]
    shown = {id(event) for event in selection.shown}
    found = [whole(trace, shown=shown, context=context) for trace in traces(selection.whole)]
    return [picture for picture in found if picture.rows]


def whole(
    trace: Trace,
    remarks: tuple[str, ...] = (),
    *,
    shown: Collection[int] | None = None,
    context: Collection[int] = (),
) -> Picture:
    """
    Picture a trace of which all events are known.

    Args:
        trace: All of it.
        remarks: What else is to be said of its root.
        shown: The `id` of each event to show; `None` for all.
        context: The `id` of those among them that were not asked for.
    """
    taken_apart = anatomy(trace)
    rows = tuple(
        Row(part.node.event, part.depth, id(part.node.event) in context, part)
        for part in taken_apart.parts
        if shown is None or id(part.node.event) in shown
    )
    return Picture(trace, rows, _remarks(trace, remarks), taken_apart)


def pruned(trace: Trace, context: Collection[int]) -> Picture:
    """Picture what is known of a trace: events that were asked for and those above them."""
    rows = tuple(Row(node.event, depth, id(node.event) in context, None) for depth, node in trace.root.walk())
    return Picture(trace, rows, _remarks(trace, ()))


def fitting(trace: Trace, asked: Asked, remarks: tuple[str, ...] = ()) -> Picture | None:
    """Picture the events of a whole trace that fit, each below those that led to it; `None` if none does."""
    shown: set[int] = set()
    context: set[int] = set()
    for line in _lines_of_descent(trace):
        if not asked(line[-1]):
            context.add(id(line[-1]))
            continue
        for each in reversed(line):
            if id(each) in shown:
                break
            shown.add(id(each))
    return whole(trace, remarks, shown=shown, context=context) if shown else None


def _lines_of_descent(trace: Trace) -> Iterator[list[TraceEvent]]:
    """Yield, for each event, those from the root down to it; the list is the same one each time."""
    line: list[TraceEvent] = []
    for depth, node in trace.root.walk():
        del line[depth:]
        line.append(node.event)
        yield line


def _remarks(trace: Trace, more: tuple[str, ...]) -> tuple[str, ...]:
    return (APART, *more) if trace.partial and LATE not in more else more
