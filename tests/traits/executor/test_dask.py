"""Systems on a real cluster of processes: which go there, what workers must have, and what is lost with one."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import executor_systems as systems
import pytest
from dam_traits import ExecutionCostTrait, ResourceUsageTrait
from dam_traits.executor import MissingExtra, WorkerLost, make_executor
from executor_systems import Ask

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")


def run(coroutine):
    """Run a test's coroutine, but not for ever."""

    async def bounded():
        async with asyncio.timeout(100):
            return await coroutine

    return asyncio.run(bounded())


async def text_of(path):
    """Wait for a system to write a file."""
    while not (path.exists() and path.read_text()):
        await asyncio.sleep(0.01)
    return path.read_text()


@asynccontextmanager
async def own_cluster(workers):
    """Start a cluster for a test that does it harm; a system is given up with the second worker that it loses."""
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        started = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            asynchronous=True,
            silence_logs=50,
        )
        async with started as cluster:
            yield cluster


class NeedsSomething:
    """A class whose instance must be made in its world."""

    def __init__(self, spare: Path | None = None):
        self.spare = spare

    def __call__(self, command: Ask):
        return os.getpid()


def takes_resource(command: Ask, spare: Path | None):
    return os.getpid()


@pytest.mark.parametrize(
    ("system", "run_in", "reason"),
    [
        (systems.pid, None, None),
        (systems.pid, "process", None),
        (systems.pid_async, None, None),
        (systems.pid_item, None, None),
        (systems.PidOfInstance, None, None),
        (systems.pid, "loop", "it asks for the loop"),
        (systems.pid_async_item, None, "it gives its items as they come, to a reader who may leave"),
        (takes_resource, None, "it takes more than its command"),
        (NeedsSomething, None, "it takes more than its command"),
    ],
)
def test_system_runs_on_a_worker_if_it_can(dask_world, system, run_in, reason):
    """What needs but its command runs in another process; what cannot runs here, and the reason can be had."""

    async def check():
        async with dask_world() as world:
            world.has_resource = lambda _: False
            invocation = world.invocation(system, Ask(), run_in=run_in)
            assert world.executor.why_here(invocation) == reason
            (pid,) = [each async for each in world.executor.run(invocation)]
            assert (pid == os.getpid()) == (reason is not None)

    run(check())


def test_system_that_no_worker_could_import_runs_here(dask_world):
    """A function that was defined in another one has no name to be imported by, and runs in its world's process."""

    def local(command: Ask):
        return os.getpid()

    async def check():
        async with dask_world() as world:
            assert "define it at the top of its module" in world.executor.why_here(world.invocation(local, Ask()))
            assert await world.results(local, Ask()) == [os.getpid()]

    run(check())


def test_pools_become_resources_where_the_cluster_knows_them(dask_world):
    """A worker sets aside what a system needs of its resources; of pools it knows nothing of it does not."""

    async def check():
        async with dask_world() as world:
            needs = (ResourceUsageTrait("gpu"), ResourceUsageTrait("gpu"), ResourceUsageTrait("disk/read/nvme0", 7))
            assert await world.results(systems.free_resources, Ask(), traits=needs) == [{"gpu": 0}]
            assert await world.results(systems.free_resources, Ask(), traits=()) == [{"gpu": 2}]
            too_much = (ResourceUsageTrait("gpu", 3), ExecutionCostTrait(priority=1))
            assert await world.results(systems.free_resources, Ask(), traits=too_much) == [{"gpu": 2}]

    run(check())


def test_system_of_a_worker_that_is_killed_runs_on_another(dask_world, tmp_path):
    """A worker that is killed while a system runs there costs time, and no result."""

    async def check():
        async with own_cluster(2) as cluster, dask_world(cluster.scheduler_address) as world:
            what = (tmp_path / "pid", tmp_path / "go on")
            task = asyncio.create_task(world.results(systems.writes_pid_then_waits, Ask(what)))
            pid = int(await text_of(tmp_path / "pid"))
            os.kill(pid, signal.SIGKILL)
            (tmp_path / "go on").touch()
            assert await task == ["waited"]
            assert int((tmp_path / "pid").read_text()) != pid

    run(check())


def test_system_that_kills_its_workers_is_lost_and_says_so(dask_world):
    """What no worker survives is an error naming the system, when Dask has tried often enough."""

    async def check():
        async with own_cluster(2) as cluster, dask_world(cluster.scheduler_address) as world:
            with pytest.raises(WorkerLost, match="executor_systems:dies was lost with 2 workers, each of which died"):
                await world.results(systems.dies, Ask(("killed", None)))

    run(check())


