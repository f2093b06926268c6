"""`Undoing`: what is made in one go is there as a whole, or nothing of it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Undoing:
    """How to take back what was made so far, the newest first, by one thread at a time."""

    def __init__(self) -> None:
        """Begin outside of any block."""
        self.lock = threading.RLock()
        """To be held by whoever makes something that can be taken back."""
        self._steps: list[Callable[[], object]] = []
        self._depth = 0
        self._thread: int | None = None
        """That is in a block."""

    def add(self, step: Callable[[], object]) -> None:
        """Note how to take back what was just done; outside of a block nothing is taken back."""
        if self._thread == threading.get_ident():
            self._steps.append(step)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Take back all that is done in this block, and in those within it, if it ends in an error."""
        with self.lock:
            mark = len(self._steps)
            self._depth += 1
            self._thread = threading.get_ident()
            try:
                yield
            except BaseException:
                while len(self._steps) > mark:
                    self._steps.pop()()
                raise
            finally:
                self._depth -= 1
                if not self._depth:
                    self._thread = None
                    self._steps.clear()
