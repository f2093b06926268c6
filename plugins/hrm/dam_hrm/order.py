"""
Put what is done to one session in order, across tasks, threads and event loops.

`Order` is a lock for coroutines that are not on the same loop: who comes first goes first.
It is not held by a thread, so waiting for it stops no loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

from dam_hrm.errors import HrmError

_inside: ContextVar[tuple[object, ...]] = ContextVar("dam_hrm_inside", default=())
"""The stays that this code runs in."""


class WithinItself(HrmError):
    """Something would wait for its own end."""


class Order:
    """One at a time, first come, first served."""

    def __init__(self, what: str) -> None:
        """Make one that nobody is in; `what` is for errors."""
        self._what = what
        self._mutex = threading.Lock()
        self._waiting: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()
        self._stay: object | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """
        Wait until it is one's turn, and be alone until the end of the block.

        Raises:
            WithinItself: It is asked for from inside such a block (or a task made there), which would wait for ever.
        """
        if self._stay is not None and self._stay in _inside.get():
            raise WithinItself(f"{self._what} was asked for within itself: wait for it to end, or use another session")
        await self._come()
        self._stay = stay = object()
        before = _inside.get()
        _inside.set((*before, stay))
        try:
            yield
        finally:
            _inside.set(before)
            self._leave()

    async def _come(self) -> None:
        with self._mutex:
            if self._stay is None and not self._waiting:
                self._stay = _NOBODY_YET
                return
            loop = asyncio.get_running_loop()
            called: asyncio.Future[None] = loop.create_future()
            self._waiting.append((loop, called))
        try:
            await called
        except BaseException:
            self._give_up(loop, called)
            raise

    def _give_up(self, loop: asyncio.AbstractEventLoop, called: asyncio.Future[None]) -> None:
        with self._mutex:
            if (loop, called) in self._waiting:
                self._waiting.remove((loop, called))
                return
        self._leave()  # called just when it gave up: the next one then

    def _leave(self) -> None:
        with self._mutex:
            self._stay = None
            while self._waiting:
                loop, called = self._waiting.popleft()
                if _call(loop, called):
                    self._stay = _NOBODY_YET
                    return


_NOBODY_YET: Any = object()
"""Stands for one that has been called and is about to come."""


def _call(loop: asyncio.AbstractEventLoop, called: asyncio.Future[None]) -> bool:
    """Wake one that waits; False where its loop is gone."""
    try:
        loop.call_soon_threadsafe(_wake, called)
    except RuntimeError:  # the loop is closed
        return False
    return True


def _wake(called: asyncio.Future[None]) -> None:
    if not called.done():
        called.set_result(None)
