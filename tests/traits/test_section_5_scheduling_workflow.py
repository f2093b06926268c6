"""
Section 5: dispatch, aggregation of traits, selection, resource-aware execution, observation.

Also what becomes of each step's failure: the world works on.
"""

import asyncio
from dataclasses import dataclass

import pytest
from dam_traits import (
    Command,
    Event,
    ExecutionCostTrait,
    InvalidAnswer,
    IOBoundTrait,
    MissingResource,
    ResourceUsageTrait,
    Selection,
    UnknownCommand,
    World,
)
from dam_traits.aggregate import merge
from dam_traits.pools import PoolExceeded, PoolTimeout


@dataclass(frozen=True)
class Import(Command[str]):
    path: str = ""


@dataclass(frozen=True)
class ImportArchive(Import):
    pass


class Remove(Command[None]): ...


class Imported(Event): ...


class Keeper:
    """An observer that keeps all records."""

    def __init__(self):
        self.records = []

    def observe(self, record):
        self.records.append(record)


@pytest.fixture
def keeper():
    return Keeper()


@pytest.fixture
def world(keeper):
    world = World(load_plugins=False, capacities={"disk": 2})
    world.observers.append(keeper)
    return world


def traits(*given):
    """Make a `calculate_traits` that says this."""

    async def calculate_traits(cmd, world):
        return list(given)

    return calculate_traits


def results(world, command=None):
    return asyncio.run(world.dispatch_command(command or Import()).get_all_results())


def returning(world, value, *given, on_command=Import, calculate_traits=None):
    """Register a system that returns this and predicts these traits."""

    async def returns(cmd: on_command):
        return value

    returns.__qualname__ = f"returns_{value}"
    calculate_traits = traits(*given) if given else calculate_traits
    return world.register_system(returns, on_command=on_command, calculate_traits=calculate_traits)


# -- 1. dispatch


def test_handlers_of_a_class_and_of_its_bases(world):
    """A command is also one of its parents' kind: its own handlers come first."""
    returning(world, "any")
    returning(world, "archive", on_command=ImportArchive)

    assert results(world, ImportArchive()) == ["archive", "any"]
    assert results(world, Import()) == ["any"]


def test_a_command_that_nobody_handles_is_refused_when_dispatched(world):
    """The error names it and the nearest names, and the world works on."""
    returning(world, "ok")

    class Imports(Command[str]): ...

    Imports.__qualname__ = "Imports"
    with pytest.raises(UnknownCommand, match=r"handles .*:Imports: did you mean Import\?") as raised:
        world.dispatch_command(Imports())

    assert raised.value.near == ("Import",)
    assert results(world) == ["ok"]


def test_a_class_is_no_command(world):
    """Whoever forgets the parentheses is told so."""
    returning(world, "ok")

    with pytest.raises(UnknownCommand, match="dispatch a value of that class, not the class"):
        world.dispatch_command(Import)


def test_a_command_whose_last_handler_has_gone_meanwhile(world):
    """Refused when it is run, since it could not be before."""
    system = returning(world, "ok")
    execution = world.dispatch_command(Import())
    world.unregister_system(system)

    with pytest.raises(UnknownCommand, match="no system of world 'world' handles"):
        asyncio.run(execution.get_all_results())


# -- 2. aggregation


def test_predicted_and_observed_are_merged(world):
    """What runs is reckoned with half of each after five samples; the record says what was reckoned."""
    returning(world, "ok", ExecutionCostTrait(time_ms=1000))

    for _ in range(6):
        results(world)

    assert world.observers[-1].records[0].predicted_ms == 1000
    assert 400 <= world.observers[-1].records[-1].predicted_ms <= 600


def test_nothing_known_is_no_prediction(world, keeper):
    """The first run of a system without traits has none in its record; the second has what was observed."""
    returning(world, "ok")

    results(world)
    results(world)

    assert [each.predicted_ms for each in keeper.records] == [None, 0]


async def raises(cmd, world):
    raise OSError("no such archive")


async def sleeps(cmd, world):
    await asyncio.sleep(3600)


