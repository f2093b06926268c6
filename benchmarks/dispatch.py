"""
What a dispatched command costs that does nothing, and whether that stays so.

    python benchmarks/dispatch.py            # --rounds 15, --times 1000, --json

Three questions, each asked in short rounds that take turns, so that all see the same noise;
medians over rounds are printed. Wall time is what a caller waits; CPU time is that of all
threads of this process, and what the ratios of the second and third question are made of,
since nothing waits for anything there and other programs disturb it less.

``command``: microseconds for one command through the whole workflow of dam_traits (every
step a hook, the record learnt from), untraced and traced into a JSONL file, beside a bare
coroutine and other schedulers in this process: Dask's synchronous one, Dask distributed
with a worker in threads, taskiq with its in-memory broker, a task of Prefect with its
server beside it on loopback. Those that are not installed, or do not start, are named and left out.

``flat``: the same with 1 to 10,000 registered systems, and after 1 to 100,000 executions.

``waiting``: many commands that wait for one pool of capacity 1, all there from the start;
how the total grows from 1,000 to 10,000 of them, beside `asyncio.Semaphore`. In proportion
to n it would grow by 10.0, to n log n by 13.3.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import math
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dam_traits import Command, ResourceUsageTrait, World
from dam_traits.learning.record import ExecutionRecord

AIM_US = 60.0
BARE = "bare coroutine"


class Nothing(Command[int]):
    """Asks for nothing."""


class Waiting(Command[int]):
    """Asks for nothing, with a pool."""


async def nothing(cmd: Nothing) -> int:
    return 1


async def waiting(cmd: Waiting) -> int:
    return 1


async def needs_pool(cmd: Waiting, world: World) -> list[ResourceUsageTrait]:
    return [POOL]


POOL = ResourceUsageTrait("door")


def nothing_at_all() -> int:
    return 1


def do_nothing() -> None:
    return None


async def do_nothing_async() -> None:
    return None


@dataclass
class Taken:
    """Microseconds for one command, by round."""

    wall: list[float]
    cpu: list[float]


@dataclass
class Peer:
    """Something that runs a function that does nothing."""

    name: str
    loop: Callable[[int], Awaitable[None]]
    """Runs it so many times, one after the other."""
    share: float = 1.0
    """How much of a round's times it does: less for what is slow."""
    before: Callable[[], object] = do_nothing
    after: Callable[[], object] = do_nothing
    close: Callable[[], Awaitable[None]] = do_nothing_async


# -- ours


def a_world(systems: int = 1) -> World:
    """Make a world with the system that does nothing, and so many others."""
    world = World(load_plugins=False)
    world.register_system(nothing, on_command=Nothing)
    for number in range(systems - 1):
        kind = type(f"Other{number}", (Command,), {})

        async def other(cmd: Command[int]) -> int:
            return 1

        world.register_system(other, on_command=kind)
    return world


def dispatching(name: str, world: World, **more: Any) -> Peer:
    async def loop(times: int) -> None:
        for _ in range(times):
            await world.dispatch_command(Nothing()).get_one_value()

    return Peer(name, loop, close=world.aclose, **more)


def traced(name: str, folder: Path, *, only_named: bool) -> Peer:
    """Dispatch while dam-obs records: the points that dam_traits brings, or every hook of its plugin manager."""
    from dam_traits import observability

    import dam_obs
    from dam_obs.points.attach import attached
    from dam_obs.points.hosts import observe
    from dam_obs.points.load import load_file

    world = a_world()
    points = [load_file(path) for path in observability.dam_obs_trace_points() if path.stem == "dam_traits"]
    used = points if only_named else []
    undo = ExitStack()

    def switch_on() -> None:
        dam_obs.configure(output=folder / "dispatch.jsonl", jsonl=True, queue_size=1 << 17, rotate_bytes=0)
        undo.enter_context(attached(used))
        undo.callback(observe(world.plugin_manager, used).stop)

    def switch_off() -> None:
        undo.close()
        dam_obs.shutdown()

    return dispatching(name, world, before=switch_on, after=switch_off, share=0.5)


# -- others


def bare() -> Peer:
    async def loop(times: int) -> None:
        command = Nothing()
        for _ in range(times):
            await nothing(command)

    return Peer(BARE, loop)


async def dask_sync() -> Peer:
    import dask

    delayed = dask.delayed(nothing_at_all)

    async def loop(times: int) -> None:
        for _ in range(times):
            delayed().compute(scheduler="sync")

    return Peer("dask.delayed, scheduler=sync", loop, share=0.2)


