"""
Find time inside executions that no execution below them covers: where a trace point may be missing.

Only executions with others below them are looked at; of one without, all time is its own. What
of the uncovered time was on the CPU follows from thread CPU time: that of the execution, less that
of those it ran itself. What lies between its steps it was awaiting. The rest is not known.

Events are taken as they come and not kept. One that outlives its parent (a task) comes after it,
so the last parents are remembered for a while.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from dam_obs.diagnose.evidence import SystemKey
from dam_obs.diagnose.report_where import Gaps
from dam_obs.store.timing import start_ns
from dam_obs.trace.events import TraceEvent

MOST_PARENTS: Final = 20_000
"""Executions that are remembered for children to come."""

MOST_CHILDREN: Final = 50_000
"""Of one execution; with more below it, it is left out."""

MOST_WAITING: Final = 400_000
"""Children, in all, whose parent has not come yet."""

MOST_PIECES: Final = 200_000
"""Of all executions that are remembered."""

Interval = tuple[int, int]
Reference = tuple[str | int | None, str]


class _Child(NamedTuple):
    start: int
    end: int
    thread: int | None
    cpu_ns: int


class _Piece(NamedTuple):
    """A stretch of an execution that nothing below it covers."""

    start: int
    end: int
    running: bool
    """In one of its steps."""


class _Ran(NamedTuple):
    """An execution that nothing is known to be below, so far."""

    system: SystemKey
    start: int
    end: int
    cpu_ns: int | None
    segments: list[tuple[int, int, int]] | None

    @property
    def kept(self) -> int:
        """How much room it takes."""
        return 1 + len(self.segments or ())


@dataclass(slots=True)
class _Parent:
    """An execution with others below it, judged."""

    system: SystemKey
    wall_ns: int
    pieces: list[_Piece]
    running_ns: int
    """In its steps, covered or not."""
    own_cpu_ns: int | None
    """CPU time, less that of executions below which ran within its steps; `None`: not measured."""
    cpu_ns: int
    kept: int
    """How much room it takes, about."""


@dataclass(slots=True)
class _Totals:
    executions: int = 0
    wall_ns: int = 0
    uncovered_ns: int = 0
    on_cpu_ns: int = 0
    awaiting_ns: int = 0
    measured: int = 0
    longest_ns: int = 0
    """Of those that are forgotten: as long as children may come, it may become shorter."""

    def add(self, parent: _Parent, sign: int) -> None:
        """Add what is known of one execution, or take it back."""
        uncovered = sum(piece.end - piece.start for piece in parent.pieces)
        running = sum(piece.end - piece.start for piece in parent.pieces if piece.running)
        self.executions += sign
        self.wall_ns += sign * parent.wall_ns
        self.uncovered_ns += sign * uncovered
        if parent.own_cpu_ns is not None:
            # It computed at least what cannot have been while something below ran.
            least = max(0, parent.cpu_ns - (parent.running_ns - running))
            self.measured += sign
            self.on_cpu_ns += sign * min(running, max(least, parent.own_cpu_ns))
            self.awaiting_ns += sign * (uncovered - running)


@dataclass(slots=True)
class GapFinder:
    """Takes the events of a run, one after the other, and sums up the gaps of each system."""

    _totals: dict[SystemKey, _Totals] = field(default_factory=dict)
    _waiting: OrderedDict[Reference, list[_Child]] = field(default_factory=OrderedDict)
    _waiting_count: int = 0
    _parents: OrderedDict[Reference, _Parent | _Ran] = field(default_factory=OrderedDict)
    _pieces: int = 0
    _steps: OrderedDict[Reference, Reference] = field(default_factory=OrderedDict)

    def add(self, event: TraceEvent) -> None:
        """Take an event."""
        if event.kind == "event":
            return
        own = _own(event)
        above = _above(event)
        children = self._waiting.pop(own, [])
        self._waiting_count -= len(children)
        if event.kind == "step":  # of the host's own workings: what is below it is below what is above it
            if above is not None:
                self._steps[own] = above
                if len(self._steps) > MOST_PARENTS:
                    self._steps.popitem(last=False)
                for child in children:
                    self._below(above, child)
            return
        start = _start(event)
        ran = _Ran(
            SystemKey(event.hrm_layer, event.operation, event.component),
            start,
            start + _duration(event),
            event.cpu_ns,
            event.segments,
        )
        if not children:
            self._remember(own, ran)
        elif len(children) < MOST_CHILDREN:
            parent = _judged(ran, children)
            self._count(parent)
            self._remember(own, parent)
        if above is not None:
            self._below(above, _Child(start, ran.end, event.thread_id, event.cpu_ns or 0))

    def of(self, system: SystemKey) -> Gaps | None:
        """Return what was found; `None` if no execution of `system` had others below it."""
        found = self._totals.get(system)
        if found is None:
            return None
        is_measured = found.measured > 0
        on_cpu, awaiting = found.on_cpu_ns, found.awaiting_ns
        return Gaps(
            executions=found.executions,
            wall_ns=found.wall_ns,
            uncovered_ns=found.uncovered_ns,
            on_cpu_ns=on_cpu if is_measured else None,
            awaiting_ns=awaiting if is_measured else None,
            other_ns=found.uncovered_ns - (on_cpu + awaiting if is_measured else 0),
            longest_ns=max([found.longest_ns, *map(_longest_ns, self._remembered(system))]),
        )

    def _remembered(self, system: SystemKey) -> Iterable[_Parent]:
        return (one for one in self._parents.values() if isinstance(one, _Parent) and one.system == system)

    def _remember(self, own: Reference, parent: _Parent | _Ran) -> None:
        self._parents[own] = parent
        self._pieces += parent.kept
        while len(self._parents) > MOST_PARENTS or self._pieces > MOST_PIECES:
            _, forgotten = self._parents.popitem(last=False)
            self._pieces -= forgotten.kept
            if isinstance(forgotten, _Parent):
                totals = self._totals[forgotten.system]
                totals.longest_ns = max(totals.longest_ns, _longest_ns(forgotten))

    def _below(self, above: Reference, child: _Child) -> None:
        while above in self._steps:
            above = self._steps[above]
        parent = self._parents.get(above)
        if parent is not None:
            self._parents[above] = self._too_late(parent, child)
            return
        children = self._waiting.setdefault(above, [])
        if len(children) < MOST_CHILDREN:
            children.append(child)
            self._waiting_count += 1
        while self._waiting_count > MOST_WAITING:
            _, forgotten = self._waiting.popitem(last=False)
            self._waiting_count -= len(forgotten)

    def _too_late(self, known: _Parent | _Ran, child: _Child) -> _Parent:
        """Cover what a child covers that has outlived its parent."""
        if isinstance(known, _Parent):
            self._totals[known.system].add(known, -1)
            parent = known
        else:
            parent = _judged(known, [])
        parent.pieces = [piece for old in parent.pieces for piece in _without(old, child.start, child.end)]
        self._count(parent)
        return parent

    def _count(self, parent: _Parent) -> None:
        self._totals.setdefault(parent.system, _Totals()).add(parent, 1)


def _judged(ran: _Ran, children: Sequence[_Child]) -> _Parent:
    start, end = ran.start, ran.end
    is_measured = ran.cpu_ns is not None and ran.segments is not None
    segments = sorted(ran.segments or ()) if is_measured else []
    steps = _union(((left, right) for left, right, _ in segments), start, end)
    covered = _union(((child.start, child.end) for child in children), start, end)
    inline = sum(child.cpu_ns for child in children if _ran_within(child, segments))
    cpu_ns = ran.cpu_ns or 0
    pieces = [
        _Piece(*piece, running)
        for left, right, running in _split(start, end, steps)
        for piece in _outside(left, right, covered)
    ]
    return _Parent(
        system=ran.system,
        wall_ns=end - start,
        pieces=pieces,
        running_ns=sum(right - left for left, right in steps),
        own_cpu_ns=max(0, cpu_ns - inline) if is_measured else None,
        cpu_ns=cpu_ns,
        kept=ran.kept,
    )


def _ran_within(child: _Child, segments: Sequence[tuple[int, int, int]]) -> bool:
    """Say whether a child began in a step of its parent's: a task of its own begins between them."""
    place = bisect_right(segments, (child.start, 2**63, 0)) - 1
    if place < 0:
        return False
    _, end, thread = segments[place]
    return child.start < end and child.thread == thread


