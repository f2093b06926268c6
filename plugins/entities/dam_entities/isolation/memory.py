"""How often the kernel has ended a process for want of memory."""

from __future__ import annotations

from pathlib import Path

_counted: list[int] = []


def out_of_memory_kills(*, anew: bool = False) -> int:
    """Return how many the kernel has counted: when it was last read, or `anew`; 0 where it does not count."""
    if anew or not _counted:
        _counted[:] = [_read()]
    return _counted[0]


def _read() -> int:
    try:
        for line in Path("/proc/vmstat").read_text().splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    except OSError:
        return 0
    return 0
