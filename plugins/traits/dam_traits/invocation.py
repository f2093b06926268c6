"""
`Invocation`: one system that is to run for one command, with what was decided about it.

It goes from step to step of the workflow: made when the system is selected, given its
lease when its pools are acquired, and read when its record is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dam_traits.pools import NO_LEASE
from dam_traits.system_traits import ExecutionCostTrait, ResourceUsageTrait
from dam_traits.trait import Trait

if TYPE_CHECKING:
    from dam_traits.pools import Lease
    from dam_traits.system import System
    from dam_traits.world import World


@dataclass(slots=True, eq=False, kw_only=True)
class Invocation:
    """One system about to run for one command, running, or done."""

    world: World

    system: System

    command: Any
    """A command, an event, or for a stage its name."""

    traits: tuple[Trait, ...] = ()
    """What the scheduler reckons with: predicted and observed traits, merged."""

    lease: Lease = NO_LEASE
    """Its pools, while it has them."""

    cpu_ns: int | None = None
    """Set by an executor that can measure it: time on the CPU."""

    results: int = 0
    """How many results it has given so far."""

    arguments: dict[str, Any] = field(default_factory=dict)
    """What the system is called with, by parameter name."""

    def execute(self) -> Any:
        """Have the system called, here and now; a coroutine, generator or async generator comes back unstarted."""
        return self.world.plugin_manager.hook.dam_traits_execute(invocation=self)

    @property
    def needs(self) -> tuple[ResourceUsageTrait, ...]:
        """The pools that it uses."""
        return tuple(each for each in self.traits if isinstance(each, ResourceUsageTrait))

    @property
    def cost(self) -> ExecutionCostTrait | None:
        """Its predicted cost; `None` where nothing is known."""
        return next((each for each in self.traits if isinstance(each, ExecutionCostTrait)), None)
