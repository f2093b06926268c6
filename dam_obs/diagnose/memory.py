"""
How much memory a system takes at its peak, as far as that can be said without touching the program.

The kernel keeps one peak for each process. Where an execution's own steps raised it, and no other
observed thread of the process was at work meanwhile, the execution had at least so much more
memory at once than the process ever had before. What it takes below an earlier peak is not seen.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from dam_obs.diagnose.evidence import SystemKey
from dam_obs.trace.events import TraceEvent

COUNTER: Final = "peak_growth_bytes"
"""Among `TraceEvent.io`."""

LEAST_BYTES: Final = 2**20
"""Smaller growth is within what the kernel's counters lag behind."""

MOST_RECENT: Final = 4_096
MOST_CANDIDATES: Final = 100


class _Ran(NamedTuple):
    pid: int | None
    thread: int | None
    start: int
    end: int

    def disturbs(self, other: _Ran) -> bool:
        """Say whether this was at work on another thread of the same process at the same time."""
        same = self.pid == other.pid and self.thread != other.thread
        return same and self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class _Candidate:
    system: SystemKey
    ran: _Ran
    bytes: int


@dataclass(slots=True)
class PeakGrowth:
    """Takes the events of a run as they end, and keeps the largest growth of each system."""

    _recent: deque[_Ran] = field(default_factory=lambda: deque(maxlen=MOST_RECENT))
    _candidates: list[_Candidate] = field(default_factory=list)
    """By end; those that some event still to come may disturb, or not."""
    _settled: dict[SystemKey, int] = field(default_factory=dict)

    def add(self, event: TraceEvent) -> None:
        """Take an event."""
        if event.kind != "span" or event.start_mono_ns is None or event.duration_ns is None:
            return
        ran = _Ran(event.pid, event.thread_id, event.start_mono_ns, event.start_mono_ns + event.duration_ns)
        self._candidates = [one for one in self._candidates if not ran.disturbs(one.ran)]
        grown = (event.io or {}).get(COUNTER, 0)
        if grown >= LEAST_BYTES and not self._is_disturbed(ran):
            system = SystemKey(event.hrm_layer, event.operation, event.component)
            self._candidates.append(_Candidate(system, ran, grown))
            if len(self._candidates) > MOST_CANDIDATES:
                self._settle(self._candidates.pop(0))
        self._recent.append(ran)

    def of(self, system: SystemKey) -> int | None:
        """Return the largest growth, in bytes; `None` if no execution of `system` is known to have raised the peak."""
        grown = [one.bytes for one in self._candidates if one.system == system]
        return max([*grown, self._settled.get(system, 0)]) or None

    @property
    def is_known(self) -> bool:
        """Whether there is any."""
        return bool(self._candidates or self._settled)

    def _is_disturbed(self, ran: _Ran) -> bool:
        if len(self._recent) == MOST_RECENT and self._recent[0].end > ran.start:
            return True  # those that ended before are forgotten
        return any(other.disturbs(ran) for other in self._recent)

    def _settle(self, candidate: _Candidate) -> None:
        self._settled[candidate.system] = max(candidate.bytes, self._settled.get(candidate.system, 0))
