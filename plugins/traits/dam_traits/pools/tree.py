"""
The tree of pools: paths, capacities, and what a request takes at every level of it.

``disk/read/nvme0`` lies in ``disk/read``, and that in ``disk``; whoever uses the first uses
all three. A `Plan` is that rule worked out for one set of needs. Nothing here knows who
holds what or who waits: the numbers on a `Pool` are kept by the ledger.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from dam_traits.errors import InvalidTrait
from dam_traits.pools.errors import InvalidPool, PoolExceeded
from dam_traits.system_traits import ResourceUsageTrait

if TYPE_CHECKING:
    from dam_traits.pools.holds import Hold
    from dam_traits.pools.queues import Entry


class Pool:
    """One node of the tree."""

    __slots__ = ("capacity", "door", "holders", "limit", "parent", "path", "queues", "stuck", "used")

    def __init__(self, path: str, parent: Pool | None) -> None:
        self.path = path
        self.parent = parent
        self.capacity: int | None = None
        self.limit: float = math.inf
        """The capacity, as a number to compare with."""
        self.door: float = math.inf
        """`limit`, or -1 while anyone waits here: then a newcomer must look closer."""
        self.used = 0
        self.stuck = 0
        """How much of `used` is held by those who wait for more."""
        self.holders: set[Hold] = set()
        """Those who have some of `used`, loans not counted."""
        self.queues: tuple[list[Entry], list[Entry]] = ([], [])
        """Groups of waiters, sorted by their first: from outside, and from within a holder. Only if limited."""

    def set_limit(self, capacity: int | None) -> None:
        """Change how much there is."""
        self.capacity = capacity
        self.limit = math.inf if capacity is None else capacity
        self.set_door()

    def set_door(self) -> None:
        """Let newcomers in without a look at the queues, if these are empty."""
        self.door = -1 if self.queues[0] or self.queues[1] else self.limit


Part: TypeAlias = tuple[Pool, int]
Parts: TypeAlias = tuple[Part, ...]


class Plan:
    """What one set of needs takes, at every level."""

    __slots__ = ("amounts", "needs", "parts", "paths")

    def __init__(self, needs: tuple[ResourceUsageTrait, ...], amounts: dict[Pool, int]) -> None:
        self.needs = needs
        self.paths = tuple(dict.fromkeys(need.pool_path for need in needs))
        self.amounts = amounts
        self.parts: Parts = tuple(sorted(amounts.items(), key=_by_path))

    def check(self) -> None:
        """Raise `PoolExceeded` if it could not even be had with nobody else there."""
        for pool, amount in self.parts:
            if pool.capacity is not None and amount > pool.capacity:
                raise PoolExceeded(pool.path, amount, pool.capacity)


class PoolTree:
    """All pools that were ever named, and the plans made for them."""

    def __init__(self) -> None:
        self.pools: dict[str, Pool] = {}
        self.plans: dict[tuple[Any, ...], Plan] = {}

    def pool(self, path: str) -> Pool:
        """Give the pool of a path; it and those above it are made where they are new."""
        pool = self.pools.get(path)
        if pool is None:
            above, _, _ = path.rpartition("/")
            pool = self.pools[path] = Pool(path, self.pool(above) if above else None)
        return pool

    def plan(self, needs: Sequence[ResourceUsageTrait]) -> Plan:
        """Work out what `needs` take; the same values get the same plan."""
        key = key_of(needs)
        plan = self.plans.get(key)
        if plan is None:
            plan = self.plans[key] = self._make(tuple(needs))
        return plan

    def forget(self, wanted: Iterable[Pool]) -> None:
        """Drop all plans, and the pools that are unlimited, unused and not `wanted`: names of peers have no end."""
        self.plans.clear()
        kept: dict[str, Pool] = {}
        busy = [each for each in self.pools.values() if each.used or each.capacity is not None]
        for pool in [*busy, *wanted]:
            above: Pool | None = pool
            while above is not None and above.path not in kept:
                kept[above.path] = above
                above = above.parent
        self.pools = kept

    def _make(self, needs: tuple[ResourceUsageTrait, ...]) -> Plan:
        amounts: dict[Pool, int] = {}
        for need in needs:
            pool: Pool | None = self.pool(need.pool_path)
            while pool is not None:
                amounts[pool] = amounts.get(pool, 0) + need.amount
                pool = pool.parent
        return Plan(needs, amounts)


def key_of(needs: Sequence[ResourceUsageTrait]) -> tuple[Any, ...]:
    """
    Give what tells one set of needs from another: plain values, since the hash of a trait is slow.

    Raises:
        InvalidPool: Something in it is no need.
    """
    try:
        if len(needs) == 1:
            need = needs[0]
            return need.pool_path, need.amount
        return tuple([(need.pool_path, need.amount) for need in needs])
    except (AttributeError, TypeError, KeyError):
        raise InvalidPool("needs", needs, "a sequence of ResourceUsageTrait") from None


def check_needs(needs: Sequence[object]) -> None:
    """Raise `InvalidPool` for what only looks like a need."""
    for need in needs:
        if not isinstance(need, ResourceUsageTrait):
            raise InvalidPool("needs", need, "made of ResourceUsageTrait")


def check_path(path: object) -> None:
    """Raise `InvalidPool` for what is no path of a pool: the rule is the trait's."""
    try:
        ResourceUsageTrait(path)  # type: ignore[arg-type]
    except InvalidTrait:
        raise InvalidPool("path", path, "printable names joined by /, such as disk/read/nvme0n1") from None


def check_capacity(path: str, amount: object) -> None:
    """Raise `InvalidPool` for what is no capacity."""
    if amount is None or (isinstance(amount, int) and not isinstance(amount, bool) and amount >= 0):
        return
    raise InvalidPool(f"the capacity of pool {path}", amount, "a whole number of at least 0, or None for no limit")


def _by_path(part: Part) -> str:
    return part[0].path
