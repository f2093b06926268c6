"""Plain work of all kinds: 323 executions."""

import asyncio

import work

print(sum(work.step(number) for number in range(300)), list(work.items(3)))


async def main():
    return [item async for item in work.stream(3)], await asyncio.gather(*map(work.later, range(20)))


print(asyncio.run(main()))
try:
    work.call(lambda: 1 / 0)
except ZeroDivisionError as error:
    print("raised", error)
