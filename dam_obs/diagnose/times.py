"""
What the columns of a system say about time: quantiles, where it went, how many ran at once.

Quantiles are observed values, and the parts of a split add up to its wall time to the
nanosecond. Counters of different clocks may claim more than there was of an execution;
then they are cut in the order in which we trust them (`split`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dam_obs.diagnose.evidence import NOT_MEASURED, Ints, SystemEvidence
from dam_obs.diagnose.report import Quantiles, TimeSplit
from dam_obs.sample.offcpu.causes import Cause

_OFF_CPU: Final[Mapping[Cause, str]] = {"block_io": "block_io_ns", "run_queue": "run_queue_ns"}
"""The parts that the kernel counts, in the order in which we trust them, and their columns."""

Intervals: TypeAlias = list[tuple[int, int]]


def quantiles(durations_ns: Ints) -> Quantiles:
    """Return the order statistics of `durations_ns`, of which there must be one at least; each was observed."""
    p50, p90, p95, p99 = np.quantile(durations_ns, [0.5, 0.9, 0.95, 0.99], method="inverted_cdf")
    return Quantiles(
        count=len(durations_ns),
        mean_ns=float(np.mean(durations_ns)),
        min_ns=int(durations_ns.min()),
        p50_ns=int(p50),
        p90_ns=int(p90),
        p95_ns=int(p95),
        p99_ns=int(p99),
        max_ns=int(durations_ns.max()),
    )


def split(system: SystemEvidence, waits: Mapping[Cause, Ints] | None = None) -> TimeSplit:
    """
    Say where wall time went, over the executions whose CPU time was measured, or over all if none was.

    Of each execution's wall time the parts are taken in this order, each at most what is left:
    on the CPU (thread clock), awaiting (our own clock at each suspension), block I/O, run queue
    (both the kernel's, which count in ticks on some machines). What remains is *other*.

    The kernel's counters are read for some executions only. The shares they have there of
    what is left are taken for the shares they have everywhere.

    With `waits`, off-CPU time by cause as `waits.OffCpuTimes` has it, block I/O and run queue are
    taken from there instead, and its other causes say what *other* is made of.
    """
    wall, cpu = system.column("duration_ns"), system.column("cpu_ns")
    measured = cpu != NOT_MEASURED
    if not measured.any():
        measured = np.ones(len(wall), dtype=bool)

    left = wall[measured].copy()
    on_cpu = _take(left, cpu[measured])
    awaiting = _take(left, system.column("wait_ns")[measured])
    off_cpu = left.copy()
    total = int(off_cpu.sum())
    columns = _off_cpu_columns(system, waits, measured)
    parts: dict[Cause, int | None] = {}
    other = total
    for name, column in columns.items():
        part = parts[name] = _projected(left, column, off_cpu, other)
        other -= part or 0
    block_io, run_queue = (parts.pop(name) for name in _OFF_CPU)
    counted = int(np.any([column != NOT_MEASURED for column in columns.values()], axis=0).sum())

    return TimeSplit(
        wall_ns=int(wall[measured].sum()),
        on_cpu_ns=on_cpu,
        run_queue_ns=run_queue,
        block_io_ns=block_io,
        awaiting_ns=awaiting,
        other_ns=total - (block_io or 0) - (run_queue or 0),
        causes={name: part for name, part in parts.items() if part is not None} if parts else None,
        measured=int(measured.sum()),
        counted=counted,
    )


def _off_cpu_columns(
    system: SystemEvidence, waits: Mapping[Cause, Ints] | None, measured: NDArray[np.bool_]
) -> dict[Cause, Ints]:
    """Return the columns to take from what is left, in order: block I/O, run queue, and other causes if known."""
    if waits is not None and all((waits[name][measured] != NOT_MEASURED).any() for name in _OFF_CPU):
        names = [*_OFF_CPU, *(name for name in waits if name not in _OFF_CPU)]
        return {name: waits[name][measured] for name in names}
    return {name: system.column(column)[measured] for name, column in _OFF_CPU.items()}


def _take(left: Ints, column: Ints) -> int | None:
    """Take a part of what is left of each execution, and return the sum; `None` if it was measured for none."""
    if (column == NOT_MEASURED).all():
        return None
    taken = np.minimum(np.maximum(column, 0), left)
    left -= taken
    return int(taken.sum())


def _projected(left: Ints, column: Ints, whole: Ints, most: int) -> int | None:
    """Take a part where it was counted, and return the same share of all of `whole`, but no more than `most`."""
    counted_whole = int(whole[column != NOT_MEASURED].sum())
    taken = _take(left, column)
    if taken is None or not counted_whole:
        return taken
    return min(taken * int(whole.sum()) // counted_whole, most)


def concurrency(starts_ns: Ints, durations_ns: Ints) -> tuple[int, float]:
    """Return how many ran at once at most, and on average over the time in which at least one did."""
    ends = starts_ns + np.maximum(durations_ns, 1)
    moments = np.concatenate([starts_ns, ends])
    steps = np.concatenate([np.ones(len(starts_ns), dtype=np.int64), -np.ones(len(ends), dtype=np.int64)])
    order = np.lexsort((steps, moments))  # an end before a start at the same moment: those two did not overlap
    running = np.cumsum(steps[order])
    gaps = np.diff(moments[order])
    busy = int(gaps[running[:-1] > 0].sum())
    return int(running.max()), float((ends - starts_ns).sum() / busy)


def waiting_on_children(system: SystemEvidence, children: Mapping[int, Intervals]) -> int | None:
    """
    Return how much of the time off the CPU passed, at least, while an execution it had started was in flight.

    Counted as if the CPU was used only while children ran, so it is never too much.
    `None` where CPU time was not measured.
    """
    starts, walls, cpus = system.column("start_ns"), system.column("duration_ns"), system.column("cpu_ns")
    if (cpus == NOT_MEASURED).all():
        return None
    total = 0
    for row, intervals in children.items():
        if cpus[row] == NOT_MEASURED:
            continue
        wall = int(walls[row])
        off_cpu = max(0, wall - int(cpus[row]))
        covered = _covered(intervals, int(starts[row]), int(starts[row]) + wall)
        total += max(0, off_cpu - (wall - covered))
    return total


def _covered(intervals: Intervals, start: int, end: int) -> int:
    """Return how much of ``start`` to ``end`` lies in any of `intervals`."""
    covered, reached = 0, start
    for left, right in sorted(intervals):
        left, right = max(left, reached), min(right, end)
        if right > left:
            covered += right - left
            reached = right
    return covered
