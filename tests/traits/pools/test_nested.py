"""Systems that hold pools and dispatch others that need pools too."""

import asyncio

import pytest
from dam_traits import Lease, PoolDeadlock, PoolState


def test_what_the_holder_has_counts_for_what_it_dispatches(make_pools, need):
    """Nobody waits for itself, however deep."""
    pools = make_pools({"disk": 1})

    with (
        pools.acquire(need("disk/a")) as outer,
        outer.current(),
        pools.acquire(need("disk/b")) as inner,
        inner.current(),
        pools.acquire(need("disk")) as innermost,
    ):
        assert isinstance(innermost, Lease)
        assert pools.state()[0] == PoolState("disk", 1, 1, 0)


def test_a_lease_without_pools_changes_nothing(make_pools, need):
    """The one further out counts."""
    pools = make_pools({"cpu": 1})

    with pools.acquire(need("cpu")) as outer, outer.current(), pools.acquire(()) as none, none.current():
        pools.acquire(need("cpu")).release()


def test_only_inside_current(make_pools, need):
    """To hold is not enough; and after the block it is over."""
    pools = make_pools({"cpu": 1})

    with pools.acquire(need("cpu")) as outer:
        with outer.current():
            pass
        pools.acquire(need("cpu")).close()


def test_what_is_missing_is_taken_from_the_pool(make_pools, need):
    """Of 3 the holder has 2."""
    pools = make_pools({"cpu": 4})

    with pools.acquire(need(("cpu", 2))) as outer, outer.current(), pools.acquire(need(("cpu", 3))):
        assert pools.state() == [PoolState("cpu", 4, 3, 0)]


def test_a_unit_is_lent_to_one_at_a_time(make_pools, need, settled):
    """Of two children one waits for the other where the holder has one, and the pool none."""

    async def main():
        pools = make_pools({"cpu": 1})
        with pools.acquire(need("cpu")) as outer, outer.current():
            first = pools.acquire(need("cpu"))
            second = asyncio.ensure_future(pools.acquire(need("cpu")))
            await settled()
            assert not second.done()
            first.release()
            (await second).release()

    asyncio.run(main())


def test_a_child_keeps_what_its_ended_holder_lent(make_pools, need):
    """The pool stays used until the last of them ends."""
    pools = make_pools({"cpu": 2})
    outer = pools.acquire(need(("cpu", 2)))
    with outer.current():
        inner = pools.acquire(need("cpu"))
        with inner.current():
            innermost = pools.acquire(need("cpu"))
    outer.release()
    assert pools.state() == [PoolState("cpu", 2, 1, 0)]
    inner.release()
    assert pools.state() == [PoolState("cpu", 2, 1, 0)]
    innermost.release()


def test_two_that_wait_for_each_other(make_pools, need, settled):
    """The request that closes the circle fails, and by that the other one gets its pool."""

    async def main():
        pools = make_pools({"cpu": 1, "disk": 1})

        async def system(holds, then_needs):
            with pools.acquire(need(holds)) as lease, lease.current():
                await settled()
                with await pools.acquire(need(then_needs)):
                    return "done"

        results = await asyncio.gather(system("cpu", "disk"), system("disk", "cpu"), return_exceptions=True)

        assert results[0] == "done"
        assert isinstance(results[1], PoolDeadlock)
        assert (results[1].wanted, results[1].held) == (("cpu",), ("disk",))
        assert "waiting for pool 'cpu' would never end" in str(results[1])

    asyncio.run(main())


def test_a_circle_of_three(make_pools, need, settled):
    """However long it is, one fails and the others end."""

    async def main():
        pools = make_pools({"a": 1, "b": 1, "c": 1})

        async def system(holds, then_needs):
            with pools.acquire(need(holds)) as lease, lease.current():
                await settled()
                with await pools.acquire(need(then_needs)):
                    return "done"

        results = await asyncio.gather(*(system(*each) for each in ("ab", "bc", "ca")), return_exceptions=True)
        assert [type(each) for each in results] == [str, str, PoolDeadlock]

    asyncio.run(main())


