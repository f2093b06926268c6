"""
What the shape of a trace says of each of its events: own time, gaps, concurrency, share of the critical path.

A moment covers nothing and decides nothing. What outlives its parent covers, of the parent and
of those above, the time that they share. All of it needs the whole trace: computed
from some of its events it would call the time of the others nobody's.

When each event ran is `timeline`'s business, the critical path `critical`'s.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dam_obs.store.critical import Segment, critical_path
from dam_obs.store.timeline import Interval, descents, timeline
from dam_obs.store.timing import duration_ns
from dam_obs.store.tree import Trace, TraceNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One event in its trace."""

    node: TraceNode

    depth: int
    """0 for the root."""

    place: Interval
    """When it ran. A moment's is empty."""

    duration_ns: int | None
    """`None` for a moment."""

    covered_ns: int
    """Time in which something below it ran, however many at once."""

    gap: Interval | None
    """The longest stretch in which nothing below it ran; `None` where there is nothing below it, or no such stretch."""

    critical_ns: int
    """Its own share of the critical path."""

    at_once: int
    """How many of its children ran at the same time, at most."""

    mean_at_once: float
    """How many ran at a time, on average over the time in which any did; 0 where none did."""

    beside: int
    """How many of its parent's children, itself included, ran at once while it ran, at most: 1 if it ran alone."""

    @property
    def self_ns(self) -> int:
        """Time in which nothing below it ran: of an event without children, all of it."""
        return self.place.length_ns - self.covered_ns

    @property
    def uncovered_ns(self) -> int | None:
        """The same of an event that has timed children, where it may mean that a trace point is missing."""
        return self.self_ns if self.at_once else None


@dataclass(frozen=True, slots=True)
class Anatomy:
    """All that the shape of one trace says."""

    trace: Trace

    parts: tuple[Part, ...]
    """One for each event, each before its children, siblings by when they started."""

    path: tuple[Segment, ...]
    """The critical path, from the root's start to its end."""

    @property
    def duration_ns(self) -> int:
        """The root's."""
        return self.parts[0].place.length_ns

    @property
    def longest_gap(self) -> tuple[Part, Interval] | None:
        """The longest stretch that an event's children leave uncovered, and whose it is."""
        gaps = [(part, part.gap) for part in self.parts if part.gap is not None]
        return max(gaps, key=lambda pair: pair[1].length_ns, default=None)


def anatomy(trace: Trace) -> Anatomy:
    """Take `trace` apart; it must be whole for what is said to be true."""
    places = timeline(trace)
    path = critical_path(trace, places)
    below: dict[int, list[Interval]] = {}
    for each in descents(trace, places):
        for node in each.above:
            below.setdefault(id(node), []).append(places[id(each.child)])
    critical: Counter[int] = Counter()
    for segment in path:
        critical[id(segment.node)] += segment.length_ns
    beside: dict[int, int] = {}
    parts = []
    for depth, node in trace.root.walk():
        running = [places[id(child)].within(places[id(node)]) for child in node.children]
        levels = _levels(running)
        beside.update((id(child), level) for child, level in zip(node.children, levels, strict=True))
        covered = _union(each.within(places[id(node)]) for each in below.get(id(node), ()))
        parts.append(
            Part(
                node=node,
                depth=depth,
                place=places[id(node)],
                duration_ns=duration_ns(node.event),
                covered_ns=_total(covered),
                gap=_longest_gap(places[id(node)], covered),
                critical_ns=critical[id(node)],
                at_once=max(levels, default=0),
                mean_at_once=_total(running) / max(1, _total(_union(running))),
                beside=max(1, beside.get(id(node), 1)),
            )
        )
    return Anatomy(trace, tuple(parts), path)


def _total(intervals: Iterable[Interval]) -> int:
    return sum(each.length_ns for each in intervals)


def _union(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same time as intervals that neither touch nor overlap, in order."""
    union: list[Interval] = []
    for each in sorted(each for each in intervals if each.length_ns):
        if union and each.start_ns <= union[-1].end_ns:
            union[-1] = Interval(union[-1].start_ns, max(union[-1].end_ns, each.end_ns))
        else:
            union.append(each)
    return union


def _longest_gap(place: Interval, covered: Sequence[Interval]) -> Interval | None:
    if not covered:
        return None
    starts = [place.start_ns, *(each.end_ns for each in covered)]
    ends = [*(each.start_ns for each in covered), place.end_ns]
    gaps = [Interval(start, end) for start, end in zip(starts, ends, strict=True)]
    longest = max(gaps, key=lambda gap: gap.length_ns)
    return longest if longest.length_ns else None


def _levels(running: Sequence[Interval]) -> list[int]:
    """Return for each interval how many there are at once during it, at most; 0 for an empty one."""
    timed = sorted(each for each in running if each.length_ns)
    starts = [each.start_ns for each in timed]
    ends = sorted(each.end_ns for each in timed)
    # A level can only rise where one starts. Who ends then is no longer there.
    at_start = [number - bisect_right(ends, start) for number, start in enumerate(starts, 1)]
    for index in range(len(starts) - 2, -1, -1):  # all that start at once are there, whichever stands first
        if starts[index] == starts[index + 1]:
            at_start[index] = at_start[index + 1]
    return [
        max(at_start[bisect_left(starts, each.start_ns) : bisect_left(starts, each.end_ns)]) if each.length_ns else 0
        for each in running
    ]
