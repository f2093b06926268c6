"""
Put the events of a trace on one time line, in nanoseconds since its root started.

Each event is placed relative to its parent: by the monotonic clock where both tell it and ran
in one process, else by the wall clock. Durations are always the event's own. Three things
may not fit then, and each is mended by moving the event together with all that is below it:

- Nothing starts before its parent: what seems to was stamped by a clock that is behind.
- An event of another process that overlaps its parent's end, and is short enough to lie within
  the parent, was most likely waited for: its clock is ahead, and it is moved back to fit.
- Whoever wrote a time with fewer digits may seem to end after its parent by that rounding.

What ends later than its parent otherwise did outlive it, and is left so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from dam_obs.store.timing import duration_ns, start_ns
from dam_obs.store.tree import Trace, TraceNode
from dam_obs.trace.events import TraceEvent

_STAMP_ROUNDING_NS: Final = 1_000
_MILLISECOND_NS: Final = 1_000_000


class Interval(NamedTuple):
    """From when to when, in nanoseconds since the root started."""

    start_ns: int
    end_ns: int

    @property
    def length_ns(self) -> int:
        """How long it is."""
        return self.end_ns - self.start_ns

    def within(self, other: Interval) -> Interval:
        """Return the part of it that lies in `other`; where there is none, an empty one."""
        start = min(max(self.start_ns, other.start_ns), other.end_ns)
        return Interval(start, max(start, min(self.end_ns, other.end_ns)))


def timeline(trace: Trace) -> dict[int, Interval]:
    """Return when each event of `trace` ran, by the `id` of its node."""
    places = {id(trace.root): Interval(0, duration_ns(trace.root.event) or 0)}
    for _, node in trace.root.walk():
        around = places[id(node)]
        begin_ns = start_ns(node.event)
        for child in node.children:
            places[id(child)] = _placed(child, node, around, begin_ns)
    return places


def _placed(child: TraceNode, parent: TraceNode, around: Interval, begin_ns: int) -> Interval:
    length = duration_ns(child.event) or 0
    start = max(around.start_ns, around.start_ns + _after(parent.event, child.event, begin_ns))
    overhang = start + length - around.end_ns
    if overhang > 0 and start <= around.end_ns and length <= around.length_ns and _moves(child, parent, overhang):
        start -= overhang
    return Interval(start, start + length)


def _after(parent: TraceEvent, child: TraceEvent, begin_ns: int) -> int:
    if _by_monotonic_clock(parent, child):
        return (child.start_mono_ns or 0) - (parent.start_mono_ns or 0)
    return start_ns(child) - begin_ns


def _by_monotonic_clock(parent: TraceEvent, child: TraceEvent) -> bool:
    known = parent.start_mono_ns is not None and child.start_mono_ns is not None
    return known and parent.pid == child.pid and parent.pid is not None


def _moves(child: TraceNode, parent: TraceNode, overhang: int) -> bool:
    """Say whether an event ends after its parent only because its clock is ahead, or its times are rounded."""
    if child.event.pid != parent.event.pid:
        return True
    if _by_monotonic_clock(parent.event, child.event):
        return False
    rounded = sum(_MILLISECOND_NS // 2 for one in (child.event, parent.event) if one.duration_ns is None)
    return overhang <= _STAMP_ROUNDING_NS + rounded


@dataclass(frozen=True, slots=True)
class Descent:
    """Whom an event counts for in time: a task that another span awaits outlives the one that started it."""

    child: TraceNode
    above: tuple[TraceNode, ...]
    """Its parent; if it outlives that, whom that counts for too, and so on. Those left out ended before these did."""
    held: bool
    """The last of them lives on when it ends; `False` if it outlives the root."""


def descents(trace: Trace, places: Mapping[int, Interval]) -> Iterator[Descent]:
    """Yield a descent for each event below the root of `trace`."""
    holder_of: dict[int, TraceNode | None] = {id(trace.root): None}
    for _, parent in trace.root.walk():
        for child in parent.children:
            above = [parent]
            holder: TraceNode | None = parent
            while holder is not None and places[id(child)].end_ns > places[id(holder)].end_ns:
                holder = holder_of[id(holder)]
                above += [holder] if holder is not None else []
            holder_of[id(child)] = holder
            yield Descent(child, tuple(above), holder is not None)