async def a_text(cmd, world):
    return "disk"


async def not_traits(cmd, world):
    return [ExecutionCostTrait(), 3]


async def a_generator(cmd, world):
    return (each for each in ())


async def two_costs(cmd, world):
    return [ExecutionCostTrait(1, 1), ExecutionCostTrait(2, 2)]


async def a_wrong_trait(cmd, world):
    return [ResourceUsageTrait("disk", 0)]


@pytest.mark.parametrize(
    ("calculate_traits", "problem"),
    [
        (raises, "OSError: no such archive"),
        (sleeps, "TimeoutError: no answer within 0.01 s"),
        (a_text, "InvalidAnswer: calculate_traits answered 'disk': it must be a list or tuple of traits"),
        (not_traits, "answered with 3 among the traits: it must be a list or tuple of traits"),
        (a_generator, "answered a generator: it must be a list or tuple of traits"),
        (two_costs, "answered with 2 ExecutionCostTraits: it must be one at most"),
        (a_wrong_trait, "ResourceUsageTrait.amount is 0: it must be a whole number of at least 1"),
    ],
)
def test_calculate_traits_that_fails(world, caplog, calculate_traits, problem):
    """Logged once for each system and counted each time; the command runs by what is otherwise known."""
    world.traits_timeout_s = 0.01

    returning(world, "ran", calculate_traits=calculate_traits)

    assert results(world) == ["ran"]
    assert results(world) == ["ran"]
    (report,) = asyncio.run(world.debug_dispatch(Import())).candidates

    assert problem in report.problem
    assert report.traits == merge(None, report.observed)
    assert world.scheduler.failures == {"calculate_traits": 3}
    (record,) = caplog.records
    assert "failed in calculate_traits: its observed or default traits are used" in record.getMessage()
    assert record.exc_info[1] is not None


def test_a_timeout_of_its_own_is_an_error_of_its_own(world):
    """What `calculate_traits` itself gave up waiting for is not mistaken for our limit."""

    async def gives_up(cmd, world):
        raise TimeoutError("the server")

    returning(world, "ok", calculate_traits=gives_up)

    (report,) = asyncio.run(world.debug_dispatch(Import())).candidates

    assert report.problem == "TimeoutError: the server"


def test_an_error_that_cannot_be_shown(world):
    """An exception whose text raises is a problem like others."""

    class Odd(Exception):
        def __str__(self):
            raise RuntimeError

    async def odd(cmd, world):
        raise Odd

    returning(world, "ok", calculate_traits=odd)

    assert results(world) == ["ok"]
    assert "Odd" in asyncio.run(world.debug_dispatch(Import())).candidates[0].problem


# -- 3. selection


def test_all_run_in_priority_order(world):
    """The strategy that a world has by itself; lower is first."""
    returning(world, "last", ExecutionCostTrait(priority=200))
    returning(world, "middle")
    returning(world, "first", ExecutionCostTrait(priority=1))

    assert results(world) == ["first", "middle", "last"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda candidates: None, None),
        (lambda candidates: "all", "dam_traits_select answered 'all': it must be a Selection"),
        (
            lambda candidates: Selection(chosen=(), strategy="mine", scores={}, reason=""),
            "the strategy 'mine' chose nothing: it must be one candidate or more",
        ),
        (
            lambda candidates: Selection(chosen=("x",), strategy="mine", scores={}, reason=""),
            "the strategy 'mine' chose what is no candidate",
        ),
    ],
)
def test_a_strategy_that_answers_nonsense(world, answer, problem):
    """The error says who answered what; another strategy works again."""
    returning(world, "ok")
    good = world.strategy

    class Mine:
        name = "mine"

        def __call__(self, command, candidates, pools):
            return answer(candidates)

    world.strategy = Mine()
    with pytest.raises(InvalidAnswer, match=problem):
        results(world)

    world.strategy = good
    assert results(world) == ["ok"]


