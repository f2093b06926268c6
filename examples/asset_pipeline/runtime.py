"""
The runtime: finds the system for a command and runs it where it belongs.

A system is an object that is called with a command. Its class says by `kind` how it is
called and by `lane` how many of its sort may run at a time. Waiting for a place in a lane
happens out here, before the system is called.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing
from types import TracebackType
from typing import Any, ClassVar, Protocol, TypeVar

from asset_pipeline.calllog import CallLog
from asset_pipeline.commands import Command

Result = TypeVar("Result")


class Kind(enum.Enum):
    """How a system is called."""

    THREAD = "a function, called in a thread of its lane"
    LOOP = "a function so quick that it is called on the event loop"
    COROUTINE = "a coroutine function"
    STREAM = "an async generator function"


class Lane(enum.Enum):
    """What systems compete for, and how many may have it at a time."""

    HEAVY = ("heavy", 1)
    """What computes, here or in another process: one at a time, so that even on two cores none waits for a core."""
    DISK = ("disk", 1)
    JOURNAL = ("journal", 1)
    """One writer: entries must not overlap."""

    @property
    def width(self) -> int:
        """How many at a time."""
        return self.value[1]


class System(Protocol):
    """Does what a command says."""

    kind: ClassVar[Kind]
    lane: ClassVar[Lane | None]

    def __call__(self, command: Any) -> Any:
        """Run for one command."""


class Pipeline:
    """Runs systems for commands. Used as a context manager, so that its threads end."""

    def __init__(self, log: CallLog) -> None:
        self._log = log
        self._systems: dict[type[Command[Any]], System] = {}
        self._threads = {lane: ThreadPoolExecutor(lane.width, f"{lane.name.lower()}-lane") for lane in Lane}
        self._places = {lane: asyncio.Semaphore(lane.width) for lane in Lane}

    def __enter__(self) -> Pipeline:
        """Return the pipeline."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let the threads finish."""
        for threads in self._threads.values():
            threads.shutdown(cancel_futures=True)

    def register(self, command: type[Command[Any]], system: System) -> None:
        """Let `system` run for every command of this type."""
        self._systems[command] = system

    async def dispatch(self, command: Command[Result], *, by: Command[Any] | None = None) -> Result:
        """
        Run the system for `command` and return its result.

        Args:
            command: What is to be done; the system gets it with a call id of its own.
            by: The command whose system asks for it.
        """
        system, command = self._take(command)
        if system.kind is Kind.LOOP:
            return self._run(system, command, by)  # type: ignore[no-any-return]
        async with AsyncExitStack() as place:
            if system.lane:
                await place.enter_async_context(self._places[system.lane])
            if system.kind is Kind.THREAD:
                threads = self._threads[system.lane] if system.lane else None
                return await asyncio.get_running_loop().run_in_executor(threads, self._run, system, command, by)
            with self._log.call(system, command, _id_of(by)) as call:
                result: Result = await system(command)
                call.returned(result)
                return result

    def call(self, command: Command[Result], *, by: Command[Any]) -> Result:
        """Run the system for `command` here and now, in the thread of the system that asks for it."""
        system, command = self._take(command)
        return self._run(system, command, by)  # type: ignore[no-any-return]

    async def stream(self, command: Command[Result], *, by: Command[Any] | None = None) -> AsyncGenerator[Result, None]:
        """Run the system for `command` and yield what it finds. Nothing runs before the first item is asked for."""
        system, command = self._take(command)
        with self._log.call(system, command, _id_of(by)) as call:
            call.items, call.exhausted = 0, False
            async with aclosing(system(command)) as items:
                async for item in items:
                    call.items += 1
                    yield item
            call.exhausted = True

    def _take(self, command: Command[Result]) -> tuple[System, Command[Result]]:
        return self._systems[type(command)], dataclasses.replace(command, call_id=self._log.next_id())

    def _run(self, system: System, command: Command[Any], by: Command[Any] | None) -> Any:
        with self._log.call(system, command, _id_of(by)) as call:
            result = system(command)
            call.returned(result)
            return result


def _id_of(command: Command[Any] | None) -> str | None:
    return command.call_id if command else None
