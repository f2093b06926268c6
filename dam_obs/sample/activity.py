"""
Whether a program does something, from what the kernel and its trace say of it.

What is asked is not how much: a program that waits in a loop takes a little CPU time now and
then, and is idle all the same; one that serves a request now and then is not.
"""

from __future__ import annotations

from collections import deque
from typing import Final

ACTIVE_SHARE: Final = 0.01
"""Of one CPU: a program that takes more over `ACTIVE_OVER_S` is active."""

ACTIVE_OVER_S: Final = 5.0

ACTIVE_BURST_S: Final = 0.02
"""CPU time from one time to the next that makes it active at once; the kernel tells it in steps of 0.01 s."""

ACTIVE_BURST_SHARE: Final = 0.05
"""And of one CPU, it must be so much: who waits in a loop is idle all the same."""


class Activity:
    """Says whether a program does something: takes CPU time, or writes down executions."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()
        self._written: int | None = None

    def seen(self, now_s: float, cpu_s: float, written: int) -> bool:
        """
        Say whether it did since the last time; what is not known counts as done.

        Args:
            now_s: The time, by any clock that goes on evenly.
            cpu_s: CPU time that all its processes have taken.
            written: The size of its trace.
        """
        before = self._seen[-1] if self._seen else None
        wrote, self._written = self._written != written, written
        self._seen.append((now_s, cpu_s))
        while len(self._seen) > 1 and self._seen[1][0] <= now_s - ACTIVE_OVER_S:
            self._seen.popleft()
        if before is None or wrote:
            return True
        if cpu_s - before[1] >= max(ACTIVE_BURST_S, ACTIVE_BURST_SHARE * (now_s - before[0])):
            return True
        since_s, taken_s = self._seen[0]
        return now_s - since_s >= ACTIVE_OVER_S and cpu_s - taken_s >= ACTIVE_SHARE * (now_s - since_s)
