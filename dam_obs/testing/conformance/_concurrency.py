"""Parents and durations when several things run at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from opentelemetry.instrumentation.threading import ThreadingInstrumentor

from dam_obs.testing.conformance._case import World, case


@case
def gathered_tasks_are_siblings(world: World) -> None:
    """Overlapping tasks have the parent that started them, never one another."""
    first, second = world.sleeper("first", 1), world.sleeper("second", 2)

    async def both() -> None:
        await asyncio.gather(first(), second())

    asyncio.run(world.trace(both, "both")())
    world.expect(both=None, first="both", second="both")


@case
def a_task_group_is_a_parent(world: World) -> None:
    """Tasks of a group have the parent that the group stands in."""
    first, second = world.sleeper("first", 1), world.sleeper("second", 2)

    async def group() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(first())  # type: ignore[arg-type]
            tasks.create_task(second())  # type: ignore[arg-type]

    asyncio.run(world.trace(group, "group")())
    world.expect(group=None, first="group", second="group")


@case
def a_span_lasts_as_long_as_the_work(world: World) -> None:
    """A coroutine's span lasts from its first step to its end, suspensions included."""
    inner = world.sleeper("inner", 3)

    async def outer() -> None:
        await inner()
        world.clock.advance(seconds=1)

    asyncio.run(world.trace(outer, "outer")())
    world.expect(outer=None, inner="outer")
    world.expect_seconds(outer=4, inner=3)


@case
def whoever_awaits_is_the_parent(world: World) -> None:
    """A coroutine made in one place and awaited in another belongs to where it runs."""
    lazy = world.sleeper("lazy", 1)

    async def maker() -> Awaitable[str]:
        return lazy()

    async def runner(work: Awaitable[str]) -> None:
        await work

    async def main() -> None:
        made = await world.trace(maker, "maker")()
        await world.trace(runner, "runner")(made)

    asyncio.run(main())
    world.expect(maker=None, runner=None, lazy="runner")


@case
def a_thread_keeps_the_parent(world: World) -> None:
    """Work that `asyncio.to_thread` and executors run belongs to who asked for it."""
    inner, other = world.call("inner", 3), world.call("other", 1)

    async def outer() -> None:
        await asyncio.to_thread(inner)
        await asyncio.get_running_loop().run_in_executor(None, other)

    with _threads_carry_context():
        asyncio.run(world.trace(outer, "outer")())
    world.expect(outer=None, inner="outer", other="outer")
    world.expect_seconds(outer=4, inner=3, other=1)


@case
def a_pool_keeps_parents_apart(world: World) -> None:
    """Two callers that share a pool's one thread keep their own work."""
    with _threads_carry_context(), ThreadPoolExecutor(1) as pool:
        for name in ("one", "two"):
            inner = world.call(f"in_{name}")
            world.trace(lambda inner=inner: pool.submit(inner).result(), name)()
    world.expect(one=None, two=None, in_one="one", in_two="two")


@contextmanager
def _threads_carry_context() -> Iterator[None]:
    carrying = ThreadingInstrumentor()
    already = carrying.is_instrumented_by_opentelemetry
    if not already:
        carrying.instrument()
    try:
        yield
    finally:
        if not already:
            carrying.uninstrument()


@case
def threads_do_not_see_each_other(world: World) -> None:
    """Spans that are open in several threads at once are not each other's parents."""
    together = threading.Barrier(4)

    def work() -> None:
        together.wait(10)

    threads = [threading.Thread(target=world.trace(work, f"thread_{number}")) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.expect(thread_0=None, thread_1=None, thread_2=None, thread_3=None)
