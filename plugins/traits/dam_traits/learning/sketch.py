"""
Many durations in little room: how they spread, the older ones counting for less.

`DurationSketch` counts weights in bins whose width grows with the duration, so that each
quantile is right within `RELATIVE_ERROR` however many durations came in. `Decay` says what
a duration's weight is. Weights only ever grow with time, none shrinks as it ages (forward
decay), so sketches of several processes add up bin by bin. What the durations are of, and
where bins are kept, is not known here.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddsketch.mapping import LogarithmicMapping

RELATIVE_ERROR = 0.02
"""A quantile is at most this far from the true one, as a part of it."""

BINS = 1024
"""A sketch has no more bins than this: they reach from 1 ns to `LONGEST_NS`."""

_HALF_LIVES_A_WINDOW = 512
_GROWS_BY_BINS = 32
_WIDTH = (1.0 + RELATIVE_ERROR) / (1.0 - RELATIVE_ERROR)

LONGEST_NS = int(_WIDTH ** (BINS - 1))
"""Some 19 years; what lasted longer counts as this long."""


@functools.cache
def _mapping() -> LogarithmicMapping:
    from ddsketch.mapping import LogarithmicMapping

    return LogarithmicMapping(RELATIVE_ERROR)


def bin_of(duration_ns: float) -> int:
    """Find the bin of a duration: 0 up to `BINS` - 1."""
    if duration_ns <= 1:
        return 0
    return min(_mapping().key(duration_ns), BINS - 1) if duration_ns < LONGEST_NS else BINS - 1


class Decay:
    """
    What a record of a given time weighs: twice as much as one that is a half-life older.

    Weights are counted from the start of a window of 512 half-lives. Windows begin at the
    Unix epoch, so all processes have the same ones. A weight stays below 2**512 and many
    can be added up; what is moved to a later window is multiplied by a power of two, which
    rounds nothing.
    """

    __slots__ = ("_rate", "half_life_s", "window_s")

    def __init__(self, half_life_s: float) -> None:
        self.half_life_s = half_life_s
        """Infinite: all records count the same."""
        self.window_s = min(half_life_s * _HALF_LIVES_A_WINDOW, sys.float_info.max)
        self._rate = 1.0 / half_life_s

    def window(self, at_unix_s: float) -> int:
        """Find the window that a time is in."""
        return int(at_unix_s // self.window_s)

    def weight(self, at_unix_s: float, window: int) -> float:
        """Give the weight of a record of that time, as counted in a window that is not before it."""
        return math.pow(2.0, (at_unix_s - window * self.window_s) * self._rate)

    def samples(self, weight: float, window: int, now_unix_s: float) -> float:
        """Tell how many records of right now weigh as much as this."""
        return weight * math.pow(2.0, min((window * self.window_s - now_unix_s) * self._rate, 0.0))

    def between(self, older: int, newer: int) -> float:
        """Give the factor that brings weights counted in one window to a later one."""
        return math.ldexp(1.0, -_HALF_LIVES_A_WINDOW * (newer - older))

    def from_other(self, other: Decay, other_window: int, window: int, now_unix_s: float) -> float:
        """Give the factor for weights of another half-life: as of now, they come to as many samples as before."""
        grown = (now_unix_s - window * self.window_s) * self._rate
        other_grown = (now_unix_s - other_window * other.window_s) * other._rate
        return math.pow(2.0, min(grown - other_grown, _HALF_LIVES_A_WINDOW))


class DurationSketch:
    """How durations spread, within `RELATIVE_ERROR`, in at most `BINS` bins."""

    __slots__ = ("_bins",)

    def __init__(self) -> None:
        from ddsketch.store import DenseStore  # not before there is something to keep

        self._bins = DenseStore(_GROWS_BY_BINS)

    @property
    def weight(self) -> float:
        """The weight of all that was added."""
        return self._bins.count

    def add(self, bin_: int, weight: float) -> None:
        """Count a weight in a bin, for a duration of `bin_of`."""
        self._bins.add(bin_, weight)

    def merge(self, other: DurationSketch) -> None:
        """Add all of another sketch, whose weights are counted in the same window."""
        self._bins.merge(other._bins)

    def scale(self, factor: float) -> None:
        """Multiply every weight."""
        self._bins.bins = [weight * factor for weight in self._bins.bins]
        self._bins.count *= factor

    def quantile(self, quantile: float) -> float | None:
        """
        Give the shortest duration, in nanoseconds, that more than this part of the weight does not exceed.

        Of few durations a high quantile is thus the longest one. `None`: nothing weighs anything.
        """
        if self._bins.count <= 0.0:
            return None
        value: float = _mapping().value(self._bins.key_at_rank(quantile * self._bins.count))
        return value

    def __iter__(self) -> Iterator[tuple[int, float]]:
        """Give each bin that weighs something, with its weight."""
        return ((index + self._bins.offset, weight) for index, weight in enumerate(self._bins.bins) if weight > 0.0)
