"""
Resource pools: how much there is of what systems share, who has it, and who waits for it.

`ResourcePools` is the door. Behind it: `tree` (paths and capacities), `ledger` (who has what and
who is next), `queues` (the order), `holds` (leases within leases), `deadlock`, `estimate`.
"""

from dam_traits.pools.errors import InvalidPool, PoolDeadlock, PoolError, PoolExceeded, PoolTimeout
from dam_traits.pools.lease import NO_LEASE, Lease
from dam_traits.pools.pools import ResourcePools
from dam_traits.pools.state import PoolState

__all__ = [
    "NO_LEASE",
    "InvalidPool",
    "Lease",
    "PoolDeadlock",
    "PoolError",
    "PoolExceeded",
    "PoolState",
    "PoolTimeout",
    "ResourcePools",
]
