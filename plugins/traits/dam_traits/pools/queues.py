"""
Who waits, and in which order.

The order key of a waiter is fixed when it comes: ``priority + time / age_s``. Of two waiters
the one with the lower key is before the other, whenever one looks, since both age alike.

Waiters that differ in nothing but their time are one `Group`: if its first does not fit,
none does. Pools know groups, not waiters, so that what is freed is offered to few.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any, TypeAlias

from dam_traits.pools.errors import PoolError
from dam_traits.pools.holds import Hold, missing
from dam_traits.pools.tree import Parts, Plan, Pool

Order: TypeAlias = tuple[float, int]
"""The key, and the number of the arrival: no two are alike."""


class Waiter:
    """One request that waits, or did."""

    __slots__ = (
        "above",
        "error",
        "expected_ms",
        "group",
        "hold",
        "order",
        "parent",
        "plan",
        "priority",
        "since",
        "token",
        "waited_ns",
    )

    def __init__(
        self, plan: Plan, parent: Hold | None, priority: int, expected_ms: float | None, since: float, order: Order
    ) -> None:
        self.plan = plan
        self.parent = parent
        self.priority = priority
        self.expected_ms = expected_ms
        self.since = since
        self.order = order
        self.above: tuple[Hold, ...] = ()
        """The holds that cannot end before this request does."""
        self.group: Group | None = None
        """`None` once it waits no more."""
        self.hold: Hold | None = None
        """What it was granted."""
        self.error: PoolError | None = None
        """Why it was not."""
        self.waited_ns = 0
        self.token: Any = None
        """Whatever is needed to wake it; not used here."""

    def outcome(self) -> Hold:
        """Give what it was granted, or raise why it was not."""
        if self.hold is None:
            raise self.error or RuntimeError("a waiter was woken that still waits")
        return self.hold


class Group:
    """Waiters of the same needs, priority and surroundings, the first to come first."""

    __slots__ = ("_start", "_waiters", "entry", "inside", "key", "lender", "limited", "plan")

    def __init__(self, key: object, plan: Plan, lender: Hold | None, inside: bool) -> None:
        self.key = key
        self.plan = plan
        self.lender = lender
        """The innermost hold around it, if it or one further out has some of a limited pool that is needed."""
        self.inside = inside
        """Whether a holder waits for it."""
        self.limited: Parts = tuple([part for part in plan.parts if part[0].capacity is not None])
        self.entry: Entry | None = None
        self._waiters: list[Any] = []
        self._start = 0

    def __len__(self) -> int:
        return len(self._waiters) - self._start

    def __iter__(self) -> Iterator[Waiter]:
        for index in range(self._start, len(self._waiters)):
            yield self._waiters[index]

    @property
    def first(self) -> Waiter:
        """Who is next."""
        waiter: Waiter = self._waiters[self._start]
        return waiter

    def add(self, waiter: Waiter) -> None:
        """Put a waiter, younger than all here, at the end."""
        self._waiters.append(waiter)
        waiter.group = self

    def remove(self, waiter: Waiter) -> None:
        """Take a waiter out."""
        waiter.group = None
        if waiter is not self._waiters[self._start]:
            del self._waiters[bisect_left(self._waiters, waiter.order, lo=self._start, key=_ORDER)]
            return
        self._waiters[self._start] = None
        self._start += 1
        if self._start > _SLACK and self._start * 2 > len(self._waiters):
            del self._waiters[: self._start]
            self._start = 0

    def demand(self) -> Parts:
        """Give what each of its waiters needs of limited pools now, beyond what the holds around it can lend."""
        return self.limited if self.lender is None else missing(self.limited, self.lender)

    def count_before(self, order: Order, overdue: Callable[[Waiter], bool]) -> int:
        """How many of its waiters come before `order` and are overdue: all in front of the others."""

        def behind(waiter: Waiter) -> bool:
            return waiter.order >= order or not overdue(waiter)

        if behind(self.first):
            return 0
        return bisect_left(self._waiters, True, lo=self._start, key=behind) - self._start

    def show(self) -> None:
        """Take its place in the queue of each limited pool, by its first."""
        self.entry = (*self.first.order, self)
        for pool, _ in self.limited:
            insort(pool.queues[self.inside], self.entry)
            pool.door = -1

    def hide(self) -> None:
        """Leave the queues."""
        if self.entry is None:
            return
        for pool, _ in self.limited:
            queue = pool.queues[self.inside]
            del queue[bisect_left(queue, self.entry)]
            pool.set_door()
        self.entry = None


Entry: TypeAlias = tuple[float, int, Group]
"""The order of a group's first, and the group."""

Queues: TypeAlias = list[tuple[Pool, bool, "list[Entry]"]]


def queues_of(pools: Iterable[Pool]) -> Queues:
    """List the queues of pools in which anyone waits."""
    return [(pool, inside, pool.queues[inside]) for pool in pools for inside in (False, True) if pool.queues[inside]]


def next_entry(queues: Queues, last: tuple[Any, ...], closed: set[Pool]) -> Entry | None:
    """
    Find the first group after `last` in several queues that may fit.

    Passed over are those that need more than a pool has, and where a pool is closed all from
    outside. This loop sees the most groups, so it does no more than compare.
    """
    found: Entry | None = None
    for pool, inside, queue in queues:
        free = pool.limit - pool.used
        if not inside and (pool in closed or free <= 0):
            continue
        for index in range(bisect_right(queue, last), len(queue)):
            entry = queue[index]
            group = entry[2]
            if group.plan.amounts[pool] <= free or group.lender is not None:
                if found is None or entry < found:
                    found = entry
                break
    return found


START: tuple[Any, ...] = (float("-inf"),)
"""Before every entry."""

_ORDER = attrgetter("order")
_SLACK = 32
