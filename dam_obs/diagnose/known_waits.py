"""What of a system's waiting is known to be I/O, and what to be none: by names of awaits and causes of waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from dam_obs.diagnose.report import TimeSplit
from dam_obs.diagnose.report_where import WaitKind
from dam_obs.sample.offcpu.causes import Cause

IO_KINDS: Final[dict[WaitKind, str]] = {"network": "streams and sockets", "process": "programs"}
"""Awaits that are for something outside the process, in words."""

IDLE_KINDS: Final[dict[WaitKind, str]] = {
    "sleep": "timers",
    "lock": "locks",
    "queue": "queues",
    "task": "other tasks",
    "turn": "its turn in the event loop",
    "consumer": "its consumer",
}
"""Awaits that are for the program itself."""

IO_CAUSES: Final[dict[Cause, str]] = {
    "poll": "files that it polls",
    "pipe_socket": "pipes and sockets",
    "child": "programs",
}
IDLE_CAUSES: Final[dict[Cause, str]] = {"futex": "locks", "sleep": "timers", "held": "whoever had stopped it"}


@dataclass(frozen=True, slots=True)
class KnownWaits:
    """Time off the CPU, without that in the run queue, by whether it was I/O."""

    waiting_ns: int
    io: Counter[str]
    """Nanoseconds by what was waited for, in words."""
    idle: Counter[str]

    @property
    def io_share(self) -> float:
        """Of all waiting."""
        return min(1.0, self.io.total() / max(self.waiting_ns, 1))

    @property
    def idle_share(self) -> float:
        """Of all waiting."""
        return min(1.0, self.idle.total() / max(self.waiting_ns, 1))

    def words(self, of: Counter[str]) -> str:
        """Name what at least a tenth of the waiting was for, the most first."""
        named = [what for what, nanoseconds in of.most_common() if nanoseconds >= 0.1 * self.waiting_ns]
        return " and ".join(named[:2]) if named else "this and that"


def known_waits(time: TimeSplit) -> KnownWaits | None:
    """Return what is known; `None` where neither awaits have names nor waits have causes."""
    if time.on_cpu_ns is None or (not time.awaiting and time.causes is None):
        return None
    io: Counter[str] = Counter()
    idle: Counter[str] = Counter()
    for kind, nanoseconds in (time.awaiting or {}).items():
        if kind in IO_KINDS:
            io[IO_KINDS[kind]] += nanoseconds
        elif kind in IDLE_KINDS:
            idle[IDLE_KINDS[kind]] += nanoseconds
    for cause, nanoseconds in (time.causes or {}).items():
        if cause in IO_CAUSES:
            io[IO_CAUSES[cause]] += nanoseconds
        elif cause in IDLE_CAUSES:
            idle[IDLE_CAUSES[cause]] += nanoseconds
    if time.block_io_ns:
        io["disks"] += time.block_io_ns
    waiting_ns = time.wall_ns - (time.run_queue_ns or 0) - time.on_cpu_ns
    return KnownWaits(max(0, waiting_ns), io, idle)
