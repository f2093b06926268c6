"""
What the kernel counts for the current thread: I/O, run-queue delay, faults, switches.

One reading costs some six microseconds, so `meter` decides for whom it is worth it.
Counters that this kernel does not offer are left out, never zero.
"""

from __future__ import annotations

import os
import resource
import threading
import time
from typing import Final

from dam_obs.trace import faults

BLOCK: Final = 512
"""`getrusage` counts block I/O in units of 512 bytes."""

_GUARD = faults.guard("counters")


class _ThreadFiles:
    """The thread's kernel files, open; closed when it ends."""

    def __init__(self) -> None:
        self.io = _open("/proc/thread-self/io")
        self.schedstat = _open("/proc/thread-self/schedstat")

    def __del__(self) -> None:
        for file in (self.io, self.schedstat):
            if file is not None:
                os.close(file)


def _open(path: str) -> int | None:
    with _GUARD:
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None  # this kernel, or this container, does not offer it: the counter is absent
    return None


class _Local(threading.local):
    files: _ThreadFiles | None = None


_local = _Local()


def forget_files() -> None:
    """Let go of the open files, in a forked child: they are its parent's threads'."""
    global _local
    _local = _Local()


def read() -> dict[str, int]:
    """Return the counters of the current thread, by the names of `TraceEvent.io`."""
    files = _local.files
    if files is None:
        files = _local.files = _ThreadFiles()
    usage = resource.getrusage(resource.RUSAGE_THREAD)
    now = {
        "minor_faults": usage.ru_minflt,
        "major_faults": usage.ru_majflt,
        "voluntary_switches": usage.ru_nvcsw,
        "involuntary_switches": usage.ru_nivcsw,
    }
    with _GUARD:
        if files.schedstat is not None:
            now["run_queue_ns"] = int(os.pread(files.schedstat, 128, 0).split()[1])
        if files.io is not None:
            for line in os.pread(files.io, 512, 0).splitlines():
                name, _, value = line.partition(b": ")
                if name != b"cancelled_write_bytes":
                    now[name.decode()] = int(value)
        else:
            now["read_bytes"] = usage.ru_inblock * BLOCK
            now["write_bytes"] = usage.ru_oublock * BLOCK
    return now


def cost_ns() -> int:
    """Measure what one reading costs here, in nanoseconds."""
    read()
    begun = time.perf_counter_ns()
    for _ in range(20):
        read()
    return (time.perf_counter_ns() - begun) // 20
