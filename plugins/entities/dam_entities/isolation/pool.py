"""
Many isolated calls, a bounded number of them at a time.

There is no thread behind it: whoever asks for the next result drives the children meanwhile. So the
calls are taken one by one as there is room (back-pressure), forks stay safe, and to stop asking
is to cancel.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dam_entities.errors import EntityError
from dam_entities.isolation.drive import drive
from dam_entities.isolation.run import Running, arun
from dam_entities.values import Isolated, Isolating

if TYPE_CHECKING:
    from dam_entities.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of one call of many."""

    index: int
    """Its place among the calls."""
    isolated: Isolated | None
    error: EntityError | ValueError | None

    @property
    def value(self) -> Any:
        """Return what the function returned, or raise why there is nothing."""
        if self.error is not None:
            raise self.error
        return self.isolated.value if self.isolated is not None else None


def each_finished(
    runtime: Runtime, isolating: Iterable[Isolating], *, at_once: int | None = None
) -> Iterator[Finished]:
    """Yield what becomes of the calls, as they end; the next one is taken when there is room."""
    room = max(1, at_once or os.cpu_count() or 1)
    waiting = enumerate(isolating)
    running: dict[int, Running] = {}
    is_more = True
    try:
        while True:
            while is_more and len(running) < room:
                index, call = next(waiting, (-1, None))
                if call is None:
                    is_more = False
                    break
                try:
                    running[index] = Running(runtime, call)
                except (EntityError, ValueError) as error:
                    yield Finished(index, None, error)
            if not running:
                return
            drive([each.watch for each in running.values()])
            for index in [index for index, each in running.items() if each.watch.is_over]:
                yield _finished(index, running.pop(index))
    finally:
        for each in running.values():
            each.close()


async def aeach_finished(
    runtime: Runtime, isolating: Iterable[Isolating], *, at_once: int | None = None
) -> AsyncIterator[Finished]:
    """Yield what becomes of the calls, as they end; the next one is taken when there is room."""
    waiting = enumerate(isolating)
    room = max(1, at_once or os.cpu_count() or 1)
    tasks: dict[asyncio.Task[Isolated], int] = {}
    is_more = True
    try:
        while True:
            while is_more and len(tasks) < room:
                index, call = next(waiting, (-1, None))
                if call is None:
                    is_more = False
                    break
                tasks[asyncio.create_task(arun(runtime, call))] = index
            if not tasks:
                return
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=tasks.__getitem__):
                yield _told(tasks.pop(task), task)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _finished(index: int, running: Running) -> Finished:
    try:
        return Finished(index, running.finish(), None)
    except (EntityError, ValueError) as error:
        return Finished(index, None, error)
    finally:
        running.close()


def _told(index: int, task: asyncio.Task[Isolated]) -> Finished:
    error = task.exception()
    if error is None:
        return Finished(index, task.result(), None)
    if isinstance(error, EntityError | ValueError):
        return Finished(index, None, error)
    raise error