async def dask_distributed() -> Peer:
    import distributed

    distributed.LocalCluster  # noqa: B018 - says early that it is not there
    logging.getLogger("distributed").setLevel(logging.ERROR)
    cluster = await distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, asynchronous=True, dashboard_address=None
    )
    client = await distributed.Client(cluster, asynchronous=True)

    async def loop(times: int) -> None:
        for _ in range(times):
            await client.submit(nothing_at_all, pure=False)

    async def close() -> None:
        await client.close()
        await cluster.close()

    return Peer("distributed, LocalCluster in threads", loop, share=0.02, close=close)


async def taskiq_in_memory() -> Peer:
    import taskiq

    broker = taskiq.InMemoryBroker(await_inplace=True)
    task = broker.task(task_name="nothing")(nothing_async)
    await broker.startup()

    async def loop(times: int) -> None:
        for _ in range(times):
            sent = await task.kiq()
            (await sent.wait_result()).raise_for_error()

    return Peer("taskiq, InMemoryBroker", loop, share=0.2, close=broker.shutdown)


async def nothing_async() -> int:
    return 1


async def prefect_task(folder: Path) -> Peer:
    os.environ.update(
        PREFECT_HOME=str(folder),
        PREFECT_SERVER_ALLOW_EPHEMERAL_MODE="true",
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        PREFECT_LOGGING_LEVEL="CRITICAL",
        PREFECT_CLI_PROMPT="false",
        DO_NOT_TRACK="1",
    )
    import prefect

    task = prefect.task(nothing_async)

    async def loop(times: int) -> None:
        for _ in range(times):
            await task()

    return Peer("Prefect task, server on loopback", loop, share=0.004)


# -- measuring


async def measure(peers: Sequence[Peer], rounds: int, times: int) -> dict[str, Taken]:
    """Let the peers do a round each, again and again."""
    taken = {peer.name: Taken([], []) for peer in peers}
    for turn in range(rounds + 1):
        for peer in peers:
            count = max(3, int(times * peer.share))
            peer.before()
            await peer.loop(min(20, count))
            gc.collect()
            cpu, wall = time.process_time(), time.perf_counter()
            await peer.loop(count)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            peer.after()
            if turn:  # the first round warms up
                taken[peer.name].wall.append(wall / count * 1e6)
                taken[peer.name].cpu.append(cpu / count * 1e6)
    return taken


async def peers_of(folder: Path) -> tuple[list[Peer], list[str]]:
    """Make all peers that are there, and say why others are not."""
    peers = [
        bare(),
        dispatching("dam_traits", a_world()),
        traced("dam_traits, its trace points", folder, only_named=True),
        traced("dam_traits, a span for every hook", folder, only_named=False),
    ]
    missing: list[str] = []
    makers: dict[str, Callable[[], Awaitable[Peer]]] = {
        "dask": dask_sync,
        "distributed": dask_distributed,
        "taskiq": taskiq_in_memory,
        "prefect": lambda: prefect_task(folder),
    }
    for name, make in makers.items():
        try:
            peer = await make()
            await peer.loop(1)
        except Exception as error:  # noqa: BLE001 - another's fault is no reason to measure nothing
            missing.append(f"{name}: {type(error).__name__}: {error}"[:100])
        else:
            peers.append(peer)
    return peers, missing


