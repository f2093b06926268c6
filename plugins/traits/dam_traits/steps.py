"""
What each step of the workflow does where no plugin does it otherwise: the built-in hook implementations.

A world registers this module as the first plugin of its plugin manager, so it is asked last,
``dam_traits_observe`` aside. In which order the steps are asked stands in `workflow`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Sequence
from typing import TYPE_CHECKING, Any

from dam_traits import workflow
from dam_traits.aggregate import DEFAULT_COST, merge, time_reckoned_ms
from dam_traits.hookspecs import hookimpl
from dam_traits.pools import NO_LEASE

if TYPE_CHECKING:
    from dam_traits.aggregate import Candidate, ObservedTraits
    from dam_traits.invocation import Invocation
    from dam_traits.learning import ExecutionRecord
    from dam_traits.pools import Lease
    from dam_traits.strategies import Selection
    from dam_traits.system import System
    from dam_traits.trait import Trait
    from dam_traits.world import World


@hookimpl(trylast=True)
def dam_traits_dispatch(world: World, command: Any, target_system: System | None) -> AsyncGenerator[Any, None]:
    """Run the steps one after the other."""
    return workflow.run_command(world, command, target_system)


@hookimpl(trylast=True)
def dam_traits_find_handlers(world: World, command: Any) -> Sequence[System]:
    """Ask the registry: the systems for the command's class, then those for its bases."""
    return world.systems.for_command(type(command))


@hookimpl(trylast=True)
def dam_traits_calculate_traits(world: World, system: System, command: Any) -> Awaitable[Sequence[Trait]] | None:
    """Ask the system's ``calculate_traits``, if it has one."""
    if system.calculate_traits is None:
        return None
    return system.calculate_traits(command, world)


@hookimpl(trylast=True)
def dam_traits_observed_traits(world: World, system: System, size: float | None) -> ObservedTraits | None:
    """Ask the world's profiles."""
    return world.profiles.observed_traits(system.name, world.scheduler.version_of(system), size)


@hookimpl(trylast=True)
def dam_traits_merge_traits(predicted: Sequence[Trait] | None, observed: ObservedTraits | None) -> tuple[Trait, ...]:
    """Believe an observation the more the larger its sample is."""
    return merge(predicted, observed)


@hookimpl(trylast=True)
def dam_traits_select(world: World, command: Any, candidates: Sequence[Candidate]) -> Selection:
    """Ask the world's strategy."""
    return world.strategy(command, candidates, world.pools)


@hookimpl(trylast=True)
def dam_traits_acquire(world: World, invocation: Invocation) -> Lease | Awaitable[Lease]:
    """Ask the world's pools."""
    needs = invocation.needs
    if not needs:
        return NO_LEASE
    priority = (invocation.cost or DEFAULT_COST).priority
    return world.pools.acquire(needs, priority=priority, expected_ms=time_reckoned_ms(invocation.traits))


@hookimpl(trylast=True)
def dam_traits_execute(invocation: Invocation) -> Any:
    """Call it."""
    return invocation.system.call(**invocation.arguments)


@hookimpl(tryfirst=True)
def dam_traits_observe(world: World, record: ExecutionRecord) -> None:
    """Hand it to each of the world's observers."""
    for observer in world.observers:
        try:
            observer.observe(record)
        except Exception as error:  # noqa: BLE001 - who watches must not change what is watched
            consequence = "it has missed a record"
            world.scheduler.note_failure("observe", type(observer).__qualname__, error, consequence)


@hookimpl(trylast=True)
def dam_traits_size_of(command: Any) -> float | None:
    """Read the command's attribute ``size``, if it is a number."""
    size = getattr(command, "size", None)
    if isinstance(size, bool) or not isinstance(size, int | float):
        return None
    return size
