"""
Pull a generator in threads, and give its items on the event loop as they come.

The generator is pulled a few items ahead of its reader, never further than it has been read
already: whoever wants but the first item has no second one made.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any

from dam_traits.executor.threads import Threads, wait_out, wake

MOST_AHEAD = 32


async def pull(
    threads: Threads, make: Callable[[], Iterator[Any]], measured: Callable[[Callable[[], Any]], Any]
) -> AsyncGenerator[Any, None]:
    """
    Give the items of a generator.

    Closing closes the generator in a thread, after the item that it is busy with.

    Args:
        threads: Where it runs: one thread at a time, not always the same.
        make: Makes it, in a thread.
        measured: Calls what it is given; everything that happens in a thread goes through it.
    """
    context = contextvars.copy_context()
    source = _Source(make, asyncio.get_running_loop())
    pulling: Future[bool] | None = None
    ahead = 1
    try:
        while True:
            pulling = threads.submit(partial(context.run, measured, partial(source.advance, ahead)))
            pulling.add_done_callback(source.wake)
            while not pulling.done() or source.ready:
                if source.ready:
                    yield source.ready.popleft()
                else:
                    await source.news(pulling)
            if pulling.result():
                return
            ahead = min(2 * ahead, MOST_AHEAD)
    finally:
        source.stop = True
        try:
            if pulling is not None:
                await wait_out(pulling, give_up=pulling.cancel)
        finally:
            if source.rests:
                closing = threads.submit(partial(context.run, measured, source.close))
                await wait_out(closing)
                closing.result()


class _Source:
    """The generator, what it has given and nobody has read yet, and who waits for more."""

    def __init__(self, make: Callable[[], Iterator[Any]], loop: asyncio.AbstractEventLoop) -> None:
        self.ready: deque[Any] = deque()
        self.stop = False
        self.rests = False
        """It was begun, has not ended, and does not run at the moment."""
        self._make = make
        self._iterator: Iterator[Any] | None = None
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None

    def advance(self, count: int) -> bool:
        """Pull at most so many items, in a thread; say whether that was the end."""
        if self._iterator is None:
            self._iterator = self._make()
        self.rests = False
        for _ in range(count):
            try:
                item = next(self._iterator)
            except StopIteration:
                return True
            self.ready.append(item)
            self.wake()
            if self.stop:
                break
        self.rests = True
        return False

    def close(self) -> None:
        """Close the generator, in a thread."""
        close = getattr(self._iterator, "close", None)
        if close is not None:
            close()

    def wake(self, _pulling: object = None) -> None:
        """Let the reader look again; called in any thread, cheap where nobody waits."""
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            wake(self._loop, waiter)

    async def news(self, pulling: Future[bool]) -> None:
        """Wait until there is an item, or the pulling is done."""
        waiter = self._loop.create_future()
        self._waiter = waiter
        # Looked at once more, since both may have come before the waiter was seen.
        if not self.ready and not pulling.done():
            await waiter
