"""
gRPC and forks: a fork must not meet gRPC at work.

Its library runs threads of its own. A child that is made beside them may hang in its next
use of gRPC, or be ended by it; that is so while the last connection is being closed, too.
So our connection is closed before a fork, its threads are waited for, and whoever sends
next opens a new one. Where the program uses gRPC itself the threads stay: then ours is not
used in the child at all.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from dam_obs.trace import faults

GONE_SECONDS: Final = 1.0
"""How long gRPC's threads are waited for; they need a few milliseconds."""

_LOOK_SECONDS: Final = 0.001
_THREADS: Final = ("grpc_", "event_engine", "timer_manager", "lifeguard", "default-executo", "resolver-execut")
"""How the names of gRPC's threads begin, as the kernel cuts them."""

_GUARD = faults.guard("sinks.otlp.fork")
_is_at_work = False
"""Whether gRPC's threads ran at the last fork."""
_is_lost = False
"""In a child: whether they ran when it, or one of its forebears, was made."""


def at_work() -> bool:
    """Say whether gRPC runs threads in this process."""
    try:
        tasks = list(Path("/proc/self/task").iterdir())
    except OSError:
        return True  # a kernel that does not tell
    return any(_name(task).startswith(_THREADS) for task in tasks)


def _name(task: Path) -> str:
    try:
        return (task / "comm").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # it has ended meanwhile


def wait_until_gone() -> None:
    """After the connection was closed, let gRPC's threads come to their end."""
    # Counted in looks, not by a clock: tests of programs let clocks stand still.
    for _ in range(int(GONE_SECONDS / _LOOK_SECONDS)):
        if not at_work():
            return
        time.sleep(_LOOK_SECONDS)


def is_lost() -> bool:
    """Say whether this process is a child in which gRPC is not to be used."""
    return _is_lost


def look() -> None:
    """Note, right before a fork, whether gRPC is at work."""
    global _is_at_work
    with _GUARD:
        _is_at_work = at_work()


def _in_child() -> None:
    global _is_lost
    _is_lost = _is_lost or _is_at_work


os.register_at_fork(before=look, after_in_child=_in_child)
