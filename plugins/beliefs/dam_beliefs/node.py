"""`Node`: what can be a base, archetypes, prototypes and earlier versions alike; and the order of the search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dam_beliefs.plain import MISSING, Missing

if TYPE_CHECKING:
    from dam_beliefs.archetype import Archetype


class Node:
    """Something with traits of its own, and bases to inherit others from."""

    __slots__ = ("_operations", "_own", "bases", "names")

    def __init__(
        self,
        bases: tuple[Node, ...],
        own: dict[str, Any],
        operations: dict[str, dict[str, Any]],
        names: frozenset[str],
    ) -> None:
        """
        Make a node of what was looked at already.

        Args:
            bases: Searched left to right.
            own: Values by trait.
            operations: Those on each trait, by name.
            names: Traits that a belief with this base may have.
        """
        self.bases = bases
        self.names = names
        self._own = own
        self._operations = operations

    @property
    def name(self) -> str:
        """What it is called in messages."""
        raise NotImplementedError

    def own(self, trait: str) -> Any | Missing:
        """Return its own value, or `MISSING`."""
        return self._own.get(trait, MISSING)

    def own_operations(self, trait: str) -> Mapping[str, Any]:
        """Return its own operations on a trait, by name."""
        return self._operations.get(trait, {})

    def restore(self, trait: str, value: Any) -> None:
        """Set an own value of a node that is loaded."""
        self._own[trait] = value

    @property
    def own_traits(self) -> Mapping[str, Any]:
        """Its own values by trait."""
        return self._own

    @property
    def all_operations(self) -> Mapping[str, Mapping[str, Any]]:
        """Its own operations by trait and name."""
        return self._operations

    def is_a(self, archetype: Archetype) -> bool:
        """Say whether this archetype is among its bases, near or far."""
        return any(node is archetype for level in levels(self) for node in level)


def levels(node: Node) -> Iterator[list[Node]]:
    """
    Yield the node itself, then its bases left to right, then all of theirs, and so on.

    A node that is reached along several paths comes once, where it is met first.
    """
    seen = {id(node)}
    level = [node]
    while level:
        yield level
        below: list[Node] = []
        for each in level:
            for base in each.bases:
                if id(base) not in seen:
                    seen.add(id(base))
                    below.append(base)
        level = below


def nearest(node: Node, trait: str) -> Iterator[tuple[int, Node]]:
    """
    Yield the nodes below `node` that are the nearest on their branch to say something of `trait`, with their level.

    Beyond such a node its branch is not followed; what stands there may still be reached along another one.
    """
    seen = {id(node)}
    level, number = [node], 0
    while level:
        number += 1
        below: list[Node] = []
        for each in level:
            for base in each.bases:
                if id(base) in seen:
                    continue
                seen.add(id(base))
                if trait in base._own:
                    yield number, base
                else:
                    below.append(base)
        level = below
