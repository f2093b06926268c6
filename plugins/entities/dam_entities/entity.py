"""
`Entity`: a pydantic model with an identity, whose versions a registry keeps.

An entity is an ordinary, mutable model for whoever holds it. What the registry keeps of it does
not change. Two entities are equal when they are the same live object: what they hold is compared
by `dam_entities.EntityRegistry.diff`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Self
from uuid import UUID, uuid4

from pydantic import BaseModel, Field, PrivateAttr, model_validator
from pydantic_core import PydanticUndefined

from dam_entities.containers import CONTAINERS, held
from dam_entities.errors import CyclicEntity, IdentityFixed
from dam_entities.marks import Mark

IDENTITY: Final = ("ecs_id", "live_id", "lineage_id", "parent_id", "created_at", "forked_at", "derived_from")
"""Fields that the registry sets."""


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


class Entity(BaseModel):
    """
    Base of all entities.

    A subclass adds fields as any pydantic model does. Lists, dicts and sets in them belong to the entity: what
    is assigned is taken over as a copy that reports its changes.
    """

    ecs_id: UUID = Field(default_factory=uuid4)
    """The version: this id names what the entity is now, once it is registered."""
    live_id: UUID = Field(default_factory=uuid4)
    """This object in memory; a copy has another one."""
    lineage_id: UUID = Field(default_factory=uuid4)
    """What all versions of an entity have in common."""
    parent_id: UUID | None = None
    """The version that this one was forked from."""
    created_at: datetime = Field(default_factory=now)
    """When the first version of the lineage was made."""
    forked_at: datetime | None = None
    """When this version was forked; `None` for the first."""
    derived_from: tuple[UUID, ...] = ()
    """Versions of other lineages that a function made this one from."""

    _mark: Mark = PrivateAttr(default_factory=Mark)

    @model_validator(mode="after")
    def _take_over_containers(self) -> Self:
        take_over(self)
        return self

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:  # type: ignore[override]
        """As pydantic's: make one of values that are known to be valid."""
        made = super().model_construct(_fields_set, **values)
        take_over(made)
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        if name in IDENTITY:
            raise IdentityFixed(str_of(self), name)
        super().__setattr__(name, value)
        _assigned(self, name)

    def __delattr__(self, name: str) -> None:
        if name in IDENTITY:
            raise IdentityFixed(str_of(self), name)
        super().__delattr__(name)
        self._mark.touch()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return hash(self.live_id)

    def __copy__(self) -> Self:
        copied = super().__copy__()
        _begin_anew(copied)
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        memo = {} if memo is None else memo
        memo[id(self._mark)] = Mark()  # never copied: it knows those who hold this object
        copied = super().__deepcopy__(memo)
        memo[id(self)] = copied
        _begin_anew(copied)
        return copied

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        private = {name: value for name, value in (state["__pydantic_private__"] or {}).items() if name != "_mark"}
        return {**state, "__pydantic_private__": private}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__({**state, "__pydantic_private__": {**state["__pydantic_private__"], "_mark": Mark()}})
        take_over(self)


def str_of(entity: Entity) -> str:
    """Name an entity in a message: type and the beginning of its id."""
    return f"{type(entity).__name__} {str(entity.ecs_id)[:8]}"


def mark_of(entity: Entity) -> Mark:
    """Return what the entity knows of its changes."""
    return entity._mark


def own_values(entity: Entity) -> Mapping[str, Any]:
    """Return the fields of an entity and what it has beyond them, without those that make its identity."""
    fields = type(entity).model_fields
    return {
        name: value
        for name, value in (entity.__dict__ | (entity.__pydantic_extra__ or {})).items()
        if name not in IDENTITY and (name in fields or name not in entity.__dict__)
    }


def made_of(kind: type[Entity], values: Mapping[str, Any], fields_set: Iterable[str], **identity: Any) -> Entity:
    """
    Make an entity of valid values, without running a line of the class's own.

    So it is what it was, also where the class computes something when it is validated or made.
    """
    fields = kind.model_fields
    entity = kind.__new__(kind)
    known = {name: value for name, value in values.items() if name in fields}
    extra = {name: value for name, value in values.items() if name not in fields}
    object.__setattr__(entity, "__dict__", known | identity)
    object.__setattr__(entity, "__pydantic_fields_set__", set(fields_set))
    object.__setattr__(entity, "__pydantic_extra__", extra if kind.model_config.get("extra") == "allow" else None)
    object.__setattr__(entity, "__pydantic_private__", dict(_private(kind)))
    take_over(entity)
    return entity


def _private(kind: type[Entity]) -> Iterator[tuple[str, Any]]:
    for name, attribute in kind.__private_attributes__.items():
        if attribute.default_factory is not None:
            yield name, attribute.default_factory()  # type: ignore[call-arg]
        elif attribute.default is not PydanticUndefined:
            yield name, copy.deepcopy(attribute.default)


def identify(entity: Entity, **identity: Any) -> None:
    """Set what makes the identity of an entity."""
    entity.__dict__.update(identity)


def take_over(entity: Entity) -> None:
    """Make the containers of an entity its own."""
    for values in (entity.__dict__, entity.__pydantic_extra__):
        for name, value in (values or {}).items():
            if isinstance(value, (*CONTAINERS, tuple)):
                values[name] = _held(entity, name, value)  # type: ignore[index]


def _assigned(entity: Entity, name: str) -> None:
    extra = entity.__pydantic_extra__
    values = extra if extra is not None and name in extra else entity.__dict__
    if name in values:
        values[name] = _held(entity, name, values[name])
        entity._mark.touch()


def _held(entity: Entity, name: str, value: Any) -> Any:
    try:
        return held(value, entity._mark)
    except RecursionError:
        raise CyclicEntity(f"{str_of(entity)}, or a container in it,", name) from None


def _begin_anew(copied: Entity) -> None:
    private = copied.__pydantic_private__
    if private is not None:
        private["_mark"] = Mark()
    copied.__dict__["live_id"] = uuid4()
    if copied.__pydantic_extra__ is not None:
        copied.__pydantic_extra__ = copy.copy(copied.__pydantic_extra__)
    take_over(copied)
