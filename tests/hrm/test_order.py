"""One at a time, first come, first served: across tasks, threads and loops, whoever gives up."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from dam_hrm import WithinItself
from dam_hrm.order import Order


async def a_few_steps():
    for _ in range(3):
        await asyncio.sleep(0)


def test_tasks_come_in_the_order_in_which_they_asked():
    """And never two at once."""
    order, seen, inside = Order("it"), [], []

    async def visit(number):
        async with order.turn():
            inside.append(number)
            await a_few_steps()
            assert inside == [number]
            inside.clear()
            seen.append(number)

    async def main():
        await asyncio.gather(*map(visit, range(20)))

    asyncio.run(main())
    assert seen == list(range(20))


def test_threads_with_loops_of_their_own_are_one_at_a_time():
    """Nobody is lost, and nobody comes while another one is inside."""
    order, inside, most = Order("it"), [], []

    async def visits():
        for _ in range(25):
            async with order.turn():
                inside.append(threading.get_ident())
                most.append(len(inside))
                await asyncio.sleep(0)
                inside.pop()

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(asyncio.run, visits()) for _ in range(8)]:
            done.result(timeout=60)

    assert most == [1] * 200


def test_one_that_gives_up_is_passed_over():
    """While it waits, and also just when its turn has come."""
    order, seen = Order("it"), []

    async def visit(name):
        async with order.turn():
            seen.append(name)
            await a_few_steps()

    async def main():
        first = asyncio.create_task(visit("first"))
        await asyncio.sleep(0)
        waiting, called, last = (asyncio.create_task(visit(name)) for name in ("waiting", "called", "last"))
        await asyncio.sleep(0)
        waiting.cancel()
        await first
        called.cancel()
        await last
        await asyncio.gather(waiting, called, return_exceptions=True)

    asyncio.run(main())
    assert seen == ["first", "last"]


def test_it_is_free_again_after_a_failure():
    """Whatever ended the block."""
    order = Order("it")

    async def main():
        for error in (ValueError(), asyncio.CancelledError()):
            with pytest.raises(type(error)):
                async with order.turn():
                    raise error
        async with asyncio.timeout(10), order.turn():
            return "free"

    assert asyncio.run(main()) == "free"


def test_to_wait_for_oneself_is_an_error():
    """At once, instead of for ever; also from a task or a thread that was started inside."""
    order = Order("a turn of session-1")

    async def again():
        async with order.turn():
            pass

    async def main():
        async with order.turn():
            with pytest.raises(WithinItself, match=r"^a turn of session-1 was asked for within itself: "):
                await again()
            with pytest.raises(WithinItself):
                await asyncio.create_task(again())
            with pytest.raises(WithinItself):
                await asyncio.to_thread(asyncio.run, again())
        await again()

    asyncio.run(main())


def test_one_may_be_inside_another():
    """Two orders know nothing of each other."""

    async def main():
        outer, inner = Order("outer"), Order("inner")
        async with outer.turn(), inner.turn():
            return "in both"

    assert asyncio.run(main()) == "in both"


def test_a_task_that_outlives_the_block_may_come_later():
    """What was started inside may wait for its turn once the block has ended."""

    async def main():
        order, ended = Order("it"), asyncio.Event()

        async def later():
            await ended.wait()
            async with order.turn():
                return "came"

        async with order.turn():
            task = asyncio.create_task(later())
        ended.set()
        assert await task == "came"

    asyncio.run(main())


def test_who_waited_on_a_loop_that_is_gone_is_passed_over():
    """The others are not held up by it."""
    order = Order("it")
    loop = asyncio.new_event_loop()

    async def visit():
        async with order.turn():
            return "came"

    async def main():
        async with order.turn():
            left = visit()
            task = loop.create_task(left)
            loop.call_soon(loop.stop)
            await asyncio.to_thread(loop.run_forever)
            loop.close()
            task._log_destroy_pending = False
        assert await visit() == "came"
        left.close()

    asyncio.run(main())