def test_reader_that_leaves_disturbs_no_other(dask_world):
    """Whenever a reader is cancelled, those whose results are under way at the same time get theirs."""

    async def check():
        async with dask_world() as world:
            await world.results(systems.function, Ask())
            for step in range(20):
                leaving, *staying = (asyncio.create_task(world.results(systems.function, Ask(n))) for n in range(4))
                await asyncio.sleep(step / 1000)
                leaving.cancel()
                assert await asyncio.gather(*staying) == [[("function", n)] for n in range(1, 4)]
                await asyncio.wait({leaving})

    run(check())


def test_system_whose_reader_left_before_its_turn_does_not_run(dask_world, tmp_path):
    """Cancelled while both workers are busy, a system never runs."""

    async def check():
        async with dask_world() as world:
            go_on = tmp_path / "go on"
            busy = [
                asyncio.create_task(world.results(systems.writes_pid_then_waits, Ask((tmp_path / each, go_on))))
                for each in ("first", "second")
            ]
            for each in ("first", "second"):
                await text_of(tmp_path / each)
            leaving = asyncio.create_task(world.results(systems.touches, Ask(tmp_path / "ran")))
            await asyncio.sleep(0.1)
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
            await asyncio.sleep(0.1)
            go_on.touch()
            assert await asyncio.gather(*busy) == [["waited"], ["waited"]]
            # Both workers have gone through what was sent to them before.
            await asyncio.gather(*(world.results(systems.pid, Ask()) for _ in range(4)))
        assert not (tmp_path / "ran").exists()

    run(check())


def test_cluster_without_workers_is_waited_for_with_patience(dask_world):
    """A system does not wait for ever for a worker: after the time that was set it is lost, and that is said."""

    async def check():
        async with own_cluster(0) as empty, dask_world(empty.scheduler_address, patience_s=0.1) as world:
            with pytest.raises(WorkerLost, match=r"the cluster, which has had no worker for 0.1 s"):
                await world.results(systems.function, Ask())

    run(check())


def test_cluster_that_goes_away_is_an_error(dask_world, tmp_path):
    """What ran on a cluster that is gone is lost, and that is said; nothing waits for ever."""

    async def check():
        async with own_cluster(1) as cluster, dask_world(cluster.scheduler_address) as world:
            task = asyncio.create_task(world.results(systems.writes_pid_then_sleeps, Ask((tmp_path / "pid", 0.5))))
            await text_of(tmp_path / "pid")
            await cluster.close()
            with pytest.raises(WorkerLost, match="writes_pid_then_sleeps was lost with the cluster"):
                await task

    run(check())


def test_client_that_was_given_is_used(dask_world, cluster):
    """An asynchronous client is used and left open; of a synchronous one, with a loop of its own, the cluster is."""

    async def check():
        async with distributed.Client(cluster.scheduler_address, asynchronous=True, set_as_default=False) as client:
            async with dask_world(client) as world:
                assert await world.results(systems.function, Ask(1)) == [("function", 1)]
            assert client.status == "running"

    run(check())
    with distributed.Client(cluster, set_as_default=False) as client:

        async def check_synchronous():
            async with dask_world(client) as world:
                assert await world.results(systems.function, Ask(1)) == [("function", 1)]

        run(check_synchronous())
        assert client.status == "running"


def test_executor_by_name_uses_the_cluster_of_the_configuration(small_world, cluster):
    """``executor="dask"`` connects to the cluster that Dask's configuration names."""

    async def check():
        with dask.config.set({"scheduler-address": cluster.scheduler_address}):
            async with small_world(make_executor(None, "dask")) as world:
                (pid,) = await world.results(systems.pid, Ask())
        assert pid in await asyncio.to_thread(pids_of_workers, cluster)

    run(check())


def pids_of_workers(cluster):
    """Ask the nannies for the processes that they watch."""
    with distributed.Client(cluster, set_as_default=False) as client:
        return list(client.run(os.getpid).values())


@pytest.mark.slow
def test_executor_by_name_starts_a_cluster_where_there_is_none(small_world):
    """Without a configured cluster, ``executor="dask"`` has one of its own on this machine, and closes it."""

    async def check():
        async with small_world(make_executor(None, "dask")) as world:
            (pid,) = await world.results(systems.pid, Ask())
        return pid

    pid = run(check())
    assert pid != os.getpid()
    assert not Path(f"/proc/{pid}").exists()


def test_missing_library_is_said(monkeypatch):
    """Without distributed, asking for it by name is an error with what to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match=r"pip install 'dam-obs-traits\[dask\]'"):
        make_executor(None, "dask")
