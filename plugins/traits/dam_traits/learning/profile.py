"""
`SystemPerformanceProfile`: what all executions of one version of a system come to.

Taking in a record costs the same, in time and in memory, however many came before. Only
executions that succeeded say how long the work takes: one that failed or was cancelled
ended early, or waited for a time-out, which is no measure of the work; it is counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from dam_traits.learning.law import SizeLaw
from dam_traits.learning.record import ExecutionRecord, Status
from dam_traits.learning.sizes import size_class
from dam_traits.learning.sketch import Decay, DurationSketch, bin_of

ENOUGH_SAMPLES = 8
"""A size class with this many effective samples, rounded, speaks for itself."""

ALL_SIZES = -1
"""In a `Tally`, in place of a size class: whatever the size."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What some records come to, as sums: those of several processes add up."""

    window: int
    """Of `Decay`: what the weights are counted in."""

    success: int = 0
    error: int = 0
    cancelled: int = 0

    cpu_ns: float = 0.0
    """Weighted time on the CPU, of executions that succeeded and whose time on the CPU was measured."""

    wall_ns: float = 0.0
    """Weighted duration of the same executions."""

    last_seen_unix_s: float = 0.0

    law: SizeLaw = field(default_factory=SizeLaw)
    """Of executions that succeeded and had a size."""

    bins: dict[tuple[int, int], float] = field(default_factory=dict)
    """The weight in each size class and bin of durations."""

    @property
    def records(self) -> int:
        """How many there were."""
        return self.success + self.error + self.cancelled

    def count(self, status: Status, at_unix_s: float) -> None:
        """Count one execution, however it ended."""
        if status == "success":
            self.success += 1
        elif status == "error":
            self.error += 1
        else:
            self.cancelled += 1
        self.last_seen_unix_s = max(self.last_seen_unix_s, at_unix_s)

    def add(self, other: Tally) -> None:
        """Add the sums of other records, whose weights are counted in the same window."""
        self.add_all_but_bins(other)
        for key, weight in other.bins.items():
            self.bins[key] = self.bins.get(key, 0.0) + weight

    def add_all_but_bins(self, other: Tally) -> None:
        """Add all but how durations spread."""
        self.success += other.success
        self.error += other.error
        self.cancelled += other.cancelled
        self.cpu_ns += other.cpu_ns
        self.wall_ns += other.wall_ns
        self.law.add(other.law)
        self.last_seen_unix_s = max(self.last_seen_unix_s, other.last_seen_unix_s)

    def move(self, factor: float, window: int) -> None:
        """Count the weights in another window."""
        self.window = window
        self.cpu_ns *= factor
        self.wall_ns *= factor
        self.law.scale(factor)
        self.bins = {key: weight * factor for key, weight in self.bins.items()}


