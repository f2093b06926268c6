"""What can go wrong with pools: each error names the pool and shows the way out."""

from __future__ import annotations

from collections.abc import Sequence

from dam_traits.errors import TraitError, shown


class PoolError(TraitError):
    """Base of all errors of pools."""


class InvalidPool(PoolError, ValueError):
    """Pools were asked for something that cannot be meant."""

    def __init__(self, argument: str, value: object, expected: str) -> None:
        super().__init__(f"{argument} is {shown(value)}: it must be {expected}")
        self.argument = argument
        self.value = value


class PoolExceeded(PoolError):
    """More of a pool is needed than there is, so that waiting would not help."""

    def __init__(self, pool: str, amount: int, capacity: int) -> None:
        super().__init__(
            f"{amount} of pool {shown(pool)} are needed and its capacity is {capacity}: "
            "need less, or raise it by ResourcePools.set_capacity"
        )
        self.pool = pool
        self.amount = amount
        self.capacity = capacity


class PoolTimeout(PoolError, TimeoutError):
    """The pools were not free in time; nothing is held."""

    def __init__(self, pools: Sequence[str], timeout_s: float) -> None:
        super().__init__(f"{listed(pools)} not free within {timeout_s:g} s: wait longer, or raise a capacity")
        self.pools = tuple(pools)
        self.timeout_s = timeout_s


class PoolDeadlock(PoolError):
    """A system that holds pools asked for pools that can never come free, since their holders wait for it."""

    def __init__(self, wanted: Sequence[str], held: Sequence[str]) -> None:
        super().__init__(
            f"waiting for {listed(wanted)} would never end: whoever has it waits for {listed(held)}, held by the very "
            "systems that this request is made for; let the outermost system need all of these pools at once"
        )
        self.wanted = tuple(wanted)
        self.held = tuple(held)


def listed(pools: Sequence[str]) -> str:
    """Name a few pools in a sentence."""
    names = ", ".join(shown(each) for each in pools[:_LISTED])
    more = f" and {len(pools) - _LISTED} more" if len(pools) > _LISTED else ""
    return f"{'pool' if len(pools) == 1 else 'pools'} {names or 'none'}{more}"


_LISTED = 6