def test_siblings_that_hold_and_want_more(make_pools, need, settled):
    """All units with those who want one more: the last of them fails."""

    async def main():
        pools = make_pools({"cpu": 2})

        async def system():
            with pools.acquire(need("cpu")) as lease, lease.current():
                await settled()
                with await pools.acquire(need(("cpu", 2))):
                    return "done"

        first, second = await asyncio.gather(system(), system(), return_exceptions=True)
        assert (first, type(second)) == ("done", PoolDeadlock)

    asyncio.run(main())


def test_no_circle_where_another_holder_can_end(make_pools, need, settled):
    """Of two units one is with somebody who waits for nothing: that is worth waiting for."""

    async def main():
        pools = make_pools({"cpu": 2, "disk": 1})
        other = pools.acquire(need("cpu"))

        async def system(holds, then_needs):
            with pools.acquire(need(holds)) as lease, lease.current():
                await settled()
                with await pools.acquire(need(then_needs)):
                    return "done"

        tasks = asyncio.gather(system("cpu", "disk"), system("disk", "cpu"))
        await settled()
        await settled()
        other.release()
        assert await tasks == ["done", "done"]

    asyncio.run(main())


def test_what_is_set_aside_for_others_is_not_kept_from_inside(make_pools, need, settled, clock):
    """The overdue waiter waits for the very holder whose request would be held back."""

    async def main():
        pools = make_pools({"cpu": 2}, patience_s=1.0)
        with pools.acquire(need("cpu")) as outer:
            overdue = asyncio.ensure_future(pools.acquire(need(("cpu", 2))))
            await settled()
            clock.advance(5)
            with outer.current():
                pools.acquire(need(("cpu", 2))).release()
        (await overdue).release()

    asyncio.run(main())


def test_detached_work_borrows_nothing_and_blocks_nobody(make_pools, need, settled):
    """What the system does not wait for may wait for the system."""

    async def main():
        pools = make_pools({"cpu": 1})
        with pools.acquire(need("cpu")) as outer, outer.current():
            with pools.detached():
                background = asyncio.ensure_future(pools.acquire(need("cpu")))
            await settled()
            assert not background.done()
        (await background).release()

    asyncio.run(main())


def test_lowering_a_capacity_may_close_a_circle(make_pools, need, settled):
    """It is found then: the youngest request in it fails."""

    async def main():
        pools = make_pools({"cpu": 3, "disk": 1})
        other = pools.acquire(need("cpu"))

        async def system(holds, then_needs):
            with pools.acquire(need(holds)) as lease, lease.current():
                await settled()
                with await pools.acquire(need(then_needs)):
                    return "done"

        tasks = asyncio.gather(system("cpu", "disk"), system("disk", ("cpu", 2)), return_exceptions=True)
        await settled()
        await settled()
        pools.set_capacity("cpu", 2)
        first, second = await tasks
        assert (first, type(second)) == ("done", PoolDeadlock)
        other.release()

    asyncio.run(main())


def test_pools_of_two_worlds_have_nothing_to_do_with_each_other(make_pools, need):
    """A lease counts for its own pools only."""
    ours, theirs = make_pools({"cpu": 1}), make_pools({"cpu": 1})

    with ours.acquire(need("cpu")) as outer, outer.current(), theirs.acquire(need("cpu")) as inner, inner.current():
        ours.acquire(need("cpu")).release()
        assert [pools.state()[0].used for pools in (ours, theirs)] == [1, 1]


@pytest.mark.parametrize("depth", [1, 200])
def test_ended_leases_are_not_kept_by_those_that_follow(make_pools, need, depth):
    """A chain of background work does not grow."""
    pools = make_pools({"cpu": 1})
    parent = None
    for _ in range(depth):
        with pools.acquire(need("cpu")) as lease:
            parent = lease._hold.parent
        current = lease.current()
        with current:
            pass

    assert parent is None
