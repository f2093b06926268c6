"""
Version numbers: of two records of one address, the one with the higher number is the newer.

No clock on a wall is asked. A session counts on from the highest number that it has seen in the
folder, and appends a number of its own, so that two sessions never give the same one. What
happened after a write was acknowledged to somebody has a higher number than that write.
"""

from __future__ import annotations

import threading
from typing import Final

_SESSION_BITS: Final = 16


class Versions:
    """Gives version numbers to one session's records. For any number of threads."""

    def __init__(self, session_number: int) -> None:
        self._session = session_number % (1 << _SESSION_BITS)
        self._count = 0
        self._lock = threading.Lock()

    def see(self, version: int) -> None:
        """Count on from this one, if it is higher than all that were seen."""
        with self._lock:
            self._count = max(self._count, version >> _SESSION_BITS)

    def next(self) -> int:
        """Give a number that is higher than all that were seen or given."""
        with self._lock:
            self._count += 1
            return self._count << _SESSION_BITS | self._session
