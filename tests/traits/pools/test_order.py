"""Who is next: priority, age, arrival; who may pass, and for how long."""

import asyncio

import pytest


@pytest.fixture
def line_up(make_pools, need, settled, clock):
    """Line up ``(name, needs, priority, seconds after the one before)`` at a held pool; give the order of grants."""

    async def main(capacities, held, requests, **settings):
        pools = make_pools(capacities, **settings)
        holder = pools.acquire(need(held))
        order = []

        async def take(name, needs, priority):
            with await pools.acquire(need(*needs), priority=priority):
                order.append(name)
                await settled()

        tasks = []
        for name, needs, priority, seconds in requests:
            clock.advance(seconds)
            tasks.append(asyncio.ensure_future(take(name, needs, priority)))
            await settled()
        holder.release()
        await asyncio.gather(*tasks)
        return order

    return lambda *arguments, **settings: asyncio.run(main(*arguments, **settings))


def test_first_come_first_served(line_up):
    """Of one priority."""
    assert line_up({"cpu": 1}, "cpu", [(name, ["cpu"], 5, 0) for name in "abcd"]) == ["a", "b", "c", "d"]


def test_lower_priority_number_first(line_up):
    """Whenever it came, if not by much."""
    requests = [("a", ["cpu"], 9, 0), ("b", ["cpu"], 1, 0), ("c", ["cpu"], 5, 0), ("d", ["cpu"], 1, 0)]

    assert line_up({"cpu": 1}, "cpu", requests) == ["b", "d", "c", "a"]


@pytest.mark.parametrize(("seconds", "order"), [(7, ["new", "old"]), (9, ["old", "new"])])
def test_who_waits_rises_by_one_priority_each_age_s(line_up, seconds, order):
    """So that nobody starves: after 4 x 2 s a 9 is as good as a 5."""
    requests = [("old", ["cpu"], 9, 0), ("new", ["cpu"], 5, seconds)]

    assert line_up({"cpu": 1}, "cpu", requests, age_s=2.0) == order


@pytest.fixture
def large_then_small(make_pools, need, settled, clock):
    """Let one wait for 2 of 2, of which 1 is held; after some seconds another asks for 1."""

    async def main(seconds, priority=100):
        pools = make_pools({"cpu": 2}, patience_s=5.0)
        holder = pools.acquire(need("cpu"))
        large = asyncio.ensure_future(pools.acquire(need(("cpu", 2))))
        await settled()
        clock.advance(seconds)
        small = asyncio.ensure_future(_lease(pools.acquire(need("cpu"), priority=priority)))
        await settled()
        passed = small.done()
        holder.release()
        for task in (small, large) if passed else (large, small):
            (await task).release()
        return passed

    return lambda *arguments: asyncio.run(main(*arguments))


async def _lease(request):
    return await request if asyncio.iscoroutine(request) else request


def test_a_later_one_that_fits_may_pass(large_then_small):
    """Nothing lies idle while the first is patient."""
    assert large_then_small(4.9)


def test_nobody_passes_an_overdue_waiter(large_then_small):
    """After its patience what it needs is set aside."""
    assert not large_then_small(5.0)


def test_who_is_before_it_in_the_order_does_not_pass_it(large_then_small):
    """What is set aside is set aside from those behind."""
    assert large_then_small(5.0, 1)


def test_no_more_is_set_aside_than_is_needed(make_pools, need, settled, clock):
    """One that waits for a gpu, and needs 1 of 4 cpus too, leaves 3 to others."""

    async def main():
        pools = make_pools({"cpu": 4, "gpu": 1}, patience_s=5.0)
        gpu = pools.acquire(need("gpu"))
        both = asyncio.ensure_future(pools.acquire(need("cpu", "gpu")))
        await settled()
        clock.advance(60)
        three = pools.acquire(need(("cpu", 3)))
        fourth = asyncio.ensure_future(pools.acquire(need("cpu")))
        await settled()
        assert not fourth.done()
        gpu.release()
        (await both).release()
        three.release()
        (await fourth).release()

    asyncio.run(main())


def test_an_overdue_waiter_that_gives_up_lets_others_pass(make_pools, need, settled, clock):
    """At once, without anything being released."""

    async def main():
        pools = make_pools({"cpu": 2}, patience_s=5.0)
        with pools.acquire(need("cpu")):
            large = asyncio.ensure_future(pools.acquire(need(("cpu", 2))))
            await settled()
            clock.advance(6)
            small = asyncio.ensure_future(pools.acquire(need("cpu")))
            await settled()
            large.cancel()
            (await small).release()

    asyncio.run(main())


def test_an_overdue_waiter_holds_back_nobody_before_it(make_pools, need, settled, clock):
    """Nor one from within a holder, which ends without having waited for it."""

    async def main():
        pools = make_pools({"disk": 2}, patience_s=1.0)
        outer, other = pools.acquire(need("disk")), pools.acquire(need("disk"))
        before = asyncio.ensure_future(pools.acquire(need("disk")))
        await settled()
        with outer.current():
            behind = asyncio.ensure_future(pools.acquire(need(("disk", 2))))
        await settled()
        clock.advance(5)
        outer.release()
        (await before).release()
        other.release()
        (await behind).release()

    asyncio.run(main())
