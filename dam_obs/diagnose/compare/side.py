"""
One of two runs that are compared: its report, and what single executions say beside it.

From a run folder come the spreads of what was measured, execution by execution, and stacks by
execution; in one pass over the events and one over the samples, and as sums: nothing grows with
either. A ``report.json`` alone has sums and a choice of executions, so less can be said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dam_obs.diagnose.compare.sampled import SystemStacks, stacks_of_report, stacks_of_run
from dam_obs.diagnose.evidence import SystemKey
from dam_obs.diagnose.export.samples import system_name
from dam_obs.diagnose.report import DiagnosticReport, SystemDiagnosis
from dam_obs.diagnose.touched import DIRECTIONS, Direction, Touched
from dam_obs.store.grouping import Grouping
from dam_obs.store.intervals import middle_of
from dam_obs.store.means import Moments, moments_of_counts
from dam_obs.store.mounts import Mounts, load_mounts, read_mounts
from dam_obs.store.populations import Group, Times
from dam_obs.store.read import read_events
from dam_obs.store.runs import RunFolder
from dam_obs.trace.events import TraceEvent

SYSTEMS: Final = Grouping(
    "system", "case when kind = 'span' then component || ' (' || layer || '.' || operation || ')' end"
)
"""Spans by what makes a system; moments and steps are none."""

_LARGEST: Final = 2**53

DeviceKey = tuple[Direction, str]


@dataclass(slots=True)
class Spread:
    """What single executions of one system say."""

    parts: dict[str, Moments] = field(default_factory=dict)
    """By the name that a part has in `TimeSplit`, nanoseconds an execution."""
    counted: int = 0
    """Executions whose bytes were counted."""
    bytes: dict[tuple[str, DeviceKey], tuple[float, float]] = field(default_factory=dict)
    """By layer (``block``, ``calls``), direction and device: the sum over executions, and that of the squares."""

    def moments_of_bytes(self, layer: str, device: DeviceKey) -> Moments:
        """Return the bytes an execution; one that did not touch the device moved none."""
        total, squares = self.bytes.get((layer, device), (0.0, 0.0))
        return moments_of_counts(self.counted, total, squares)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSide:
    """One of two runs."""

    report: DiagnosticReport
    groups: Mapping[str, Group]
    """Durations, errors and blocked ones by system."""
    spreads: Mapping[str, Spread] | None
    """By system; `None`: there is a report alone."""
    stacks: Mapping[str, SystemStacks] | None
    """By system; `None`: no stacks."""

    @property
    def systems(self) -> dict[str, SystemDiagnosis]:
        """Return the systems by name."""
        return {name_of(system): system for system in self.report.systems}


def name_of(system: SystemDiagnosis) -> str:
    """Return what a system is called: component, layer and operation."""
    return system_name(SystemKey(system.layer, system.operation, system.system))


def side_of_run(run: RunFolder, report: DiagnosticReport, groups: Mapping[str, Group]) -> RunSide:
    """
    Read what a run folder says beside its report.

    Args:
        run: The folder.
        report: Made of it.
        groups: Its events, grouped by `SYSTEMS`.
    """
    executions = {name: system.executions for name, system in _pairs(report)}
    return RunSide(
        report=report,
        groups=groups,
        spreads=_spreads(run, report),
        stacks=None if report.flame is None else stacks_of_run(run, report, executions),
    )


def side_of_report(report: DiagnosticReport) -> RunSide:
    """Take a report for all that is known of a run."""
    return RunSide(
        report=report,
        groups={name: _group(system) for name, system in _pairs(report)},
        spreads=None,
        stacks=None if report.flame is None else stacks_of_report(report, dict(_pairs(report))),
    )


def _pairs(report: DiagnosticReport) -> list[tuple[str, SystemDiagnosis]]:
    return [(name_of(system), system) for system in report.systems]


def _group(system: SystemDiagnosis) -> Group:
    """Take the executions that a report shows for a sample of all."""
    durations = [float(point.duration_ns) for point in system.points]
    return Group(
        events=system.executions,
        errors=system.by_status.get("error", 0),
        blocked=system.by_status.get("blocked", 0),
        times=Times(middle=middle_of(durations), p95_ns=system.latency.p95_ns) if durations else None,
    )


# -- spreads


def _spreads(run: RunFolder, report: DiagnosticReport) -> dict[str, Spread]:
    if not report.systems:
        return {}
    found: dict[str, Spread] = {}
    mounts = load_mounts(run) or read_mounts()
    known = Touched()  # what is known of folders is shared by all executions
    for event in read_events(run.trace):
        if event.kind == "span":
            name = system_name(SystemKey(event.hrm_layer, event.operation, event.component))
            spread = found.setdefault(name, Spread())
            _add_parts(spread, event)
            if event.io:
                _add_bytes(spread, event, mounts, known)
    return found


def _add_parts(spread: Spread, event: TraceEvent) -> None:
    """Take the parts of one execution, each at most what is left, in the order in which `times.split` trusts them."""
    left = wall = _bounded(event.duration_ns if event.duration_ns is not None else event.duration_ms * 1_000_000)
    if event.cpu_ns is None:
        return
    io = event.io or {}
    counted = "block_io_ns" in io or "run_queue_ns" in io
    values = {"on_cpu_ns": event.cpu_ns, "awaiting_ns": event.wait_ns}
    values |= {"block_io_ns": io.get("block_io_ns"), "run_queue_ns": io.get("run_queue_ns")} if counted else {}
    _add(spread, "wall_ns", wall)
    for name, value in values.items():
        if value is not None:
            taken = min(_bounded(value), left)
            left -= taken
            _add(spread, name, taken)
    if counted:
        _add(spread, "other_ns", left)
    _add(spread, _OTHER_UNCOUNTED, left)


_OTHER_UNCOUNTED: Final = "other_uncounted"
"""What is left of each execution where nothing tells block I/O and run queue from it."""


def _bounded(value: int) -> int:
    """Return what a counter can have shown: a file may hold any number."""
    return max(0, min(value, _LARGEST))


def _add(spread: Spread, name: str, value: int) -> None:
    moments = spread.parts.get(name)
    if moments is None:
        moments = spread.parts[name] = Moments()
    moments.add(float(value))


def other_of(spread: Spread) -> Moments | None:
    """Return the spread of what remains: of the executions counted, or of all where none was."""
    return spread.parts.get("other_ns") or spread.parts.get(_OTHER_UNCOUNTED)


def _add_bytes(spread: Spread, event: TraceEvent, mounts: Mounts, known: Touched) -> None:
    io = event.io or {}
    if not any(name in io for _, _, block, calls in DIRECTIONS for name in (block, calls)):
        return
    spread.counted += 1
    one = Touched(mounts=known.mounts, disks=known.disks)
    one.add(event.touched or {}, io, mounts)
    layers: dict[str, Counter[DeviceKey]] = {"block": one.block_bytes, "calls": one.call_bytes}
    for layer, amounts in layers.items():
        for device, amount in amounts.items():
            total, squares = spread.bytes.get((layer, device), (0.0, 0.0))
            few = float(_bounded(amount))
            spread.bytes[layer, device] = (total + few, squares + few * few)
