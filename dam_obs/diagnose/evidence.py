"""
Put the events of a run together by system: one pass, columns of numbers instead of events.

A *system* is every layer, operation and component that has spans. Nothing is judged here:
`times`, `touched`, `costs` and the rules in `traits` say what the columns mean.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dam_obs.diagnose.touched import Touched
from dam_obs.store.mounts import Mounts
from dam_obs.store.processes import Process, Processes
from dam_obs.store.read import started
from dam_obs.trace.events import Scalar, TraceEvent

NOT_MEASURED = -1
"""Stands in a column of numbers where an event did not have one."""

COLUMNS = ("start_ns", "duration_ns", "cpu_ns", "wait_ns", "run_queue_ns", "block_io_ns")

Ints = NDArray[np.int64]


class SystemKey(NamedTuple):
    """What makes a system."""

    layer: str
    operation: str
    component: str


@dataclass(slots=True)
class SystemEvidence:
    """What the events say about one system."""

    key: SystemKey
    numbers: dict[str, array[int]] = field(default_factory=lambda: {name: array("q") for name in COLUMNS})
    handles: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    features: list[Mapping[str, Scalar]] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    code: Counter[tuple[str | None, str | None, int | None]] = field(default_factory=Counter)
    """``(function, file, line)`` of what ran."""
    commands: Counter[str] = field(default_factory=Counter)
    touched: Touched = field(default_factory=Touched)
    rows_by_span: dict[str, int] = field(default_factory=dict)
    """OTel span id to row."""
    segments: array[int] = field(default_factory=lambda: array("q"))
    """Row, start, end and native thread id of each segment, one after the other; empty unless asked for."""
    ran_in: array[int] = field(default_factory=lambda: array("q"))
    """The process of each execution, as a place in `RunEvidence.processes`; `NOT_MEASURED` where nothing says it."""

    def __len__(self) -> int:
        return len(self.handles)

    def column(self, name: str) -> Ints:
        """Return a column as an array; `NOT_MEASURED` stands for what an event did not have."""
        return np.array(self.numbers[name], dtype=np.int64)


@dataclass(slots=True)
class RunEvidence:
    """What the events of a run say, by system."""

    systems: dict[SystemKey, SystemEvidence] = field(default_factory=dict)
    processes: dict[Process, int] = field(default_factory=dict)
    """Those that had executions, and their places."""
    executions_by_process: Counter[Process] = field(default_factory=Counter)
    first_started: str | None = None
    """Time stamp of the earliest event."""
    first_ns: int = 0
    last_ns: int = 0
    """Wall clock of the first start and the last end, nanoseconds since the epoch."""
    parents: _Parents = field(default_factory=lambda: _Parents())

    @property
    def executions(self) -> int:
        """How many spans there were."""
        return sum(len(system) for system in self.systems.values())

    def by_span(self) -> dict[str, SystemEvidence]:
        """Return the system of each execution by its OTel span id."""
        return {span: system for system in self.systems.values() for span in system.rows_by_span}

    def process_of(self) -> Callable[[str], Process | None]:
        """Return what tells the process of an execution by its OTel span id, as far as it is known."""
        systems, processes = self.by_span(), list(self.processes)

        def process_of(span: str) -> Process | None:
            system = systems.get(span)
            place = NOT_MEASURED if system is None else system.ran_in[system.rows_by_span[span]]
            return None if place == NOT_MEASURED else processes[place]

        return process_of


def gather(
    events: Iterable[TraceEvent], mounts: Mounts, *, segments: bool = False, processes: Processes | None = None
) -> RunEvidence:
    """
    Read `events` once and put them together by system; moments, and steps of the host's own, are no executions.

    Args:
        events: Of one run.
        mounts: Which file is on which device.
        segments: Keep where in time and on which thread executions ran, too.
        processes: Tells processes apart that had the same pid.
    """
    run = RunEvidence()
    processes = processes or Processes()
    for event in events:
        start = _wall_ns(event)
        duration = event.duration_ns if event.duration_ns is not None else event.duration_ms * 1_000_000
        if run.first_started is None or start < run.first_ns:
            run.first_started, run.first_ns = event.timestamp, start
        run.last_ns = max(run.last_ns, start + duration)
        if event.kind == "span":
            system = _add(run, event, start, max(duration, 0), mounts)
            system.ran_in.append(_ran_in(run, event.pid, start, processes))
            for begin, end, thread in event.segments or () if segments else ():
                system.segments.extend((len(system) - 1, begin, max(begin, end), thread))
        elif event.kind == "step":
            run.parents.add_step(event)
    return run


def _add(run: RunEvidence, event: TraceEvent, wall_start_ns: int, duration_ns: int, mounts: Mounts) -> SystemEvidence:
    key = SystemKey(event.hrm_layer, event.operation, event.component)
    system = run.systems.get(key)
    if system is None:
        system = run.systems[key] = SystemEvidence(key)
    row = len(system)
    io = event.io or {}

    numbers = system.numbers
    # All processes of a machine share one monotonic clock; an event without it is placed by the wall clock.
    numbers["start_ns"].append(wall_start_ns if event.start_mono_ns is None else event.start_mono_ns)
    numbers["duration_ns"].append(duration_ns)
    numbers["cpu_ns"].append(_or_missing(event.cpu_ns))
    numbers["wait_ns"].append(_or_missing(event.wait_ns))
    numbers["run_queue_ns"].append(_or_missing(io.get("run_queue_ns")))
    numbers["block_io_ns"].append(_or_missing(io.get("block_io_ns")))
    system.handles.append(event.trace_id)
    system.statuses.append(event.status)
    system.features.append(event.features or {})
    if event.status == "error":
        system.errors[str(event.metadata.get("error.type") or "unknown")] += 1
    if event.code:
        system.code[_place(event.code)] += 1
    if event.command:
        system.commands[event.command] += 1
    if event.touched or event.io:
        system.touched.add(event.touched or {}, io, mounts)
    if event.otel_span_id:
        system.rows_by_span[event.otel_span_id] = row
    run.parents.add(event, system, row)
    return system


def _ran_in(run: RunEvidence, pid: int | None, start_ns: int, processes: Processes) -> int:
    if pid is None:
        return NOT_MEASURED
    process = processes.of(pid, start_ns)
    run.executions_by_process[process] += 1
    return run.processes.setdefault(process, len(run.processes))


def _wall_ns(event: TraceEvent) -> int:
    moment = started(event)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1_000


def _or_missing(value: int | None) -> int:
    return NOT_MEASURED if value is None else max(value, 0)


def _place(code: Mapping[str, str | int]) -> tuple[str | None, str | None, int | None]:
    function, file, line = code.get("function"), code.get("file"), code.get("line")
    return (
        function if isinstance(function, str) else None,
        file if isinstance(file, str) else None,
        line if isinstance(line, int) else None,
    )


class _Child(NamedTuple):
    otel_parent: str | None
    parent: str
    pid: int | None
    system: SystemEvidence
    row: int


class _Parents:
    """Who was started by whom, kept as references until all events are there."""

    def __init__(self) -> None:
        self._by_handle: dict[tuple[int | None, str], tuple[SystemEvidence, int]] = {}
        self._children: list[_Child] = []
        self._steps: dict[str, tuple[str | None, str]] = {}
        """By OTel span id, what a step's parent is."""

    def add(self, event: TraceEvent, system: SystemEvidence, row: int) -> None:
        self._by_handle[event.pid, event.trace_id] = (system, row)
        if event.parent_id is not None:
            self._children.append(_Child(event.otel_parent_id, event.parent_id, event.pid, system, row))

    def add_step(self, event: TraceEvent) -> None:
        """Remember what is between an execution and the one that started it."""
        if event.otel_span_id:
            self._steps[event.otel_span_id] = (event.otel_parent_id, event.parent_id or "")

    def children(self, run: RunEvidence) -> dict[SystemKey, dict[int, list[tuple[int, int]]]]:
        """Return, by system and row, the ``(start, end)`` of all executions that it started."""
        by_span = run.by_span()
        found: dict[SystemKey, dict[int, list[tuple[int, int]]]] = {}
        for child in self._children:
            parent = self._parent(child, by_span)
            if parent is None:
                continue
            start = child.system.numbers["start_ns"][child.row]
            span = (start, start + child.system.numbers["duration_ns"][child.row])
            found.setdefault(parent[0].key, {}).setdefault(parent[1], []).append(span)
        return found

    def _parent(self, child: _Child, by_span: dict[str, SystemEvidence]) -> tuple[SystemEvidence, int] | None:
        above, handle = child.otel_parent, child.parent
        while above is not None and above in self._steps:
            above, handle = self._steps[above]
        child = child._replace(otel_parent=above, parent=handle)
        system = by_span.get(child.otel_parent or "")
        if system is not None and child.otel_parent is not None:
            return system, system.rows_by_span[child.otel_parent]
        return self._by_handle.get((child.pid, child.parent))
