"""
Which of several systems handle a command: strategies, each a small callable of one shape.

A strategy goes by traits and by the state of the pools alone. It runs nothing and takes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

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
