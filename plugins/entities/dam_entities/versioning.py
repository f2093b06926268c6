"""
Find out what of live entities is new against a state, and make versions of it.

One walk, down changed paths only. Nothing is written to the entities before the registry has taken
the versions (`Versioning.settle`): a walk that fails leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from dam_entities.entity import IDENTITY, Entity, identify, mark_of, now, own_values, str_of
from dam_entities.errors import CyclicEntity, NotStorable
from dam_entities.found import entities_in
from dam_entities.freeze import Freezer, Uncopied, same
from dam_entities.state import State
from dam_entities.version import Child, Stored, Version


@dataclass(frozen=True, slots=True)
class Looked:
    """An entity that was looked at."""

    entity: Entity
    path: str
    """Where it was met first."""
    version: Version
    before: Version | None
    """What it was; the same as `version` if it has not changed, `None` if it was not kept before."""
    below: tuple[Entity, ...]
    changes: int


class Versioning:
    """One walk over one or more entities."""

    def __init__(self, state: State) -> None:
        """Begin one against `state`."""
        self._state = state
        self._now = now()
        self._looked: dict[int, Looked] = {}
        self._within: dict[int, str] = {}
        self._origins: dict[int, dict[str, Any]] = {}
        self.new: list[Version] = []
        """Versions that the state does not have, children first."""

    def derive(self, entity: Entity, **identity: Any) -> None:
        """Give an entity that was not kept before, and is not looked at yet, another origin than its own fields say."""
        self._origins[id(entity)] = identity

    def look(self, entity: Entity, path: str = "") -> Version:
        """
        Return the version that `entity` is now.

        Args:
            entity: Which.
            path: Where it is, for messages.

        Raises:
            CyclicEntity: It holds itself.
            NotStorable: It holds something of which no copy can be made.
        """
        done = self._done(entity)
        if done is not None:
            return done
        if id(entity) in self._within:
            raise CyclicEntity(str_of(entity), _relative(path, self._within[id(entity)]))
        # A stack of our own: a chain of entities may be longer than Python's.
        going = [self._enter(entity, path)]
        while going:
            outer, where, inner = going[-1]
            held = next(inner, None)
            if held is None:
                going.pop()
                del self._within[id(outer)]
                self._looked[id(outer)] = self._freeze(outer, where)
            elif id(held[0]) in self._within:
                raise CyclicEntity(str_of(held[0]), _relative(held[1], self._within[id(held[0])]))
            elif self._done(held[0]) is None:
                going.append(self._enter(*held))
        return self._looked[id(entity)].version

    def _done(self, entity: Entity) -> Version | None:
        """Return the version of an entity that was looked at, or need not be."""
        known = self._looked.get(id(entity))
        if known is not None:
            return known.version
        mark = mark_of(entity)
        if mark.is_settled and mark.stored is not None and mark.stored.ecs_id in self._state:
            return mark.stored
        return None

    def _enter(self, entity: Entity, path: str) -> tuple[Entity, str, Iterator[tuple[Entity, str]]]:
        self._within[id(entity)] = path
        # A list: what is in it may not change while it is gone through, whoever else has it.
        inner = [held for name, value in own_values(entity).items() for held in entities_in(value, f"{path}.{name}")]
        return entity, path, iter(inner)

    @property
    def created(self) -> list[Looked]:
        """Entities that were not kept before."""
        return [looked for looked in self._looked.values() if looked.before is None]

    @property
    def forked(self) -> list[Looked]:
        """Entities that are another version now."""
        return [
            looked
            for looked in self._looked.values()
            if looked.before is not None and looked.before is not looked.version
        ]

    def settle(self) -> None:
        """Tell the entities which versions they are; call it once the versions are kept."""
        for looked in self._looked.values():
            version, mark = looked.version, mark_of(looked.entity)
            identify(looked.entity, **{name: getattr(version, name) for name in IDENTITY if name != "live_id"})
            for below in looked.below:
                mark_of(below).add_holder(mark)
        # Only now: an entity that was changed meanwhile tells its holders so, which they have to hear.
        for looked in self._looked.values():
            mark_of(looked.entity).settle(looked.version, opaque=looked.version.opaque, changes=looked.changes)

    def _freeze(self, entity: Entity, path: str) -> Looked:
        changes = mark_of(entity).changes
        below: dict[int, tuple[Entity, Version]] = {}

        def child(held: Entity, where: str) -> Child:
            version = self._done(held) or self.look(held, where)
            below[id(held)] = held, version
            return Child(version.ecs_id)

        freezer = Freezer(child)
        values = {}
        for name, value in own_values(entity).items():
            try:
                values[name] = freezer.freeze(value, f"{path}.{name}")
            except Uncopied as uncopied:
                where = _relative(uncopied.path, path)
                raise NotStorable(str_of(entity), where, uncopied.kind, uncopied.error) from uncopied.error
        opaque = freezer.opaque or any(version.opaque for _, version in below.values())
        before = mark_of(entity).stored or self._state.versions.get(entity.ecs_id)
        version = self._version(entity, before, values, [version for _, version in below.values()], opaque=opaque)
        return Looked(entity, path, version, before, tuple(held for held, _ in below.values()), changes)

    def _version(
        self,
        entity: Entity,
        known: Version | None,
        values: dict[str, Stored],
        children: Iterable[Version],
        *,
        opaque: bool,
    ) -> Version:
        if known is not None and known.type is type(entity) and _same(values, known):
            if known.ecs_id not in self._state:
                self.new.append(known)
            return known
        version = Version(
            type=type(entity),
            values=values,
            fields_set=frozenset(entity.__pydantic_fields_set__),
            children=tuple({each.ecs_id: None for each in children}),
            opaque=opaque,
            **self._identity(entity, known),
        )
        self.new.append(version)
        return version

    def _identity(self, entity: Entity, known: Version | None) -> dict[str, Any]:
        identity = {
            "ecs_id": entity.ecs_id,
            "lineage_id": entity.lineage_id,
            "parent_id": entity.parent_id,
            "created_at": entity.created_at,
            "forked_at": entity.forked_at,
            "derived_from": entity.derived_from,
        }
        if known is None:
            return identity | self._origins.get(id(entity), {})
        return identity | {"ecs_id": uuid4(), "parent_id": known.ecs_id, "forked_at": self._now}


def _same(values: dict[str, Stored], known: Version) -> bool:
    return values.keys() == known.values.keys() and all(
        same(value, known.values[name]) for name, value in values.items()
    )


def _relative(path: str, within: str) -> str:
    return path.removeprefix(within).lstrip(".")
