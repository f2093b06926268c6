"""An answer that is awaited for so long and no longer."""

import asyncio

import pytest
from dam_traits.limits import in_time


async def at_once():
    return 1


async def after_turns():
    await asyncio.sleep(0)
    await asyncio.sleep(0.001)
    return 2


async def with_its_own_limit():
    try:
        async with asyncio.timeout(0.001):
            await asyncio.sleep(3600)
    except TimeoutError:
        return 3


async def for_ever():
    await asyncio.Event().wait()


async def raises_late():
    await asyncio.sleep(0)
    raise KeyError("late")


async def gives_up():
    raise TimeoutError("its own")


class Odd:
    """An awaitable that is no coroutine."""

    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return 4


@pytest.mark.parametrize(("make", "answer"), [(at_once, 1), (after_turns, 2), (with_its_own_limit, 3), (Odd, 4)])
def test_answers(make, answer):
    """At once, after some turns of the loop, with limits of its own, of any awaitable."""

    async def main():
        return await in_time(make(), 5.0)

    assert asyncio.run(main()) == answer


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (for_ever, TimeoutError, "no answer within 0.01 s"),
        (raises_late, KeyError, "late"),
        (gives_up, TimeoutError, "^its own$"),
    ],
)
def test_errors(make, kind, text):
    """Too late, and what is raised on the way."""

    async def main():
        await in_time(make(), 0.01)

    with pytest.raises(kind, match=text):
        asyncio.run(main())


def test_what_is_too_late_is_cancelled():
    """It can clean up before the error is there."""
    log = []

    async def work():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        finally:
            log.append("cleaned up")

    async def main():
        with pytest.raises(TimeoutError):
            await in_time(work(), 0.01)
        return list(log)

    assert asyncio.run(main()) == ["cancelled", "cleaned up"]


def test_a_cancelled_caller():
    """Its cancellation reaches what it awaits, and is no timeout."""
    log = []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            log.append("cleaned up")

    async def main():
        task = asyncio.create_task(in_time(work(), 5.0))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return task.cancelled()

    assert asyncio.run(main()) is True
    assert log == ["cleaned up"]


def test_it_runs_in_the_caller_s_task():
    """No task is made, and what is awaited stays one coroutine."""

    async def work():
        before = asyncio.current_task()
        await asyncio.sleep(0)
        return before, asyncio.current_task()

    async def main():
        return {*await in_time(work(), 5.0), asyncio.current_task()}

    assert len(asyncio.run(main())) == 1
