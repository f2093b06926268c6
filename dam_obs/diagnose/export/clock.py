"""
Put the samples of a thread on the time line, by what they themselves say.

The sampler notes the order of samples, not their times. But a sample inside an execution
was taken while that execution ran, and the ledger of segments says when that was. So each
such sample has a window; windows of earlier and later samples narrow it; where the window
is narrow, it is an anchor, and the samples between two anchors lie evenly between them.

How good that is, is measured and not claimed: each anchor is left out in turn, and the
residual is how far outside its own execution the other anchors would have put it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

Segment = tuple[int, int]
"""Start and end, nanoseconds."""

ANCHOR_PERIODS = 4
"""A window that leaves a sample no more room than so many sampling periods is an anchor."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Placed:
    """When the samples of a thread were taken."""

    times_ns: NDArray[np.int64]
    """One for each sample, in their order, by the clock of the segments."""
    residuals_ns: Floats
    """One for each anchor that has one on either side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """How far the fitted clock puts samples outside the executions that they were taken in."""

    median_ns: int
    p95_ns: int
    largest_ns: int
    anchors: int
    """How many were looked at."""


def residual(all_of_them: Iterable[Floats]) -> Residual | None:
    """Sum up what the threads of a run have; `None` where no anchor could be checked."""
    parts = list(all_of_them)
    values = np.concatenate(parts) if parts else np.empty(0)
    if not values.size:
        return None
    median, p95, largest = np.quantile(values, [0.5, 0.95, 1.0])
    return Residual(median_ns=round(median), p95_ns=round(p95), largest_ns=round(largest), anchors=values.size)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Samples in a row inside one execution."""

    first: int
    count: int
    segments: list[Segment]
    """In order."""


def place(
    owners: Iterable[tuple[str | None, int]], segments: Callable[[str], Sequence[Segment]], period_ns: float
) -> Placed | None:
    """
    Place the samples of one thread in time.

    Args:
        owners: For each of its samples in a row: the execution they were taken in, and how many they are.
        segments: When an execution ran on this thread.
        period_ns: From one sample to the next, on average.

    Returns:
        `None` if none of the samples says anything about time.
    """
    stretches, samples = _stretches(owners, segments)
    if not stretches:
        return None
    origin = min(one.segments[0][0] for one in stretches)
    windows = _Windows(stretches, origin)
    anchors = windows.anchors(period_ns)
    at, when = windows.middle[anchors], (windows.lowest[anchors] + windows.highest[anchors]) / 2
    times = _between(np.arange(samples), at, when, period_ns)
    windows.narrow(times)
    for stretch, agrees in zip(stretches, windows.agree, strict=True):
        if len(stretch.segments) > 1 or not agrees:
            _into_segments(times, stretch, origin)
    return Placed(
        np.rint(times).astype(np.int64) + origin,
        _residuals(at, when, windows.lowest[anchors], windows.highest[anchors]),
    )


def _stretches(
    owners: Iterable[tuple[str | None, int]], segments: Callable[[str], Sequence[Segment]]
) -> tuple[list[_Stretch], int]:
    """Put samples of one execution in a row together; those that tell no time are only counted."""
    found: list[_Stretch] = []
    samples = 0
    for span, group in groupby(owners, key=lambda owner: owner[0]):
        count = sum(number for _, number in group)
        ran = sorted(segments(span)) if span is not None else []
        if ran:
            found.append(_Stretch(samples, count, ran))
        samples += count
    return found, samples


class _Windows:
    """From when to when each stretch of samples may have been taken, all others considered."""

    def __init__(self, stretches: Sequence[_Stretch], origin: int) -> None:
        earliest = np.array([one.segments[0][0] - origin for one in stretches], dtype=np.float64)
        latest = np.array([max(end for _, end in one.segments) - origin for one in stretches], dtype=np.float64)
        lowest = np.maximum.accumulate(earliest)
        highest = np.minimum.accumulate(latest[::-1])[::-1]
        self.agree = lowest <= highest
        """Where it is not so, clocks and samples contradict each other: then only the stretch itself is asked."""
        self.lowest = np.where(self.agree, lowest, earliest)
        self.highest = np.where(self.agree, highest, latest)
        self.count = np.array([one.count for one in stretches])
        self.first = np.array([one.first for one in stretches])
        self.middle = self.first + (self.count - 1) / 2

    def anchors(self, period_ns: float) -> NDArray[np.intp]:
        """Return which stretches have so little room that they say when they were; at least one."""
        room = np.where(self.agree, self.highest - self.lowest - (self.count - 1) * period_ns, np.inf)
        return np.flatnonzero(room <= max(ANCHOR_PERIODS * period_ns, float(room.min())))

    def narrow(self, times: Floats) -> None:
        """Move samples into their windows; their order stays."""
        from_then = np.full(times.size, -np.inf)
        from_then[self.first[self.agree]] = self.lowest[self.agree]
        until_then = np.full(times.size, np.inf)
        until_then[(self.first + self.count - 1)[self.agree]] = self.highest[self.agree]
        np.maximum(times, np.maximum.accumulate(from_then), out=times)
        np.minimum(times, np.minimum.accumulate(until_then[::-1])[::-1], out=times)


def _between(indices: NDArray[np.intp], at: Floats, when: Floats, period_ns: float) -> Floats:
    """Return times evenly between anchors, and at the sampler's pace before the first and after the last."""
    times = np.interp(indices, at, when)
    times -= np.maximum(at[0] - indices, 0) * period_ns
    times += np.maximum(indices - at[-1], 0) * period_ns
    return times


def _into_segments(times: Floats, stretch: _Stretch, origin: int) -> None:
    """Move each sample of a stretch to the nearest moment in which the execution really ran."""
    starts = [start - origin for start, _ in stretch.segments]
    ends = [end - origin for _, end in stretch.segments]
    for index in range(stretch.first, stretch.first + stretch.count):
        now = float(times[index])
        before = bisect_right(starts, now) - 1
        if before >= 0 and now <= ends[before]:
            continue
        near = [ends[before]] if before >= 0 else []
        near += [starts[before + 1]] if before + 1 < len(starts) else []
        times[index] = min(near, key=lambda moment: abs(moment - now))


def _residuals(at: Floats, when: Floats, lowest: Floats, highest: Floats) -> Floats:
    """Return how far outside its window each anchor is put by the two beside it."""
    if at.size < 3:
        return np.empty(0)
    share = (at[1:-1] - at[:-2]) / (at[2:] - at[:-2])
    expected = when[:-2] + share * (when[2:] - when[:-2])
    outside = np.maximum(np.maximum(lowest[1:-1] - expected, expected - highest[1:-1]), 0)
    return np.asarray(outside, dtype=np.float64)