def test_a_strategy_that_raises(world):
    """Its exception is the execution's."""
    returning(world, "ok")
    good, problem = world.strategy, ZeroDivisionError()

    def broken(command, candidates, pools):
        raise problem

    world.strategy = broken
    with pytest.raises(ZeroDivisionError) as raised:
        results(world)

    assert raised.value is problem
    world.strategy = good
    assert results(world) == ["ok"]


# -- 4. execution, with its resources


def holding(world):
    return {state.path: state.used for state in world.pools.state() if state.used}


def test_pools_are_held_while_a_system_runs(world):
    """And free when it has ended."""

    async def looks(cmd: Import, world: World):
        return holding(world)

    world.register_system(looks, on_command=Import, calculate_traits=traits(ResourceUsageTrait("disk", 2)))

    assert results(world) == [{"disk": 2}]
    assert holding(world) == {}


def test_pools_of_what_returns_are_free_when_its_result_is_read(world):
    """So a reader can dispatch what needs the same pool."""
    returning(world, "ok", ResourceUsageTrait("disk", 2))

    async def main():
        return [(result, holding(world)) async for result in world.dispatch_command(Import())]

    assert asyncio.run(main()) == [("ok", {})]


def test_pools_of_a_generator_are_held_to_its_end(world):
    """Also while the reader has one of its items; left early, they are free."""

    async def two(cmd: Import):
        yield 1
        yield 2

    world.register_system(two, on_command=Import, calculate_traits=traits(ResourceUsageTrait("disk", 2)))

    async def main():
        seen = [(result, holding(world)) async for result in world.dispatch_command(Import())]
        async with world.dispatch_command(Import()) as execution:
            async for _ in execution:
                break
        return seen, holding(world)

    assert asyncio.run(main()) == ([(1, {"disk": 2}), (2, {"disk": 2})], {})


def test_two_wait_for_each_other(world):
    """With one disk for both, the second begins when the first has ended; the record says that it waited."""
    world.pools.set_capacity("disk", 1)
    log = []

    async def writes(cmd: Import):
        log.append(f"{cmd.path} begins")
        await asyncio.sleep(0.01)
        log.append(f"{cmd.path} ends")

    world.register_system(writes, on_command=Import, calculate_traits=traits(ResourceUsageTrait("disk")))

    async def main():
        await asyncio.gather(*(world.dispatch_command(Import(path)).get_all_results() for path in "ab"))

    asyncio.run(main())
    assert log == ["a begins", "a ends", "b begins", "b ends"]
    first, second = world.observers[-1].records
    assert first.wait_ns == 0
    assert second.wait_ns >= 5_000_000
    assert second.duration_ns < second.wait_ns + first.duration_ns


def test_more_than_there_is_fails_at_once(world, keeper):
    """Nothing runs, nothing is held, and no other command is kept from running."""
    returning(world, "big", ResourceUsageTrait("disk", 3))
    returning(world, "ok", on_command=Remove)

    with pytest.raises(PoolExceeded, match="3 of pool 'disk' are needed and its capacity is 2"):
        results(world)

    assert results(world, Remove()) == ["ok"]
    assert [each.system.rpartition(":")[2] for each in keeper.records] == ["returns_ok"]


def test_a_system_borrows_from_the_one_that_dispatched_it(world):
    """What an outer system holds counts for those that it dispatches and waits for."""
    returning(world, "inner", ResourceUsageTrait("disk", 2), on_command=Remove)

    async def outer(cmd: Import, world: World):
        return await world.dispatch_command(Remove()).get_one_value()

    async def outer_items(cmd: ImportArchive, world: World):
        yield await world.dispatch_command(Remove()).get_one_value()
        yield await world.dispatch_command(Remove()).get_one_value()

    needs = traits(ResourceUsageTrait("disk", 2))
    world.register_system(outer, on_command=Import, calculate_traits=needs)
    world.register_system(outer_items, on_command=ImportArchive, calculate_traits=needs)

    async def main():
        async with asyncio.timeout(5):
            return await world.dispatch_command(ImportArchive()).get_all_results()

    assert asyncio.run(main()) == ["inner", "inner", "inner"]


