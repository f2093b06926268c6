"""
Run a call in a process of its own: make the input ready, start, wait, take the result over.

What a failed call did is gone with its process: the registry is touched once, at the end, by a merge.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from dam_entities.entity import Entity, mark_of
from dam_entities.found import entities_in
from dam_entities.isolation import child, wire
from dam_entities.isolation.drive import adrive, drive
from dam_entities.isolation.errors import (
    CannotStart,
    Garbled,
    IsolationError,
    NotIsolable,
    NotTransferable,
    WrongResult,
)
from dam_entities.isolation.fork import fork, is_safe
from dam_entities.isolation.result import unpack
from dam_entities.isolation.started import Started
from dam_entities.isolation.watch import Message, Watch
from dam_entities.touched import Known
from dam_entities.tracing import by_name
from dam_entities.values import ChildEnded, Isolated, Isolating, Isolation, ResourceUse
from dam_entities.version import Version

if TYPE_CHECKING:
    from dam_entities.runtime import Runtime

Way = Literal["fork", "forkserver", "spawn"]


class Running:
    """A call under way in a process of its own."""

    def __init__(self, runtime: Runtime, isolating: Isolating) -> None:
        """
        Make the input ready, and start.

        Raises:
            NotIsolable: A function of this kind cannot be isolated, or it does not say what it returns.
            CannotStart: There is no room for a process, or the function cannot be found from another one.
            NotTransferable: Its input cannot be handed to a process that shares no memory with this one.
            BadReference, pydantic.ValidationError: As `Runtime.execute`.
        """
        self._runtime = runtime
        self._isolating = isolating
        call = isolating.call
        _check(isolating)
        arguments = call.entry.signature.arguments(runtime.resolve(call.data))
        for entity, path in _entities(isolating, arguments):
            call.touched.add("read", Known(entity.ecs_id, path))
        self.way = way_of(isolating.isolation)
        self.watch = Watch(
            self._start(arguments),
            call.name,
            timeout_s=isolating.timeout_s,
            most_bytes=isolating.max_result_bytes,
        )

    def finish(self) -> Isolated:
        """
        Take the result over, once the watch is over, and tell how the child ended.

        Raises:
            IsolationError: There is none; the registry is as it was.
        """
        try:
            isolated = self._take_over()
        except IsolationError as error:
            self._tell(type(error).__name__, error.used, error.pid)
            raise
        self._tell("returned", isolated.used, isolated.pid)
        return isolated

    def _tell(self, outcome: str, used: ResourceUse | None, pid: int | None) -> None:
        ended = ChildEnded(self._isolating.call.name, pid, outcome, self.way, used)
        self._runtime.hook.dam_entities_child_ended(runtime=self._runtime, ended=ended)

    def _take_over(self) -> Isolated:
        call = self._isolating.call
        message = self.watch.message()
        returns = call.entry.signature.returns
        if returns is None:
            raise NotIsolable(call.name, "has no return annotation")
        try:
            value, versions = unpack(message.text, self._runtime.store.state, returns)
        except ValidationError as error:
            raise _used(WrongResult(call.name, str(error)), message) from error
        except wire.Unreadable as error:
            raise _used(Garbled(call.name, str(error)), message) from error
        merged = self._runtime.merge(versions, f"{call.name}, process {message.pid}")
        for version in versions:
            kind = "created" if version.parent_id is None else "forked"
            call.touched.add(kind, Known(version.ecs_id, "result"))
        return Isolated(value, message.used, self.way, message.pid, merged, call.touched)

    def close(self) -> None:
        """Give back what is held; a child that still runs is killed."""
        self.watch.close()

    def _start(self, arguments: tuple[list[Any], dict[str, Any]]) -> Started:
        call, most = self._isolating.call, self._isolating.max_result_bytes
        try:
            if self.way == "fork":
                return fork(lambda: child.answer(self._runtime, call, arguments, most))
            return self._kept(self.way, arguments)
        except (OSError, EOFError) as error:
            raise CannotStart(call.name, f"could not be started: {error}") from error
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            raise NotTransferable(call.name, f"its input to another process ({error})") from error

    def _kept(self, way: Literal["forkserver", "spawn"], arguments: tuple[list[Any], dict[str, Any]]) -> Started:
        from dam_entities.isolation import keeper

        call = self._isolating.call
        function = call.entry.function
        if "<locals>" in function.__qualname__:
            raise CannotStart(call.name, "is defined inside a function: only isolation by fork can reach it there")
        modules = tuple(sorted({each.function.__module__ for each in self._runtime.callables.entries()}))
        keeper.preload(modules)
        carried: dict[str, str] = {}
        for each in self._runtime.hook.dam_entities_carry(runtime=self._runtime):
            carried.update(each)
        work = keeper.Work(
            name=call.name,
            module=function.__module__,
            qualname=function.__qualname__,
            versions=tuple(self._reached(arguments)),
            arguments=arguments,
            most_bytes=self._isolating.max_result_bytes,
            modules=modules,
            carried=carried,
        )
        return keeper.Kept(way, work)

    def _reached(self, arguments: tuple[list[Any], dict[str, Any]]) -> Iterator[Version]:
        """Yield the versions that the input stands for, children first."""
        state = self._runtime.store.state
        roots: dict[Any, None] = {}
        for entity, _ in _entities(self._isolating, arguments):
            for each in _all_in(entity):
                stored = mark_of(each).stored
                known = stored.ecs_id if stored is not None else each.ecs_id
                if known in state:
                    roots[known] = None
        yield from state.below(roots)


def _used(error: IsolationError, message: Message) -> IsolationError:
    error.used, error.pid = message.used, message.pid
    return error


def way_of(isolation: Isolation) -> Way:
    """Return how a child is to be made now."""
    if isolation != "auto":
        return isolation
    return "fork" if is_safe() else "forkserver"


def run(runtime: Runtime, isolating: Isolating) -> Isolated:
    """Run a call to its end in a process of its own, waiting in this thread."""
    running = Running(runtime, isolating)
    try:
        while not running.watch.is_over:
            drive([running.watch])
        return running.finish()
    finally:
        running.close()


async def arun(runtime: Runtime, isolating: Isolating) -> Isolated:
    """Run a call to its end in a process of its own, waiting in the event loop; cancelling it kills the process."""
    running = await _started(runtime, isolating)
    try:
        await adrive(running.watch)
        return running.finish()
    finally:
        running.close()


async def _started(runtime: Runtime, isolating: Isolating) -> Running:
    """Start a call; to start a clean process takes long, so that is done in a thread."""
    if way_of(isolating.isolation) == "fork":
        return Running(runtime, isolating)
    starting = asyncio.ensure_future(asyncio.to_thread(Running, runtime, isolating))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(_close_started)
        raise


def _close_started(starting: asyncio.Future[Running]) -> None:
    if not starting.cancelled() and starting.exception() is None:
        starting.result().watch.cancel()
        starting.result().close()


def _check(isolating: Isolating) -> None:
    entry = isolating.call.entry
    if entry.kind not in ("function", "coroutine function"):
        raise NotIsolable(entry.name, f"is a {entry.kind}: it would have to run here, too, while it is iterated")
    if entry.signature.returns is None:
        raise NotIsolable(
            entry.name, "has no return annotation, so nothing it returns could cross: say what it returns"
        )
    if not isolating.timeout_s > 0:
        raise ValueError(f"timeout={isolating.timeout_s:g} is no time: give seconds, more than 0")


def _entities(isolating: Isolating, arguments: tuple[list[Any], dict[str, Any]]) -> Iterator[tuple[Entity, str]]:
    args, named = arguments
    for name, value in by_name(isolating.call.entry.function, tuple(args), named).items():
        yield from entities_in(value, name)


def _all_in(entity: Entity) -> Iterator[Entity]:
    from dam_entities.entity import own_values

    seen: dict[int, Entity] = {}
    waiting = [entity]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen[id(each)] = each
        for name, value in own_values(each).items():
            waiting.extend(below for below, _ in entities_in(value, name))
    yield from seen.values()
