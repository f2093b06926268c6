"""
How long would a request wait? A cheap guess for strategies, from what was said when pools were taken.

Each limited pool is looked at alone: holders end when they were expected to, those before are
served in order, and what is not known counts as no time at all. The longest wait of
all pools is the answer. At most `LOOKED_AT` holders and waiters are looked at; if there are
more, these stand for the rest.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from itertools import islice

from dam_traits.pools.holds import Hold, missing
from dam_traits.pools.ledger import Ledger
from dam_traits.pools.queues import Order, Waiter
from dam_traits.pools.tree import Plan, Pool

LOOKED_AT = 256
"""Holders, and waiters, that are looked at for one pool."""


def expected_wait_ms(ledger: Ledger, plan: Plan, parent: Hold | None, priority: int) -> float:
    """Guess how long a request would wait, from now on."""
    now = ledger.clock()
    if any(pool.capacity is not None and amount > pool.capacity for pool, amount in plan.parts):
        return math.inf
    if ledger.is_free(plan, parent, priority, now):
        return 0.0
    order = ledger.newcomer(priority, now)
    short = missing(plan.parts, parent)
    return max((_wait_ms(pool, amount, order, now) for pool, amount in short if pool.capacity is not None), default=0.0)


def _wait_ms(pool: Pool, amount: int, order: Order, now: float) -> float:
    ends = _ends_ms(pool, now)
    free = pool.limit - pool.used
    start = 0.0
    before = list(islice(_waiters(pool, order), LOOKED_AT))
    for waiter in before:
        units = waiter.plan.amounts[pool]
        free, start = _wait_for(units, free, start, ends)
        free -= units
        heapq.heappush(ends, (start + (waiter.expected_ms or 0.0), units))
    before_us = start
    _, start = _wait_for(amount, free, start, ends)
    if len(before) < LOOKED_AT:
        return start
    return start + before_us * (_count(pool, order) / LOOKED_AT - 1)


def _wait_for(units: int, free: float, start: float, ends: list[tuple[float, float]]) -> tuple[float, float]:
    """Let holders end until so many units are free; give how many are, and when."""
    while free < units and ends:
        end_ms, returned = heapq.heappop(ends)
        start = max(start, end_ms)
        free += returned
    return free, start


def _ends_ms(pool: Pool, now: float) -> list[tuple[float, float]]:
    scale = max(1.0, len(pool.holders) / LOOKED_AT)
    ends = [
        (0.0 if hold.ends_at is None else max(0.0, (hold.ends_at - now) * 1e3), units * scale)
        for hold in islice(pool.holders, LOOKED_AT)
        for each, units in hold.own
        if each is pool
    ]
    heapq.heapify(ends)
    return ends


def _waiters(pool: Pool, order: Order) -> Iterator[Waiter]:
    """Those before `order`, first to last."""
    groups = [entry[2] for queue in pool.queues for entry in queue if entry < order]
    for waiter in heapq.merge(*groups, key=lambda each: each.order):
        if waiter.order >= order:
            return
        yield waiter


def _count(pool: Pool, order: Order) -> int:
    groups = [entry[2] for queue in pool.queues for entry in queue if entry < order]
    return sum(group.count_before(order, lambda _: True) for group in groups)
