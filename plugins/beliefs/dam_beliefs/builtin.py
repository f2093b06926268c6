"""What a world does by itself: a plugin that is asked last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam_beliefs import learning as knowledge
from dam_beliefs import resolution
from dam_beliefs.errors import WrongValue
from dam_beliefs.hookspecs import hookimpl
from dam_beliefs.values import Composing, Constructing, Learned, Learning, Operating, Ticking, Valued

if TYPE_CHECKING:
    from dam_beliefs.belief import Belief
    from dam_beliefs.resolution import Resolved
    from dam_beliefs.state import State
    from dam_beliefs.value_types.base import Making, ValueType
    from dam_beliefs.world import World


@hookimpl(trylast=True)
def dam_beliefs_trait_resolve(world: World, belief: Belief, trait: str) -> Resolved:
    """Search own traits, then the bases."""
    return resolution.resolve(world, belief, trait)


@hookimpl(trylast=True)
def dam_beliefs_trait_compose(world: World, composing: Composing) -> Valued:
    """Have the type of the values join them."""
    return Valued(_type(world, composing.making).compose(composing.values, composing.making))


@hookimpl(trylast=True)
def dam_beliefs_trait_operate(world: World, operating: Operating) -> Valued:
    """Have the type of the value apply them."""
    return Valued(_type(world, operating.making).operate(operating.value, operating.operations, operating.making))


@hookimpl(trylast=True)
def dam_beliefs_trait_construct(world: World, constructing: Constructing) -> Valued:
    """Have the type make it, and look at what it made."""
    making = constructing.making
    value = _type(world, making).make(constructing.recipe, making)
    if value is None or isinstance(value, type(constructing.recipe)):
        raise WrongValue(
            making.where, making.trait, f"was to be made by {constructing.source}, and came out as {value!r}"
        )
    return Valued(value)


@hookimpl(trylast=True)
def dam_beliefs_state_tick(world: World, ticking: Ticking) -> State:
    """Build on the newest state."""
    return ticking.mind.add_state(ticking.tick, ticking.ground_state)


@hookimpl(trylast=True)
def dam_beliefs_mind_learn(world: World, learning: Learning) -> Learned:
    """Keep values under the same subject."""
    return knowledge.learn(learning)


def _type(world: World, making: Making) -> ValueType:
    return world.value_type(world.traittypes[making.trait])
