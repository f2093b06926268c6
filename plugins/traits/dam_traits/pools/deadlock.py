"""
Would this request wait for ever? Asked when a wait from within a holder begins.

A holder ends when all that was dispatched from within it has ended; a request ends some time
after it is granted. So let every holder end that waits for nothing, grant what then
fits, let that end, and go on until nothing changes: what is left waits in a circle. This is
exact where pools have several units: one holder that can end may be enough for many.

A request made in the background, which its system does not wait for, looks the same from
here and is taken to be waited for: `ResourcePools.detached` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable

from dam_traits.pools.holds import Hold, lineage
from dam_traits.pools.queues import Group, Waiter
from dam_traits.pools.tree import Pool


def never_ends(waiter: Waiter, groups: Iterable[Group]) -> bool:
    """Whether a waiter that has holders around it can never be granted."""
    own = waiter.group
    if own is None or all(amount <= pool.limit - pool.stuck for pool, amount in own.demand()):
        return False
    future = _Future()
    pending = [group for group in groups if group.inside]
    while own in pending:
        ending = {group for group in pending if future.would_grant(group)}
        if not ending:
            return True
        for group in ending:
            future.end(group)
        pending = [group for group in pending if group not in ending]
    return False


def held_around(waiter: Waiter) -> list[str]:
    """Name the pools that the holders around a waiter have, by path."""
    return sorted({path for hold in waiter.above for path in hold.plan.paths})


class _Future:
    """What there will be once all that can end has ended."""

    def __init__(self) -> None:
        self._waiting: dict[Hold, int] = {}
        self._freed: dict[Pool, int] = {}

    def would_grant(self, group: Group) -> bool:
        return all(
            amount - self._lent_by(group.lender, pool) <= pool.limit - pool.stuck + self._freed.get(pool, 0)
            for pool, amount in group.limited
        )

    def end(self, group: Group) -> None:
        for waiter in group:
            for hold in waiter.above:
                if hold.live:
                    self._end_one_below(hold)

    def _end_one_below(self, hold: Hold) -> None:
        left = self._waiting_below(hold) - 1
        self._waiting[hold] = left
        if left == 0:
            for pool, units in hold.own:
                self._freed[pool] = self._freed.get(pool, 0) + units

    def _waiting_below(self, hold: Hold) -> int:
        return self._waiting.get(hold, hold.kin.waiting if hold.kin is not None else 0)

    def _lent_by(self, lender: Hold | None, pool: Pool) -> int:
        """How much the holds around would lend: all that is not with a borrower that still waits."""
        return sum(hold.plan.amounts.get(pool, 0) - self._kept_from(hold, pool) for hold in lineage(lender))

    def _kept_from(self, hold: Hold, pool: Pool) -> int:
        loans = hold.kin.lent if hold.kin is not None else ()
        return sum(loan.units for loan in loans if loan.pool is pool and self._waiting_below(loan.borrower) > 0)
