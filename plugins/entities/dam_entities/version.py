"""
A version: what an entity was once, as a value that does not change.

An entity inside an entity is kept as a version of its own, named by its id (`Child`). So a version
shares all that did not change with the one before it, whatever the size of the tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

if TYPE_CHECKING:
    from dam_entities.entity import Entity


@dataclass(frozen=True, slots=True)
class Child:
    """An entity in its place inside another one."""

    ecs_id: UUID


@dataclass(frozen=True, slots=True)
class Items:
    """What was in a list, a tuple, or in a set in an order of no meaning."""

    kind: Literal["list", "tuple", "set", "frozenset"]
    items: tuple[Stored, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """What was in a dict, in its order."""

    pairs: tuple[tuple[Stored, Stored], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Opaque:
    """A copy of a value of some other type; it is copied again before it is handed out."""

    value: Any

    def __eq__(self, other: object) -> bool:
        """Say whether both are of one type and say that they are equal; what cannot be compared is not."""
        if not isinstance(other, Opaque) or type(self.value) is not type(other.value):
            return False
        try:
            return (self.value == other.value) is True
        except Exception:  # noqa: BLE001 - the user's own __eq__
            return False

    def __hash__(self) -> int:
        return hash(self.value)


Stored: TypeAlias = Any
"""A `Child`, `Items`, `Pairs`, `Opaque`, or a plain value that cannot change."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Version:
    """One version of an entity."""

    type: type[Entity]
    ecs_id: UUID
    lineage_id: UUID
    parent_id: UUID | None
    """The version that it was forked from."""
    created_at: datetime
    forked_at: datetime | None
    derived_from: tuple[UUID, ...]
    """Versions of other lineages that a function made this one from."""
    values: Mapping[str, Stored]
    """By field, the entity's own and the extra ones; those that make its identity are above."""
    fields_set: frozenset[str]
    children: tuple[UUID, ...]
    """The versions right below, each once."""
    opaque: bool
    """It, or a version below it, holds values whose changes nobody reports."""

    def __str__(self) -> str:
        """Type and id, short."""
        return f"{self.type.__name__} {str(self.ecs_id)[:8]}"
