"""
The steps of scheduling, as hooks: what a plugin can watch or replace.

A world asks these of its plugin manager, `World.plugin_manager`, a pluggy host named
``dam_traits``. A plugin is an object with functions marked by `hookimpl`, given to
`World.add_plugin` or brought by a distribution's entry point in group ``dam_traits``.
What the library does by itself is such a plugin too, and is asked last.

pluggy is synchronous. A step that may have to wait returns an awaitable or an async
generator; where it need not wait it may return the plain value at once.
"""

# A specification has no body.
# mypy: disable-error-code="empty-body"
from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from dam_traits.aggregate import Candidate, ObservedTraits
    from dam_traits.invocation import Invocation
    from dam_traits.learning import ExecutionRecord
    from dam_traits.pools import Lease
    from dam_traits.strategies import Selection
    from dam_traits.system import System
    from dam_traits.trait import Trait
    from dam_traits.world import World

PROJECT = "dam_traits"
"""The name of the pluggy project, and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def dam_traits_register(world: World, system: System) -> None:
    """
    Hear of a system that was registered; called right after, once for each system and world.

    Every implementation is called. One that raises undoes the registration: its exception reaches the caller.
    """


@hookspec(firstresult=True)
def dam_traits_dispatch(world: World, command: Any, target_system: System | None) -> AsyncGenerator[Any, None]:
    """
    Run the whole workflow for a command and yield the results.

    Called when the execution's first result is asked for, not when it is dispatched. Closing
    the generator ends what runs.

    Args:
        world: Whose systems.
        command: What is asked.
        target_system: Runs and no other, where given: nothing is selected.
    """


@hookspec(firstresult=True)
def dam_traits_find_handlers(world: World, command: Any) -> Sequence[System]:
    """Find the systems that could handle a command, in the order of their registration; empty where there are none."""


@hookspec(firstresult=True)
def dam_traits_calculate_traits(
    world: World, system: System, command: Any
) -> Sequence[Trait] | Awaitable[Sequence[Trait] | None] | None:
    """
    Predict the traits of one execution; the built-in one asks the system's ``calculate_traits``.

    Returns:
        The traits, at once or as an awaitable; `None`: nothing is predicted (the system has no such method).

    What it raises, an answer that is no sequence of traits, or none within the world's
    `traits_timeout_s`: logged once for each system, counted, and what was observed or the
    default is used instead.
    """


@hookspec(firstresult=True)
def dam_traits_observed_traits(world: World, system: System, command: Any, size: float | None) -> ObservedTraits | None:
    """
    Give what past executions say of this system and a command of this size; `None`: nothing is known yet.

    `size` is what ``dam_traits_size_of`` said of the command.
    """


@hookspec(firstresult=True)
def dam_traits_merge_traits(
    world: World, system: System, predicted: Sequence[Trait] | None, observed: ObservedTraits | None
) -> tuple[Trait, ...]:
    """Make one set of traits out of what was predicted and what was observed; either may be `None`."""


@hookspec(firstresult=True)
def dam_traits_select(world: World, command: Any, candidates: Sequence[Candidate]) -> Selection:
    """
    Choose which candidates run and in which order; the built-in one asks the world's `AllocationStrategy`.

    Called also where there is but one candidate; never with none, and not where a system was named as the target.
    """


@hookspec(firstresult=True)
def dam_traits_acquire(world: World, invocation: Invocation) -> Lease | Awaitable[Lease]:
    """
    Take all pools of an invocation, at once or not at all; a free lease comes without waiting.

    Raises:
        PoolError: It can never have them; or, from the awaitable, its time is up.
    """


@hookspec(firstresult=True)
def dam_traits_execute(invocation: Invocation) -> Any:
    """
    Call the system, here and now, with what the invocation says.

    Called in the place where the system runs: on the event loop, in a thread, in another
    process. What a system raises is raised; a coroutine, generator or async generator is
    returned as it is, unstarted.

    A plugin that does something around it is a ``wrapper=True``. One that calls the system itself
    must return something: after a `None` the next one is asked, and the system runs again.
    """


@hookspec
def dam_traits_observe(world: World, record: ExecutionRecord) -> None:
    """
    Hear of an execution that has ended, however it did. Every implementation is called.

    The built-in one is asked first and hands the record to the world's observers, its profiles
    first. An observer that raises is logged once and counted, and the next one hears of the
    record. An implementation that raises is logged and counted as well, but those that come
    after it miss this record. The execution's outcome stays what it is.
    """


@hookspec(firstresult=True)
def dam_traits_size_of(command: Any) -> float | None:
    """
    Say how large a command's work is, so that observations are told apart by size.

    Returns:
        A number of at least 0 in the command's own unit; `None` for no opinion. The built-in
        one, asked last, reads the attribute ``size`` where that is a number.
    """


@hookspec
def dam_traits_carry() -> dict[str, str] | None:
    """
    Give what must go along to another process or machine so that its spans join this trace.

    Called where an invocation is sent off, in its context. All answers are put together.
    """


@hookspec
def dam_traits_resume(carried: dict[str, str]) -> Any:
    """
    Go on, in the process that an invocation was sent to, with the trace that it came from.

    Returns:
        A context manager that is entered around the execution; `None` for none. All answers are
        entered. Its attribute ``brought``, where it has one, is a `bytes` that is sent back after
        its exit (finished spans, for one) and given to ``dam_traits_bring``.
    """


@hookspec
def dam_traits_bring(brought: bytes) -> None:
    """Take what ``dam_traits_resume`` sent back from where an invocation ran. Every implementation is called."""
