"""
Bring together what is predicted of an execution and what was observed of earlier ones.

Both say how long it takes; which one is believed, and how far, is `merge`'s rule. Where
predictions come from and how observations are kept is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dam_traits.errors import InvalidAnswer, shown
from dam_traits.system_traits import ExecutionCostTrait, IOBoundTrait, ResourceUsageTrait
from dam_traits.trait import Trait

if TYPE_CHECKING:
    from dam_traits.system import System

HALF_BELIEVED = 5
"""With so many samples, prediction and observation count half each."""

SURE_OF_IO = 20
"""From so many samples on, an observation that a system computes overrules a prediction that it waits."""

DEFAULT_COST = ExecutionCostTrait()
"""What is reckoned with where nothing is known: no time at all, at the middle priority."""

DEFAULT_TRAITS: tuple[Trait, ...] = (DEFAULT_COST,)


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
        return cost_of(self.traits)

    @property
    def needs(self) -> tuple[ResourceUsageTrait, ...]:
        """The pools that it uses."""
        return tuple(each for each in self.traits if isinstance(each, ResourceUsageTrait))


def merge(predicted: Sequence[Trait] | None, observed: ObservedTraits | None) -> tuple[Trait, ...]:
    """
    Make one set of traits of a prediction and an observation; either may be missing.

    With ``n`` samples the observed time has the weight ``w = n / (n + 5)``, and::

        time_ms = round(w * observed + (1 - w) * predicted)

    A prediction of 0 ms says nothing of the time, so the observation stands alone, and so
    it does where there is no prediction. The priority is the predicted one, or else 100.
    `IOBoundTrait` is added where most of the time was seen to go to waiting, and taken away
    where it was not in at least 20 samples. All other predicted traits stay as they are.
    Where neither says what it costs, that is `DEFAULT_COST`.

    Raises:
        InvalidAnswer: The observation is of no finite time.
    """
    if observed is None:
        if not predicted:
            return DEFAULT_TRAITS
        return tuple(predicted) if cost_of(predicted) is not None else (*predicted, DEFAULT_COST)
    if not (0.0 <= observed.time_ms < math.inf and observed.samples >= 0.0):
        seen = f"is of {shown(observed.time_ms)} ms in {shown(observed.samples)} samples"
        raise InvalidAnswer("the observation", seen, "of a finite time of at least 0, in at least 0 samples")
    predicted = predicted or ()
    others = (each for each in predicted if not isinstance(each, ExecutionCostTrait | IOBoundTrait))
    waits = (IOBoundTrait(),) if _is_io_bound(predicted, observed) else ()
    return (*others, _merged_cost(cost_of(predicted), observed), *waits)


def explain_merge(predicted: Sequence[Trait] | None, observed: ObservedTraits | None) -> str:
    """Say in one sentence how `merge` comes to its answer."""
    cost = None if predicted is None else cost_of(predicted)
    if observed is None:
        if cost is None:
            return "Nothing is known of the cost: the default is reckoned with."
        return "The prediction alone: nothing was observed yet."
    seen = f"{observed.time_ms:.3g} ms observed (quantile {observed.quantile:g}, {observed.samples:.3g} samples)"
    if cost is None or cost.time_ms == 0:
        text = f"The observation alone, since no time is predicted: {seen}"
    else:
        weight = _weight(observed)
        text = f"{weight:.0%} of {seen} and {1 - weight:.0%} of {cost.time_ms} ms predicted"
    return f"{text}{_explain_io(predicted or (), observed)}."


def cost_of(traits: Sequence[Trait]) -> ExecutionCostTrait | None:
    """Give the cost among some traits; `None`: it is not among them."""
    for each in traits:
        if isinstance(each, ExecutionCostTrait):
            return each
    return None


def time_reckoned_ms(traits: Sequence[Trait]) -> int | None:
    """Give the time that is reckoned with; `None` where it is but the default."""
    cost = cost_of(traits)
    return None if cost is None or cost is DEFAULT_COST else cost.time_ms


def _merged_cost(cost: ExecutionCostTrait | None, observed: ObservedTraits) -> ExecutionCostTrait:
    if cost is None or cost.time_ms == 0:
        time_ms = observed.time_ms
    else:
        weight = _weight(observed)
        time_ms = weight * observed.time_ms + (1.0 - weight) * cost.time_ms
    return ExecutionCostTrait(priority=(cost or DEFAULT_COST).priority, time_ms=round(time_ms))


def _weight(observed: ObservedTraits) -> float:
    if observed.samples == math.inf:
        return 1.0
    return observed.samples / (observed.samples + HALF_BELIEVED)


def _is_io_bound(predicted: Sequence[Trait], observed: ObservedTraits) -> bool:
    if observed.io_bound is True:
        return True
    is_sure = observed.io_bound is False and observed.samples >= SURE_OF_IO
    return not is_sure and any(isinstance(each, IOBoundTrait) for each in predicted)


def _explain_io(predicted: Sequence[Trait], observed: ObservedTraits) -> str:
    was = any(isinstance(each, IOBoundTrait) for each in predicted)
    is_now = _is_io_bound(predicted, observed)
    if was == is_now:
        return ""
    return "; it was seen to wait most of the time" if is_now else "; it was seen to compute most of the time"
