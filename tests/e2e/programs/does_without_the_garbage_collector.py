"""Switches collection off, freezes and unfreezes."""

import asyncio
import gc

import work

gc.disable()
gc.freeze()
gc.set_threshold(1)
for number in range(300):
    work.step(number)


async def main():
    return await asyncio.gather(*map(work.later, range(20)))


print(asyncio.run(main()))
gc.unfreeze()
