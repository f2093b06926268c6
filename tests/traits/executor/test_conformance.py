"""What `SystemExecutor` promises, held by each executor in each of the places where it runs systems."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from itertools import product

import executor_systems as systems
import pytest
from dam_traits import hookspecs
from executor_systems import Ask, Carrier, OddError

PLACES = ["loop", "thread", "process", "dask"]
"""Where sync systems run."""

ASYNC_PLACES = ["async", "dask async"]
"""Where those with a coroutine or an async generator do."""


class Place:
    """One world, and how a system is run in one of its places."""

    def __init__(self, world, run_in):
        self.world = world
        self.carrier = Carrier()
        self.run = partial(world.run, run_in=run_in)
        self.results = partial(world.results, run_in=run_in)
        self.invocation = partial(world.invocation, run_in=run_in)
        world.plugin_manager.register(self.carrier)


@pytest.fixture
def at(request, small_world, processes):
    """Enter a place: ``async with at("thread") as place``."""

    @asynccontextmanager
    async def enter(name):
        if name == "process":
            yield Place(small_world(processes), "process")
            return
        world = request.getfixturevalue("dask_world")() if name.startswith("dask") else small_world()
        async with world:
            yield Place(world, name if name in ("loop", "thread") else None)

    return enter


def run(coroutine):
    """Run a test's coroutine, but not for ever."""

    async def bounded():
        async with asyncio.timeout(60):
            return await coroutine

    return asyncio.run(bounded())


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize(
    ("system", "what", "results"),
    [
        (systems.function, 1, [("function", 1)]),
        (systems.nothing, None, [None]),
        (systems.items, [], []),
        (systems.items, range(100), list(range(100))),
        (systems.items, [None, (), "text"], [None, (), "text"]),
        (systems.Counting, "x", [(1, "x")]),
    ],
)
def test_results_are_those_of_the_system(at, name, system, what, results):
    """A function has one result, a generator its items in their order, wherever it runs."""

    async def check():
        async with at(name) as place:
            assert await place.results(system, Ask(what)) == results

    run(check())


@pytest.mark.parametrize("name", ASYNC_PLACES)
@pytest.mark.parametrize(
    ("system", "what", "results"),
    [
        (systems.coroutine, 1, [("coroutine", 1)]),
        (systems.async_items, [], []),
        (systems.async_items, range(100), list(range(100))),
    ],
)
def test_results_are_those_of_the_async_system(at, name, system, what, results):
    """A coroutine has one result, an async generator its items in their order, wherever it runs."""

    async def check():
        async with at(name) as place:
            assert await place.results(system, Ask(what)) == results

    run(check())


@pytest.mark.parametrize(
    ("name", "system", "before"),
    [
        *product(PLACES, [systems.fails], [[]]),
        *product(PLACES, [systems.fails_after_items], [[1, 2]]),
        *product(ASYNC_PLACES, [systems.fails_async], [[]]),
        *product(ASYNC_PLACES, [systems.fails_after_async_items], [[1, 2]]),
    ],
)
def test_error_comes_out_as_it_is_after_what_was_given_before(at, name, system, before):
    """The reader meets the system's own error, of its own class with all it carries, after the items before it."""

    async def check():
        async with at(name) as place:
            results = place.run(system, Ask("here"))
            assert [await anext(results) for _ in before] == before
            with pytest.raises(OddError) as caught:
                await anext(results)
        error = caught.value
        assert (type(error), error.args, error.code, error.where) == (OddError, ("7 at here",), 7, "here")

    run(check())


@pytest.mark.parametrize("name", PLACES)
def test_nothing_runs_before_the_first_result_is_asked_for(at, name, tmp_path):
    """What is never read never ran."""

    async def check():
        async with at(name) as place:
            never = place.run(systems.touches, Ask(tmp_path / "never"))
            await place.results(systems.touches, Ask(tmp_path / "read"))
            await never.aclose()

    run(check())
    assert [each.name for each in tmp_path.iterdir()] == ["read"]


@pytest.mark.parametrize("name", PLACES)
def test_reader_may_leave_early(at, name):
    """Closing after the first of many items is no error, and the next system runs as ever."""

    async def check():
        async with at(name) as place:
            results = place.run(systems.items, Ask(range(1000)))
            assert await anext(results) == 0
            await results.aclose()
            with pytest.raises(StopAsyncIteration):
                await anext(results)
            assert await place.results(systems.function, Ask(2)) == [("function", 2)]

    run(check())


@pytest.mark.parametrize("name", PLACES)
def test_trace_goes_along(at, name):
    """What is current where results are read is so where the system runs: by context variables, or carried."""

    async def check():
        async with at(name) as place:
            systems.TRACE.set("of the reader")
            assert await place.results(systems.trace, Ask()) == ["of the reader"]

    run(check())


@pytest.mark.parametrize("name", ["process", "dask"])
def test_what_a_plugin_sends_back_arrives(at, name):
    """`dam_traits_bring` gets what was brought from elsewhere, also of a system that failed."""

    async def check():
        async with at(name) as place:
            systems.TRACE.set("t")
            await place.results(systems.function, Ask())
            with pytest.raises(OddError):
                await place.results(systems.fails, Ask())
            assert place.carrier.came_back == [b"t: fine", b"t: OddError"]

    run(check())


@pytest.mark.parametrize("name", ["thread", "process", "dask"])
def test_cpu_time_is_measured(at, name):
    """The time on the CPU is what the system computed, in whatever thread or process."""

    async def check():
        async with at(name) as place:
            invocation = place.invocation(systems.computes, Ask(20_000_000))
            assert [each async for each in place.world.executor.run(invocation)] == [None]
            assert 20_000_000 <= invocation.cpu_ns < 2_000_000_000

    run(check())


@pytest.mark.parametrize("name", [*PLACES, *ASYNC_PLACES])
def test_many_at_once_keep_their_results(at, name):
    """Results and errors of systems that run at the same time go each to its own reader."""
    good, bad = (systems.coroutine, systems.fails_async) if name in ASYNC_PLACES else (systems.function, systems.fails)

    async def check():
        async with at(name) as place:
            wanted = [place.results(bad if n % 3 == 0 else good, Ask(n)) for n in range(30)]
            found = await asyncio.gather(*wanted, return_exceptions=True)
        for n, each in enumerate(found):
            if n % 3 == 0:
                assert (type(each), each.where) == (OddError, n)
            else:
                assert each == [(good.__name__, n)]

    run(check())


@pytest.mark.parametrize("name", ["loop", "thread", "async"])
def test_hook_is_called_where_the_system_runs(at, name):
    """A plugin of this world can stand around the system's call; elsewhere those plugins are asked that are there."""

    class Doubles:
        @hookspecs.hookimpl(wrapper=True)
        def dam_traits_execute(self, invocation):
            called = yield
            return called if name == "async" else (called, called)

    async def check():
        async with at(name) as place:
            place.world.plugin_manager.register(Doubles())
            if name == "async":
                assert await place.results(systems.coroutine, Ask(1)) == [("coroutine", 1)]
            else:
                assert await place.results(systems.function, Ask(1)) == [(("function", 1), ("function", 1))]

    run(check())
