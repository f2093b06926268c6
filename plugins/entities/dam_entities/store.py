"""
`Store`: keeps versions of entities, for many threads and tasks at the same time.

What it holds is one `State` that is exchanged whole. Entities are looked at against the state of
that moment, without a lock, since that runs code of theirs; then the new state takes the place of
the old one, or, if another thread was faster, the new versions are added to that one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, TypeVar, overload
from uuid import UUID

from dam_entities.differences import Change, differences
from dam_entities.entity import Entity
from dam_entities.state import EMPTY, State
from dam_entities.version import Version
from dam_entities.versioning import Versioning

E = TypeVar("E", bound=Entity)


class Store:
    """The versions of entities."""

    def __init__(self, state: State = EMPTY) -> None:
        """Begin with what `state` holds: nothing, or what another one held."""
        self._state = state
        self._exchange = threading.Lock()

    @property
    def state(self) -> State:
        """What it holds now; this value stays as it is."""
        return self._state

    def branch(self) -> Store:
        """Return a store that begins with what this one holds now; what either does later the other does not see."""
        return Store(self._state)

    # -- writing

    def register(self, entity: E) -> E:
        """
        Keep what `entity` is now, and all entities in it; one that is kept and has changed since is forked.

        Returns:
            The very entity, with the ids of what was kept.

        Raises:
            CyclicEntity: It holds itself.
            NotStorable: It holds something of which no copy can be made.
            VersionConflict: Another version has its id.
        """
        self.register_all([entity])
        return entity

    def register_all(self, entities: Iterable[Entity]) -> Versioning:
        """Keep several as they are now: all of them, or none."""
        looking = Versioning(self._state)
        for entity in entities:
            looking.look(entity)
        self.add(looking.new)
        looking.settle()
        return looking

    def fork(self, entity: E, **changes: Any) -> E:
        """
        Give `entity` other values, and keep that as a new version, those that hold it not included.

        Returns:
            The very entity; as it was, if nothing is different.

        Raises:
            ValueError: It has no such field, or (where the class validates what is assigned) the value is not valid.
        """
        self.register(entity)
        unknown = changes.keys() - type(entity).model_fields.keys()
        if unknown and type(entity).model_config.get("extra") != "allow":
            raise ValueError(f"{type(entity).__name__} has no field {sorted(unknown)[0]!r}")
        for name, value in changes.items():
            setattr(entity, name, value)
        return self.register(entity)

    def add(self, versions: Iterable[Version]) -> None:
        """
        Keep versions, children before those that hold them: all of them, or none.

        Raises:
            VersionConflict: One has the id of another one.
        """
        versions = list(versions)
        while versions:
            state = self._state
            changed = state.having(versions)
            with self._exchange:
                if self._state is state:
                    self._state = changed
                    return

    # -- reading

    def __len__(self) -> int:
        return len(self._state)

    def __contains__(self, ecs_id: object) -> bool:
        return ecs_id in self._state

    @overload
    def get(self, ecs_id: UUID) -> Entity: ...
    @overload
    def get(self, ecs_id: UUID, kind: type[E]) -> E: ...
    def get(self, ecs_id: UUID, kind: type[Entity] = Entity) -> Entity:
        """
        Return a copy of a version.

        Args:
            ecs_id: Which.
            kind: What it has to be.

        Raises:
            UnknownEntity: There is none with this id.
            TypeError: It is something else than `kind`.
        """
        state = self._state
        version = state.version(ecs_id)
        if not issubclass(version.type, kind):
            raise TypeError(f"{version} is no {kind.__name__}")
        return state.live(version)

    def latest(self, lineage_id: UUID) -> Entity:
        """
        Return a copy of the newest version of a lineage.

        Raises:
            UnknownLineage: There is none of it.
        """
        state = self._state
        return state.live(state.lineage(lineage_id)[-1])

    def lineage(self, lineage_id: UUID) -> tuple[Version, ...]:
        """Return the versions of a lineage, the oldest first; as `State.lineage`."""
        return self._state.lineage(lineage_id)

    def history(self, ecs_id: UUID) -> tuple[Version, ...]:
        """Return a version and all that it was forked from, the first one first; as `State.history`."""
        return self._state.history(ecs_id)

    def has_diverged(self, entity: Entity) -> bool:
        """Say whether `entity` is something else than what is kept of it; what was never kept has not."""
        looking = Versioning(self._state)
        looking.look(entity)
        return bool(looking.forked)

    def diff(self, before: UUID, after: UUID) -> tuple[Change, ...]:
        """
        Return which fields differ between two versions, and at which paths.

        Raises:
            UnknownEntity: There is none with one of the ids.
        """
        state = self._state
        return tuple(differences(state.version(before), state.version(after), state))