async def commands(rounds: int, times: int) -> dict[str, Any]:
    """Answer the first question."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        peers, missing = await peers_of(Path(name))
        try:
            taken = await measure(peers, rounds, times)
        finally:
            for peer in peers:
                await peer.close()
    ours = statistics.median(taken["dam_traits"].wall)
    rows = [
        {
            "peer": peer,
            "wall_us": round(statistics.median(each.wall), 2),
            "least_us": round(min(each.wall), 2),
            "cpu_us": round(statistics.median(each.cpu), 2),
            "times_ours": round(statistics.median(each.wall) / ours, 3),
        }
        for peer, each in taken.items()
    ]
    return {"rows": rows, "left_out": missing, "aim_us": AIM_US}


async def flat(rounds: int, times: int) -> dict[str, Any]:
    """Answer the second question: microseconds by number of systems, and by number of past executions."""
    systems = {count: dispatching(f"{count:,} systems", a_world(count)) for count in (1, 100, 10_000)}
    past = {count: dispatching(f"{count:,} executions", aged(count)) for count in (1, 1_000, 100_000)}
    peers = [*systems.values(), *past.values()]
    taken = await measure(peers, rounds, times)
    for peer in peers:
        await peer.close()
    return {
        "systems": growth(((count, taken[peer.name]) for count, peer in systems.items())),
        "executions": growth(((count, taken[peer.name]) for count, peer in past.items())),
    }


def aged(executions: int) -> World:
    """Make a world whose system was run so often before, each time another while."""
    world = a_world()
    (system,) = world.systems
    version = system.version
    chance = random.Random(7)
    for _ in range(executions):
        world.profiles.observe(
            ExecutionRecord(
                system=system.name,
                version=version,
                command="commands:Nothing",
                status="success",
                duration_ns=int(chance.lognormvariate(14, 2)),
                started_unix_s=time.time() - chance.random() * 86_400,
            )
        )
    return world


def growth(taken: Iterable[tuple[int, Taken]]) -> list[dict[str, float]]:
    """Relate each to the first, round by round."""
    rows = list(taken)
    first = rows[0][1].cpu
    return [
        {
            "count": count,
            "wall_us": round(statistics.median(each.wall), 2),
            "cpu_us": round(statistics.median(each.cpu), 2),
            "ratio": round(statistics.median(one / other for one, other in zip(each.cpu, first, strict=True)), 3),
        }
        for count, each in rows
    ]


async def wait_for_pool(count: int) -> float:
    """Dispatch so many commands at once that each need all of one pool; give the CPU seconds until all are done."""
    world = World(load_plugins=False, capacities={"door": 1})
    world.register_system(waiting, on_command=Waiting, calculate_traits=needs_pool)
    lease = world.pools.acquire([POOL])
    assert not isinstance(lease, Awaitable)
    start = time.process_time()
    tasks = [asyncio.ensure_future(world.dispatch_command(Waiting()).get_one_value()) for _ in range(count)]
    await asyncio.sleep(0)  # now they all wait
    lease.release()
    await asyncio.gather(*tasks)
    took = time.process_time() - start
    await world.aclose()
    return took


async def wait_for_semaphore(count: int) -> float:
    """Do the same with what asyncio brings."""
    semaphore = asyncio.Semaphore(1)

    async def wait() -> int:
        async with semaphore:
            return await waiting(Waiting())

    await semaphore.acquire()
    start = time.process_time()
    tasks = [asyncio.ensure_future(wait()) for _ in range(count)]
    await asyncio.sleep(0)
    semaphore.release()
    await asyncio.gather(*tasks)
    return time.process_time() - start


async def many_waiting(rounds: int) -> list[dict[str, Any]]:
    """Answer the third question."""
    few, many = 1_000, 10_000
    rows = []
    peers = (("dam_traits", wait_for_pool), ("asyncio.Semaphore", wait_for_semaphore))
    taken: dict[tuple[str, int], list[float]] = {(name, count): [] for name, _ in peers for count in (few, many)}
    for turn in range(rounds + 1):
        for name, wait in peers:
            for count in (few, many):
                gc.collect()
                took = await wait(count)
                if turn:
                    taken[name, count].append(took)
    for name, _ in peers:
        ratios = [one / other for one, other in zip(taken[name, many], taken[name, few], strict=True)]
        rows.append(
            {
                "peer": name,
                "few_us": round(statistics.median(taken[name, few]) / few * 1e6, 2),
                "many_us": round(statistics.median(taken[name, many]) / many * 1e6, 2),
                "growth": round(statistics.median(ratios), 2),
                "n_log_n": round(many * math.log(many) / (few * math.log(few)), 2),
            }
        )
    return rows


def show(result: dict[str, Any], rounds: int) -> None:
    """Print for people."""
    print(f"Python {result['python']}; medians of {rounds} interleaved rounds")
    print(f"\n{'one command that does nothing':40s}{'wall us':>12s}{'least':>12s}{'CPU us':>12s}{'x ours':>9s}")
    for row in result["command"]["rows"]:
        print(
            f"{row['peer']:40s}{row['wall_us']:12,.2f}{row['least_us']:12,.2f}{row['cpu_us']:12,.2f}{row['times_ours']:9.2f}"
        )
    print(f"{'(aim for dam_traits, untraced)':40s}{result['command']['aim_us']:12,.2f}")
    for name in result["command"]["left_out"]:
        print(f"left out: {name}")
    for title, what in (("registered systems", "systems"), ("past executions", "executions")):
        print(f"\n{title:40s}{'wall us':>12s}{'CPU us':>12s}{'CPU x first':>12s}")
        for row in result["flat"][what]:
            print(f"{row['count']:<40,}{row['wall_us']:12,.2f}{row['cpu_us']:12,.2f}{row['ratio']:12.3f}")
    print(f"\n{'waiting for one pool, CPU us each':40s}{'1,000':>12s}{'10,000':>12s}{'growth':>10s}{'n log n':>10s}")
    for row in result["waiting"]:
        print(
            f"{row['peer']:40s}{row['few_us']:12,.2f}{row['many_us']:12,.2f}{row['growth']:10.2f}{row['n_log_n']:10.2f}"
        )


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--times", type=int, default=1000, help="commands in a round")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"python": sys.version.split()[0]}
    result["flat"] = await flat(arguments.rounds, arguments.times)
    result["waiting"] = await many_waiting(max(3, arguments.rounds // 3))
    result["command"] = await commands(arguments.rounds, arguments.times)
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    show(result, arguments.rounds)


if __name__ == "__main__":
    asyncio.run(main())
