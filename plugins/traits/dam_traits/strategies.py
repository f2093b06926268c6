"""
Which of several systems handle a command: strategies, each a small callable of one shape.

A strategy goes by traits and by the state of the pools alone. It runs nothing and takes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from dam_traits.aggregate import DEFAULT_COST
from dam_traits.pools import PoolExceeded
from dam_traits.system_traits import ExecutionCostTrait

if TYPE_CHECKING:
    from dam_traits.aggregate import Candidate
    from dam_traits.pools import ResourcePools
    from dam_traits.system import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a strategy chose."""

    chosen: tuple[Candidate, ...]
    """These run, one after the other in this order."""

    strategy: str

    scores: Mapping[System, float]
    """What it went by, for each candidate; lower is better."""

    reason: str
    """One sentence for a person."""


class AllocationStrategy(Protocol):
    """Chooses among candidates."""

    name: str

    def __call__(self, command: Any, candidates: Sequence[Candidate], pools: ResourcePools) -> Selection:
        """Choose at least one of `candidates`, of which there is at least one."""


class RunAll:
    """Every candidate runs, those of lower priority first; of the same priority, in order of registration."""

    name = "run_all"

    def __call__(self, command: Any, candidates: Sequence[Candidate], pools: ResourcePools) -> Selection:
        """Choose all."""
        scores = {each.system: float(_cost(each).priority) for each in candidates}
        chosen = tuple(candidates)
        if len(chosen) > 1:
            chosen = tuple(sorted(chosen, key=lambda each: scores[each.system]))
        return Selection(chosen=chosen, strategy=self.name, scores=scores, reason=_ALL_RUN)


class Cheapest:
    """The one candidate of the lowest time; of the same time, of the lower priority, then the first registered."""

    name = "cheapest"

    def __call__(self, command: Any, candidates: Sequence[Candidate], pools: ResourcePools) -> Selection:
        """Choose one. What nothing is known of costs nothing, so it is tried before all others."""
        return _lowest(self.name, candidates, lambda each: float(_cost(each).time_ms), "it takes the least time")


class SoonestFinished:
    """The one candidate that would end first: its time and the expected wait for its pools."""

    name = "soonest_finished"

    def __call__(self, command: Any, candidates: Sequence[Candidate], pools: ResourcePools) -> Selection:
        """Choose one. What nothing is known of costs nothing, so it is tried before all others."""

        def ends_ms(candidate: Candidate) -> float:
            return _cost(candidate).time_ms + wait_ms(candidate, pools)

        return _lowest(self.name, candidates, ends_ms, "it would end first, the wait for its pools included")


SHIPPED: tuple[AllocationStrategy, ...] = (RunAll(), Cheapest(), SoonestFinished())


def wait_ms(candidate: Candidate, pools: ResourcePools) -> float:
    """Guess how long a candidate would wait for its pools; infinite where it needs more than there is."""
    try:
        return pools.expected_wait_ms(candidate.needs, priority=_cost(candidate).priority)
    except PoolExceeded:
        return math.inf


def _lowest(name: str, candidates: Sequence[Candidate], score: Callable[[Candidate], float], why: str) -> Selection:
    scores = {each.system: score(each) for each in candidates}
    best = min(candidates, key=lambda each: (scores[each.system], _cost(each).priority))
    reason = f"{best.system.name} at {scores[best.system]:g} ms: {why}"
    return Selection(chosen=(best,), strategy=name, scores=scores, reason=reason)


def _cost(candidate: Candidate) -> ExecutionCostTrait:
    return candidate.cost or DEFAULT_COST


_ALL_RUN = "all candidates run, one after the other, those of lower priority first"
