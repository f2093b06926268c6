"""
`ResourcePools`: the pools of a world as its systems see them: acquire, wait, release.

The ledger decides; this gives it a lock, and wakes those it lets go, each on its own event
loop. The lock is held only while the ledger works, never while anybody else's code runs.
Releasing never waits for the lock, so that it is safe in finalizers, which Python may run
anywhere: what finds the lock taken is left for whoever has it.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
import warnings
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from functools import partial

from dam_traits.pools.errors import InvalidPool, PoolTimeout, listed
from dam_traits.pools.estimate import expected_wait_ms
from dam_traits.pools.holds import Hold, lineage
from dam_traits.pools.lease import NO_LEASE, Current, Lease
from dam_traits.pools.ledger import Ledger
from dam_traits.pools.queues import Waiter
from dam_traits.pools.state import PoolState
from dam_traits.pools.tree import check_capacity, check_path
from dam_traits.system_traits import ResourceUsageTrait


class ResourcePools:
    """A tree of limited resources, shared by tasks, event loops and threads."""

    def __init__(
        self,
        capacities: Mapping[str, int] | None = None,
        *,
        patience_s: float = 1.0,
        age_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Make pools.

        Args:
            capacities: How much of which pool there is; pools that are not named are unlimited.
            patience_s: How long a waiter lets later ones pass that fit where it does not.
            age_s: How long a waiter waits to rise by one priority.
            clock: What tells the time, in seconds; timeouts go by the event loop's.

        Raises:
            InvalidPool: One of these cannot be meant.
        """
        _check_seconds("patience_s", patience_s)
        _check_seconds("age_s", age_s)
        if age_s == 0:
            raise InvalidPool("age_s", age_s, "more than 0 seconds")
        self._ledger = Ledger(patience_s=patience_s, age_s=age_s, clock=clock)
        self._lock = threading.Lock()
        self._left: deque[Callable[[], list[Waiter]]] = deque()
        """What is still to be done with the ledger, since the lock was taken."""
        self._current: ContextVar[Hold | None] = ContextVar("dam_traits_current_hold", default=None)
        for path, amount in (capacities or {}).items():
            self.set_capacity(path, amount)

    def set_capacity(self, path: str, amount: int | None) -> None:
        """
        Change how much of a pool there is, at any time; `None`: no limit.

        Nothing is taken from those who have it: with less than is used, nobody gets any until
        enough is released. Waiters that need more than there is then fail with `PoolExceeded`.

        Raises:
            InvalidPool: This is no path, or no capacity.
        """
        check_path(path)
        check_capacity(path, amount)
        with self._lock:
            woken = self._ledger.set_capacity(path, amount)
        self._wake(woken)
        self._clear_up()

    def capacity(self, path: str) -> int | None:
        """How much of a pool there is; `None`: no limit at that level."""
        check_path(path)
        pool = self._ledger.tree.pools.get(path)
        return None if pool is None else pool.capacity

    @property
    def dropped(self) -> int:
        """How many leases were dropped without being released."""
        return self._ledger.dropped

    def acquire(
        self,
        needs: Sequence[ResourceUsageTrait],
        *,
        priority: int = 100,
        timeout_s: float | None = None,
        expected_ms: float | None = None,
    ) -> Lease | Awaitable[Lease]:
        """
        Take all that is needed, at once or not at all.

        Args:
            needs: Several on one pool, or below one, add up.
            priority: Lower is first; of equals, whoever came first.
            timeout_s: How long to wait; `None`: as long as it takes. The wait begins when the result is awaited.
            expected_ms: How long it will be held, as far as that is known; for `expected_wait_ms` only.

        Returns:
            The lease where all is free; else an awaitable of it. Cancelling that leaves nothing held.

        Raises:
            PoolExceeded: It can never be had; from the awaitable, if a capacity was lowered meanwhile.
            PoolTimeout: From the awaitable: it was not free in time.
            PoolDeadlock: From the awaitable: it would wait for those who wait for it.
            InvalidPool: An argument that cannot be meant.
        """
        if not needs:
            return NO_LEASE
        if type(priority) is not int:
            _check_priority(priority)
        if timeout_s is not None:
            _check_seconds("timeout_s", timeout_s)
        parent = self._parent()
        ledger = self._ledger
        ends_at = None if expected_ms is None else self._ends_at(expected_ms)
        try:
            with self._lock:
                plan = ledger.plan(needs)
                hold = ledger.take(plan, parent, priority, ends_at)
        finally:
            if self._left:
                self._clear_up()
        if hold is not None:
            return Lease(self, hold, False, 0)
        return self._wait(plan.needs, parent, priority, timeout_s, expected_ms)

    def expected_wait_ms(self, needs: Sequence[ResourceUsageTrait], *, priority: int = 100) -> float:
        """
        Guess how long `acquire` would wait now: 0.0 if not at all.

        From what holders and waiters said in `expected_ms`; what they did not say counts as no time. At
        most 256 of each are looked at for a pool, and stand for the rest. Infinite if it can never be had.
        """
        if not needs:
            return 0.0
        parent = self._parent()
        try:
            with self._lock:
                return expected_wait_ms(self._ledger, self._ledger.plan(needs), parent, priority)
        finally:
            self._clear_up()

    def state(self) -> list[PoolState]:
        """How full all pools are, by path; counted now."""
        try:
            with self._lock:
                return self._ledger.state()
        finally:
            self._clear_up()

    def detached(self) -> Current:
        """
        Let what is dispatched inside ``with pools.detached():`` count as dispatched by nobody who holds pools.

        For work in the background that its system does not wait for: it borrows nothing, and
        that it waits is no reason to think that the system does.
        """
        return Current(self, None)

    def _parent(self) -> Hold | None:
        """Give the innermost hold around that was not released."""
        hold = self._current.get()
        while hold is not None and not hold.live:
            hold = hold.parent
        return hold

    def _ends_at(self, expected_ms: float) -> float:
        if not isinstance(expected_ms, (int, float)) or not expected_ms >= 0:
            raise InvalidPool("expected_ms", expected_ms, "a number of milliseconds, 0 or more")
        return self._ledger.clock() + expected_ms / 1e3

    async def _wait(
        self,
        needs: tuple[ResourceUsageTrait, ...],
        parent: Hold | None,
        priority: int,
        timeout_s: float | None,
        expected_ms: float | None,
    ) -> Lease:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ledger = self._ledger
        ends_at = None if expected_ms is None else self._ends_at(expected_ms)
        parent = next(lineage(parent), None)
        try:
            with self._lock:
                plan = ledger.plan(needs)
                hold = ledger.take(plan, parent, priority, ends_at)
                if hold is None:
                    waiter = ledger.wait(plan, parent, priority, expected_ms, future)
        finally:
            self._clear_up()
        if hold is not None:
            return Lease(self, hold, False, 0)
        return await self._granted(waiter, future, timeout_s)

    async def _granted(self, waiter: Waiter, future: asyncio.Future[None], timeout_s: float | None) -> Lease:
        timer = None
        if timeout_s is not None and timeout_s != math.inf:
            timer = future.get_loop().call_later(timeout_s, self._expire, waiter, timeout_s)
        try:
            await future
        except BaseException:
            # Cancelled, or its loop is gone: maybe just after it was granted.
            self._do_later(partial(self._ledger.withdraw, waiter))
            raise
        finally:
            if timer is not None:
                timer.cancel()
        return Lease(self, waiter.outcome(), True, waiter.waited_ns)

    def _expire(self, waiter: Waiter, timeout_s: float) -> None:
        with self._lock:
            woken = self._ledger.expire(waiter, PoolTimeout(waiter.plan.paths, timeout_s))
        self._wake(woken)
        self._clear_up()

    def _release(self, hold: Hold) -> None:
        if not self._lock.acquire(blocking=False):
            self._do_later(partial(self._ledger.release, hold))
            return
        try:
            woken = self._ledger.release(hold)
        finally:
            self._lock.release()
        if woken:
            self._wake(woken)
        if self._left:
            self._clear_up()

    def _drop(self, hold: Hold) -> None:
        self._do_later(partial(self._ledger.drop, hold))
        warnings.warn(
            f"a lease of {listed(hold.plan.paths)} was dropped without being released", ResourceWarning, stacklevel=3
        )

    def _do_later(self, work: Callable[[], list[Waiter]]) -> None:
        """Do something with the ledger as soon as the lock is free; at once if it is."""
        self._left.append(work)
        self._clear_up()

    def _clear_up(self) -> None:
        """Do what was left, unless another has the lock: that one looks here when it is done."""
        while self._left and self._lock.acquire(blocking=False):
            woken: list[Waiter] = []
            try:
                while self._left:
                    woken += self._left.popleft()()
            finally:
                self._lock.release()
            self._wake(woken)

    def _wake(self, waiters: Iterable[Waiter]) -> None:
        """Tell waiters that they need not wait any more; call `_clear_up` afterwards."""
        here = _running_loop()
        for waiter in waiters:
            future: asyncio.Future[None] = waiter.token
            loop = future.get_loop()
            if loop is here:
                _settle(future)
                continue
            try:
                loop.call_soon_threadsafe(_settle, future)
            except RuntimeError:  # its loop was closed: nobody will ever come back for it
                self._left.append(partial(self._ledger.withdraw, waiter))


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _check_priority(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidPool("priority", value, "a whole number, lower is better")


def _check_seconds(argument: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise InvalidPool(argument, value, "a number of seconds, 0 or more")
