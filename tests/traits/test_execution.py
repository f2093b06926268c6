"""What a dispatched command gives: begun late, run once, closed early, kept where it was asked for as a whole."""

from __future__ import annotations

import asyncio
import gc
import warnings

import pytest
from dam_traits import Command, Event, Execution, ExecutionSpent, NotOneResult, World


class Ask(Command[object]): ...


class Rang(Event): ...


class Log(list):
    """What happened, in order."""


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def world(log):
    """A world whose one system for `Ask` yields 1, None, [2, 3]."""
    world = World(load_plugins=False)

    async def three(cmd: Ask):
        log.append("begun")
        try:
            yield 1
            log.append("asked for a second")
            yield None
            yield [2, 3]
            log.append("done")
        finally:
            log.append("closed")

    world.register_system(three, on_command=Ask)
    return world


def only(world, *results):
    """Make the one system for `Ask` an async generator of these."""
    for system in list(world.systems):
        world.unregister_system(system)

    async def given(cmd: Ask):
        for each in results:
            yield each

    world.register_system(given, on_command=Ask)


def test_nothing_runs_until_a_result_is_asked_for(world, log):
    """Neither the dispatch nor the execution alone starts anything, and one that nobody awaits warns of nothing."""

    async def main():
        world.dispatch_command(Ask())
        aiter(world.dispatch_command(Ask()))
        await asyncio.sleep(0)
        gc.collect()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(main())

    assert log == []


def test_iteration_hands_over_each_result_as_it_comes(world, log):
    """The system has not gone further than its reader."""

    async def main():
        seen = []
        async for result in world.dispatch_command(Ask()):
            seen.append((result, list(log)))
            if result == [2, 3]:
                break
        return seen

    assert asyncio.run(main())[:2] == [(1, ["begun"]), (None, ["begun", "asked for a second"])]


def test_results_are_the_very_objects(world):
    """Nothing is copied on the way."""
    result = object()
    only(world, result)

    assert asyncio.run(world.dispatch_command(Ask()).get_one_value()) is result


@pytest.mark.parametrize(
    ("results", "everything", "first", "flat"),
    [
        ((), [], None, []),
        ((None,), [None], None, []),
        ((0,), [0], 0, [0]),
        ((None, False, 1), [None, False, 1], False, [False, 1]),
        (([1, 2], None, 3, [], (4, 5)), [[1, 2], None, 3, [], (4, 5)], [1, 2], [1, 2, 3, (4, 5)]),
    ],
)
def test_ways_to_take_results(world, results, everything, first, flat):
    """All, the first that is not `None` (a false one is a value), flat: lists are opened, tuples are values."""
    only(world, *results)

    assert asyncio.run(world.dispatch_command(Ask()).get_all_results()) == everything
    assert asyncio.run(world.dispatch_command(Ask()).get_first_non_none_value()) == first
    assert asyncio.run(world.dispatch_command(Ask()).get_all_results_flat()) == flat


@pytest.mark.parametrize("results", [(), (1, 2), (None, None, None)])
def test_one_value_that_is_not_one(world, results):
    """The error says how many there are, and of which command."""
    only(world, *results)

    with pytest.raises(NotOneResult, match=rf"^Ask gave {len(results)} results, not one") as raised:
        asyncio.run(world.dispatch_command(Ask()).get_one_value())

    assert raised.value.count == len(results)


def test_one_value_may_be_none(world):
    """A system that returns nothing has one result."""
    only(world, None)

    assert asyncio.run(world.dispatch_command(Ask()).get_one_value()) is None


def test_first_value_closes_the_rest(world, log):
    """No further item is asked for, and what runs is closed before the value is there."""

    async def main():
        value = await world.dispatch_command(Ask()).get_first_non_none_value()
        return value, list(log)

    assert asyncio.run(main()) == (1, ["begun", "closed"])


def test_kept_results_are_replayed(world, log):
    """After all were taken, every way to read gives the same, and nothing runs again."""

    async def main():
        execution = world.dispatch_command(Ask())
        return [
            await execution.get_all_results(),
            await execution.get_all_results(),
            [each async for each in execution],
            [each async for each in execution],
            await execution.get_first_non_none_value(),
            await execution.get_all_results_flat(),
        ]

    whole = [1, None, [2, 3]]
    assert asyncio.run(main()) == [whole, whole, whole, whole, 1, [1, 2, 3]]
    assert log.count("begun") == 1


def test_what_is_kept_cannot_be_changed_from_outside(world):
    """The list is the caller's own."""

    async def main():
        execution = world.dispatch_command(Ask())
        (await execution.get_all_results()).clear()
        return await execution.get_all_results()

    assert asyncio.run(main()) == [1, None, [2, 3]]


async def iterate(execution):
    async for _ in execution:
        pass


async def leave(execution):
    async for _ in execution:
        break


async def first(execution):
    await execution.get_first_non_none_value()


async def close(execution):
    await execution.aclose()


@pytest.mark.parametrize(
    ("use", "why"),
    [
        (iterate, "an iteration takes its results one by one and keeps none"),
        (leave, "an iteration takes its results one by one and keeps none"),
        (first, "get_first_non_none_value stopped at the first value"),
        (close, "it was closed before anything was asked of it"),
    ],
)
def test_what_is_not_kept_is_said(world, log, use, why):
    """It is run once; asked again, it says what became of its results."""

    async def main():
        execution = world.dispatch_command(Ask())
        await use(execution)
        with pytest.raises(ExecutionSpent, match=why):
            await execution.get_all_results()
        with pytest.raises(ExecutionSpent, match=why):
            await iterate(execution)

    asyncio.run(main())
    assert log.count("begun") <= 1


