"""`PoolState`: how full a pool is, for gauges, reports and people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PoolState:
    """One pool at one moment."""

    path: str

    capacity: int | None
    """`None`: unlimited."""

    used: int
    """By all leases of this pool and of those below it; what is borrowed from an outer lease is not counted twice."""

    waiting: int
    """Requests that need this pool, or one below it, and wait; maybe for another pool that they need too."""
