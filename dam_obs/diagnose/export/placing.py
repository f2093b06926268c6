"""Give each sample of a run its time: the clock of `clock`, fitted for one thread after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dam_obs.diagnose.export.clock import Floats, Residual, Segment, place, residual
from dam_obs.diagnose.export.samples import RunSamples, Sampled, Thread


@dataclass(slots=True)
class Placing:
    """What became of placing samples; grows while threads are taken."""

    placed: int = 0
    unplaced: int = 0
    """Samples of threads in which no sampled execution ran: nothing says when they were taken."""
    unordered: int = 0
    """Samples that do not stand where they were taken: equal stacks of a long run were put together."""
    residuals: list[Floats] = field(default_factory=list)

    @property
    def residual(self) -> Residual | None:
        """How good the fit is, so far."""
        return residual(self.residuals)

    @property
    def remark(self) -> str:
        """The same in words."""
        found = self.residual
        said = f"Placed {self.placed:,} samples on the time line"
        if self.unplaced:
            said += f", and {self.unplaced:,} not: no execution was sampled on their threads"
        if self.unordered:
            said += f", and {self.unordered:,} not: their order was not kept, for the run was long"
        if found is None:
            return f"{said}; too few to tell how well the clock fits"
        return (
            f"{said}; the clock is off by {found.median_ns / 1e6:.1f} ms (median), {found.p95_ns / 1e6:.1f} ms (95 %)"
        )


@dataclass(frozen=True, slots=True)
class TimedThread:
    """A thread with all its samples, and when they were taken."""

    thread: Thread
    samples: Sequence[Sampled]
    times_ns: NDArray[np.int64] | None
    """
    By the monotonic clock, one for each sample: as many for each of `samples` as it has weight.

    `None`: nothing says when they were.
    """

    def each(self) -> Iterator[tuple[Sampled, NDArray[np.int64] | None]]:
        """Yield equal samples in a row, with their times."""
        at = 0
        for sampled in self.samples:
            yield sampled, None if self.times_ns is None else self.times_ns[at : at + sampled.weight]
            at += sampled.weight


def timed_threads(samples: RunSamples, placing: Placing) -> Iterator[TimedThread]:
    """
    Yield the threads that have wanted samples, one in memory at a time, and keep account in `placing`.

    All samples of a thread say when they were, also those that are not wanted.
    """
    for thread, sampled in samples.threads(unwanted=True):
        taken = list(sampled)
        wanted = [samples.wants(one) for one in taken]
        if not any(wanted):
            continue
        shown = [one for one, is_wanted in zip(taken, wanted, strict=True) if is_wanted]
        count = sum(one.weight for one in shown)
        if not all(one.ordered for one in taken):
            placing.unordered += count
            yield TimedThread(thread, shown, None)
            continue
        found = place(((one.span, one.weight) for one in taken), _Ran(samples, thread), samples.period_ns)
        if found is None:
            placing.unplaced += count
            yield TimedThread(thread, shown, None)
            continue
        placing.placed += count
        placing.residuals.append(found.residuals_ns)
        yield TimedThread(thread, shown, found.times_ns[np.repeat(wanted, [one.weight for one in taken])])


class _Ran:
    """When an execution ran on one thread."""

    def __init__(self, samples: RunSamples, thread: Thread) -> None:
        self._samples = samples
        self._thread = thread

    def __call__(self, span: str) -> Sequence[Segment]:
        execution = self._samples.executions.get(span)
        # After a fork the child has its parent's executions on its stacks; they say nothing of the child's time.
        if execution is None or execution.pid != self._thread.pid:
            return ()
        return _on_thread(execution.segments, self._thread.tid)


def _on_thread(segments: Iterable[tuple[int, int, int]], tid: int) -> list[Segment]:
    return [(start, end) for start, end, thread in segments if thread == tid]
