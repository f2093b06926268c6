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


class BadReference(EntityError, ValueError):
    """A reference in the input that gives no value."""

    def __init__(self, reference: str, where: str, why: str) -> None:
        at = f" at {where}" if where else ""
        super().__init__(f"{reference[:120]!r}{at} {why}")
        self.reference = reference
        self.where = where


class MalformedReference(BadReference):
    """It is not ``@<uuid>`` or ``@<uuid>.path``."""

    def __init__(self, reference: str, where: str) -> None:
        super().__init__(
            reference,
            where,
            "is no reference: write @<uuid> or @<uuid>.path.to.value; for text that begins with @ write @@",
        )


class UnknownReference(BadReference):
    """It names an entity that is not registered."""

    def __init__(self, reference: str, where: str, known: int) -> None:
        super().__init__(
            reference, where, f"refers to an entity that is not registered ({known:,} versions are): register it first"
        )


class DeadPath(BadReference):
    """Its path leads to nothing."""

    def __init__(self, reference: str, where: str, entity: str, reached: str, step: str, why: str) -> None:
        got = f"as far as {reached}" if reached else "nowhere"
        super().__init__(reference, where, f"leads {got} in {entity}: {why}")
        self.reached = reached
        self.step = step


class BadCallable(EntityError, TypeError):
    """A function that cannot be registered."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} cannot be registered: {why}")
        self.name = name


class NameTaken(EntityError, ValueError):
    """Another function is registered by this name."""

    def __init__(self, name: str, by: str) -> None:
        super().__init__(f"{name!r} is the name of {by} already: choose another one, or unregister that first")
        self.name = name


class UnknownCallable(EntityError, LookupError):
    """No function is registered by this name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        there = f"there are {', '.join(known[:12])}" if known else "none is registered"
        super().__init__(f"no callable is named {name[:80]!r}: {nearest(name, known)}{there}")
        self.name = name


class WrongKind(EntityError, TypeError):
    """A function was executed in a way that is not its own."""

    def __init__(self, name: str, kind: str, way: str) -> None:
        super().__init__(f"{name} is {kind}: execute it by {way}")
        self.name = name


class PluginBroken(EntityError):
    """A plugin cannot be used. `__cause__` is what it raised, where it did."""

    def __init__(self, plugin: str, why: str) -> None:
        super().__init__(f"plugin {plugin}: {why}")
        self.plugin = plugin


def nearest(name: object, known: Iterable[object]) -> str:
    """Return ``did you mean x? `` where a known name is near, else nothing."""
    near = get_close_matches(str(name), [str(each) for each in known], n=1)
    return f"did you mean {near[0]}? " if near else ""
