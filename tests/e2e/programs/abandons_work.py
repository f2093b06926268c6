"""Generators and coroutines that nobody finishes, some of them in cycles."""

import asyncio
import gc

import work

for _ in range(50):
    generator = work.items(3)
    next(generator)
    pending = work.later(1)
    pending.send(None)
    frame = [pending, generator]
    frame.append(frame)
del generator, pending, frame
gc.collect()


async def main():
    for _ in range(50):
        await work.stream(3).__anext__()


asyncio.run(main())
print("done")