def test_a_reader_borrows_nothing_from_what_it_reads(world):
    """The lease of a generator is not its reader's between two items."""
    returning(world, "ok", ResourceUsageTrait("disk", 2), on_command=Remove)

    async def items(cmd: Import):
        yield 1
        yield 2

    world.register_system(items, on_command=Import, calculate_traits=traits(ResourceUsageTrait("disk", 2)))

    async def main():
        async with world.dispatch_command(Import()) as execution:
            await anext(aiter(execution))
            with pytest.raises(PoolTimeout):
                await world.pools.acquire([ResourceUsageTrait("disk", 1)], timeout_s=0.01)

    asyncio.run(main())


def test_an_exception_ends_the_execution(world, keeper):
    """The very object, from the line that raised it; systems after it do not run, and nothing stays held."""
    problem = ValueError("broken")

    async def breaks(cmd: Import):
        raise problem

    needs = traits(ResourceUsageTrait("disk"), ExecutionCostTrait(priority=50))
    world.register_system(breaks, on_command=Import, calculate_traits=needs)
    returning(world, "later")

    with pytest.raises(ValueError, match="broken") as raised:
        results(world)

    assert raised.value is problem
    assert raised.traceback[-1].name == "breaks"
    assert holding(world) == {}
    assert [(each.system.rpartition(".")[2], each.status, each.error) for each in keeper.records] == [
        ("breaks", "error", "ValueError")
    ]


def test_results_before_an_exception_are_handed_over(world):
    """By an iteration, which has them before the exception is there."""
    returning(world, "one", ExecutionCostTrait(priority=1))

    async def breaks(cmd: Import):
        raise ValueError

    world.register_system(breaks, on_command=Import)
    seen = []

    async def main():
        seen.extend([None])
        async for result in world.dispatch_command(Import()):
            seen[0] = result

    with pytest.raises(ValueError, match=r"^$"):
        asyncio.run(main())
    assert seen == ["one"]


def test_a_missing_resource_is_said_before_anything_is_taken(world, keeper):
    """A system without one of its arguments does not run, takes no pool, and makes no record."""

    class Database: ...

    async def stores(cmd: Import, database: Database): ...

    world.register_system(stores, on_command=Import, calculate_traits=traits(ResourceUsageTrait("disk")))

    with pytest.raises(MissingResource, match="parameter database of"):
        results(world)

    assert (holding(world), keeper.records) == ({}, [])


# -- 5. observation


def test_record_of_a_success(world, keeper):
    """Everything that is known of one run."""

    @dataclass(frozen=True)
    class Sized(Command[None]):
        size: int = 4096

    async def three(cmd: Sized):
        for _ in range(3):
            yield None

    system = world.register_system(three, on_command=Sized)
    results(world, Sized())

    (record,) = keeper.records
    assert (record.system, record.version) == (system.name, system.version)
    assert record.command == f"{__name__}:{Sized.__qualname__}"
    assert (record.status, record.results, record.size, record.error) == ("success", 3, 4096.0, None)
    assert record.duration_ns > 0


def test_a_reader_s_time_is_not_the_system_s(world, keeper):
    """What the reader does with an item does not make the system slower than it is."""

    async def two(cmd: Import):
        yield 1
        yield 2

    world.register_system(two, on_command=Import)

    async def main():
        async for _ in world.dispatch_command(Import()):
            await asyncio.sleep(0.05)

    asyncio.run(main())
    assert keeper.records[0].duration_ns < 50_000_000


def statuses(keeper):
    return [(each.status, each.results) for each in keeper.records]


def test_status_of_a_generator_that_is_left_early(world, keeper):
    """Cancelled: it did not come to its end. Of what returns, the only result is its end."""

    async def items(cmd: Import):
        yield 1
        yield 2

    async def value(cmd: Remove):
        return 1

    world.register_system(items, on_command=Import)
    world.register_system(value, on_command=Remove)

    async def main():
        await world.dispatch_command(Import()).get_first_non_none_value()
        await world.dispatch_command(Remove()).get_first_non_none_value()

    asyncio.run(main())
    assert statuses(keeper) == [("cancelled", 1), ("success", 1)]


