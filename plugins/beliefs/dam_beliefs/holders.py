"""`Holders`: who holds whom in which trait, at one tick; shares all that did not change with the tick before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rpds import HashTrieMap, HashTrieSet

from dam_beliefs.subject import Subject

if TYPE_CHECKING:
    from dam_beliefs.belief import Belief
    from dam_beliefs.world import World

Held = tuple[str, int]
"""A trait, and the number of the subject in it."""


@dataclass(frozen=True, slots=True)
class Holders:
    """A reverse index of references; inherited ones count."""

    by_held: HashTrieMap[Held, HashTrieSet[Subject]] = field(default_factory=HashTrieMap)
    by_holder: HashTrieMap[int, frozenset[Held]] = field(default_factory=HashTrieMap)

    def holders(self, trait: str, subject: Subject) -> Iterator[Subject]:
        """Yield the subjects whose belief holds `subject` in `trait`."""
        yield from self.by_held.get((trait, subject.number), HashTrieSet())

    def with_belief(self, world: World, number: int, belief: Belief | None) -> Holders:
        """Return the index with this belief in the place of what was held of its subject; `None`: nothing."""
        holder = world.subjects[number]
        before = self.by_holder.get(number, frozenset())
        now = frozenset(_held(world, belief)) if belief is not None else frozenset()
        if before == now:
            return self
        by_held = self.by_held
        for held in before - now:
            by_held = by_held.insert(held, by_held[held].remove(holder))
        for held in now - before:
            by_held = by_held.insert(held, by_held.get(held, HashTrieSet()).insert(holder))
        return Holders(by_held, self.by_holder.insert(number, now))


def _held(world: World, belief: Belief) -> Iterator[Held]:
    for trait in world.reference_traits(belief.names):
        value: Any = belief.get_trait(trait)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, Subject):
                yield trait, each.number
