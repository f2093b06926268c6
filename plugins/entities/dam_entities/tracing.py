"""
Keep the versions of the entities that a function is given and returns, by themselves.

Before the call those that have changed since they were kept are forked, and new ones are kept.
After it those that it changed are forked, and what it returns is kept, deep inside containers too.
What is kept after a call is kept whole or not at all. A call that raises keeps nothing.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dam_entities import runtimes
from dam_entities.entity import Entity, mark_of, now
from dam_entities.found import entities_in
from dam_entities.kinds import Kind, kind_of
from dam_entities.touched import Known, Touched
from dam_entities.version import Version
from dam_entities.versioning import Versioning

if TYPE_CHECKING:
    from dam_entities.runtime import Runtime

F = TypeVar("F", bound=Callable[..., Any])

MARKER: Final = "__dam_entities_traced__"
"""An attribute of functions that are wrapped already."""


def entity_tracer(function: F) -> F:
    """Wrap a function so that entities in its input and result are kept; one that is wrapped is returned as it is."""
    if getattr(function, MARKER, False):
        return function
    wrapped = WRAP[kind_of(function)](function, lambda: Tracing(runtimes.current(), Touched()))
    functools.update_wrapper(wrapped, function)
    setattr(wrapped, MARKER, True)
    return wrapped  # type: ignore[return-value]


class Tracing:
    """One call."""

    def __init__(self, runtime: Runtime, touched: Touched) -> None:
        """Begin; `touched` is filled."""
        self._runtime = runtime
        self._touched = touched
        self._arguments: list[tuple[Entity, str]] = []
        self._inputs: list[Version] = []

    def begin(self, arguments: Mapping[str, Any]) -> None:
        """Keep the entities in the input, by parameter."""
        for name, value in arguments.items():
            self._arguments.extend(entities_in(value, name))
        looking = self._keep(self._arguments)
        for entity, path in self._arguments:
            version = looking.look(entity)
            self._inputs.append(version)
            self._touched.add("read", Known(version.ecs_id, path))

    def gave(self, value: Any, path: str = "result") -> None:
        """Keep the entities in a result, and what has changed of those in the input."""
        self._keep([*self._arguments, *entities_in(value, path)], within=value)

    def _keep(self, entities: list[tuple[Entity, str]], within: Any = None) -> Versioning:
        looking = Versioning(self._runtime.store.state)
        for entity, path in entities:
            if path not in ("", *(known for _, known in self._arguments)) and self._is_new(entity):
                looking.derive(entity, **self._origin(entity, within))
            looking.look(entity, path)
        self._runtime.keep(looking)
        for looked in looking.forked:
            self._touched.add("forked", Known(looked.version.ecs_id, looked.path))
        for looked in looking.created:
            self._touched.add("created", Known(looked.version.ecs_id, looked.path))
        return looking

    def _is_new(self, entity: Entity) -> bool:
        return mark_of(entity).stored is None and entity.ecs_id not in self._runtime.store

    def _origin(self, entity: Entity, result: Any) -> dict[str, Any]:
        """Say where a new entity comes from: one that took the place of an input goes on with its lineage."""
        alike = [version for version in self._inputs if version.type is type(entity)]
        if result is entity and len(alike) == 1:
            before = alike[0]
            return {
                "lineage_id": before.lineage_id, "parent_id": before.ecs_id, "created_at": before.created_at,
                "forked_at": now(),
            }  # fmt: skip
        return {"derived_from": tuple(dict.fromkeys(version.ecs_id for version in self._inputs))}


_signatures: Final[weakref.WeakKeyDictionary[Callable[..., Any], inspect.Signature]] = weakref.WeakKeyDictionary()


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a function; to read it anew costs more than a short call."""
    try:
        return _signatures[function]
    except KeyError:
        return _signatures.setdefault(function, inspect.signature(function))
    except TypeError:  # a callable that cannot be hashed, or not be held weakly
        return inspect.signature(function)


def by_name(function: Callable[..., Any], args: tuple[Any, ...], named: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return arguments by the names of their parameters; what does not fit the signature is for the call to raise."""
    try:
        return _signature(function).bind_partial(*args, **named).arguments
    except TypeError:
        return {**{str(number): value for number, value in enumerate(args)}, **named}


def _function(function: Callable[..., Any], begin: Callable[[], Tracing]) -> Callable[..., Any]:
    def traced(*args: Any, **named: Any) -> Any:
        tracing = begin()
        tracing.begin(by_name(function, args, named))
        result = function(*args, **named)
        tracing.gave(result)
        return result

    return traced


def _coroutine_function(function: Callable[..., Any], begin: Callable[[], Tracing]) -> Callable[..., Any]:
    async def traced(*args: Any, **named: Any) -> Any:
        tracing = begin()
        tracing.begin(by_name(function, args, named))
        result = await function(*args, **named)
        tracing.gave(result)
        return result

    return traced


def _generator_function(function: Callable[..., Any], begin: Callable[[], Tracing]) -> Callable[..., Any]:
    def traced(*args: Any, **named: Any) -> Generator[Any, Any, Any]:
        tracing = begin()
        tracing.begin(by_name(function, args, named))
        source = function(*args, **named)
        go_on: Callable[[], Any] = functools.partial(next, source)
        for count in itertools.count():
            try:
                item = go_on()
            except StopIteration as stop:
                tracing.gave(stop.value)
                return stop.value
            tracing.gave(item, f"result.{count}")
            try:
                go_on = functools.partial(source.send, (yield item))
            except GeneratorExit:
                source.close()
                tracing.gave(None)
                raise
            except BaseException as error:  # noqa: BLE001 - thrown into the generator: it decides
                go_on = functools.partial(source.throw, error)

    return traced


def _async_generator_function(function: Callable[..., Any], begin: Callable[[], Tracing]) -> Callable[..., Any]:
    async def traced(*args: Any, **named: Any) -> AsyncGenerator[Any, Any]:
        tracing = begin()
        tracing.begin(by_name(function, args, named))
        source = function(*args, **named)
        go_on: Callable[[], Any] = functools.partial(anext, source)
        for count in itertools.count():
            try:
                item = await go_on()
            except StopAsyncIteration:
                tracing.gave(None)
                return
            tracing.gave(item, f"result.{count}")
            try:
                go_on = functools.partial(source.asend, (yield item))
            except GeneratorExit:
                await source.aclose()
                tracing.gave(None)
                raise
            except BaseException as error:  # noqa: BLE001 - thrown into the generator: it decides
                go_on = functools.partial(source.athrow, error)

    return traced


WRAP: Final[Mapping[Kind, Callable[[Callable[..., Any], Callable[[], Tracing]], Callable[..., Any]]]] = {
    "function": _function,
    "coroutine function": _coroutine_function,
    "generator function": _generator_function,
    "async generator function": _async_generator_function,
}
"""Makes of a function one of the same kind whose calls are traced, each by a `Tracing` of its own."""
