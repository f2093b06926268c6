"""
`Ledger`: who has what of which pool, who waits, and who is next. It knows no loop, thread or lock.

All of a request is granted at once or nothing of it. Whoever comes first in the order and fits
is granted; what does not fit is passed over, but only for `patience_s`: what an overdue
waiter needs is then set aside, and those behind it may only have what is beyond that.

Requests made from within a holder are not held back by what is set aside for others: the
others may be waiting for that very holder. So nobody waits for ever unless holders wait
for one another, which `deadlock` finds.

Each method that may let waiters go returns those; whoever calls it wakes them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dam_traits.pools import holds
from dam_traits.pools.deadlock import held_around, never_ends
from dam_traits.pools.errors import PoolDeadlock, PoolError, PoolExceeded
from dam_traits.pools.holds import Hold, lineage
from dam_traits.pools.queues import START, Group, Order, Queues, Waiter, next_entry, queues_of
from dam_traits.pools.state import PoolState
from dam_traits.pools.tree import Parts, Plan, Pool, PoolTree, check_needs, key_of
from dam_traits.system_traits import ResourceUsageTrait


class Ledger:
    """The state of all pools of one world. Not for several threads at a time."""

    def __init__(self, *, patience_s: float, age_s: float, clock: Callable[[], float]) -> None:
        self.tree = PoolTree()
        self.patience_s = patience_s
        self.age_s = age_s
        self.clock = clock
        self.waiting: OrderedDict[int, Waiter] = OrderedDict()
        """All that wait, the longest first, by the number of their arrival."""
        self.groups: dict[object, Group] = {}
        self.dropped = 0
        self._arrivals = 0

    def plan(self, needs: Sequence[ResourceUsageTrait]) -> Plan:
        """
        Work out what needs take.

        Raises:
            InvalidPool: These are no needs.
        """
        plan = self.tree.plans.get(key_of(needs))
        if plan is not None:
            return plan
        check_needs(needs)
        if len(self.tree.plans) >= _PLANS:
            self.tree.forget(pool for group in self.groups.values() for pool, _ in group.plan.parts)
        return self.tree.plan(needs)

    def take(self, plan: Plan, parent: Hold | None, priority: int, ends_at: float | None) -> Hold | None:
        """
        Grant a request here and now, or not.

        Raises:
            PoolExceeded: It never could be.
        """
        if parent is not None:
            return self._take_closely(plan, parent, priority, ends_at)
        parts = plan.parts
        for pool, amount in parts:
            if pool.used + amount > pool.door:
                return self._take_closely(plan, parent, priority, ends_at)
        hold = Hold(plan, parts, None, ends_at)
        for pool, amount in parts:
            pool.used += amount
            pool.holders.add(hold)
        return hold

    def wait(
        self, plan: Plan, parent: Hold | None, priority: int, expected_ms: float | None = None, token: Any = None
    ) -> Waiter:
        """
        Let a request wait that could not be granted.

        Raises:
            PoolDeadlock: It would wait for holders that wait for it.
        """
        now = self.clock()
        self._arrivals += 1
        waiter = Waiter(plan, parent, priority, expected_ms, now, self._order(priority, now, self._arrivals))
        waiter.token = token
        self.waiting[self._arrivals] = waiter
        self._place(waiter)
        waiter.above = tuple(lineage(parent))
        for hold in waiter.above:
            hold.add_waiting(1)
        if waiter.above and never_ends(waiter, self.groups.values()):
            error = self._deadlock(waiter)
            self._leave(waiter)
            raise error
        return waiter

    def withdraw(self, waiter: Waiter) -> list[Waiter]:
        """Forget a request that waits, or take back what it was granted meanwhile."""
        if waiter.hold is not None:
            return self.release(waiter.hold)
        group = waiter.group
        if group is None:
            return []
        overdue = self._is_overdue(waiter, self.clock())
        pools = [pool for pool, _ in group.limited]
        self._leave(waiter)
        return self._serve(pools) if overdue else []

    def release(self, hold: Hold) -> list[Waiter]:
        """Take back what a lease has; a second time means nothing."""
        if not hold.live:
            return []
        freed = holds.give_up(hold)
        return self._serve(freed) if freed else []

    def drop(self, hold: Hold) -> list[Waiter]:
        """Take back what a lease has that was never released."""
        self.dropped += 1
        return self.release(hold)

    def expire(self, waiter: Waiter, error: PoolError) -> list[Waiter]:
        """Let a waiter fail, if it still waits."""
        if waiter.group is None:
            return []
        woken = self.withdraw(waiter)
        waiter.error = error
        return [waiter, *woken]

    def set_capacity(self, path: str, capacity: int | None) -> list[Waiter]:
        """Change how much of a pool there is; waiters that can never be granted any more fail."""
        pool = self.tree.pool(path)
        limited_before = pool.capacity is not None
        less = capacity is not None and capacity < pool.limit
        pool.set_limit(capacity)
        if limited_before != (capacity is not None):
            self._place_all()
        failed = self._fail_impossible(pool) if less else []
        return [*failed, *self._serve_all()]

    def state(self) -> list[PoolState]:
        """How full each pool is, by path."""
        waiting: dict[Pool, int] = {}
        for group in self.groups.values():
            for pool, _ in group.plan.parts:
                waiting[pool] = waiting.get(pool, 0) + len(group)
        pools = sorted(self.tree.pools.values(), key=lambda pool: pool.path)
        return [PoolState(pool.path, pool.capacity, pool.used, waiting.get(pool, 0)) for pool in pools]

    def newcomer(self, priority: int, now: float) -> Order:
        """Where in the order a request would stand that came now."""
        return self._order(priority, now, self._arrivals + 1)

    def is_free(self, plan: Plan, parent: Hold | None, priority: int, now: float) -> bool:
        """Whether a request would be granted at once."""
        short = holds.missing(plan.parts, parent)
        if not _fits(short):
            return False
        return parent is not None or not self._held_back(short, self.newcomer(priority, now), now)

    def _take_closely(self, plan: Plan, parent: Hold | None, priority: int, ends_at: float | None) -> Hold | None:
        if self.is_free(plan, parent, priority, self.clock()):
            return holds.take(plan, parent, ends_at)
        plan.check()
        return None

    def _order(self, priority: int, now: float, number: int) -> Order:
        return priority + now / self.age_s, number

    def _is_overdue(self, waiter: Waiter, now: float) -> bool:
        return now - waiter.since >= self.patience_s

    def _place(self, waiter: Waiter) -> None:
        """Put a waiter into its group."""
        plan, parent = waiter.plan, waiter.parent
        inside = next(lineage(parent), None)
        limited = [pool for pool, _ in plan.parts if pool.capacity is not None]
        shares = any(pool in hold.plan.amounts for hold in lineage(inside) for pool in limited)
        lender = inside if shares else None
        key = (plan.parts, waiter.priority, lender, inside is not None)
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group(key, plan, lender, inside is not None)
        group.add(waiter)
        if group.entry is None:
            group.show()

    def _place_all(self) -> None:
        """Group all waiters anew, after a pool got its first capacity or lost it."""
        for group in self.groups.values():
            group.hide()
        self.groups.clear()
        for waiter in self.waiting.values():
            self._place(waiter)

    def _leave(self, waiter: Waiter) -> None:
        """Take a waiter out of everything."""
        del self.waiting[waiter.order[1]]
        group = waiter.group
        if group is not None:
            self._leave_group(group, waiter)
        for hold in waiter.above:
            hold.add_waiting(-1)

    def _leave_group(self, group: Group, waiter: Waiter) -> None:
        was_first = group.first is waiter
        group.remove(waiter)
        if not was_first:
            return
        group.hide()
        if len(group):
            group.show()
        else:
            del self.groups[group.key]

    def _serve(self, pools: Iterable[Pool]) -> list[Waiter]:
        """Offer what these pools have to those who wait for them, in their order."""
        queues = queues_of(pools)
        granted: list[Waiter] = []
        if not queues:
            return granted
        now = self.clock()
        closed = self._closed(queues, now)
        entry = next_entry(queues, START, closed)
        while entry is not None:
            group = entry[2]
            waiter = group.first
            if self._may_go(group, group.demand(), now):
                self._grant(waiter, now)
                granted.append(waiter)
                closed = self._closed(queues, now)
            entry = next_entry(queues, entry, closed)
        return granted

    def _closed(self, queues: Queues, now: float) -> set[Pool]:
        """Find pools of which all is set aside for the first in line: nobody behind it need be looked at."""
        closed = set()
        for pool in {each for each, _, _ in queues}:
            first = min((queue[0] for queue in pool.queues if queue), default=None)
            if first is not None and self._is_overdue(first[2].first, now):
                needed = dict(first[2].demand()).get(pool, 0)
                if pool.used + needed > pool.limit:
                    closed.add(pool)
        return closed

    def _serve_all(self) -> list[Waiter]:
        """Offer all there is to all who wait, also to those who wait for nothing limited any more."""
        granted: list[Waiter] = []
        stuck: set[Group] = set()
        now = self.clock()
        for waiter in sorted(self.waiting.values(), key=lambda each: each.order):
            group = waiter.group
            if group is None or group in stuck:
                continue
            if self._may_go(group, group.demand(), now):
                self._grant(waiter, now)
                granted.append(waiter)
            else:
                stuck.add(group)
        return granted

    def _may_go(self, group: Group, demand: Parts, now: float) -> bool:
        return _fits(demand) and (group.inside or not self._held_back(demand, group.first.order, now))

    def _grant(self, waiter: Waiter, now: float) -> None:
        self._leave(waiter)
        ends_at = None if waiter.expected_ms is None else now + waiter.expected_ms / 1e3
        waiter.hold = holds.take(waiter.plan, waiter.parent, ends_at)
        waiter.waited_ns = round((now - waiter.since) * 1e9)

    def _held_back(self, parts: Parts, order: Order, now: float) -> bool:
        """Whether taking `parts` would take of what is set aside for overdue waiters before `order`."""
        oldest = next(iter(self.waiting.values()), None)
        if oldest is None or not self._is_overdue(oldest, now):
            return False
        return any(
            self._sets_aside_more(pool, pool.limit - pool.used - amount, order, now)
            for pool, amount in parts
            if pool.door < 0
        )

    def _sets_aside_more(self, pool: Pool, units: float, order: Order, now: float) -> bool:
        """Whether overdue waiters before `order` need more than so many units; the first of them mostly settle it."""
        for queue in pool.queues:
            for entry in queue:
                if entry > order:
                    break
                group = entry[2]
                count = group.count_before(order, lambda waiter: self._is_overdue(waiter, now))
                if count:
                    units -= count * dict(group.demand()).get(pool, 0)
                    if units < 0:
                        return True
        return False

    def _fail_impossible(self, pool: Pool) -> list[Waiter]:
        """After a pool got smaller: fail those that need more than all of it, or that now wait in a circle."""
        capacity = pool.capacity or 0
        greedy = [waiter for waiter in self.waiting.values() if waiter.plan.amounts.get(pool, 0) > capacity]
        for waiter in greedy:
            self._fail(waiter, PoolExceeded(pool.path, waiter.plan.amounts[pool], capacity))
        circling = []
        for waiter in [each for each in reversed(self.waiting.values()) if each.above]:
            if never_ends(waiter, self.groups.values()):
                self._fail(waiter, self._deadlock(waiter))
                circling.append(waiter)
        return greedy + circling

    def _fail(self, waiter: Waiter, error: PoolError) -> None:
        self._leave(waiter)
        waiter.error = error

    def _deadlock(self, waiter: Waiter) -> PoolDeadlock:
        group = waiter.group
        wanted = [pool.path for pool, amount in group.demand() if pool.used + amount > pool.limit] if group else []
        return PoolDeadlock(wanted, held_around(waiter))


def _fits(parts: Parts) -> bool:
    return all(pool.used + amount <= pool.limit for pool, amount in parts)


_PLANS = 4096
