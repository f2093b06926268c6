"""What dam_entities raises: one base, each error with its facts and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from uuid import UUID


class EntityError(Exception):
    """Base of all errors of dam_entities."""


class UnknownEntity(EntityError, ValueError):
    """No version has this id."""

    def __init__(self, ecs_id: UUID, known: int) -> None:
        super().__init__(
            f"no entity has the id {ecs_id} ({known:,} versions are registered): register it first, "
            "or give the id of one that is"
        )
        self.ecs_id = ecs_id


class CyclicEntity(EntityError, ValueError):
    """An entity holds itself, somewhere below."""

    def __init__(self, entity: str, path: str) -> None:
        super().__init__(f"{entity} holds itself at {path}: keep the id of the outer one there instead")
        self.path = path


class NotStorable(EntityError, TypeError):
    """A value of which no copy can be made."""

    def __init__(self, entity: str, path: str, kind: type, error: Exception) -> None:
        super().__init__(
            f"{entity} cannot be stored: {path} is a {kind.__qualname__}, of which no copy can be made "
            f"({type(error).__name__}: {error}): hold it outside the entity, or give its type a __deepcopy__"
        )
        self.path = path


class IdentityFixed(EntityError, AttributeError):
    """What makes an entity's identity was assigned."""

    def __init__(self, entity: str, name: str) -> None:
        super().__init__(f"{name} of {entity} is the registry's to set: fork the entity, or make another one")
        self.name = name


class VersionConflict(EntityError, ValueError):
    """Two different versions have the same id."""

    def __init__(self, ecs_id: UUID) -> None:
        super().__init__(f"another version has the id {ecs_id}: versions do not change; fork the entity instead")
        self.ecs_id = ecs_id


class UnknownLineage(EntityError, ValueError):
    """No version is of this lineage."""

    def __init__(self, lineage_id: UUID) -> None:
        super().__init__(f"no entity is of the lineage {lineage_id}: was an ecs_id meant? see `EntityRegistry.get`")
        self.lineage_id = lineage_id


def nearest(name: object, known: Iterable[object]) -> str:
    """Return ``did you mean x? `` where a known name is near, else nothing."""
    near = get_close_matches(str(name), [str(each) for each in known], n=1)
    return f"did you mean {near[0]}? " if near else ""
