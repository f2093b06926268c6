"""`Node`: what can be a base, archetypes, prototypes and earlier versions alike; and the order of the search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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

    def next_on(self, trait: str | None) -> tuple[int, Node]:
        """Return the node to ask of a trait in the place of this one, and how many steps further down it is."""
        return 0, self

    def is_a(self, archetype: Archetype) -> bool:
        """Say whether this archetype is among its bases, near or far."""
        return any(node is archetype for level in levels(self) for node in level)


def levels(node: Node) -> Iterator[list[Node]]:
    """
    Yield the node itself, then its bases left to right, then all of theirs, and so on.

    A node that is reached along several paths comes once, where it is met first.
    """
    for _, level in search(node, None):
        yield level


def nearest(node: Node, trait: str) -> Iterator[Node]:
    """
    Yield the nodes below `node` that are the nearest on their branch to have a value of `trait`, level by level.

    Beyond such a node its branch is not followed; what stands there may still be reached along another one.
    """

    def goes_on(each: Node) -> bool:
        return trait not in each._own or each is node

    for _, level in search(node, trait, goes_on):
        for each in level:
            if trait in each._own and each is not node:
                yield each


def search(
    node: Node, trait: str | None, goes_on: Callable[[Node], bool] | None = None
) -> Iterator[tuple[int, list[Node]]]:
    """
    Yield levels with their numbers, as `levels` does.

    Args:
        node: The first level.
        trait: What is searched for: versions that say nothing of it are left out, and levels of nothing else.
        goes_on: Says of a node whether its bases are searched, too; those of all are if it is not given.
    """
    seen: set[int] = set()
    number = 0
    coming, steps = [node], [0]
    """In how many levels each is there, in the order of that level."""
    while coming:
        soonest = min(steps)
        number += soonest
        level: list[Node] = []
        below: list[Node] = []
        below_steps: list[int] = []
        for each, after in zip(coming, steps, strict=True):
            if after > soonest:
                below.append(each)
                below_steps.append(after - soonest - 1)
            elif id(each) not in seen:
                seen.add(id(each))
                level.append(each)
                for base in each.bases if goes_on is None or goes_on(each) else ():
                    # Only one with a single base can be passed by; this is asked more often than anything else is.
                    skipped, said = base.next_on(trait) if len(base.bases) == 1 else (0, base)
                    if id(said) not in seen:
                        below.append(said)
                        below_steps.append(skipped)
        if level:
            yield number, level
        number += 1
        coming, steps = below, below_steps
