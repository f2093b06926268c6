"""
Put the events of a run together by system: one pass, columns of numbers instead of events.

A *system* is every layer, operation and component that has spans. Nothing is judged here:
`times`, `touched`, `costs` and the rules in `traits` say what the columns mean.

What is kept of each execution is some hundred bytes of numbers (`COLUMNS`, `kinship`), so that
sums and quantiles are exact however long a run was. All else is kept of so many executions (`kept`).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from dam_obs.diagnose.kept import Kept
from dam_obs.diagnose.kinship import Children, Kinship
from dam_obs.diagnose.touched import Touched
from dam_obs.store.mounts import Mounts
from dam_obs.store.processes import Process, Processes
from dam_obs.store.read import started
from dam_obs.trace.events import Status, TraceEvent

_LONGEST = 2**53
"""Nanoseconds of one execution: a hundred days."""

_LATEST = 2**62
"""Nanoseconds that a clock may show."""

NOT_MEASURED = -1
"""Stands in a column of numbers where an event did not have one."""

STATUSES: tuple[Status, ...] = get_args(Status)
SUCCESS = STATUSES.index("success")

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
    number: int = 0
    """Its place among the systems of its run."""
    numbers: dict[str, array[int]] = field(default_factory=lambda: {name: array("q") for name in COLUMNS})
    statuses: bytearray = field(default_factory=bytearray)
    """Of each execution, its place in `STATUSES`."""
    kept: Kept = field(default_factory=Kept)
    """Handles and features of some executions, or of all."""
    features: set[str] = field(default_factory=set)
    """Names of the features that were seen."""
    errors: Counter[str] = field(default_factory=Counter)
    code: Counter[tuple[str | None, str | None, int | None]] = field(default_factory=Counter)
    """``(function, file, line)`` of what ran."""
    commands: Counter[str] = field(default_factory=Counter)
    touched: Touched = field(default_factory=Touched)
    segments: array[int] = field(default_factory=lambda: array("q"))
    """Row, start, end and native thread id of each segment, one after the other; empty unless asked for."""
    ran_in: array[int] = field(default_factory=lambda: array("q"))
    """The process of each execution, as a place in `RunEvidence.processes`; `NOT_MEASURED` where nothing says it."""

    def __len__(self) -> int:
        return len(self.numbers["duration_ns"])

    def count(self, status: Status) -> int:
        """Return how many executions ended with a status."""
        return self.statuses.count(STATUSES.index(status))

    def succeeded(self, row: int) -> bool:
        """Say whether an execution succeeded."""
        return self.statuses[row] == SUCCESS

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
    kinship: Kinship = field(default_factory=Kinship)
    """Whose span id is whose, and who was started by whom."""
    _ordered: list[SystemEvidence] = field(default_factory=list)

    @property
    def executions(self) -> int:
        """How many spans there were."""
        return sum(len(system) for system in self.systems.values())

    def find(self, span_id: str) -> tuple[SystemEvidence, int] | None:
        """Return the system and the row of the execution with an OTel span id."""
        found = self.kinship.find(span_id)
        if found is None:
            return None
        if len(self._ordered) != len(self.systems):
            self._ordered = list(self.systems.values())
        return self._ordered[found[0]], found[1]

    def process_of(self) -> Callable[[str], Process | None]:
        """Return what tells the process of an execution by its OTel span id, as far as it is known."""
        processes = list(self.processes)

        def process_of(span: str) -> Process | None:
            found = self.find(span)
            place = NOT_MEASURED if found is None else found[0].ran_in[found[1]]
            return None if place == NOT_MEASURED else processes[place]

        return process_of

    def children(self) -> dict[SystemKey, Children]:
        """Return, by system and row, the ``(start, end)`` of all executions that it started."""
        systems = list(self.systems.values())
        starts = [system.column("start_ns") for system in systems]
        ends = [start + system.column("duration_ns") for start, system in zip(starts, systems, strict=True)]
        return {systems[number].key: found for number, found in self.kinship.children(starts, ends).items()}


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
        duration = _bounded(event.duration_ns if event.duration_ns is not None else event.duration_ms * 1_000_000)
        if run.first_started is None or start < run.first_ns:
            run.first_started, run.first_ns = event.timestamp, start
        run.last_ns = max(run.last_ns, start + duration)
        if event.kind == "span":
            system = _add(run, event, start, max(duration, 0), mounts)
            system.ran_in.append(_ran_in(run, event.pid, start, processes))
            for begin, end, thread in event.segments or () if segments else ():
                system.segments.extend((len(system) - 1, begin, max(begin, end), thread))
        elif event.kind == "step":
            run.kinship.add_step(event)
    return run


def _add(run: RunEvidence, event: TraceEvent, wall_start_ns: int, duration_ns: int, mounts: Mounts) -> SystemEvidence:
    key = SystemKey(event.hrm_layer, event.operation, event.component)
    system = run.systems.get(key)
    if system is None:
        system = run.systems[key] = SystemEvidence(key, len(run.systems))
    row = len(system)
    io = event.io or {}

    numbers = system.numbers
    # All processes of a machine share one monotonic clock; an event without it is placed by the wall clock.
    numbers["start_ns"].append(wall_start_ns if event.start_mono_ns is None else _bounded(event.start_mono_ns, _LATEST))
    numbers["duration_ns"].append(duration_ns)
    numbers["cpu_ns"].append(_or_missing(event.cpu_ns))
    numbers["wait_ns"].append(_or_missing(event.wait_ns))
    numbers["run_queue_ns"].append(_or_missing(io.get("run_queue_ns")))
    numbers["block_io_ns"].append(_or_missing(io.get("block_io_ns")))
    system.statuses.append(STATUSES.index(event.status))
    system.kept.add(row, event.trace_id, event.features or {})
    system.features.update(event.features or ())
    if event.status == "error":
        system.errors[str(event.metadata.get("error.type") or "unknown")] += 1
    if event.code:
        system.code[_place(event.code)] += 1
    if event.command:
        system.commands[event.command] += 1
    if event.touched or event.io:
        system.touched.add(event.touched or {}, io, mounts)
    run.kinship.add(event, system.number, row)
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
    return NOT_MEASURED if value is None else max(_bounded(value), 0)


def _bounded(value: int, most: int = _LONGEST) -> int:
    """Return what a clock can have shown: a file may hold any number, and sums of these must stay numbers."""
    return max(-most, min(value, most))


def _place(code: Mapping[str, str | int]) -> tuple[str | None, str | None, int | None]:
    function, file, line = code.get("function"), code.get("file"), code.get("line")
    return (
        function if isinstance(function, str) else None,
        file if isinstance(file, str) else None,
        line if isinstance(line, int) else None,
    )
