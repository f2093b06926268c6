"""
The value of a trait, from a belief and its bases.

Three steps. The base value: the nearest one, or for a composable trait those of all branches, joined (`inheritance`).
Then the operations on it, nearest first, down to the level that the base value comes from (`operations`). Then the
check against the traittype. A value that is made, such as a mind, is handed on to later versions with all that was done
to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dam_beliefs.inheritance import Base, base_of
from dam_beliefs.mind import Mind
from dam_beliefs.operations import gather
from dam_beliefs.plain import MISSING
from dam_beliefs.value_types.base import Making, Operation

if TYPE_CHECKING:
    from dam_beliefs.belief import Belief
    from dam_beliefs.state import State
    from dam_beliefs.state_view import StateView
    from dam_beliefs.world import World


@dataclass(frozen=True, slots=True)
class Resolved:
    """A value, and where it comes from."""

    value: Any
    """`None` if nobody says."""
    base: Base
    operations: tuple[Operation, ...] = ()
    """Those that were applied, nearest first."""
    states: tuple[State, ...] = ()
    """Those that minds got by them."""
    covered: frozenset[int] = field(default_factory=frozenset)
    """`id` of the nodes whose operations are in the value; nobody asks where it is not a made one."""

    last: StateView | None = None
    """The newest state of a mind, when it was made."""

    @property
    def went_on(self) -> bool:
        """Whether it is a mind that has thought since."""
        return isinstance(self.value, Mind) and self.value.state is not self.last

    @property
    def found(self) -> bool:
        """Whether anybody says something, be it `None`."""
        return self.base.value is not MISSING

    @property
    def source_count(self) -> int:
        """How many nodes contributed."""
        return len(self.base.parts)

    @property
    def operation_count(self) -> int:
        """How many operations were applied."""
        return len(self.operations)

    def undo(self) -> None:
        """Take back the states that minds got."""
        for state in reversed(self.states):
            state.mind.take_back(state)


def resolve(world: World, belief: Belief, trait: str) -> Resolved:
    """
    Return the value that a belief has of a trait.

    Raises:
        UnknownTrait: There is no traittype of this label.
        CannotCompose, UnknownOperation, BadOperation, BadCondition, WrongValue, CircularTrait: There is no value.
    """
    traittype = world.traittype(trait, belief.name)
    making = Making(world, belief, trait)
    base = base_of(making, traittype)
    if base.value is MISSING or base.value is None:
        return Resolved(None, base)
    gathered, covered = gather(making, base)
    if not gathered and not traittype.composable:
        # It was looked at when it was written.
        return Resolved(base.value, base, covered=covered, last=_last(base.value))
    before = world.states_made
    value = world.operate(making, base.value, gathered) if gathered else base.value
    world.check(traittype, value, belief.name)
    return Resolved(value, base, gathered, _new_states(value, before), covered, _last(value))


def _new_states(value: Any, before: int) -> tuple[State, ...]:
    states: tuple[State, ...] = getattr(value, "states", ()) if isinstance(value, Mind) else ()
    return tuple(state for state in states if state.number >= before)


def _last(value: Any) -> StateView | None:
    return value.state if isinstance(value, Mind) else None
