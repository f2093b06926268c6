"""Section 4: observers hear of executions, profiles are made of them, and scheduling adapts."""

from __future__ import annotations

import asyncio
import importlib.util
import statistics
import sys
from pathlib import Path

import pytest
from dam_traits import Command, ExecutionRecord, World
from dam_traits.strategies import SoonestFinished

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


class Read(Command[str]):
    def __init__(self, size: int) -> None:
        self.size = size


async def read_slowly(cmd: Read) -> str:
    await asyncio.sleep(0.02)
    return "slowly"


async def read_quickly(cmd: Read) -> str:
    await asyncio.sleep(0.001)
    return "quickly"


async def read_nothing(cmd: Read) -> str:
    raise FileNotFoundError(cmd.size)


class Watcher:
    def __init__(self) -> None:
        self.records: list[ExecutionRecord] = []

    def observe(self, record: ExecutionRecord) -> None:
        self.records.append(record)


def world_with(*systems, **settings) -> World:
    world = World(strategy=SoonestFinished(), load_plugins=False, **settings)
    for system in systems:
        world.register_system(system, on_command=Read)
    return world


async def answers(world: World, times: int, size: int = 100) -> list[str]:
    return [await world.dispatch_command(Read(size)).get_one_value() for _ in range(times)]


def test_observers_hear_of_each_execution():
    """Every observer is given a record of each execution, of those that failed as well."""

    async def run():
        async with world_with(read_quickly, read_nothing) as world:
            watchers = [Watcher(), Watcher()]
            world.observers.extend(watchers)
            await world.dispatch_command(Read(7), target_system=read_quickly).get_one_value()
            with pytest.raises(FileNotFoundError):
                await world.dispatch_command(Read(8), target_system=read_nothing).get_one_value()
            return [watcher.records for watcher in watchers]

    first, second = asyncio.run(run())

    assert first == second
    assert [(each.system.partition(":")[2], each.status, each.size, each.results, each.error) for each in first] == [
        ("read_quickly", "success", 7, 1, None),
        ("read_nothing", "error", 8, 0, "FileNotFoundError"),
    ]
    assert first[0].duration_ns >= 1_000_000


def test_executions_update_the_profile():
    """A system's profile sums its executions up."""

    async def run():
        async with world_with(read_slowly) as world:
            await answers(world, 3)
            (system,) = world.systems.for_command(Read)
            return world.profiles.profile(system.name, system.version)

    profile = asyncio.run(run())

    assert profile.counts == {"success": 3, "error": 0, "cancelled": 0}
    assert profile.quantile(0.5) >= 20_000_000 * 0.98


def test_scheduling_adapts_to_what_was_seen():
    """Of two systems of which nothing is known both are tried; then the quicker one is taken."""

    async def run():
        async with world_with(read_slowly, read_quickly) as world:
            return await answers(world, 6)

    assert asyncio.run(run()) == ["slowly", *["quickly"] * 5]


def test_what_was_learnt_outlives_the_world(tmp_path):
    """The next run does not try what an earlier one has found to be slow."""

    async def run():
        async with world_with(read_slowly, read_quickly, profiles=tmp_path / "profiles.db") as world:
            return await answers(world, 3)

    assert [asyncio.run(run()), asyncio.run(run())] == [["slowly", "quickly", "quickly"], ["quickly"] * 3]


def test_changed_system_is_tried_again(tmp_path):
    """A system whose body has changed starts anew, whatever its old one took."""

    async def run(slow):
        async with world_with(slow, read_quickly, profiles=tmp_path / "profiles.db") as world:
            return await answers(world, 2)

    asyncio.run(run(read_slowly))

    async def read_slowly_no_more(cmd: Read) -> str:
        return "at once"

    read_slowly_no_more.__qualname__ = read_slowly.__qualname__
    read_slowly_no_more.__name__ = read_slowly.__name__

    assert asyncio.run(run(read_slowly_no_more)) == ["at once"] * 2


@pytest.fixture(scope="module")
def makespan():
    """The benchmark of what knowing the costs is worth: real worlds, on a clock that is not waited for."""
    sys.path.insert(0, str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("makespan", BENCHMARKS / "makespan.py")
    module = sys.modules["makespan"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(BENCHMARKS))
    for name in ("makespan", "_makespan_systems"):
        sys.modules.pop(name, None)


def test_learning_comes_close_to_knowing(makespan):
    """What is learnt while working, from nothing, costs at most a tenth over an oracle, and less once it is learnt."""
    mixes = [makespan.Mix(seed) for seed in (1, 2)]
    oracle = [makespan.makespans(mix, makespan.ORACLE) for mix in mixes]
    learned = [makespan.makespans(mix, makespan.UNKNOWN, learns=True) for mix in mixes]
    first, then = (statistics.mean(a[i] / b[i] for a, b in zip(learned, oracle, strict=True)) for i in (0, 1))

    assert first <= 1.10
    assert then <= 1.05


def test_guesses_do_not(makespan):
    """Guesses written by hand stay as far off as they are."""
    mix = makespan.Mix(1)

    guessed, known = makespan.makespans(mix, makespan.STATIC), makespan.makespans(mix, makespan.ORACLE)

    assert all(slow > 1.2 * quick for slow, quick in zip(guessed, known, strict=True))
