"""Cancels, times out, stops early, closes."""

import asyncio

import work


async def cancelled():
    task = asyncio.ensure_future(asyncio.wait_for(work.later(asyncio.sleep(5)), None))
    stream = work.stream(5)
    await stream.__anext__()
    await stream.aclose()
    async for _ in work.stream(5):
        break
    try:
        async with asyncio.timeout(0.01):
            await asyncio.gather(work.later(1), asyncio.sleep(10))
    except TimeoutError:
        print("late")
    (await task).close()


asyncio.run(cancelled())
