"""The strategies that ship: who is chosen, by which score, for which reason."""

from __future__ import annotations

import asyncio
import math

import pytest
from dam_traits import (
    Candidate,
    Cheapest,
    Command,
    ExecutionCostTrait,
    ResourceUsageTrait,
    RunAll,
    Selection,
    SoonestFinished,
    World,
)


class Ask(Command[str]): ...


async def a(cmd: Ask):
    return "a"


async def b(cmd: Ask):
    return "b"


async def c(cmd: Ask):
    return "c"


@pytest.fixture
def world():
    return World(load_plugins=False, capacities={"disk": 2})


TOO_MUCH = ResourceUsageTrait("disk", 3)


def candidates(world, *traits):
    """Make candidates a, b, c of these traits."""
    return [
        Candidate(
            system=world.register_system(function, on_command=Ask), predicted=None, observed=None, traits=tuple(each)
        )
        for function, each in zip((a, b, c), traits, strict=False)
    ]


def cost(priority, time_ms):
    return ExecutionCostTrait(priority, time_ms)


def chosen(selection):
    return "".join(each.system.target.__name__ for each in selection.chosen)


def scores(selection):
    return {system.target.__name__: score for system, score in selection.scores.items()}


@pytest.mark.parametrize(
    ("strategy", "traits", "names", "by"),
    [
        (RunAll(), [[cost(100, 9)]], "a", {"a": 100}),
        (RunAll(), [[cost(100, 0)], [cost(50, 9)], [cost(100, 0)]], "bac", {"a": 100, "b": 50, "c": 100}),
        (RunAll(), [[], [cost(99, 0)], []], "bac", {"a": 100, "b": 99, "c": 100}),
        (Cheapest(), [[cost(1, 9)], [cost(100, 8)], [cost(1, 10)]], "b", {"a": 9, "b": 8, "c": 10}),
        (Cheapest(), [[cost(100, 9)], [cost(50, 9)], [cost(50, 9)]], "b", {"a": 9, "b": 9, "c": 9}),
        (Cheapest(), [[cost(100, 9)], []], "b", {"a": 9, "b": 0}),
        (SoonestFinished(), [[cost(100, 9)], [cost(100, 8)]], "b", {"a": 9, "b": 8}),
        (
            SoonestFinished(),
            [[cost(100, 1), ResourceUsageTrait("disk", 3)], [cost(1, 9)]],
            "b",
            {"a": math.inf, "b": 9},
        ),
    ],
)
def test_choice(world, strategy, traits, names, by):
    """The table of who is chosen, and by what."""
    selection = strategy(Ask(), candidates(world, *traits), world.pools)

    assert chosen(selection) == names
    assert scores(selection) == by
    assert selection.strategy == strategy.name


def test_soonest_finished_counts_the_wait(world):
    """The quick one loses where its pool is taken for longer than the slow one takes."""

    async def main():
        two = candidates(world, [cost(100, 10), ResourceUsageTrait("disk", 1)], [cost(100, 100)])
        strategy = SoonestFinished()
        free = chosen(strategy(Ask(), two, world.pools))
        lease = world.pools.acquire([ResourceUsageTrait("disk", 2)], expected_ms=1000.0)
        taken = strategy(Ask(), two, world.pools)
        lease.release()
        return free, chosen(taken), scores(taken)["a"] > 100

    assert asyncio.run(main()) == ("a", "b", True)


def test_a_strategy_takes_nothing(world):
    """The pools are as they were."""
    three = candidates(world, [ResourceUsageTrait("disk", 1)], [ResourceUsageTrait("disk", 2)], [])
    before = world.pools.state()

    for strategy in (RunAll(), Cheapest(), SoonestFinished()):
        strategy(Ask(), three, world.pools)

    assert world.pools.state() == before


def test_the_reason_names_the_choice_and_its_score(world):
    """It is a sentence for people."""
    two = candidates(world, [cost(100, 12)], [cost(100, 7)])

    assert Cheapest()(Ask(), two, world.pools).reason == f"{two[1].system.name} at 7 ms: it takes the least time"


@pytest.mark.parametrize(("strategy", "results"), [(None, ["b", "a"]), (Cheapest(), ["a"])])
def test_the_world_asks_its_strategy(strategy, results):
    """Left out, all run in order of priority."""
    world = World(load_plugins=False, strategy=strategy)

    async def first(cmd, world):
        return [cost(100, 1)]

    async def second(cmd, world):
        return [cost(50, 2)]

    world.register_system(a, on_command=Ask, calculate_traits=first)
    world.register_system(b, on_command=Ask, calculate_traits=second)

    assert asyncio.run(world.dispatch_command(Ask()).get_all_results()) == results


def test_a_strategy_of_ones_own():
    """Any callable of this shape with a name."""

    class Last:
        name = "last"

        def __call__(self, command, candidates, pools):
            return Selection(chosen=(candidates[-1],), strategy="last", scores={}, reason="it is the last")

    world = World(load_plugins=False, strategy=Last())
    candidates(world, [], [], [])

    assert asyncio.run(world.dispatch_command(Ask()).get_all_results()) == ["c"]
