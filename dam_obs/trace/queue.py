"""
The bounded queue between the program's threads and the drain thread.

Putting takes no lock and waits for nobody: when the queue is full the item is dropped
and counted. The drain thread is woken early only when the queue gets long; else it comes
round by itself, since waking a thread costs more than recording a span.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import Generic, TypeVar

from dam_obs.trace import faults

Item = TypeVar("Item")


class Wake:
    """
    Wakes the taker. Unlike an event of `threading` it may be set while its own thread is setting it.

    A signal handler of the program's, or a ``__del__``, may end a span in the midst of anything.
    """

    __slots__ = ("_asleep", "wait")

    def __init__(self) -> None:
        self._asleep = Lock()
        self._asleep.acquire()
        # No function of ours, which would be one more frame for a sampler to read all the time that nothing happens.
        self.wait: Callable[[float], bool] = partial(self._asleep.acquire, True)
        """Wait until it is set, or for so many seconds; it is not set any more then."""

    def set(self) -> None:
        """Let who waits, or waits next, go on."""
        with suppress(RuntimeError):  # it is set already
            self._asleep.release()


class Queue(Generic[Item]):
    """A bounded queue with many putters and one taker."""

    __slots__ = ("_items", "_size", "_wake_at", "dropped", "wake")

    def __init__(self, size: int = 65_536) -> None:
        self._items: deque[Item] = deque()
        self._size = size
        self._wake_at = size
        self.wake = Wake()
        """Set when the taker should come now."""
        self.dropped = 0

    def resize(self, size: int) -> None:
        """Set how many items may wait; the taker is woken at an eighth of it, or at 1,024 if that is less."""
        self._size = size
        self._wake_at = max(1, min(1024, size // 8))

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        """Add an item, or drop it when the queue is full."""
        items = self._items
        waiting = len(items)
        if waiting >= self._size:
            self.dropped += 1
            faults.count("queue.dropped")
            return
        items.append(item)
        if waiting == self._wake_at:
            self.wake.set()

    def take(self, most: int) -> list[Item]:
        """Remove and return up to `most` items, oldest first."""
        items = self._items
        return [items.popleft() for _ in range(min(most, len(items)))]

    def start_afresh(self) -> None:
        """Forget everything, in a forked child: what waits is the parent's to record."""
        self._items = deque()
        self.wake = Wake()
        self.dropped = 0
