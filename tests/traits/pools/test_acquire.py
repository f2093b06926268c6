"""Taking and giving back: the tree, all or nothing, waiting, giving up."""

import asyncio

import pytest
from dam_traits import NO_LEASE, Lease, PoolExceeded, PoolState, PoolTimeout


def used(pools):
    return {state.path: state.used for state in pools.state() if state.used}


def test_what_is_free_comes_at_once(make_pools, need):
    """Without an event loop even: the lease itself, not an awaitable."""
    pools = make_pools({"cpu": 1})
    needs = need("cpu")

    with pools.acquire(needs) as lease:
        assert isinstance(lease, Lease)
        assert (lease.needs, lease.pools, lease.waited, lease.waited_ns) == (needs, ("cpu",), False, 0)
        assert pools.state() == [PoolState("cpu", 1, 1, 0)]


def test_no_needs_no_lease(make_pools):
    """Who needs nothing gets the one lease that never ends."""
    assert make_pools().acquire(()) is NO_LEASE
    NO_LEASE.release()
    assert (NO_LEASE.pools, NO_LEASE.needs, NO_LEASE.waited) == ((), (), False)


def test_a_leaf_uses_all_above_it(make_pools, need):
    """A capacity may stand at any level; without one, use is counted all the same."""
    pools = make_pools({"disk": 2})

    with pools.acquire(need("disk/read/nvme0")), pools.acquire(need("disk/write")):
        assert used(pools) == {"disk": 2, "disk/read": 1, "disk/read/nvme0": 1, "disk/write": 1}
        waits = pools.acquire(need("disk/read/hdd0"))
        assert not isinstance(waits, Lease)
        waits.close()


def test_several_needs_of_one_pool_add_up(make_pools, need):
    """Also where they only share an ancestor."""
    pools = make_pools({"disk": 5})

    with pools.acquire(need("disk/a", ("disk/a", 2), ("disk/b", 2))):
        assert used(pools) == {"disk": 5, "disk/a": 3, "disk/b": 2}


@pytest.mark.parametrize(
    ("wanted", "pool", "amount"),
    [([("cpu", 3)], "cpu", 3), (["disk/a", "disk/b"], "disk", 2), (["free", ("disk/a", 9)], "disk", 9)],
)
def test_more_than_there_is_fails_at_once(make_pools, need, wanted, pool, amount):
    """The error names the pool, what was needed of it, and what it has; nothing is held."""
    pools = make_pools({"cpu": 2, "disk": 1})

    with pytest.raises(PoolExceeded, match=f"{amount} of pool '{pool}' are needed") as caught:
        pools.acquire(need(*wanted))

    assert (caught.value.pool, caught.value.amount, caught.value.capacity) == (pool, amount, pools.capacity(pool))


def test_releasing_twice_means_nothing(make_pools, need):
    """The second time somebody else may have it."""
    pools = make_pools({"cpu": 1})
    first = pools.acquire(need("cpu"))
    first.release()
    with pools.acquire(need("cpu")):
        first.release()
        assert used(pools) == {"cpu": 1}


def test_a_dropped_lease_is_released_counted_and_reported(make_pools, need):
    """Forgetting to release is an error of the holder's, not the end of the pool."""
    pools = make_pools({"cpu": 1})
    forgotten = [pools.acquire(need("cpu"))]
    with pytest.warns(ResourceWarning, match="a lease of pool 'cpu' was dropped without being released"):
        forgotten.clear()

    assert (pools.dropped, used(pools)) == (1, {})


def test_nothing_is_held_while_waiting(make_pools, need, settled):
    """All or nothing: the pool that is free stays free for others."""

    async def main():
        pools = make_pools({"cpu": 1, "gpu": 1})
        gpu = pools.acquire(need("gpu"))
        both = asyncio.ensure_future(pools.acquire(need("cpu", "gpu")))
        await settled()
        with pools.acquire(need("cpu")):
            gpu.release()
            await settled()
            assert not both.done()
        (await both).release()

    asyncio.run(main())


def test_waiting_is_measured(make_pools, need, settled, clock):
    """By the pools' clock, from the request to the grant."""

    async def main():
        pools = make_pools({"cpu": 1})
        first = pools.acquire(need("cpu"))
        second = asyncio.ensure_future(pools.acquire(need("cpu")))
        await settled()
        assert pools.state() == [PoolState("cpu", 1, 1, 1)]
        clock.advance(2.5)
        first.release()
        with await second as lease:
            assert (lease.waited, lease.waited_ns) == (True, 2_500_000_000)

    asyncio.run(main())


def test_a_cancelled_waiter_leaves_nothing(make_pools, need, settled):
    """It neither holds anything nor stands in the way."""

    async def main():
        pools = make_pools({"cpu": 1})
        with pools.acquire(need("cpu")):
            waiting = asyncio.ensure_future(pools.acquire(need("cpu")))
            await settled()
            waiting.cancel()
            await settled()
            assert waiting.cancelled()
            assert pools.state() == [PoolState("cpu", 1, 1, 0)]

    asyncio.run(main())


