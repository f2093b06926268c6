"""
`Runtime`: entities, callables and the plugins that do the work, together.

A program has one by itself (`EntityRegistry` and `CallableRegistry` speak to the one that is active); a test,
a tenant or a branch makes another.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pluggy

from dam_entities import runtimes
from dam_entities.callables import Callables, Entry
from dam_entities.entity import Entity
from dam_entities.errors import WrongKind
from dam_entities.kinds import Kind
from dam_entities.plugin import plugin_manager
from dam_entities.store import Store
from dam_entities.values import (
    MAX_RESULT_BYTES,
    TIMEOUT_S,
    Call,
    Executed,
    Forking,
    Isolated,
    Isolating,
    Isolation,
    Merged,
    Merging,
    Registered,
    Registering,
    Resolving,
)
from dam_entities.version import Version
from dam_entities.versioning import Versioning

if TYPE_CHECKING:
    from dam_entities.isolation.pool import Finished

E = TypeVar("E", bound=Entity)

_WAYS: Mapping[Kind, str] = {
    "function": "execute",
    "coroutine function": "aexecute",
    "generator function": "execute",
    "async generator function": "execute",
}


class Runtime:
    """A store of entities, callables by name, and plugins."""

    def __init__(
        self,
        *,
        store: Store | None = None,
        callables: Callables | None = None,
        plugins: pluggy.PluginManager | None = None,
    ) -> None:
        """
        Make one.

        Args:
            store: Where versions are kept; an empty one if `None`.
            callables: Functions by name; none yet if `None`.
            plugins: What answers the hooks; the installed and the built-in plugins if `None`.
        """
        self.store = Store() if store is None else store
        self.callables = Callables() if callables is None else callables
        self.plugins = plugin_manager() if plugins is None else plugins
        self.hook = self.plugins.hook

    def active(self) -> AbstractContextManager[None]:
        """Be what `EntityRegistry` and `CallableRegistry` speak to, in this task or thread, for a while."""
        return runtimes.activated(self)

    def branch(self) -> Runtime:
        """Return a runtime with the same callables and plugins, whose store begins with what this one holds now."""
        return Runtime(store=self.store.branch(), callables=self.callables, plugins=self.plugins)

    # -- entities

    def register(self, *entities: Entity) -> Registered:
        """Keep entities as they are now, with all entities in them: all, or none. Errors as `Store.register`."""
        return cast(Registered, self.hook.dam_entities_register(runtime=self, registering=Registering(entities)))

    def fork(self, entity: E, **changes: Any) -> E:
        """Give an entity other values, and keep that as a new version. Errors as `Store.fork`."""
        self.hook.dam_entities_fork(runtime=self, forking=Forking(entity, changes))
        return entity

    def keep(self, looking: Versioning) -> None:
        """Keep what a walk found, and tell the entities."""
        self.store.add(looking.new)
        looking.settle()

    def merge(self, versions: Iterable[Version], origin: str) -> Merged:
        """
        Keep versions that come from a branch: all of them, or none.

        Raises:
            VersionConflict: One has the id of another one.
        """
        merging = Merging(tuple(versions), origin)
        return cast(Merged, self.hook.dam_entities_merge(runtime=self, merging=merging))

    def resolve(self, data: Any) -> Any:
        """Return `data` with references replaced by what they refer to. Errors as `references.resolve`."""
        resolving = Resolving(data, self.store.state)
        return self.hook.dam_entities_resolve(runtime=self, resolving=resolving).data

    # -- calls

    def execute(self, name: str, data: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """
        Run a registered function.

        Args:
            name: Of the function.
            data: Its input by parameter name; strings that begin with ``@`` are references.
            named: More of it.

        Returns:
            What it returns; of a generator function the generator.

        Raises:
            UnknownCallable: No function has this name.
            WrongKind: It is a coroutine function.
            BadReference: A reference gives no value.
            pydantic.ValidationError: The input does not fit the signature.
        """
        entry = self.callables.get(name)
        if entry.kind == "coroutine function":
            raise WrongKind(name, "a coroutine function", "aexecute")
        return self._executed(self._ask(entry, {**(data or {}), **named}))

    async def aexecute(self, name: str, data: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """Run a registered function, also one that is a coroutine function; as `execute` otherwise."""
        entry = self.callables.get(name)
        answer = self._ask(entry, {**(data or {}), **named})
        return self._executed(await answer if entry.kind == "coroutine function" else answer)

    def execute_batch(self, calls: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Any]:
        """Run several, one after the other; the first that raises ends it, and what was done before stays done."""
        return [self.execute(name, data) for name, data in calls]

    async def aexecute_batch(
        self, calls: Iterable[tuple[str, Mapping[str, Any]]], *, at_once: int | None = None
    ) -> list[Any]:
        """
        Run several at the same time; results are in the order of `calls`.

        Args:
            calls: Names and inputs.
            at_once: How many at most; all if `None`.

        Raises:
            ExceptionGroup: Of what was raised; the others are cancelled then.
        """
        waiting: Sequence[tuple[str, Mapping[str, Any]]] = list(calls)
        return await _together([_later(self.aexecute, name, data) for name, data in waiting], at_once)

    def execute_isolated(
        self,
        name: str,
        data: Mapping[str, Any] | None = None,
        /,
        *,
        timeout: float = TIMEOUT_S,
        isolation: Isolation = "auto",
        max_result_bytes: int = MAX_RESULT_BYTES,
    ) -> Isolated:
        """
        Run a registered function in a process of its own, and keep what it returns.

        The entities of its input are copies there. Only a result that fits the return annotation, deep inside too,
        comes back, as data; the versions in it are merged. Of a call that fails nothing is kept.

        Args:
            name: Of the function; a function or coroutine function that says what it returns.
            data: Its input by parameter name; strings that begin with ``@`` are references.
            timeout: Seconds until it is killed, with all that it started.
            isolation: ``fork`` is fast, and safe only without other threads; ``forkserver`` and ``spawn`` begin in a
                clean process, for functions of modules; ``auto`` forks where that is safe, else takes the fork server.
            max_result_bytes: How large the result may be.

        Raises:
            isolation.errors.IsolationError: There is no result; which one says why, with what the process used.
            UnknownCallable, BadReference, pydantic.ValidationError: As `execute`; no process was made.
        """
        isolating = self.isolating(name, data, timeout, isolation, max_result_bytes)
        return cast(Isolated, self.hook.dam_entities_isolate(runtime=self, isolating=isolating))

    async def aexecute_isolated(
        self,
        name: str,
        data: Mapping[str, Any] | None = None,
        /,
        *,
        timeout: float = TIMEOUT_S,
        isolation: Isolation = "auto",
        max_result_bytes: int = MAX_RESULT_BYTES,
    ) -> Isolated:
        """As `execute_isolated`, without holding up the event loop; to cancel it kills the process."""
        isolating = self.isolating(name, data, timeout, isolation, max_result_bytes, is_async=True)
        return cast(Isolated, await self.hook.dam_entities_isolate(runtime=self, isolating=isolating))

    def each_isolated(
        self,
        calls: Iterable[tuple[str, Mapping[str, Any]]],
        *,
        at_once: int | None = None,
        timeout: float = TIMEOUT_S,
        isolation: Isolation = "auto",
        max_result_bytes: int = MAX_RESULT_BYTES,
    ) -> Iterator[Finished]:
        """
        Run many calls, each in a process of its own, and yield what becomes of them as they end.

        The next call is taken when there is room; to stop asking (``close()``) kills those under way.

        Args:
            calls: Names and inputs; they may come from a generator.
            at_once: How many at most; as many as there are CPUs if `None`.
            timeout: Seconds for each.
            isolation: As for `execute_isolated`.
            max_result_bytes: For each.
        """
        from dam_entities.isolation.pool import each_finished

        isolating = (self.isolating(name, data, timeout, isolation, max_result_bytes) for name, data in calls)
        return each_finished(self, isolating, at_once=at_once)

    def aeach_isolated(
        self,
        calls: Iterable[tuple[str, Mapping[str, Any]]],
        *,
        at_once: int | None = None,
        timeout: float = TIMEOUT_S,
        isolation: Isolation = "auto",
        max_result_bytes: int = MAX_RESULT_BYTES,
    ) -> AsyncIterator[Finished]:
        """As `each_isolated`, without holding up the event loop."""
        from dam_entities.isolation.pool import aeach_finished

        isolating = (
            self.isolating(name, data, timeout, isolation, max_result_bytes, is_async=True) for name, data in calls
        )
        return aeach_finished(self, isolating, at_once=at_once)

    def isolating(
        self,
        name: str,
        data: Mapping[str, Any] | None,
        timeout: float,
        isolation: Isolation,
        max_result_bytes: int,
        *,
        is_async: bool = False,
    ) -> Isolating:
        """Return what the hook is asked with."""
        return Isolating(
            call=Call(self.callables.get(name), dict(data or {})),
            timeout_s=timeout,
            isolation=isolation,
            max_result_bytes=max_result_bytes,
            is_async=is_async,
        )

    def _ask(self, entry: Entry, data: Mapping[str, Any]) -> Any:
        return self.hook.dam_entities_execute(runtime=self, call=Call(entry, data))

    def _executed(self, answer: Any) -> Any:
        return answer.value if isinstance(answer, Executed) else answer


def _later(run: Callable[..., Awaitable[Any]], *arguments: Any) -> Callable[[], Awaitable[Any]]:
    return lambda: run(*arguments)


async def _together(runs: Sequence[Callable[[], Awaitable[Any]]], at_once: int | None) -> list[Any]:
    import asyncio

    room = asyncio.Semaphore(at_once or max(1, len(runs)))

    async def one(run: Callable[[], Awaitable[Any]]) -> Any:
        async with room:
            return await run()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(run)) for run in runs]
    return [task.result() for task in tasks]
