"""
The operations of the runtime, as hooks: what a plugin can watch or replace.

A runtime asks these of its plugin manager, a pluggy host named ``dam_entities``. A plugin is an
object with functions marked by `hookimpl`, given to `dam_entities.plugin_manager(...)` or brought
by a distribution's entry point in group ``dam_entities``. What the runtime does by itself is such
a plugin too, and it is asked last.

pluggy is synchronous: of an ``async def`` function ``dam_entities_execute`` answers with an
awaitable of its result, of a generator function with the generator.
"""

# A specification has no body.
# mypy: disable-error-code="empty-body"
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from contextlib import AbstractContextManager

    from dam_entities.references import Resolved
    from dam_entities.runtime import Runtime
    from dam_entities.values import (
        Call,
        ChildEnded,
        Executed,
        Forked,
        Forking,
        Isolated,
        Isolating,
        Merged,
        Merging,
        Registered,
        Registering,
        Resolving,
    )

PROJECT = "dam_entities"
"""The name of the pluggy project, and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec(firstresult=True)
def dam_entities_register(runtime: Runtime, registering: Registering) -> Registered | None:
    """Keep entities as they are now: all of them, or none."""


@hookspec(firstresult=True)
def dam_entities_fork(runtime: Runtime, forking: Forking) -> Forked | None:
    """Give an entity other values, and keep that as a new version."""


@hookspec(firstresult=True)
def dam_entities_resolve(runtime: Runtime, resolving: Resolving) -> Resolved | None:
    """Replace the references in an input by what they refer to."""


@hookspec(firstresult=True)
def dam_entities_execute(runtime: Runtime, call: Call) -> Executed | Awaitable[Executed] | Any | None:
    """
    Resolve and validate the input of a call, run the function, and keep the entities.

    Of a function the answer is `Executed`, of an ``async def`` function an awaitable of that; of a generator function
    it is the generator itself.
    """


@hookspec(firstresult=True)
def dam_entities_merge(runtime: Runtime, merging: Merging) -> Merged | None:
    """Keep versions that come from a branch: all of them, or none."""


@hookspec(firstresult=True)
def dam_entities_isolate(runtime: Runtime, isolating: Isolating) -> Isolated | Awaitable[Isolated] | None:
    """Run a call in a process of its own, and keep what it returns; nothing is kept of a call that fails."""


@hookspec
def dam_entities_child_ended(runtime: Runtime, ended: ChildEnded) -> None:
    """Hear that the process of an isolated call is over, whatever became of it, and what it used."""


@hookspec
def dam_entities_carry(runtime: Runtime) -> dict[str, str] | None:
    """Say what goes along into a process that shares no memory with this one, a trace's name for instance."""


@hookspec
def dam_entities_resume(carried: dict[str, str]) -> AbstractContextManager[object] | None:
    """Return what is entered while the call runs there, if any of what was carried is this plugin's."""