def _split(start: int, end: int, steps: Iterable[Interval]) -> Iterable[tuple[int, int, bool]]:
    """Yield ``start`` to ``end`` in pieces: in a step, or between two."""
    at = start
    for left, right in steps:
        if at < left:
            yield at, left, False
        yield left, right, True
        at = right
    if at < end:
        yield at, end, False


def _outside(start: int, end: int, covered: Sequence[Interval]) -> Iterable[Interval]:
    """Yield what of ``start`` to ``end`` is not covered; `covered` is in order, without overlap."""
    at = start
    for place in range(max(0, bisect_right(covered, (start, start)) - 1), len(covered)):
        left, right = covered[place]
        if left >= end:
            break
        if at < left:
            yield at, left
        at = max(at, right)
    if at < end:
        yield at, end


def _without(piece: _Piece, start: int, end: int) -> Iterable[_Piece]:
    return [_Piece(left, right, piece.running) for left, right in _outside(piece.start, piece.end, [(start, end)])]


def _union(intervals: Iterable[Interval], start: int, end: int) -> list[Interval]:
    """Return the same time within ``start`` to ``end``, in order and without overlap."""
    found: list[Interval] = []
    for left, right in sorted(intervals):
        left, right = max(left, start), min(right, end)
        if right <= left:
            continue
        if found and left <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], right))
        else:
            found.append((left, right))
    return found


def _longest_ns(parent: _Parent) -> int:
    """Return the longest stretch that nothing covers, in steps or between them."""
    pieces = parent.pieces
    if not pieces:
        return 0
    joined = _union(((piece.start, piece.end) for piece in pieces), pieces[0].start, pieces[-1].end)
    return max((end - start for start, end in joined), default=0)


def _start(event: TraceEvent) -> int:
    return start_ns(event) if event.start_mono_ns is None else event.start_mono_ns


def _duration(event: TraceEvent) -> int:
    return max(0, event.duration_ms * 1_000_000 if event.duration_ns is None else event.duration_ns)


def _own(event: TraceEvent) -> Reference:
    """Return what others call an event by: its handle, within its trace."""
    return event.otel_trace_id or event.pid, event.trace_id


def _above(event: TraceEvent) -> Reference | None:
    return None if event.parent_id is None else (event.otel_trace_id or event.pid, event.parent_id)
