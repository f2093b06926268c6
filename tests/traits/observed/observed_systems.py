"""Systems that are observed: importable, so that they can run in other processes."""

import asyncio
import time
from dataclasses import dataclass

from dam_traits import ExecutionCostTrait, ResourceUsageTrait, World, system


@dataclass
class Ingest:
    size: int


@dataclass
class Hash:
    size: int


@dataclass
class Far:
    size: int


@dataclass
class Walk:
    count: int


@dataclass
class Approve:
    size: int


@dataclass
class Failing:
    size: int


@dataclass
class Done:
    size: int


@dataclass(frozen=True)
class Verdict:
    allowed: bool


@system(on_command=Hash)
class Hasher:
    @classmethod
    async def calculate_traits(cls, command: Hash, world: World) -> list:
        return [ResourceUsageTrait("cpu/heavy"), ExecutionCostTrait(time_ms=5)]

    def __call__(self, command: Hash) -> int:
        time.sleep(0.01)  # so long that another one comes meanwhile
        return command.size


@system(on_command=Far, run_in="process")
def far(command: Far) -> int:
    return sum(range(command.size))


@system(on_command=Walk)
async def walk(command: Walk):
    for number in range(command.count):
        await asyncio.sleep(0)
        yield number


@system(on_command=Approve)
async def approve(command: Approve) -> Verdict:
    return Verdict(command.size < 3)


@system(on_command=Failing)
async def fail(command: Failing) -> None:
    raise ValueError("no")


@system(on_event=Done)
async def hear(event: Done) -> None:
    pass


@system(on_command=Ingest)
async def ingest(command: Ingest, world: World) -> str:
    await asyncio.gather(*(world.dispatch_command(Hash(number)).get_one_value() for number in (1, 2)))
    async with world.dispatch_command(Walk(3)) as walking:
        async for number in walking:
            if number == 1:
                break
    return "ingested"
