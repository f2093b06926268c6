"""`Subject`: what beliefs are about; the same one through all versions, in every mind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dam_beliefs.belief import Belief
    from dam_beliefs.state_view import StateView
    from dam_beliefs.world import World


class Subject:
    """An identity; what is known of it stands in beliefs."""

    __slots__ = ("label", "number", "world")

    def __init__(self, world: World, number: int, label: str | None) -> None:
        self.world = world
        self.number = number
        self.label = label

    @property
    def name(self) -> str:
        """Its label, or its number where it has none."""
        return self.label if self.label is not None else f"#{self.number}"

    def belief(self, state: StateView) -> Belief | None:
        """Return what `state` believes of it."""
        return state.get_belief(self)

    def get_trait(self, trait: str, state: StateView) -> Any:
        """Return its value of a trait at a state; `None` also where the state knows nothing of it."""
        belief = state.get_belief(self)
        return belief.get_trait(trait, state) if belief is not None else None

    def rev_trait(self, trait: str, state: StateView) -> Iterator[Belief]:
        """
        Yield the beliefs that hold this subject in `trait` at `state`, in the order of their subjects.

        One that inherits it holds it as well.

        Raises:
            UnknownTrait: There is no such trait, or its values are no subjects.
        """
        yield from state.holders(trait, self)

    def __repr__(self) -> str:
        return f"<Subject {self.name}>"
