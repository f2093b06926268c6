"""
Waiting for a thread to be gone, as the kernel sees it.

`Thread.join` returns when a thread has left Python. Up to 3.12 the kernel's thread may still
be there for a moment, and a fork in that moment is one with two threads: CPython warns of it.
"""

from __future__ import annotations

import time
from pathlib import Path
from threading import Thread
from typing import Final

_LOOKS: Final = 1000
_LOOK_SECONDS: Final = 0.001


def wait_for_end(thread: Thread, timeout: float) -> bool:
    """Wait until a thread has ended, for `timeout` seconds; say whether it has."""
    thread.join(timeout)
    if thread.is_alive():
        return False
    task = Path(f"/proc/self/task/{thread.native_id}")
    # Counted in looks, not by a clock: tests of programs let clocks stand still.
    for _ in range(_LOOKS):
        if not _is_there(task):
            break
        time.sleep(_LOOK_SECONDS)
    return True


def _is_there(task: Path) -> bool:
    try:
        return task.exists()
    except OSError:
        return False
