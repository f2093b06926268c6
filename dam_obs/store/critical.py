"""
The critical path: which spans decided, one after the other, when the root of a trace ended.

It is found from the end. A span that ended at a time was, until then, at its own work since the
last of its children ended that it waited for; before that, that child decided; before the
child's start, again the span itself or the child that ended last until then; and so on down.
This is the method of Uber's CRISP (Zhang et al., USENIX ATC 2022) and of Jaeger's trace view.
Two things are told apart here that those cannot know, or cut off:

- A child that ended while the span was busy was not waited for. That is known in measured
  runs only, from the span's segments, and only where its steps were spent on a CPU: a
  blocking call looks busy too. Elsewhere the child that ended last counts as waited for.
- A child that outlives its parent (a task that another awaits) counts for the nearest span
  above that it does not outlive. The path leads from its start on through those that started it.

The segments lie end to end and are together as long as the root.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from dam_obs.store.timeline import Interval, descents
from dam_obs.store.tree import Trace, TraceNode
from dam_obs.trace.events import TraceEvent

BUSY_SHARE = 0.9
"""Of its steps that a span spent on a CPU, at least, to be called busy in them."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the critical path: that span's own work, or its own waiting."""

    node: TraceNode
    start_ns: int
    """Since the root started."""
    end_ns: int

    @property
    def length_ns(self) -> int:
        """How much of the root's duration it is."""
        return self.end_ns - self.start_ns


@dataclass(slots=True)
class _Visit:
    """A span on the way back in time."""

    node: TraceNode
    start_ns: int
    at_ns: int
    """The path is found from here on, and is to be found before."""
    candidates: list[TraceNode]
    """Those that it may have waited for, the one that ended last at the end."""


def critical_path(trace: Trace, places: Mapping[int, Interval]) -> tuple[Segment, ...]:
    """
    Return the critical path of `trace`, from its root's start to its end.

    Args:
        trace: Whole, or what there is of it.
        places: When each of its events ran, see `dam_obs.store.timeline.timeline`.
    """
    return _WayBack(trace, places).path()


class _WayBack:
    """Goes from the root's end to its start."""

    def __init__(self, trace: Trace, places: Mapping[int, Interval]) -> None:
        self._places = places
        self._root = trace.root
        self._parent_of = {id(child): node for _, node in trace.root.walk() for child in node.children}
        self._ended_within = _ended_within(trace, places)
        self._found: list[Segment] = []
        self._waiting: list[_Visit] = []

    def path(self) -> tuple[Segment, ...]:
        self._visit(self._root, self._places[id(self._root)].end_ns)
        while self._waiting:
            here = self._waiting[-1]
            child = self._waited_for(here)
            if child is None:
                self._add(here.node, here.start_ns, here.at_ns)
                self._waiting.pop()
            else:
                self._go_into(child, here)
        return tuple(reversed(self._found))

    def _waited_for(self, here: _Visit) -> TraceNode | None:
        """Take out the child that ended last before the path goes on."""
        while here.candidates:
            child = here.candidates.pop()
            if self._places[id(child)].end_ns <= here.at_ns:
                return child
        return None

    def _go_into(self, child: TraceNode, here: _Visit) -> None:
        """Visit a child; if it outlived those on the way down to it, they follow, each until it began the next."""
        self._add(here.node, self._places[id(child)].end_ns, here.at_ns)
        chain = [child]
        while (parent := self._parent_of[id(chain[-1])]) is not here.node:
            chain.append(parent)
        here.at_ns = self._places[id(chain[-1])].start_ns
        for outer, inner in zip(reversed(chain[1:]), reversed(chain[:-1]), strict=True):
            ended, began = self._places[id(outer)].end_ns, self._places[id(inner)].start_ns
            self._visit(outer, min(ended, began))
            if ended < began:  # started lazily: none of the chain ran, so it is the time of who waited
                self._waiting.append(_Visit(here.node, ended, began, []))
        self._visit(child, self._places[id(child)].end_ns)

    def _visit(self, node: TraceNode, at_ns: int) -> None:
        places = self._places
        held = [child for child in self._ended_within.get(id(node), ()) if _may_wait(node, child, places)]
        held.sort(key=lambda child: (places[id(child)].end_ns, places[id(child)].length_ns))
        self._waiting.append(_Visit(node, places[id(node)].start_ns, at_ns, held))

    def _add(self, node: TraceNode, start_ns: int, end_ns: int) -> None:
        if start_ns < end_ns:
            self._found.append(Segment(node, start_ns, end_ns))


def _ended_within(trace: Trace, places: Mapping[int, Interval]) -> dict[int, list[TraceNode]]:
    """Return, for each span, what it started and did not outlive it, itself or by way of one that was outlived."""
    held: dict[int, list[TraceNode]] = {}
    for each in descents(trace, places):
        if each.held and places[id(each.child)].length_ns:
            held.setdefault(id(each.above[-1]), []).append(each.child)
    return held


def _may_wait(node: TraceNode, child: TraceNode, places: Mapping[int, Interval]) -> bool:
    """Say whether a span may have waited for what ended at that time: it did not if it was busy with something else."""
    event = node.event
    if event.start_mono_ns is None or not event.segments or not _was_on_cpu(event):
        return True
    to_mono = event.start_mono_ns - places[id(node)].start_ns
    start, end = places[id(child)].start_ns + to_mono, places[id(child)].end_ns + to_mono
    after = bisect_left(event.segments, end, key=lambda segment: segment[0])
    if after == 0:
        return True
    segment_start, segment_end, thread = event.segments[after - 1]
    if end >= segment_end:
        return True
    return thread == child.event.thread_id and start >= segment_start  # a call of its own, in that very step


def _was_on_cpu(event: TraceEvent) -> bool:
    running_ns = sum(end - start for start, end, _ in event.segments or ())
    return event.cpu_ns is not None and event.cpu_ns >= BUSY_SHARE * running_ns
