"""How long would it wait?"""

import asyncio
import math

import pytest


@pytest.fixture
def waits(make_pools, need, settled, clock):
    """Hold and line up ``(needs, expected_ms)``, let some time pass, and ask how long some needs would wait."""

    async def main(capacities, requests, asked, elapsed_s=0.0, priority=100):
        pools = make_pools(capacities)
        tasks = []

        async def run(needs, expected_ms):
            lease = pools.acquire(need(*needs), expected_ms=expected_ms)
            with await lease if asyncio.iscoroutine(lease) else lease:
                await asyncio.Event().wait()

        for needs, expected_ms in requests:
            tasks.append(asyncio.ensure_future(run(needs, expected_ms)))
            await settled()
        clock.advance(elapsed_s)
        answer = pools.expected_wait_ms(need(*asked), priority=priority)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return answer

    return lambda *arguments, **more: asyncio.run(main(*arguments, **more))


@pytest.mark.parametrize(
    ("requests", "elapsed_s", "expected_ms"),
    [
        ([], 0, 0.0),
        ([(["cpu"], 100)], 0, 0.0),
        ([(["cpu"], 100), (["cpu"], 300)], 0, 100.0),
        ([(["cpu"], 100), (["cpu"], 300)], 0.03, 70.0),
        ([(["cpu"], 100), (["cpu"], 300)], 5, 0.0),
        ([(["cpu"], None), (["cpu"], 300)], 0, 0.0),
        ([(["cpu"], 100), (["cpu"], 300), (["cpu"], 50)], 0, 150.0),
        ([(["cpu"], 100), (["cpu"], 300), (["cpu"], 500)], 0, 300.0),
        ([(["cpu"], 100), (["cpu"], 300), ([("cpu", 2)], 50)], 0, 350.0),
    ],
)
def test_holders_end_and_those_before_are_served(waits, requests, elapsed_s, expected_ms):
    """Two units; what is not known counts as no time."""
    answer = waits({"cpu": 2}, requests, ["cpu"], elapsed_s=elapsed_s)

    assert answer == pytest.approx(expected_ms)


def test_the_slowest_pool_decides(waits):
    """Of several that are needed."""
    requests = [(["cpu"], 100), (["disk/a"], 250)]

    assert waits({"cpu": 1, "disk": 1}, requests, ["cpu", "disk/b", "free"]) == pytest.approx(250)


def test_a_better_priority_waits_less(waits):
    """Those it would pass do not count."""
    requests = [(["cpu"], 100), (["cpu"], 1000)]

    assert waits({"cpu": 1}, requests, ["cpu"], priority=1) == pytest.approx(100)


def test_a_long_line_is_looked_at_in_part_and_stands_for_the_rest(waits):
    """512 waiters of 10 ms: 5.12 s, though 256 are looked at."""
    requests = [(["cpu"], 0)] + [(["cpu"], 10)] * 512

    assert waits({"cpu": 1}, requests, ["cpu"]) == pytest.approx(5120, rel=0.02)


def test_what_can_never_be_had_is_for_ever(waits):
    """Infinite, so that a strategy takes another."""
    assert waits({"cpu": 1}, [], [("cpu", 2)]) == math.inf


def test_nothing_waits_for_nothing(waits):
    """No needs, no wait."""
    assert waits({"cpu": 1}, [], []) == 0.0


def test_what_the_holder_around_has_is_no_wait(make_pools, need):
    """It will be borrowed."""
    pools = make_pools({"cpu": 1})
    with pools.acquire(need("cpu"), expected_ms=500) as outer:
        assert pools.expected_wait_ms(need("cpu")) == 500
        with outer.current():
            assert pools.expected_wait_ms(need("cpu")) == 0