def test_status_of_a_cancelled_task(world, keeper):
    """Cancelled, and its pools are free."""

    async def waits(cmd: Import):
        await asyncio.Event().wait()

    world.register_system(waits, on_command=Import, calculate_traits=traits(ResourceUsageTrait("disk")))

    async def main():
        task = asyncio.create_task(world.dispatch_command(Import()).get_all_results())
        await asyncio.sleep(0.01)
        held = holding(world)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return held

    assert asyncio.run(main()) == {"disk": 1}
    assert (statuses(keeper), holding(world)) == ([("cancelled", 0)], {})


def test_cancelled_while_it_waits_for_its_pools(world, keeper):
    """It never ran: there is no record, and nobody else is kept waiting."""
    returning(world, "ok", ResourceUsageTrait("disk", 2))

    async def main():
        lease = world.pools.acquire([ResourceUsageTrait("disk", 1)])
        task = asyncio.create_task(world.dispatch_command(Import()).get_all_results())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        lease.release()
        return await world.dispatch_command(Import()).get_all_results()

    assert asyncio.run(main()) == ["ok"]
    assert statuses(keeper) == [("success", 1)]


def test_an_observer_that_raises(world, keeper, caplog):
    """Logged once, counted; the next observer hears of the record, and the results are what they are."""

    class Broken:
        def observe(self, record):
            raise RuntimeError("full")

    world.observers.insert(0, Broken())
    returning(world, "ok")

    assert results(world) == ["ok"]
    assert results(world) == ["ok"]
    assert statuses(keeper) == [("success", 1), ("success", 1)]
    assert world.scheduler.failures == {"observe": 2}
    assert len(caplog.records) == 1


def test_an_observer_that_raises_does_not_hide_an_error(world, caplog):
    """What the system raised is what the reader gets."""

    class Broken:
        def observe(self, record):
            raise RuntimeError("full")

    async def breaks(cmd: Import):
        raise ValueError("broken")

    world.observers.append(Broken())
    world.register_system(breaks, on_command=Import)

    with pytest.raises(ValueError, match="broken") as raised:
        results(world)
    assert raised.value.__context__ is None


def test_learning_changes_what_is_known(world):
    """The profile of a system grows with each of its runs."""
    system = returning(world, "ok")

    for _ in range(3):
        results(world)

    observed = world.profiles.observed_traits(system.name, system.version, None)
    assert round(observed.samples) == 3


@pytest.mark.parametrize("size", [-1, float("nan"), float("inf"), True, "big", None])
def test_what_is_no_size(world, keeper, size):
    """A command whose ``size`` is none has no size; nothing fails."""

    class Odd(Command[str]):
        pass

    Odd.size = size
    returning(world, "ok", on_command=Odd)

    assert results(world, Odd()) == ["ok"]
    assert keeper.records[0].size is None


def test_a_size_that_cannot_be_read(world, keeper, caplog):
    """Counted and logged; the command runs."""

    class Odd(Command[str]):
        @property
        def size(self):
            raise OSError("gone")

    returning(world, "ok", on_command=Odd)

    assert results(world, Odd()) == ["ok"]
    assert world.scheduler.failures == {"size_of": 1}
    assert keeper.records[0].size is None


def test_events_go_through_the_same_workflow(world, keeper):
    """Their systems' traits are calculated, their pools taken, their runs recorded; none is selected."""

    async def one(event: Imported, world: World):
        return holding(world)

    world.register_system(one, on_event=Imported, calculate_traits=traits(ResourceUsageTrait("disk"), IOBoundTrait()))

    async def tidy(stage: str):
        return stage

    world.register_system(tidy, on_stage="evening")

    async def main():
        return [
            await world.dispatch_event(Imported()).get_one_value(),
            await world.run_stage("evening").get_one_value(),
        ]

    assert asyncio.run(main()) == [{"disk": 1}, "evening"]
    assert [(each.command, each.status) for each in keeper.records] == [
        (f"{__name__}:Imported", "success"),
        ("stage:evening", "success"),
    ]
