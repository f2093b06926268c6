"""
The operations of a world, as hooks: what a plugin can watch or replace.

A world asks these of its plugin manager, a pluggy host named ``dam_beliefs``. A plugin is an object with functions
marked by `hookimpl`, given to `World(...)` or brought by a distribution's entry point in group ``dam_beliefs``. What a
world does by itself is such a plugin too, and it is asked last. A value that is remembered is not asked for again.
"""

# A specification has no body.
# mypy: disable-error-code="empty-body"
from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from dam_beliefs.belief import Belief
    from dam_beliefs.resolution import Resolved
    from dam_beliefs.state import State
    from dam_beliefs.values import Composing, Constructing, Learned, Learning, Operating, Ticking, Valued
    from dam_beliefs.world import World

PROJECT = "dam_beliefs"
"""The name of the pluggy project, and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec(firstresult=True)
def dam_beliefs_trait_resolve(world: World, belief: Belief, trait: str) -> Resolved | None:
    """Find the value of a belief's trait: its own, its bases', with operations."""


@hookspec(firstresult=True)
def dam_beliefs_trait_compose(world: World, composing: Composing) -> Valued | None:
    """Join values of a composable trait that meet."""


@hookspec(firstresult=True)
def dam_beliefs_trait_operate(world: World, operating: Operating) -> Valued | None:
    """Change a value by the operations on its trait."""


@hookspec(firstresult=True)
def dam_beliefs_trait_construct(world: World, constructing: Constructing) -> Valued | None:
    """Make a value by a recipe."""


@hookspec(firstresult=True)
def dam_beliefs_state_tick(world: World, ticking: Ticking) -> State | None:
    """Begin a tick of a mind."""


@hookspec(firstresult=True)
def dam_beliefs_mind_learn(world: World, learning: Learning) -> Learned | None:
    """Take over what is known of a subject elsewhere."""
