"""
What running a system takes: the traits that a scheduler reads.

They are checked when they are made, so that a wrong one fails where it was written and not
in the scheduler. Which pools exist, and how much they hold, is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass

from dam_traits.errors import InvalidTrait
from dam_traits.identifiers import TraitIdentifier
from dam_traits.trait import Trait


@dataclass(frozen=True, slots=True)
class ResourceUsageTrait(Trait):
    """The system uses some of a limited resource while it runs."""

    identifier = TraitIdentifier.from_string("system.resource_usage")
    description = "Uses some of a limited resource while it runs."

    pool_path: str
    """Which one: names joined by ``/``, from the general to the particular, ``disk/read/nvme0n1``."""

    amount: int = 1
    """How much of the pool's capacity, at least 1."""

    def __post_init__(self) -> None:
        if not _is_pool_path(self.pool_path):
            expected = "printable names joined by /, such as disk/read/nvme0n1"
            raise InvalidTrait("ResourceUsageTrait", "pool_path", self.pool_path, expected)
        if not _is_int(self.amount) or self.amount < 1:
            raise InvalidTrait("ResourceUsageTrait", "amount", self.amount, "a whole number of at least 1")


@dataclass(frozen=True, slots=True)
class ExecutionCostTrait(Trait):
    """What one execution is predicted to cost."""

    identifier = TraitIdentifier.from_string("system.execution_cost")
    description = "The predicted cost of one execution."

    priority: int = 100
    """Lower is better: of two that could run, the lower one runs first."""

    time_ms: int = 0
    """Predicted wall time in milliseconds; 0 where nothing is known."""

    def __post_init__(self) -> None:
        if not _is_int(self.priority):
            raise InvalidTrait("ExecutionCostTrait", "priority", self.priority, "a whole number, lower is better")
        if not _is_int(self.time_ms) or self.time_ms < 0:
            raise InvalidTrait(
                "ExecutionCostTrait", "time_ms", self.time_ms, "a whole number of milliseconds, 0 or more"
            )


@dataclass(frozen=True, slots=True)
class IOBoundTrait(Trait):
    """The system spends most of its time waiting for I/O: a marker, it carries nothing."""

    identifier = TraitIdentifier.from_string("system.io_bound")
    description = "Spends most of its time waiting for I/O."


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_pool_path(path: object) -> bool:
    if not isinstance(path, str) or not path.isprintable():
        return False
    return all(part and part == part.strip() for part in path.split("/"))
