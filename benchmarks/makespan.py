"""
What knowing the costs is worth: how long the same work takes, by how the scheduler knows them.

    python benchmarks/makespan.py [--seeds 5] [--commands 1000] [--in-flight 24] [--noise 0.15] [--no-draft]

A seeded mix of disk-, network- and CPU-bound commands, most of which several systems can
handle: quicker for small or for large ones, and on different, limited resources
(`benchmarks/_makespan_systems.py`). A client keeps a number of commands in flight. All runs are on a
real `World` with the strategy that picks what would end soonest, and differ in where traits come from:

* fifo: no traits; the system that was registered first, queueing at the hardware;
* static: pools and one guessed number of milliseconds for each system, written by hand;
* learned: the pools by hand, the times from what was observed, beginning with nothing
  (first: the run in which it learns; then: new commands, with what was learnt);
* drafted: the pools by hand, the costs from the `calculate_traits` that dam-obs drafted after it
  measured these systems in real time (`dam-obs diagnose`, some seconds; nothing is learnt meanwhile);
* both: drafted, and learning on top of it, beginning with nothing;
* law: what the systems take without the noise, the best that anybody can know beforehand;
* oracle: the true times, noise included.

Time is virtual: an event loop on which a sleep takes no time but moves the clock. So a makespan is exact,
the same on every machine, and differs between seeds alone. "bound" is what no schedule can
undercut: the work of all commands, put on the systems so that the hardware is busy least, without any gap.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import random
import selectors
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from _makespan_systems import CAPACITIES, SYSTEMS, AssetSystem, Hardware, Work, run_to_be_measured, some_work
from dam_traits import ExecutionCostTrait, ResourceUsageTrait, Trait, World, workflow
from dam_traits.aggregate import Candidate
from dam_traits.learning import ProfileStore
from dam_traits.pools import ResourcePools
from dam_traits.strategies import Selection, SoonestFinished

EPOCH = 1_790_000_000.0
Calculate = Callable[[type[AssetSystem], Hardware], Callable[[Any, World], Awaitable[list[Trait]]]]


@dataclass(frozen=True, slots=True)
class Mix:
    """What is to be done: two batches of commands, and how many of them are in flight at a time."""

    seed: int
    commands: int = 1000
    in_flight: int = 24
    noise: float = 0.15

    @property
    def batches(self) -> tuple[list[Work], list[Work]]:
        rng = random.Random(self.seed)
        return some_work(rng, self.commands), some_work(rng, self.commands, first=self.commands)

    def hardware(self) -> Hardware:
        return Hardware(self.seed, self.noise)


class Instant(selectors.SelectSelector):
    """Waits for nothing: tells how long it would have waited."""

    waited = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everything waits, and nothing will ever come")
        if not ready and timeout:
            self.waited += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock moves by what it would have waited."""

    def __init__(self) -> None:
        self._instant = Instant()
        super().__init__(self._instant)

    def time(self) -> float:
        return self._instant.waited


def run_virtually(make: Callable[[VirtualLoop], Awaitable[Any]]) -> Any:
    """Run on a virtual loop, with the workflow's clocks on it too."""
    loop = VirtualLoop()
    real, workflow.time = (
        workflow.time,
        SimpleNamespace(time=lambda: EPOCH + loop.time(), perf_counter_ns=lambda: round(loop.time() * 1e9)),
    )
    try:
        return loop.run_until_complete(make(loop))
    finally:
        workflow.time = real
        loop.close()


class First:
    """The system that was registered first."""

    name = "first"

    def __call__(self, command: Any, candidates: Sequence[Candidate], pools: ResourcePools) -> Selection:
        return Selection(chosen=(candidates[0],), strategy=self.name, scores={}, reason="it was registered first")


async def serve(world: World, commands: Sequence[Work], in_flight: int) -> float:
    """Dispatch all commands in order, so many at a time, and give how many seconds that took."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    left: Iterator[Work] = iter(commands)

    async def client() -> None:
        for command in left:
            await world.dispatch_command(command).get_all_results()

    await asyncio.gather(*(client() for _ in range(in_flight)))
    return loop.time() - started


def makespans(mix: Mix, calculate: Calculate | None, *, learns: bool = False) -> list[float]:
    """Run a mix's batches one after the other in one world, and give how many seconds each took."""

    async def run(loop: VirtualLoop) -> list[float]:
        strategy = First() if calculate is None else SoonestFinished()
        async with World(strategy=strategy, load_plugins=False) as world:
            world.pools = ResourcePools(CAPACITIES, clock=loop.time)
            world.profiles = ProfileStore(clock=lambda: EPOCH + loop.time())
            world.observers = [world.profiles] if learns else []
            hardware = mix.hardware()
            world.add_resource(hardware)
            for command, systems in SYSTEMS.items():
                for system in systems:
                    predict = None if calculate is None else calculate(system, hardware)
                    world.register_system(system, on_command=command, calculate_traits=predict)
            return [await serve(world, batch, mix.in_flight) for batch in mix.batches]

    return run_virtually(run)


# -- where traits come from


def declared(costs: Callable[[type[AssetSystem], Hardware], Callable[[Any], Sequence[Trait]]]) -> Calculate:
    """Make what gives a system's traits: its pool, and besides what a rule says."""

    def calculate(system: type[AssetSystem], hardware: Hardware) -> Callable[[Any, World], Awaitable[list[Trait]]]:
        rule = costs(system, hardware)

        async def calculate_traits(cmd: Any, world: World) -> list[Trait]:
            return [ResourceUsageTrait(system.resource), *rule(cmd)]

        return calculate_traits

    return calculate


