"""A world as small as an executor needs it, one way to run a system in it, and systems that other processes find."""

import asyncio
import sys
from pathlib import Path

import pluggy
import pytest
from dam_traits import hookspecs
from dam_traits.executor import LocalExecutor
from dam_traits.invocation import Invocation
from dam_traits.registration import make_system
from dam_traits.registry import SystemRegistry
from dam_traits.system import make_options

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)  # for executor_systems, which child processes import by that name


class Steps:
    """The built-in way to call a system."""

    @hookspecs.hookimpl(trylast=True)
    def dam_traits_execute(self, invocation):
        return invocation.system.call(**invocation.arguments)


class SmallWorld:
    """What an executor asks of a world: its plugin manager."""

    def __init__(self, executor):
        self.name = "small"
        self.systems = SystemRegistry()
        self.plugin_manager = pluggy.PluginManager(hookspecs.PROJECT)
        self.plugin_manager.add_hookspecs(hookspecs)
        self.plugin_manager.register(Steps())
        self.executor = executor

    def invocation(self, target, command, *, run_in=None, traits=()):
        """Make an invocation of a function or class as a scheduler does."""
        options = make_options(
            "test", on_command=type(command), on_event=None, on_stage=None, run_in=run_in, calculate_traits=None
        )
        system = make_system(self, target, options)
        self.executor.check(system)
        invocation = Invocation(world=self, system=system, command=command, traits=traits)
        invocation.arguments = dict(system.bind(invocation))
        return invocation

    def run(self, target, command, **options):
        """Give the generator of a system's results."""
        return self.executor.run(self.invocation(target, command, **options))

    async def results(self, target, command, **options):
        """Give all results of a system."""
        return [each async for each in self.run(target, command, **options)]

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.executor.aclose()


@pytest.fixture(scope="session")
def cluster():
    """Start a real cluster: two workers, each a process with one thread, that have a resource each."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            resources={"gpu": 2},
            silence_logs=50,
        ) as cluster,
    ):
        yield cluster


@pytest.fixture(scope="module")
def processes():
    """Give an executor whose processes are used from test to test, since it takes a while to start one."""
    executor = LocalExecutor(processes=2, plugins=["executor_systems:Carrier"])
    yield executor
    asyncio.run(executor.aclose())


@pytest.fixture
def dask_world(cluster):
    """Make small worlds with an executor for the cluster."""
    from dam_traits.executor.dask import DaskExecutor

    def make(address=cluster.scheduler_address, **options):
        return SmallWorld(DaskExecutor(address, plugins=["executor_systems:Carrier"], **options))

    return make


@pytest.fixture
def small_world():
    """Make small worlds, with an executor for this machine or another."""
    return lambda executor=None, **options: SmallWorld(executor or LocalExecutor(**options))
