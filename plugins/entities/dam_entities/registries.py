"""
`EntityRegistry` and `CallableRegistry`: the active runtime, by the names that programs use.

They hold nothing. `dam_entities.Runtime` says what each call does and raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

from dam_entities import runtimes
from dam_entities.differences import Change
from dam_entities.entity import Entity
from dam_entities.runtime import Runtime
from dam_entities.values import Isolated
from dam_entities.version import Version

E = TypeVar("E", bound=Entity)
F = TypeVar("F", bound=Callable[..., Any])


class EntityRegistry:
    """The entities of the active runtime."""

    @classmethod
    def register(cls, entity: E) -> E:
        """Keep what `entity` is now; one that has changed since it was kept is forked."""
        runtimes.current().register(entity)
        return entity

    @classmethod
    def fork(cls, entity: E, **changes: Any) -> E:
        """Give an entity other values, and keep that as a new version."""
        return runtimes.current().fork(entity, **changes)

    @classmethod
    def get(cls, ecs_id: UUID | str, kind: type[Any] = Entity) -> Any:
        """Return a copy of a version."""
        return runtimes.current().store.get(UUID(str(ecs_id)), kind)

    @classmethod
    def latest(cls, lineage_id: UUID | str) -> Entity:
        """Return a copy of the newest version of a lineage."""
        return runtimes.current().store.latest(UUID(str(lineage_id)))

    @classmethod
    def lineage(cls, lineage_id: UUID | str) -> tuple[Version, ...]:
        """Return the versions of a lineage, the oldest first."""
        return runtimes.current().store.lineage(UUID(str(lineage_id)))

    @classmethod
    def history(cls, ecs_id: UUID | str) -> tuple[Version, ...]:
        """Return a version and all that it was forked from, the first one first."""
        return runtimes.current().store.history(UUID(str(ecs_id)))

    @classmethod
    def diff(cls, before: UUID | str, after: UUID | str) -> tuple[Change, ...]:
        """Return which fields differ between two versions, and at which paths."""
        return runtimes.current().store.diff(UUID(str(before)), UUID(str(after)))

    @classmethod
    def has_diverged(cls, entity: Entity) -> bool:
        """Say whether an entity is something else than what is kept of it."""
        return runtimes.current().store.has_diverged(entity)

    @classmethod
    def merge_entity(cls, entity: E) -> E:
        """Keep an entity that was made in a branch, with the lineage that it brings."""
        return cls.register(entity)

    @classmethod
    @contextmanager
    def create_branch(cls) -> Iterator[Runtime]:
        """Work in a branch for a while: what is registered in it is not seen outside, unless it is merged."""
        branch = runtimes.current().branch()
        with branch.active():
            yield branch


class CallableRegistry:
    """The callables of the active runtime."""

    @classmethod
    def register(cls, name: str) -> Callable[[F], F]:
        """Decorate a function: it is known by `name`, and keeps the entities of its input and result from now on."""
        return lambda function: runtimes.current().callables.register(name, function)

    @classmethod
    def unregister(cls, name: str) -> None:
        """Forget a function."""
        runtimes.current().callables.unregister(name)

    @classmethod
    def get(cls, name: str) -> Callable[..., Any]:
        """Return the function of this name, as it is called."""
        return runtimes.current().callables.get(name).traced

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return all names, sorted."""
        return tuple(runtimes.current().callables)

    @classmethod
    def json_schema(cls, name: str) -> dict[str, Any]:
        """Return the JSON Schema of a function's input."""
        return runtimes.current().callables.get(name).signature.json_schema()

    @classmethod
    def execute(cls, name: str, data: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """Run a function with input by parameter name; strings that begin with ``@`` are references."""
        return runtimes.current().execute(name, data, **named)

    @classmethod
    async def aexecute(cls, name: str, data: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """As `execute`, also for coroutine functions."""
        return await runtimes.current().aexecute(name, data, **named)

    @classmethod
    def execute_batch(cls, calls: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Any]:
        """Run several, one after the other."""
        return runtimes.current().execute_batch(calls)

    @classmethod
    async def aexecute_batch(
        cls, calls: Iterable[tuple[str, Mapping[str, Any]]], *, at_once: int | None = None
    ) -> list[Any]:
        """Run several at the same time."""
        return await runtimes.current().aexecute_batch(calls, at_once=at_once)

    @classmethod
    def execute_isolated(cls, name: str, data: Mapping[str, Any] | None = None, /, **how: Any) -> Any:
        """Run a function in a process of its own and return what it returns; `Runtime.execute_isolated` says how."""
        return runtimes.current().execute_isolated(name, data, **how).value

    @classmethod
    async def aexecute_isolated(cls, name: str, data: Mapping[str, Any] | None = None, /, **how: Any) -> Any:
        """As `execute_isolated`, without holding up the event loop."""
        return (await runtimes.current().aexecute_isolated(name, data, **how)).value


def execute_isolated(name: str, data: Mapping[str, Any] | None = None, /, **how: Any) -> Isolated:
    """Run a function of the active runtime in a process of its own; `Runtime.execute_isolated` says how."""
    return runtimes.current().execute_isolated(name, data, **how)


async def aexecute_isolated(name: str, data: Mapping[str, Any] | None = None, /, **how: Any) -> Isolated:
    """As `execute_isolated`, without holding up the event loop."""
    return await runtimes.current().aexecute_isolated(name, data, **how)


def resolve_entity_references(data: Any) -> Any:
    """Return `data` with every reference replaced by what it refers to in the active runtime."""
    return runtimes.current().resolve(data)
