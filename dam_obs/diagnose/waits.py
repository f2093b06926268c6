"""
Give off-CPU stretches to the executions that they fell into, by thread and time.

An execution is off the CPU where a stretch of its thread lies within one of its segments:
both are by the monotonic clock, so this is exact, and no stretch is shared out. Of an
execution with more segments than are kept nothing is known. What it means for the split of
wall time is `times`' business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dam_obs.diagnose.evidence import NOT_MEASURED, Ints, SystemEvidence
from dam_obs.diagnose.report import BlockRequests, OffCpuEvidence, OffCpuStack
from dam_obs.sample.offcpu.causes import CAUSES, Cause
from dam_obs.sample.offcpu.read import OffCpu, Stretches
from dam_obs.text import printable
from dam_obs.trace.meter import MOST_SEGMENTS

STACKS_SHOWN = 20

Waits = Mapping[Cause, Ints]
"""By cause, nanoseconds of each execution within its steps; `NOT_MEASURED` where it was not watched all along."""


@dataclass(frozen=True, slots=True)
class _Sums:
    """Stretches of one thread and cause, in order, with their running total."""

    starts: Ints
    ends: Ints
    total: Ints
    """Before each of them, and after the last."""

    def until(self, moments: Ints) -> Ints:
        """Return how much there was of it before each of `moments`."""
        begun = np.searchsorted(self.starts, moments, side="right")
        last = np.maximum(begun - 1, 0)
        to_come = np.where(begun > 0, np.maximum(self.ends[last] - moments, 0), 0)
        return np.asarray(self.total[begun] - to_come, dtype=np.int64)


class OffCpuTimes:
    """The off-CPU stretches of a run, ready to be asked."""

    def __init__(self, offcpu: OffCpu) -> None:
        self._summary = offcpu.summary
        self._threads = {thread: _sums(stretches) for thread, stretches in offcpu.threads.items()}
        self._stacks = offcpu.stacks
        self._by_stack = {thread: _sums_by_stack(stretches) for thread, stretches in offcpu.threads.items()}

    def of(self, system: SystemEvidence) -> Waits | None:
        """Return what each execution of `system` waited for; `None` if none was watched from its start to its end."""
        rows, starts, ends, threads = np.array(system.segments, dtype=np.int64).reshape(-1, 4).T
        watched = self._watched(len(system), rows, starts, ends)
        if not watched.any():
            return None
        found = {cause: np.zeros(len(system), dtype=np.int64) for cause in CAUSES}
        for thread in np.unique(threads).tolist():
            of_thread = threads == thread
            for place, sums in self._threads.get(thread, {}).items():
                within = sums.until(ends[of_thread]) - sums.until(starts[of_thread])
                np.add.at(found[CAUSES[place]], rows[of_thread], within)
        return {cause: np.where(watched, column, NOT_MEASURED) for cause, column in found.items()}

    def stacks_of(self, system: SystemEvidence) -> list[OffCpuStack] | None:
        """Return where in the kernel `system` waited the longest; `None` if that was not asked for."""
        if not self._summary.stacks_from_ns:
            return None
        rows, starts, ends, threads = np.array(system.segments, dtype=np.int64).reshape(-1, 4).T
        inside = self._watched(len(system), rows, starts, ends)[rows]
        found: Counter[tuple[int, int]] = Counter()
        for thread in np.unique(threads).tolist():
            of_thread = inside & (threads == thread)
            for key, sums in self._by_stack.get(thread, {}).items():
                found[key] += int((sums.until(ends[of_thread]) - sums.until(starts[of_thread])).sum())
        longest = sorted(((ns, key) for key, ns in found.items() if ns), key=lambda one: (-one[0], one[1]))
        return [
            OffCpuStack(functions=[printable(name) for name in self._stacks[stack]], cause=CAUSES[cause], ns=ns)
            for ns, (stack, cause) in longest[:STACKS_SHOWN]
        ]

    def _watched(self, count: int, rows: Ints, starts: Ints, ends: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        watched = np.zeros(count, dtype=bool)
        watched[rows] = True
        outside = (starts < self._summary.from_ns) | (ends > self._summary.to_ns)
        watched[rows[outside]] = False
        # Beyond as many, the last segment was stretched, over what others did meanwhile on that thread.
        watched[np.bincount(rows, minlength=count) >= MOST_SEGMENTS] = False
        return watched


def _sums(stretches: Stretches) -> dict[int, _Sums]:
    starts, ends = (np.array(column, dtype=np.int64) for column in (stretches.starts_ns, stretches.ends_ns))
    causes = np.array(stretches.causes, dtype=np.int64)
    order = np.argsort(starts, kind="stable")
    found = {}
    for cause in np.unique(causes).tolist():
        chosen = order[causes[order] == cause]
        total = np.concatenate([[0], np.cumsum(ends[chosen] - starts[chosen])])
        found[cause] = _Sums(starts[chosen], ends[chosen], total)
    return found


def _sums_by_stack(stretches: Stretches) -> dict[tuple[int, int], _Sums]:
    """Return the sums by stack and cause, of the stretches that have a stack."""
    stacks = np.array(stretches.stacks, dtype=np.int64)
    found = {}
    for stack in np.unique(stacks[stacks >= 0]).tolist():
        chosen = np.flatnonzero(stacks == stack).tolist()
        some = Stretches()
        for place in chosen:
            some.add(stretches.starts_ns[place], stretches.ends_ns[place], stretches.causes[place], stack)
        found.update({(stack, cause): sums for cause, sums in _sums(some).items()})
    return found


def offcpu_evidence(offcpu: OffCpu) -> OffCpuEvidence:
    """Return what the report says of how the off-CPU evidence was taken, and of the disks."""
    summary = offcpu.summary
    return OffCpuEvidence(
        tool=f"bpftrace {summary.bpftrace}",
        clock=summary.clock,
        clock_residual_ns=summary.clock_residual_ns,
        watched_ns=summary.to_ns - summary.from_ns,
        intervals=summary.intervals,
        lost=summary.lost,
        cut=summary.cut,
        ended_early=summary.ended_early,
        stacks_from_ns=summary.stacks_from_ns,
        stacks_left_out=summary.stacks_left_out,
        disks=[
            BlockRequests(
                device=each.device,
                direction=each.direction,
                requests=each.requests,
                bytes=each.bytes,
                p50_ns=each.p50_ns,
                p99_ns=each.p99_ns,
                max_ns=each.max_ns,
            )
            for each in summary.devices
        ],
    )
