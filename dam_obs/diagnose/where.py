"""Where time went, beyond a system's columns: what it awaited, what nothing covered, its part of critical paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dam_obs.diagnose.awaited import AwaitedSums
from dam_obs.diagnose.clock_residual import SampleClock
from dam_obs.diagnose.evidence import SystemKey
from dam_obs.diagnose.gaps import GapFinder
from dam_obs.diagnose.memory import PeakGrowth
from dam_obs.diagnose.paths import CriticalPaths, TraceSample
from dam_obs.diagnose.report_where import CriticalPath, Gaps
from dam_obs.trace.events import TraceEvent


@dataclass(frozen=True, slots=True)
class SystemWhere:
    """What was found of one system."""

    awaited: AwaitedSums = field(default_factory=AwaitedSums)
    gaps: Gaps | None = None
    critical: CriticalPath | None = None
    peak_growth_bytes: int | None = None


class Where:
    """Looks at the events of a run as they are read, in memory that does not grow with their number."""

    def __init__(self, clock: SampleClock | None = None) -> None:
        """
        Know nothing yet.

        Args:
            clock: Shown each event too, for there is one pass over them.
        """
        self._clock = clock
        self._awaited: dict[SystemKey, AwaitedSums] = {}
        self._gaps = GapFinder()
        self._traces = TraceSample()
        self.memory = PeakGrowth()
        self._paths: CriticalPaths | None = None

    def watching(self, events: Iterable[TraceEvent]) -> Iterator[TraceEvent]:
        """Pass `events` on, one by one, and look at each."""
        for event in events:
            self._gaps.add(event)
            self._traces.add(event)
            self.memory.add(event)
            if self._clock is not None:
                self._clock.watch(event)
            if event.awaited is not None and event.kind == "span":
                key = SystemKey(event.hrm_layer, event.operation, event.component)
                self._awaited.setdefault(key, AwaitedSums()).add(event)
            yield event

    def of(self, system: SystemKey) -> SystemWhere:
        """Return what was found of one system; once all events have passed."""
        if self._paths is None:
            self._paths = self._traces.paths()
        return SystemWhere(
            self._awaited.get(system, AwaitedSums()),
            self._gaps.of(system),
            self._paths.of(system),
            self.memory.of(system),
        )
