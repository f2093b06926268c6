"""A program on the stand-in: systems of every kind, for commands, an event and a stage."""

import asyncio
import enum
import hashlib
from dataclasses import dataclass

from dam.core.systems import system
from dam.core.world import World


class Stage(enum.Enum):
    START = 1


@dataclass
class Ingest:
    size: int


@dataclass
class Approve:
    size: int


@dataclass
class Hash:
    size: int


@dataclass
class Walk:
    count: int


@dataclass
class Done:
    size: int


@system(on_stage=Stage.START)
async def prepare(world):
    await asyncio.sleep(0)


@system(on_command=Ingest)
async def ingest(command, world):
    (allowed,) = await world.dispatch_command(Approve(command.size)).results()
    if not allowed:
        return
    await world.dispatch_command(Hash(command.size), parallel=True).results()
    async for number in world.dispatch_command(Walk(3)):
        yield number
        if number == 1:
            break
    await world.scheduler.dispatch_event(Done(command.size))


@system(on_command=Approve)
async def approve(command):
    return command.size < 4_000_000


@system(on_command=Hash)
def hash_in_a_thread(command):
    return hashlib.sha3_512(bytes(command.size)).hexdigest()


@system(on_command=Hash)
async def hash_later(command):
    await asyncio.sleep(0.02)
    return "late"


@system(on_command=Walk)
async def walk(command):
    for number in range(command.count):
        yield number


@system(on_event=Done)
def hear(event):
    pass


async def main():
    world = World()
    for each in (prepare, ingest, approve, hash_in_a_thread, hash_later, walk, hear):
        world.register_system(each)
    await world.scheduler.execute_stage(Stage.START)
    for size in (2_000_000, 3_000_000, 5_000_000):
        print([item async for item in world.dispatch_command(Ingest(size))])
    world.dispatch_command(Hash(1))  # never iterated, so never run


if __name__ == "__main__":
    import program

    asyncio.run(program.main())
