"""
What a registry holds at one moment: a value that does not change.

It is made of maps that share what they have in common with the one before (hash array mapped
tries), so a new state costs a few nodes, taking one costs nothing, and whoever holds one reads
from it as long as they like, whatever happens to the registry meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from rpds import HashTrieMap, List

from dam_entities.entity import IDENTITY, made_of, mark_of
from dam_entities.errors import UnknownEntity, UnknownLineage, VersionConflict
from dam_entities.freeze import same, thaw
from dam_entities.version import Version

if TYPE_CHECKING:
    from dam_entities.entity import Entity
    from dam_entities.version import Child


@dataclass(frozen=True, slots=True)
class State:
    """All versions, and what the lineages are."""

    versions: HashTrieMap[UUID, Version] = field(default_factory=HashTrieMap)
    lines: HashTrieMap[UUID, List[UUID]] = field(default_factory=HashTrieMap)
    """By lineage, its versions, the newest first."""

    def __len__(self) -> int:
        return len(self.versions)

    def __contains__(self, ecs_id: object) -> bool:
        return ecs_id in self.versions

    def version(self, ecs_id: UUID) -> Version:
        """
        Return a version.

        Raises:
            UnknownEntity: There is none with this id.
        """
        found = self.versions.get(ecs_id)
        if found is None:
            raise UnknownEntity(ecs_id, len(self.versions))
        return found

    def lineage(self, lineage_id: UUID) -> tuple[Version, ...]:
        """
        Return the versions of a lineage, in the order in which they were stored.

        Raises:
            UnknownLineage: There is none of it.
        """
        line = self.lines.get(lineage_id)
        if line is None:
            raise UnknownLineage(lineage_id)
        return tuple(self.versions[ecs_id] for ecs_id in line)[::-1]

    def history(self, ecs_id: UUID) -> tuple[Version, ...]:
        """
        Return a version and all that it was forked from, the first one first.

        Raises:
            UnknownEntity: There is none with this id.
        """
        chain = [self.version(ecs_id)]
        while (parent_id := chain[-1].parent_id) is not None and parent_id in self.versions:
            chain.append(self.versions[parent_id])
        return tuple(chain[::-1])

    def below(self, roots: Iterable[UUID]) -> Iterator[Version]:
        """
        Yield the versions with these ids, and all in them, each once and before those that hold it.

        Raises:
            UnknownEntity: One of `roots` is not there.
        """
        seen: set[UUID] = set()
        waiting: list[tuple[Version, bool]] = [(self.version(ecs_id), False) for ecs_id in roots][::-1]
        while waiting:
            version, is_done = waiting.pop()
            if is_done:
                yield version
            elif version.ecs_id not in seen:
                seen.add(version.ecs_id)
                waiting.append((version, True))
                waiting.extend((self.versions[child], False) for child in version.children if child not in seen)

    def having(self, versions: Iterable[Version]) -> State:
        """
        Return this state with `versions`, children before those that hold them.

        Raises:
            VersionConflict: One has the id of another one.
        """
        every, lines = self.versions, self.lines
        for version in versions:
            known = every.get(version.ecs_id)
            if known is not None:
                if known is not version and not same_version(known, version):
                    raise VersionConflict(version.ecs_id)
                continue
            every = every.insert(version.ecs_id, version)
            line = lines.get(version.lineage_id)
            lines = lines.insert(version.lineage_id, (List() if line is None else line).push_front(version.ecs_id))
        return replace(self, versions=every, lines=lines)

    def live(self, version: Version, made: dict[UUID, Entity] | None = None) -> Entity:
        """
        Return a live copy of a version; an entity that is in it at several places is one object.

        Args:
            version: Which.
            made: Copies that were made before, and are taken again; those made now are added.
        """
        made = {} if made is None else made

        def child(stored: Child) -> Entity:
            return made[stored.ecs_id]

        for each in self.below([version.ecs_id]):
            if each.ecs_id in made:
                continue
            made[each.ecs_id] = _live(each, child)
            for below in each.children:
                mark_of(made[below]).add_holder(mark_of(made[each.ecs_id]))
        return made[version.ecs_id]


EMPTY = State()


def same_version(one: Version, other: Version) -> bool:
    """Say whether two versions are the same in all but the object."""
    return (
        one.type is other.type
        and one.parent_id == other.parent_id
        and one.lineage_id == other.lineage_id
        and same_values(one, other)
    )


def same_values(one: Version, other: Version) -> bool:
    """Say whether two versions hold the same."""
    return one.values.keys() == other.values.keys() and all(
        same(value, other.values[name]) for name, value in one.values.items()
    )


def _live(version: Version, child: Callable[[Child], Entity]) -> Entity:
    values = {name: thaw(stored, child) for name, stored in version.values.items()}
    identity = {name: getattr(version, name) for name in IDENTITY if name != "live_id"}
    entity = made_of(version.type, values, version.fields_set, live_id=uuid4(), **identity)
    mark = mark_of(entity)
    mark.settle(version, opaque=version.opaque, changes=mark.changes)
    return entity