def test_the_first_value_is_kept(world):
    """It is there for whoever asks the same question again."""

    async def main():
        execution = world.dispatch_command(Ask())
        return [await execution.get_first_non_none_value() for _ in range(2)]

    assert asyncio.run(main()) == [1, 1]


def test_only_nones_are_kept(world):
    """Looking for a value went to the end, so all results are known."""
    only(world, None, None)

    async def main():
        execution = world.dispatch_command(Ask())
        return [await execution.get_first_non_none_value(), await execution.get_all_results()]

    assert asyncio.run(main()) == [None, [None, None]]


@pytest.mark.parametrize("take", ["get_all_results", "get_first_non_none_value"])
def test_an_error_is_raised_once(world, take):
    """As the very object; afterwards the execution says that there was one."""
    problem = ValueError("broken")

    async def breaks(cmd: Ask):
        yield None
        raise problem

    world.register_system(breaks, on_command=Ask)

    async def main():
        execution = world.dispatch_command(Ask(), target_system=breaks)
        with pytest.raises(ValueError, match="broken") as raised:
            await getattr(execution, take)()
        assert raised.value is problem
        assert raised.traceback[-1].name == "breaks"
        with pytest.raises(ExecutionSpent, match="it ended with ValueError"):
            await execution.get_all_results()

    asyncio.run(main())


def test_two_readers_at_once(world):
    """The second is told that there is a first."""
    go_on = asyncio.Event()

    async def waits(cmd: Ask):
        await go_on.wait()

    world.register_system(waits, on_command=Ask)

    async def main():
        execution = world.dispatch_command(Ask(), target_system=waits)
        reader = asyncio.create_task(execution.get_all_results())
        await asyncio.sleep(0)
        with pytest.raises(ExecutionSpent, match="get_all_results is reading it"):
            await execution.get_all_results()
        go_on.set()
        return await reader, await execution.get_all_results()

    assert asyncio.run(main()) == ([None], [None])


def test_left_early_it_is_closed_with_its_block(world, log):
    """When ``async with`` is left, what ran has ended."""

    async def main():
        async with world.dispatch_command(Ask()) as execution:
            await leave(execution)
        return list(log)

    assert asyncio.run(main()) == ["begun", "closed"]


def test_closed_by_hand(world, log):
    """When `aclose` is done, what ran has ended."""

    async def main():
        execution = world.dispatch_command(Ask())
        results = aiter(execution)
        await anext(results)
        await execution.aclose()
        return list(log)

    assert asyncio.run(main()) == ["begun", "closed"]


def test_left_by_break_it_is_closed_right_after(world, log):
    """Also while the execution itself lives on: it does not hold what it handed out."""

    async def main():
        execution = world.dispatch_command(Ask())
        async for _ in execution:
            break
        for _ in range(3):
            await asyncio.sleep(0)
        return list(log), execution

    assert asyncio.run(main())[0] == ["begun", "closed"]


def test_a_cancelled_reader_ends_the_system(world, log):
    """The cancellation reaches it where it waits."""

    async def waits(cmd: Ask):
        try:
            await asyncio.Event().wait()
        finally:
            log.append("ended")

    world.register_system(waits, on_command=Ask)

    async def main():
        execution = world.dispatch_command(Ask(), target_system=waits)
        reader = asyncio.create_task(execution.get_all_results())
        await asyncio.sleep(0)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        with pytest.raises(ExecutionSpent, match="it ended with CancelledError"):
            await execution.get_all_results()

    asyncio.run(main())
    assert log == ["ended"]


def test_no_task_is_made(world):
    """Whoever reads runs the system: the task is the same."""

    async def which(cmd: Ask):
        return asyncio.current_task(), asyncio.all_tasks()

    world.register_system(which, on_command=Ask)

    async def main():
        task, tasks = await world.dispatch_command(Ask(), target_system=which).get_one_value()
        return task is asyncio.current_task(), tasks == {asyncio.current_task()}

    assert asyncio.run(main()) == (True, True)


def test_a_result_is_there_without_giving_up_the_loop(world):
    """No await of ours stands between a system that never waits and its reader."""
    turns = 0

    async def main():
        nonlocal turns

        def count():
            nonlocal turns
            turns += 1
            asyncio.get_running_loop().call_soon(count)

        await world.dispatch_command(Ask()).get_all_results()  # the first makes what is made once
        asyncio.get_running_loop().call_soon(count)
        await world.dispatch_command(Ask()).get_all_results()
        return turns

    assert asyncio.run(main()) == 0


def test_events_and_stages_give_executions_too(world):
    """Lazily begun like commands'; all systems run, in the order of their registration."""
    ran = []

    async def one(event: Rang):
        ran.append("one")
        return 1

    async def two(event: Rang):
        ran.append("two")
        return 2

    async def tidy(stage: str):
        return stage

    world.register_system(one, on_event=Rang)
    world.register_system(two, on_event=Rang)
    world.register_system(tidy, on_stage="evening")

    async def main():
        execution = world.dispatch_event(Rang())
        before = list(ran)
        return (
            before,
            await execution.get_all_results(),
            ran,
            await world.run_stage("evening").get_all_results(),
            await world.run_stage("nobody's").get_all_results(),
        )

    assert asyncio.run(main()) == ([], [1, 2], ["one", "two"], ["evening"], [])


def test_an_execution_says_what_it_is(world):
    """Of which command, and whether it has begun."""
    command = Ask()
    execution = world.dispatch_command(command)

    assert isinstance(execution, Execution)
    assert execution.command is command
    assert repr(execution) == "<Execution of Ask: not begun>"
    asyncio.run(execution.get_all_results())
    assert repr(execution) == "<Execution of Ask: kept>"
