"""
Bring together what is predicted of an execution and what was observed of earlier ones.

Both say how long it takes; which one is believed, and how far, is `merge`'s rule. Where
predictions come from and how observations are kept is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dam_traits.system_traits import ExecutionCostTrait, ResourceUsageTrait
from dam_traits.trait import Trait

if TYPE_CHECKING:
    from dam_traits.system import System


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedTraits:
    """What past executions say of the next one."""

    samples: float
    """How many executions stand behind it; old ones count for less, so it need not be whole."""

    quantile: float
    """Which quantile of the durations `time_ms` is."""

    time_ms: float

    io_bound: bool | None = None
    """Whether most of the time went to waiting; `None`: not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A system that could handle the command, and what is reckoned of it."""

    system: System

    predicted: Sequence[Trait] | None
    """From its `calculate_traits`; `None`: it has none, or it failed."""

    observed: ObservedTraits | None

    traits: tuple[Trait, ...]
    """Merged: what a strategy goes by."""

    problem: str | None = None
    """Why there is no prediction although there could be one."""

    @property
    def cost(self) -> ExecutionCostTrait | None:
        """The predicted cost; `None` where nothing is known."""
        return next((each for each in self.traits if isinstance(each, ExecutionCostTrait)), None)

    @property
    def needs(self) -> tuple[ResourceUsageTrait, ...]:
        """The pools that it uses."""
        return tuple(each for each in self.traits if isinstance(each, ResourceUsageTrait))
