"""The tables of a system's section: what it touched, how it failed, which executions were slowest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from dam_obs.diagnose.page import units
from dam_obs.diagnose.page.text import shown
from dam_obs.diagnose.page.units import NOT_MEASURED
from dam_obs.diagnose.page.view import Table
from dam_obs.diagnose.report import DeviceBytes, SystemDiagnosis
from dam_obs.sample.offcpu.causes import CAUSE_WORDS

SLOWEST: Final = 5


def tables(system: SystemDiagnosis) -> Iterator[Table]:
    """Yield all tables of a system's section, also those without a row."""
    yield Table(
        "Devices",
        [("Device", "name"), ("Pool", "name"), ("Bytes", "number"), ("Counted", "text"), ("Executions", "number")],
        [
            [
                f"{use.device} {use.direction}",
                use.pool,
                NOT_MEASURED if use.bytes is None else units.size(use.bytes),
                _counted(use),
                units.count(use.executions),
            ]
            for use in system.devices
        ],
    )
    yield Table(
        "Files",
        [("File", "name"), ("Direction", "text"), ("Device", "name"), ("Executions", "number")],
        [[use.path, use.direction, use.device or "", units.count(use.executions)] for use in system.files],
    )
    yield _touched("Peers", "Address", [(use.address, use.pool, use.executions) for use in system.peers])
    yield _touched("Programs started", "Program", [(use.name, use.pool, use.executions) for use in system.processes])
    yield Table(
        "Errors",
        [("Type", "name"), ("Executions", "number")],
        [
            [kind, units.count(times)]
            for kind, times in sorted(system.errors.items(), key=lambda one: (-one[1], one[0]))
        ],
    )
    yield Table(
        "Where in the kernel it waited",
        [("For", "text"), ("Time", "number"), ("Functions, outermost first", "name")],
        [
            [_cause(stack.cause), units.duration(stack.ns), " › ".join(stack.functions)]
            for stack in system.off_cpu_stacks or ()
        ],
    )
    yield _slowest(system)


def _cause(cause: str) -> str:
    return next((words for name, words in CAUSE_WORDS.items() if name == cause), cause)


def _counted(use: DeviceBytes) -> str:
    """Say where bytes were counted, and in how many executions if not in all."""
    where = {"block": "at the device", "calls": "through calls", None: ""}[use.layer]
    if use.bytes is None or use.counted is None or use.counted >= use.executions:
        return where
    return f"{where}, in {units.count(use.counted)}".removeprefix(", ")


def _touched(title: str, what: str, uses: Sequence[tuple[str, str, int]]) -> Table:
    columns: Any = [(what, "name"), ("Pool", "name"), ("Executions", "number")]
    return Table(title, columns, [[name, pool, units.count(executions)] for name, pool, executions in uses])


def _slowest(system: SystemDiagnosis) -> Table:
    """List the slowest of the executions that are drawn, by handle: the way from a dot to its trace."""
    slowest = sorted(system.points, key=lambda point: -point.duration_ns)[:SLOWEST]
    return Table(
        "Slowest executions",
        [("Handle", "name"), ("Wall time", "number"), ("Status", "text"), ("Features", "name")],
        [
            [
                point.handle,
                units.duration(point.duration_ns),
                point.status,
                ", ".join(f"{name}={_value(value)}" for name, value in point.features.items()),
            ]
            for point in slowest
        ],
    )


def _value(value: object) -> str:
    if isinstance(value, float):
        return units.digits(value)
    return shown(str(value), 40)
