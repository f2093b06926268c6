"""
A made-up asset host: commands that several systems can handle, each at another cost and on another resource.

Nothing is read, sent or computed: a system holds a unit of its resource and sleeps for as
long as the work would take, which follows a law of the command's size, with noise. So the
true cost of every choice is known, and `benchmarks/makespan.py` can run the same host with
time that is not waited for.

As a program, ``python benchmarks/makespan.py --host``, it runs each system on commands of
many sizes in real time: that is the run which dam-obs measures and drafts from.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from dam_traits import Command, World

CAPACITIES = {"cpu": 4, "disk/read/hdd0": 2, "disk/read/nvme0": 2, "disk/write/hdd0": 2, "net": 6}
"""Units of each resource: of the hardware, and of the pools where traits name them."""

SMALLEST, LARGEST = 64, 8192


@dataclass(frozen=True, slots=True)
class Work(Command[None]):
    """Base of the commands: some work of a size."""

    number: int
    size: int


class Read(Work):
    """Get an asset's content."""


class Resize(Work):
    """Make a smaller picture."""


class Index(Work):
    """Find words in a text."""


class Store(Work):
    """Write a result."""


COMMANDS: tuple[type[Work], ...] = (Read, Resize, Index, Store)
WEIGHTS = (4, 3, 2, 2)


class Hardware:
    """The resources themselves: who finds one taken waits for it, first come, first served."""

    def __init__(self, seed: int, noise: float) -> None:
        """
        Make hardware that is free.

        Args:
            seed: Of the noise.
            noise: Standard deviation of the logarithm of what the same work takes, from one time to the next.
        """
        self._seed = seed
        self._noise = noise
        self._known: dict[tuple[type[AssetSystem], Work], float] = {}
        self._units = {name: asyncio.Semaphore(units) for name, units in CAPACITIES.items()}

    def takes_ms(self, system: type[AssetSystem], command: Work) -> float:
        """Give the true cost of a command on a system, noise included: the same whenever it is asked."""
        key = (system, command)
        if key not in self._known:
            rng = random.Random(f"{self._seed} {system.__name__} {command.number}")
            self._known[key] = system.law(command.size) * rng.lognormvariate(0.0, self._noise)
        return self._known[key]

    async def use(self, system: type[AssetSystem], command: Work) -> None:
        """Do the work: wait for a unit of the resource, and keep it for as long as the work takes."""
        async with self._units[system.resource]:
            await asyncio.sleep(self.takes_ms(system, command) / 1e3)


class AssetSystem:
    """What all systems here have: a resource, and a law that says how many milliseconds a size takes."""

    resource: str
    law: Callable[[float], float]


class ReadFromDisk(AssetSystem):
    resource = "disk/read/hdd0"
    law = staticmethod(lambda size: 8 + 0.030 * size)

    async def __call__(self, cmd: Read, hardware: Hardware) -> None:
        await hardware.use(ReadFromDisk, cmd)


class ReadFromCache(AssetSystem):
    resource = "disk/read/nvme0"
    law = staticmethod(lambda size: 25 + 0.012 * size)

    async def __call__(self, cmd: Read, hardware: Hardware) -> None:
        await hardware.use(ReadFromCache, cmd)


class ReadFromPeer(AssetSystem):
    resource = "net"
    law = staticmethod(lambda size: 70 + 0.020 * size)

    async def __call__(self, cmd: Read, hardware: Hardware) -> None:
        await hardware.use(ReadFromPeer, cmd)


class ResizeHere(AssetSystem):
    resource = "cpu"
    law = staticmethod(lambda size: 4 + 0.060 * size)

    async def __call__(self, cmd: Resize, hardware: Hardware) -> None:
        await hardware.use(ResizeHere, cmd)


class ResizeByService(AssetSystem):
    resource = "net"
    law = staticmethod(lambda size: 90 + 0.012 * size)

    async def __call__(self, cmd: Resize, hardware: Hardware) -> None:
        await hardware.use(ResizeByService, cmd)


class IndexHere(AssetSystem):
    resource = "cpu"
    law = staticmethod(lambda size: 3 + 0.006 * size * math.log2(1 + size))

    async def __call__(self, cmd: Index, hardware: Hardware) -> None:
        await hardware.use(IndexHere, cmd)


class IndexByService(AssetSystem):
    resource = "net"
    law = staticmethod(lambda size: 140 + 0.002 * size)

    async def __call__(self, cmd: Index, hardware: Hardware) -> None:
        await hardware.use(IndexByService, cmd)


class StoreOnDisk(AssetSystem):
    resource = "disk/write/hdd0"
    law = staticmethod(lambda size: 5 + 0.020 * size)

    async def __call__(self, cmd: Store, hardware: Hardware) -> None:
        await hardware.use(StoreOnDisk, cmd)


SYSTEMS: dict[type[Work], tuple[type[AssetSystem], ...]] = {
    Read: (ReadFromDisk, ReadFromCache, ReadFromPeer),
    Resize: (ResizeHere, ResizeByService),
    Index: (IndexHere, IndexByService),
    Store: (StoreOnDisk,),
}
"""Who handles what, in order of registration."""


def some_size(rng: random.Random) -> int:
    """Draw a size; a small one is as likely as one ten times as large."""
    return round(math.exp(rng.uniform(math.log(SMALLEST), math.log(LARGEST))))


def some_work(rng: random.Random, count: int, first: int = 0) -> list[Work]:
    """Draw commands of all kinds and sizes."""
    kinds = rng.choices(COMMANDS, WEIGHTS, k=count)
    return [kind(first + number, some_size(rng)) for number, kind in enumerate(kinds)]


async def run_to_be_measured(seed: int, noise: float, each: int) -> None:
    """Run each system on its own, on commands of many sizes, as many at a time as its resource has units."""
    rng = random.Random(seed)
    async with World("measured", load_plugins=False) as world:
        world.add_resource(Hardware(seed, noise))

        by_resource: dict[str, list[tuple[type[Work], type[AssetSystem]]]] = {}
        for command, systems in SYSTEMS.items():
            for system in systems:
                world.register_system(system, on_command=command)
                by_resource.setdefault(system.resource, []).append((command, system))

        async def run(system: type[AssetSystem], commands: list[Work]) -> None:
            while commands:
                await world.dispatch_command(commands.pop(), target_system=system).get_all_results()

        async def run_all_of(resource: str) -> None:
            for command, system in by_resource[resource]:
                commands: list[Work] = [command(number, some_size(rng)) for number in range(each)]
                await asyncio.gather(*(run(system, commands) for _ in range(CAPACITIES[resource])))

        await asyncio.gather(*map(run_all_of, by_resource))
