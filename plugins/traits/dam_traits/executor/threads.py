"""
A bounded number of threads, made when they are needed, whose work can be waited for on an event loop.

A thread that itself waits for work of others does not count against the bound while it does,
or systems that ask for others and wait could fill all threads and wait for ever. What work
is, and in which context it runs, is the caller's business.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")
_Work = tuple["Future[Any]", Callable[[], Any]]

DEFAULT_LIMIT = min(64, 8 * (os.cpu_count() or 1) + 8)


class Threads:
    """Runs functions in threads named ``prefix_0`` and so on, `limit` of them at a time."""

    def __init__(self, limit: int = DEFAULT_LIMIT, *, prefix: str = "dam-traits") -> None:
        self._limit = limit
        self._prefix = prefix
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._queue: deque[_Work] = deque()
        self._busy = 0
        """Threads that work, without those that wait."""

    async def run(self, function: Callable[[], ResultT]) -> ResultT:
        """
        Run a function in a thread and give what it gives.

        Cancelled before the function has begun, it never does. Cancelled later, this ends
        only when the function has.
        """
        future = self.submit(function)
        await wait_out(future, give_up=future.cancel)
        return future.result()

    def submit(self, function: Callable[[], ResultT]) -> Future[ResultT]:
        """Have a function run as soon as a thread is free, first come, first served."""
        future: Future[ResultT] = Future()
        with self._lock:
            if self._busy >= self._limit:
                self._queue.append((future, function))
                return future
            self._busy += 1
            self._start((future, function))
        return future

    async def aclose(self) -> None:
        """Wait for all work, and end the threads. The next work would start new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is None:
            return
        ended: Future[None] = Future()
        closer = threading.Thread(target=_close, args=(pool, ended), name=f"{self._prefix}-close")
        closer.start()
        await wait_out(ended)
        closer.join()

    @contextmanager
    def _waits(self) -> Iterator[None]:
        with self._lock:
            if self._queue:
                self._start(self._queue.popleft())
            else:
                self._busy -= 1
        try:
            yield
        finally:
            with self._lock:
                self._busy += 1

    def _start(self, work: _Work) -> None:
        if self._pool is None:
            # The bound is kept here; the pool only makes threads, and keeps those that are idle.
            self._pool = ThreadPoolExecutor(max_workers=_UNBOUNDED, thread_name_prefix=self._prefix)
        self._pool.submit(self._serve, work)

    def _serve(self, work: _Work | None) -> None:
        _here.threads = self
        while work is not None:
            _do(*work)
            work = None
            with self._lock:
                if self._queue and self._busy <= self._limit:
                    work = self._queue.popleft()
                else:
                    self._busy -= 1


@contextmanager
def thread_waits() -> Iterator[None]:
    """
    Say that this thread waits, for another system for one: its place is another's meanwhile.

    Without effect in threads that are not an executor's.
    """
    threads: Threads | None = getattr(_here, "threads", None)
    if threads is None:
        yield
        return
    with threads._waits():
        yield


async def wait_out(future: Future[Any], *, give_up: Callable[[], object] | None = None) -> None:
    """
    Wait until work has ended, however it did; cancelled meanwhile, wait on, and raise that at the end.

    Args:
        future: The work.
        give_up: Called each time that this is cancelled, to bring the end about if that can be.
    """
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await _wait(future)
        except asyncio.CancelledError as error:
            cancelled = cancelled or error
            if give_up is not None:
                give_up()
    if cancelled is not None:
        raise cancelled


async def _wait(future: Future[Any]) -> None:
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()
    future.add_done_callback(lambda _: wake(loop, waiter))
    await waiter


def wake(loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[None]) -> None:
    """Let whoever awaits `waiter` on `loop` go on; called in any thread."""
    with suppress(RuntimeError):  # the loop is closed, so nobody waits any more
        loop.call_soon_threadsafe(_set, waiter)


def _set(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _do(future: Future[Any], function: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 - it is raised where the work is waited for
        future.set_exception(error)
        del future  # which would hold the error that holds this frame
    else:
        future.set_result(result)


def _close(pool: ThreadPoolExecutor, ended: Future[None]) -> None:
    pool.shutdown()
    ended.set_result(None)


_UNBOUNDED = 1_000_000
_here = threading.local()
