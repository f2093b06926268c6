"""
Version numbers: of two records of one address, the one with the higher number is the newer.

No clock on a wall is asked. A number has three parts: how many writes the folder has had, how many
writes to hot a session has made since, and that session's own number, so that no two give the
same one. So a write to the folder is newer than all that was written to hot before, in any session,
and a write to hot is newer than all that was in the folder then.
"""

from __future__ import annotations

import threading
from typing import Final

_SESSION_BITS: Final = 16
_HOT_BITS: Final = 12
_FOLDER_SHIFT: Final = _SESSION_BITS + _HOT_BITS

MOST_HOT_WRITES: Final = (1 << _HOT_BITS) - 1
"""Between two writes to the folder."""


class Versions:
    """Gives version numbers to one session's records. For any number of threads."""

    def __init__(self, session_number: int) -> None:
        self._session = session_number % (1 << _SESSION_BITS)
        self._highest = 0
        self._lock = threading.Lock()

    def see(self, version: int) -> None:
        """Go on from this one, if it is higher than all that were seen."""
        with self._lock:
            self._highest = max(self._highest, version)

    def for_folder(self) -> int:
        """Give a number for a write to the folder; it is to be seen once that is done, and not if it fails."""
        with self._lock:
            return ((self._highest >> _FOLDER_SHIFT) + 1) << _FOLDER_SHIFT | self._session

    def for_hot(self) -> int | None:
        """Give a number for a write to hot; `None` where the folder has to be written to first."""
        with self._lock:
            writes = self._highest >> _SESSION_BITS
            if writes & MOST_HOT_WRITES == MOST_HOT_WRITES:
                return None
            self._highest = (writes + 1) << _SESSION_BITS | self._session
            return self._highest