class SystemPerformanceProfile:
    """What is known of one version of one system. Not safe to be used by two threads at once."""

    def __init__(self, system: str, version: str, decay: Decay, tally: Tally | None = None) -> None:
        self.system = system
        self.version = version
        self._decay = decay
        self._sums = Tally(window=0 if tally is None else tally.window)
        self._unsaved = Tally(window=self._sums.window)
        self._overall = DurationSketch()
        self._by_size: dict[int, DurationSketch] = {}
        if tally is not None:
            self._take(tally)

    @property
    def counts(self) -> dict[Status, int]:
        """How many executions ended how, ever: these do not decay."""
        return {"success": self._sums.success, "error": self._sums.error, "cancelled": self._sums.cancelled}

    @property
    def last_seen_unix_s(self) -> float:
        """When the latest execution started."""
        return self._sums.last_seen_unix_s

    @property
    def cpu_share(self) -> float | None:
        """How much of the duration went by on the CPU; may exceed 1 with several threads. `None`: not measured."""
        return self._sums.cpu_ns / self._sums.wall_ns if self._sums.wall_ns > 0.0 else None

    @property
    def size_classes(self) -> tuple[int, ...]:
        """The size classes that something is known of."""
        return tuple(sorted(self._by_size))

    @property
    def bins(self) -> int:
        """How many numbers the durations are kept in: this is what a profile's memory depends on."""
        return sum(1 for sketch in (self._overall, *self._by_size.values()) for _ in sketch)

    @property
    def records_saved(self) -> int:
        """How many of the records are in the file, as far as is known here."""
        return self._sums.records - self._unsaved.records

    def samples(self, now_unix_s: float, size: float | None = None) -> float:
        """Tell how many successes of right now those seen are worth, all of them or those of a size's class."""
        sketch = self._sketch(size)
        return 0.0 if sketch is None else self._decay.samples(sketch.weight, self._sums.window, now_unix_s)

    def quantile(self, quantile: float, size: float | None = None) -> float | None:
        """Give a quantile of the durations in nanoseconds, of all or of a size's class; `None`: nothing is known."""
        sketch = self._sketch(size)
        return None if sketch is None else sketch.quantile(quantile)

    def expected(self, quantile: float, now_unix_s: float, of_size: int | None) -> tuple[float, float] | None:
        """
        Say what to expect of an execution of a size class; `None`: nothing is known.

        The class itself is asked if it has `ENOUGH_SAMPLES`; otherwise the law of all sizes, for the middle
        of the class; where there is none, or no size, all durations together.

        Returns:
            The effective samples behind it, and the quantile of the duration in nanoseconds.
        """
        found = None
        if of_size is not None:
            found = self._expected_of_class(quantile, now_unix_s, of_size)
        if found is None:
            duration_ns = self._overall.quantile(quantile)
            found = None if duration_ns is None else (self.samples(now_unix_s), duration_ns)
        return found

    def _expected_of_class(self, quantile: float, now_unix_s: float, of_size: int) -> tuple[float, float] | None:
        window, sketch = self._sums.window, self._by_size.get(of_size)
        if sketch is not None:
            samples = self._decay.samples(sketch.weight, window, now_unix_s)
            duration_ns = sketch.quantile(quantile) if round(samples) >= ENOUGH_SAMPLES else None
            if duration_ns is not None:
                return samples, duration_ns
        law = self._sums.law
        samples = self._decay.samples(law.weight, window, now_unix_s)
        duration_ns = law.quantile_ns(quantile, of_size + 0.5, samples)
        return None if duration_ns is None else (samples, duration_ns)

    def add(self, record: ExecutionRecord, now_unix_s: float) -> None:
        """Take in one record. A start that lies in the future, or is no time, counts as now."""
        at = record.started_unix_s if 0.0 <= record.started_unix_s <= now_unix_s else now_unix_s
        self._sums.count(record.status, at)
        self._unsaved.count(record.status, at)
        if record.status != "success":
            return
        weight = self._weight(at)
        bin_ = bin_of(record.duration_ns)
        self._add_duration(ALL_SIZES, bin_, weight)
        of_size = size_class(record.size)
        if of_size is not None and record.size is not None:
            self._add_duration(of_size, bin_, weight)
            self._add_to_law(record.size, record.duration_ns, weight)
        if record.cpu_ns is not None:
            for sums in (self._sums, self._unsaved):
                sums.cpu_ns += weight * record.cpu_ns
                sums.wall_ns += weight * record.duration_ns

    def take_unsaved(self) -> Tally:
        """Hand over what came in since this was last asked; from now on it is somebody else's to keep."""
        unsaved, self._unsaved = self._unsaved, Tally(window=self._sums.window)
        return unsaved

    def put_back(self, unsaved: Tally) -> None:
        """Take back what could not be saved, to be saved with what came since."""
        if unsaved.window < self._sums.window:
            unsaved.move(self._decay.between(unsaved.window, self._sums.window), self._sums.window)
        self._unsaved.add(unsaved)

    def take_all(self) -> Tally:
        """Hand over all that is known, for a file that has nothing of it."""
        everything = Tally(window=self._sums.window)
        everything.add(self._sums)
        for of_size, sketch in ((ALL_SIZES, self._overall), *self._by_size.items()):
            everything.bins.update(((of_size, bin_), weight) for bin_, weight in sketch)
        self.take_unsaved()
        return everything

    def rebase(self, saved: Tally) -> SystemPerformanceProfile:
        """Make a profile of what a file holds by now and of what is not saved yet."""
        profile = SystemPerformanceProfile(self.system, self.version, self._decay, saved)
        unsaved = self.take_unsaved()
        profile._move_to(max(profile._sums.window, unsaved.window))
        if unsaved.window < profile._sums.window:
            unsaved.move(self._decay.between(unsaved.window, profile._sums.window), profile._sums.window)
        profile._take(unsaved)
        profile._unsaved = unsaved
        return profile

    def _weight(self, at_unix_s: float) -> float:
        window = self._decay.window(at_unix_s)
        if window > self._sums.window:
            self._move_to(window)
        return self._decay.weight(at_unix_s, self._sums.window)

    def _move_to(self, window: int) -> None:
        if window == self._sums.window:
            return
        factor = self._decay.between(self._sums.window, window)
        self._sums.move(factor, window)
        self._unsaved.move(factor, window)
        for sketch in (self._overall, *self._by_size.values()):
            sketch.scale(factor)

    def _take(self, tally: Tally) -> None:
        self._sums.add_all_but_bins(tally)
        for (of_size, bin_), weight in tally.bins.items():
            self._sketch_of_class(of_size).add(bin_, weight)

    def _add_duration(self, of_size: int, bin_: int, weight: float) -> None:
        self._sketch_of_class(of_size).add(bin_, weight)
        key = (of_size, bin_)
        bins = self._unsaved.bins
        bins[key] = bins.get(key, 0.0) + weight

    def _add_to_law(self, size: float, duration_ns: int, weight: float) -> None:
        x, y = math.log2(max(size, 1.0)), math.log2(max(duration_ns, 1))
        one = SizeLaw(weight, weight * x, weight * y, weight * x * x, weight * x * y, weight * y * y)
        self._sums.law.add(one)
        self._unsaved.law.add(one)

    def _sketch_of_class(self, of_size: int) -> DurationSketch:
        if of_size == ALL_SIZES:
            return self._overall
        sketch = self._by_size.get(of_size)
        if sketch is None:
            sketch = self._by_size[of_size] = DurationSketch()
        return sketch

    def _sketch(self, size: float | None) -> DurationSketch | None:
        of_size = size_class(size)
        return self._overall if of_size is None else self._by_size.get(of_size)
