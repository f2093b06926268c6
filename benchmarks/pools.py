"""
What resource pools cost: taken free, and waited for by many.

    python benchmarks/pools.py            # a table; --json for machines

The first figure is acquire and release of one need that is free. The others are the time per
waiter, from being asked to being released, of so many tasks that wait for one pool at
once: flat, or growing like a logarithm, means that nothing looks at all waiters for each
grant. Three lines: all alike; all different in amount, overdue or patient; with tasks only,
a bare `asyncio.Semaphore` as the yardstick.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from dam_traits import Lease, ResourcePools, ResourceUsageTrait

ROUNDS = 50_000
CAPACITY = 1_000


def free_us(path: str, above: int) -> float:
    """Time of acquire and release of a pool that is free, in microseconds; the best of five."""
    pools = ResourcePools({path: 4})
    needs = (ResourceUsageTrait("/".join([path, *(["x"] * above)])),)
    best = math.inf
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(ROUNDS):
            pools.acquire(needs).release()  # type: ignore[union-attr]
        best = min(best, time.perf_counter() - start)
    return best / ROUNDS * 1e6


def waiting_us(work: Callable[[int], Coroutine[Any, Any, None]], count: int) -> float:
    """Time per task of `count` tasks that all wait for the same, in microseconds."""

    async def main() -> float:
        start = time.perf_counter()
        await asyncio.gather(*(work(number) for number in range(count)))
        return (time.perf_counter() - start) / count * 1e6

    return asyncio.run(main())


def alike() -> Callable[[int], Coroutine[Any, Any, None]]:
    return _work(ResourcePools({"cpu": 4}), lambda number: 1)


def different_overdue() -> Callable[[int], Coroutine[Any, Any, None]]:
    return _work(ResourcePools({"cpu": CAPACITY}, patience_s=0), _amount)


def different_patient() -> Callable[[int], Coroutine[Any, Any, None]]:
    return _work(ResourcePools({"cpu": CAPACITY}, patience_s=1), _amount)


def semaphore() -> Callable[[int], Coroutine[Any, Any, None]]:
    free = asyncio.Semaphore(4)

    async def work(number: int) -> None:
        async with free:
            await asyncio.sleep(0)

    return work


def _amount(number: int) -> int:
    return 1 + number * 7919 % CAPACITY


def _work(pools: ResourcePools, amount: Callable[[int], int]) -> Callable[[int], Coroutine[Any, Any, None]]:
    async def work(number: int) -> None:
        lease = pools.acquire((ResourceUsageTrait("cpu", amount(number)),))
        with lease if isinstance(lease, Lease) else await lease:
            await asyncio.sleep(0)

    return work


def measure(counts: list[int]) -> dict[str, Any]:
    lines = {"alike": alike, "different, overdue": different_overdue, "different, patient": different_patient}
    return {
        "free_us": {"one level": free_us("cpu", 0), "three levels": free_us("disk", 2)},
        "per_waiter_us": {
            name: {str(count): waiting_us(make(), count) for count in counts}
            for name, make in {**lines, "asyncio.Semaphore": semaphore}.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What resource pools cost.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--waiters", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    options = parser.parse_args()
    result = measure(options.waiters)
    if options.json:
        json.dump(result, sys.stdout, indent=2)
        return
    for name, each in result["free_us"].items():
        print(f"free, {name}: {each:.2f} us for acquire and release")
    for name, by_count in result["per_waiter_us"].items():
        print(f"{name}: " + ", ".join(f"{int(count):,} waiters {each:.1f} us each" for count, each in by_count.items()))


if __name__ == "__main__":
    main()
