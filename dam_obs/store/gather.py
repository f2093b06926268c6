"""
Gather events, as they come, to whole traces.

A trace is whole when its root has ended and, for a moment, nothing more of it has come. One
that has long been quiet without its root is given as it is. Memory is bounded: beyond so many
events the oldest traces go, each as a whole, and are counted. What comes later of a trace that
was given or let go is known for that, so that no half of one is taken for the whole.

Events belong together by who is whose parent. An OpenTelemetry trace may hold many requests,
and an event of the seed's has no id of one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Literal, TypeAlias

from dam_obs.store.tree import Trace, traces
from dam_obs.trace.events import TraceEvent

SETTLE_SECONDS: Final = 0.3
"""After its root has ended, a trace is waited for so long: for what other processes are about to write."""

QUIET_SECONDS: Final = 30.0
"""A trace of which nothing came for so long is given without its root."""

HELD_EVENTS: Final = 20_000
"""Events that may wait for their roots: some 40 MB."""

_REMEMBERED: Final = 20_000
_FILLED_AGAIN: Final = 0.9

Why = Literal["ended", "late", "quiet", "stopped"]
_Key: TypeAlias = tuple[int | None, str] | str


@dataclass(frozen=True, slots=True)
class Gathered:
    """Events that belong together, as far as they came."""

    traces: tuple[Trace, ...]
    """One; several where their common parent is not among them."""

    why: Why
    """
    Why it is given now.

    ``ended``: its root has. ``late``: it belongs to a trace that was given already. ``quiet``: nothing came
    for long. ``stopped``: nobody waits any longer.
    """

    cut: bool
    """Parts of it were given, or let go, before."""


@dataclass(eq=False, slots=True)
class _Family:
    events: list[TraceEvent] = field(default_factory=list)
    keys: set[_Key] = field(default_factory=set)
    """Of its members."""
    parents: set[_Key] = field(default_factory=set)
    """Of its members' parents."""
    rooted: bool = False
    late: bool = False
    cut: bool = False
    last_s: float = 0.0


class Gathering:
    """Events that wait for their roots."""

    def __init__(
        self,
        *,
        settle_s: float = SETTLE_SECONDS,
        quiet_s: float = QUIET_SECONDS,
        held_events: int = HELD_EVENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settle_s = settle_s
        self._quiet_s = quiet_s
        self._held_events = held_events
        self._clock = clock
        self._family_of: dict[_Key, _Family] = {}
        self._families: dict[_Family, None] = {}
        """By when their first event came."""
        self._full: list[_Family] = []
        """Whole ones that room was needed of before they had settled."""
        self._given: dict[_Key, None] = {}
        self._missed: dict[_Key, None] = {}
        """Parents of what was given or let go without them."""
        self.held = 0
        """Events that wait."""
        self.let_go_traces = 0
        self.let_go_events = 0

    def add(self, event: TraceEvent) -> None:
        """Take in one event."""
        own, parents = _own_keys(event), _parent_keys(event)
        family = self._joined([*own, *parents])
        family.events.append(event)
        family.keys.update(own)
        family.parents.update(parents)
        family.rooted |= not parents
        family.late |= any(key in self._given for key in parents)
        family.cut |= any(key in self._missed for key in own)
        family.last_s = self._clock()
        self.held += 1
        if self.held > self._held_events:
            self._make_room()

    def due(self, *, settled: bool = True) -> Iterator[Gathered]:
        """
        Yield, once each, the traces that need not wait any longer, those first that began to come first.

        Args:
            settled: Wait a moment after a root has ended.
        """
        for family in self._full:
            yield _gathered(family, "ended")
        self._full.clear()
        now = self._clock()
        for family in list(self._families):
            why = self._why(family, now - family.last_s, self._settle_s if settled else 0.0)
            if why is not None:
                self._remove(family)
                _remember(self._given, family.keys)
                yield _gathered(family, why)

    def rest(self) -> Iterator[Gathered]:
        """Yield all that still waits."""
        for family in [*self._full, *self._families]:
            yield _gathered(family, "ended" if family.rooted else "late" if family.late else "stopped")
        self._full.clear()
        self._families.clear()
        self._family_of.clear()
        self.held = 0

    # -- how

    def _why(self, family: _Family, since_s: float, settle_s: float) -> Why | None:
        if since_s < settle_s:
            return None
        if family.rooted:
            return "ended"
        if family.late:
            return "late"
        return "quiet" if since_s >= self._quiet_s else None

    def _joined(self, keys: list[_Key]) -> _Family:
        """Return the one family that any of the keys belongs to; several become one."""
        known = dict.fromkeys(self._family_of[key] for key in keys if key in self._family_of)
        family, *others = known or [_Family()]
        for other in others:
            if len(other.events) > len(family.events):
                family, other = other, family
            self._merge(family, other)
        self._families.setdefault(family)
        self._family_of.update(dict.fromkeys(keys, family))
        return family

    def _merge(self, family: _Family, other: _Family) -> None:
        del self._families[other]
        family.events += other.events
        family.keys |= other.keys
        family.parents |= other.parents
        family.rooted |= other.rooted
        family.late |= other.late
        family.cut |= other.cut
        self._family_of.update(dict.fromkeys(other.keys | other.parents, family))

    def _make_room(self) -> None:
        """Set aside what is whole, to be given next; then let go of the oldest, and of some more than must be."""
        for family in [each for each in self._families if each.rooted]:
            self._remove(family)
            _remember(self._given, family.keys)
            self._full.append(family)
        if self.held <= self._held_events:
            return
        while self.held > self._held_events * _FILLED_AGAIN:
            oldest = next(iter(self._families))
            self._remove(oldest)
            self.let_go_traces += 1
            self.let_go_events += len(oldest.events)

    def _remove(self, family: _Family) -> None:
        del self._families[family]
        for key in family.keys | family.parents:
            self._family_of.pop(key, None)
        self.held -= len(family.events)
        _remember(self._missed, family.parents - family.keys)


def _gathered(family: _Family, why: Why) -> Gathered:
    return Gathered(tuple(traces(family.events)), why, family.cut)


def _own_keys(event: TraceEvent) -> tuple[_Key, ...]:
    handle = (event.pid, event.trace_id)
    return (handle, event.otel_span_id) if event.otel_span_id else (handle,)


def _parent_keys(event: TraceEvent) -> tuple[_Key, ...]:
    if event.parent_id is None:
        return ()
    handle = (event.pid, event.parent_id)
    return (handle, event.otel_parent_id) if event.otel_parent_id else (handle,)


def _remember(keys: dict[_Key, None], more: set[_Key]) -> None:
    keys.update(dict.fromkeys(more))
    for key in list(islice(keys, max(0, len(keys) - _REMEMBERED))):
        del keys[key]
