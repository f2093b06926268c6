"""Executors in a whole world: what is observed of a system is the same wherever it runs."""

import asyncio

import executor_systems as systems
import pytest
from dam_traits import World
from executor_systems import Ask, OddError

PLACES = ["loop", "thread", "process", "dask"]


class Records(list):
    """Keeps what it is told."""

    observe = list.append


@pytest.fixture
def executors(request, processes):
    """Give an executor for a place."""

    def executor(name):
        if name != "dask":
            return processes
        from dam_traits.executor.dask import DaskExecutor

        return DaskExecutor(request.getfixturevalue("cluster").scheduler_address)

    return executor


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize(
    ("system", "what", "record"),
    [
        (systems.function, 1, ("success", 1, None)),
        (systems.items, [1, 2, 3], ("success", 3, None)),
        (systems.fails, "x", ("error", 0, "OddError")),
        (systems.fails_after_items, "x", ("error", 2, "OddError")),
    ],
)
def test_record_of_an_execution_is_the_same_everywhere(executors, name, system, what, record):
    """Status, number of results and error of an execution are recorded alike wherever it ran."""

    async def check():
        world = World(executor=executors(name), load_plugins=False)
        records = Records()
        world.observers.append(records)
        world.register_system(system, on_command=Ask, run_in=None if name == "dask" else name)
        try:
            await world.dispatch_command(Ask(what)).get_all_results()
        except OddError:
            assert record[0] == "error"
        if name == "dask":
            await world.aclose()
        (found,) = records
        error = found.error.rpartition(".")[2].rpartition(":")[2] if found.error else None
        assert (found.status, found.results, error) == record
        assert found.duration_ns > 0

    asyncio.run(check())