GUESSED_MS = {
    "ReadFromDisk": 50,
    "ReadFromCache": 40,
    "ReadFromPeer": 100,
    "ResizeHere": 80,
    "ResizeByService": 120,
    "IndexHere": 100,
    "IndexByService": 150,
    "StoreOnDisk": 30,
}
"""What somebody might write who knows the systems and has measured nothing."""


def true_cost(system: type[AssetSystem], hardware: Hardware) -> Callable[[Any], Sequence[Trait]]:
    """Give what an execution will take."""
    return lambda cmd: [ExecutionCostTrait(time_ms=max(1, round(hardware.takes_ms(system, cmd))))]


UNKNOWN = declared(lambda system, hardware: lambda cmd: [])
STATIC = declared(lambda system, hardware: lambda cmd: [ExecutionCostTrait(time_ms=GUESSED_MS[system.__name__])])
LAW = declared(lambda system, hardware: lambda cmd: [ExecutionCostTrait(time_ms=round(system.law(cmd.size)))])
ORACLE = declared(true_cost)


def drafted(drafts: dict[str, Any]) -> Calculate:
    """Take what drafted methods say, the pools aside: a system that sleeps touches no resource."""
    return declared(
        lambda system, hardware: lambda cmd: _result_of(drafts[system.__name__].calculate_traits(cmd, None))
    )


def _result_of(coroutine: Any) -> list[Trait]:
    """Run a coroutine that awaits nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("a draft awaits nothing")


def draft_for_real(folder: Path, noise: float) -> dict[str, Any]:
    """Measure the systems in a program of its own, draft, and load what was drafted."""
    run = folder / "run"
    measured = [sys.executable, __file__, "--host", "--first-seed", "4711", "--noise", str(noise)]
    command = [sys.executable, "-m", "dam_obs.cli", "diagnose", "--no-stacks", "--out", str(run), "--", *measured]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise SystemExit(f"dam-obs diagnose failed, or leave it out with --no-draft: {ended.stderr}")
    drafts: dict[str, Any] = {}
    for path in sorted((run / "drafts").glob("*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        drafts.update({name: each for name, each in vars(module).items() if hasattr(each, "calculate_traits")})
    return drafts


def bound_s(commands: Sequence[Work], hardware: Hardware) -> float:
    """
    Give what no schedule of these commands can undercut.

    For any prices of the resources, handling each command where it costs least is a bound of
    what all of them keep the hardware busy; the prices are moved to where it is highest.
    """
    price = dict.fromkeys(CAPACITIES, 1.0)
    best = 0.0
    for _ in range(200):
        load = dict.fromkeys(CAPACITIES, 0.0)
        paid = 0.0
        for command in commands:
            busy = [(s, hardware.takes_ms(s, command) / CAPACITIES[s.resource]) for s in SYSTEMS[type(command)]]
            system, busy_ms = min(busy, key=lambda each: price[each[0].resource] * each[1])
            load[system.resource] += busy_ms
            paid += price[system.resource] * busy_ms
        best = max(best, paid / sum(price.values()))
        most = max(load.values())
        price = {name: price[name] * (1.0 + 0.1 * load[name] / most) for name in price}
    return best / 1e3


# -- the table


def measure(mix: Mix, drafts: dict[str, Any] | None) -> dict[str, float]:
    """Give the makespan of each way, in seconds."""
    found = {"fifo": makespans(mix, None), "static": makespans(mix, STATIC)}
    found["learned"] = makespans(mix, UNKNOWN, learns=True)
    if drafts is not None:
        found["drafted"] = makespans(mix, drafted(drafts))
        found["both"] = makespans(mix, drafted(drafts), learns=True)
    found["law"] = makespans(mix, LAW)
    found["oracle"] = makespans(mix, ORACLE)
    found["bound"] = [bound_s(batch, mix.hardware()) for batch in mix.batches]
    return {f"{name} {phase}": value for name, both in found.items() for phase, value in zip(PHASES, both, strict=True)}


PHASES = ("first", "then")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many mixes")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--commands", type=int, default=1000, help="in each of two batches")
    parser.add_argument("--in-flight", type=int, default=24, help="commands that the client keeps in flight")
    parser.add_argument("--noise", type=float, default=0.15, help="how much the same work differs: sd of the logarithm")
    parser.add_argument("--no-draft", action="store_true", help="leave out what needs dam-obs")
    parser.add_argument("--host", action="store_true", help="only run the systems in real time, to be measured")
    given = parser.parse_args()
    if given.host:
        asyncio.run(run_to_be_measured(given.first_seed, given.noise, each=60))
        return
    drafts = None
    if not given.no_draft:
        with tempfile.TemporaryDirectory() as folder:
            drafts = draft_for_real(Path(folder), given.noise)
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    runs = [measure(Mix(seed, given.commands, given.in_flight, given.noise), drafts) for seed in seeds]
    print(f"{len(runs)} mixes of 2 x {given.commands} commands, {given.in_flight} in flight; virtual seconds")
    print(f"{'traits':<16}{'makespan':>10}{'to the oracle':>26}{'gain over fifo':>18}")
    for name in runs[0]:
        print(f"{name:<16}{_row(name, runs)}")


def _row(name: str, runs: Sequence[dict[str, float]]) -> str:
    phase = name.split()[1]
    ratios = [run[name] / run[f"oracle {phase}"] for run in runs]
    gain = statistics.mean(run[f"fifo {phase}"] / run[name] for run in runs)
    makespan = statistics.mean(run[name] for run in runs)
    spread = f"({min(ratios):.3f}-{max(ratios):.3f})"
    return f"{makespan:>10.2f}{statistics.mean(ratios):>12.3f} {spread}{gain:>12.2f} x"


if __name__ == "__main__":
    main()
