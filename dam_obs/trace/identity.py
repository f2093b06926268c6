"""
Which process it is: a pid together with when it started, for the kernel gives a pid out again.

A process that replaces its program by ``exec`` stays the process that it is; a fork makes a new one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

MOUNTS: Final = "dam.mount_namespace"
"""
The attribute that tells in whose view of file systems a process's files are.

Made of random numbers of the kernel's, which are others after the next start: who reads spans where they were made
may look which disk a file is on, and nobody else.
"""

RUN_ID: Final = "dam.run.id"
"""The attribute that says which measured run a process belongs to: the name of the run's folder."""


def start_ticks(pid: int) -> int | None:
    """Return when process `pid` started, in ticks since boot; `None` if there is none, or the kernel does not say."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return int(fields[19]) if len(fields) > 19 else None


def process_name(pid: int, ticks: int | None) -> str:
    """Return what the files of a process are called, one process like no other: ``4711-86432``."""
    return str(pid) if ticks is None else f"{pid}-{ticks}"


def own_name() -> str:
    """Return what this process's files are called."""
    pid = os.getpid()
    return process_name(pid, start_ticks(pid))


def parse_name(name: str) -> tuple[int, int | None]:
    """
    Return the pid and the start that `process_name` put into a name.

    Raises:
        ValueError: it is no such name.
    """
    pid, _, ticks = name.partition("-")
    return int(pid), int(ticks) if ticks else None


def mount_namespace() -> str | None:
    """Return what tells this process's view of file systems from all others; `None` where the kernel does not say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{os.stat('/proc/self/ns/mnt').st_ino}"
    except OSError:
        return None