def test_cancelled_at_the_very_moment_of_the_grant(make_pools, need, settled):
    """Granted but not yet told: the next one gets it."""

    async def main():
        pools = make_pools({"cpu": 1})
        first = pools.acquire(need("cpu"))
        second, third = (asyncio.ensure_future(pools.acquire(need("cpu"))) for _ in range(2))
        await settled()
        first.release()
        assert used(pools) == {"cpu": 1}
        second.cancel()
        (await third).release()
        assert second.cancelled()

    asyncio.run(main())


def test_a_timeout_leaves_nothing(make_pools, need):
    """And says what was waited for, and how long."""

    async def main():
        pools = make_pools({"cpu": 1})
        with pools.acquire(need("cpu")):
            with pytest.raises(PoolTimeout, match=r"pool 'cpu' not free within 0\.01 s") as caught:
                await pools.acquire(need("cpu"), timeout_s=0.01)
            assert (caught.value.pools, caught.value.timeout_s) == (("cpu",), 0.01)
            assert isinstance(caught.value, TimeoutError)
            assert pools.state() == [PoolState("cpu", 1, 1, 0)]

    asyncio.run(main())


def test_a_request_that_is_never_awaited_takes_nothing(make_pools, need):
    """Waiting begins when it is awaited."""
    pools = make_pools({"cpu": 1})
    with pools.acquire(need("cpu")):
        pools.acquire(need("cpu")).close()
        assert pools.state() == [PoolState("cpu", 1, 1, 0)]


def test_a_loop_that_ends_takes_its_waiters_along(make_pools, need, settled):
    """Whoever waited on it is gone, and what it would have got goes to others."""
    pools = make_pools({"cpu": 1})
    lease = pools.acquire(need("cpu"))
    loop = asyncio.new_event_loop()
    abandoned = loop.create_task(_forever(pools.acquire(need("cpu"))))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()

    lease.release()

    assert used(pools) == {}
    abandoned.get_coro().close()
    abandoned._log_destroy_pending = False


async def _forever(request):
    await request


class TestCapacities:
    def test_raising_lets_waiters_in(self, make_pools, need, settled):
        """At once."""

        async def main():
            pools = make_pools({"cpu": 1})
            with pools.acquire(need("cpu")):
                waiting = asyncio.ensure_future(pools.acquire(need("cpu")))
                await settled()
                pools.set_capacity("cpu", 2)
                (await waiting).release()

        asyncio.run(main())

    def test_taking_the_limit_away_lets_waiters_in(self, make_pools, need, settled):
        """All of them."""

        async def main():
            pools = make_pools({"cpu": 1})
            with pools.acquire(need("cpu")):
                waiting = [asyncio.ensure_future(pools.acquire(need("cpu/a"))) for _ in range(3)]
                await settled()
                pools.set_capacity("cpu", None)
                for lease in await asyncio.gather(*waiting):
                    lease.release()
            assert pools.capacity("cpu") is None

        asyncio.run(main())

    def test_lowering_takes_nothing_away(self, make_pools, need):
        """Who has it keeps it; nobody gets more until there is room."""
        pools = make_pools({"cpu": 3})
        first, second = pools.acquire(need("cpu")), pools.acquire(need("cpu"))
        pools.set_capacity("cpu", 1)
        assert pools.state() == [PoolState("cpu", 1, 2, 0)]
        first.release()
        pools.acquire(need("cpu")).close()
        second.release()
        pools.acquire(need("cpu")).release()

    def test_lowering_fails_waiters_that_need_more(self, make_pools, need, settled):
        """They are told; others go on waiting."""

        async def main():
            pools = make_pools({"cpu": 3})
            lease = pools.acquire(need(("cpu", 2)))
            large = asyncio.ensure_future(pools.acquire(need(("cpu", 3))))
            small = asyncio.ensure_future(pools.acquire(need(("cpu", 2))))
            await settled()
            pools.set_capacity("cpu", 2)
            with pytest.raises(PoolExceeded, match="3 of pool 'cpu' are needed and its capacity is 2"):
                await large
            lease.release()
            (await small).release()

        asyncio.run(main())

    def test_a_limit_on_what_is_in_use_already(self, make_pools, need, settled):
        """What was taken while there was none counts."""

        async def main():
            pools = make_pools()
            lease = pools.acquire(need("cpu"))
            pools.set_capacity("cpu", 1)
            waiting = asyncio.ensure_future(pools.acquire(need("cpu")))
            await settled()
            lease.release()
            (await waiting).release()

        asyncio.run(main())


def test_names_without_end_do_not_pile_up(make_pools, need):
    """Unused pools without a limit are forgotten after a while, others never."""
    pools = make_pools({"net/known": 1})
    with pools.acquire(need("net/used")):
        for number in range(10_000):
            pools.acquire(need(f"net/peer{number}")).release()
        paths = {state.path for state in pools.state()}

    assert {"net", "net/known", "net/used"} <= paths
    assert len(paths) < 5_000
