"""
What share of the time from first to last passed through each system: critical paths, of traces drawn evenly.

A critical path needs a whole trace in memory. So of a long run only some traces are kept: all
whose id ends in enough zeros, more of them the more events come. No other choice is made.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import msgspec

from dam_obs.diagnose.evidence import SystemKey
from dam_obs.diagnose.report_where import CriticalPath
from dam_obs.store.critical import critical_path
from dam_obs.store.timeline import timeline
from dam_obs.store.timing import duration_ns
from dam_obs.store.tree import Trace, traces
from dam_obs.trace.events import TraceEvent

MOST_EVENTS: Final = 30_000
"""Events of traces that are kept; those with many segments count for several."""

SEGMENTS_OF_ONE: Final = 8
"""Segments that take as much room as an event without any."""

_MOST_ZEROS: Final = 48


@dataclass(slots=True)
class TraceSample:
    """Some whole traces of a run."""

    seen: int = 0
    """Roots of traces, kept or not."""
    _kept: dict[str, list[TraceEvent]] = field(default_factory=dict)
    _count: int = 0
    _zeros: int = 0
    """Binary ones, at the end of the ids of traces that are kept."""

    def add(self, event: TraceEvent) -> None:
        """Take an event."""
        trace = event.otel_trace_id
        if trace is None or event.kind == "event":
            return
        self.seen += event.parent_id is None
        if not self._wants(trace):
            return
        self._kept.setdefault(trace, []).append(_slim(event))
        self._count += _room(event)
        while self._count > MOST_EVENTS:
            self._zeros += 1
            self._kept = {trace: events for trace, events in self._kept.items() if self._wants(trace)}
            self._count = sum(_room(event) for events in self._kept.values() for event in events)

    def _wants(self, trace: str) -> bool:
        if not self._zeros:
            return True
        try:
            number = int(trace[-16:], 16)
        except ValueError:
            return False
        return self._zeros <= _MOST_ZEROS and number % (1 << self._zeros) == 0

    def paths(self) -> CriticalPaths:
        """Find the critical paths of what was kept."""
        found = CriticalPaths(seen=self.seen)
        for events in self._kept.values():
            for trace in traces(events):
                found.traces += 1
                found.roots_ns += duration_ns(trace.root.event) or 0
                systems = _systems(trace)
                for segment in critical_path(trace, timeline(trace)):
                    system = systems[id(segment.node)]
                    if system is not None:
                        found.by_system[system] += segment.length_ns
        return found


@dataclass(slots=True)
class CriticalPaths:
    """The critical paths of some traces, put together by system."""

    seen: int
    traces: int = 0
    roots_ns: int = 0
    by_system: Counter[SystemKey] = field(default_factory=Counter)

    def of(self, system: SystemKey) -> CriticalPath | None:
        """Return a system's part; `None` where no whole trace was kept."""
        if not self.roots_ns:
            return None
        return CriticalPath(
            critical_ns=self.by_system[system],
            roots_ns=self.roots_ns,
            share=self.by_system[system] / self.roots_ns,
            traces=self.traces,
            traces_seen=max(self.seen, self.traces),
        )


def _room(event: TraceEvent) -> int:
    return 1 + len(event.segments or ()) // SEGMENTS_OF_ONE


def _systems(trace: Trace) -> dict[int, SystemKey | None]:
    """Return whose each event of a trace is, by the `id` of its node; a step of the host's is of the system above."""
    found: dict[int, SystemKey | None] = {}
    around: list[SystemKey | None] = []
    for depth, node in trace.root.walk():
        event = node.event
        is_step = event.kind == "step"
        above = around[depth - 1] if depth else None
        system = above if is_step else SystemKey(event.hrm_layer, event.operation, event.component)
        around[depth:] = [system]
        found[id(node)] = system
    return found


def _slim(event: TraceEvent) -> TraceEvent:
    """Return what a path needs of an event."""
    return msgspec.structs.replace(
        event, metadata={}, features=None, touched=None, io=None, awaited=None, input_summary="", output_summary=""
    )
