"""Section 6.1: `debug_dispatch` gives a `SchedulingReport` of what would run and why, and runs nothing."""

import asyncio
import json
import math
from dataclasses import dataclass
from pathlib import PurePosixPath

import pytest
from dam_traits import (
    CandidateReport,
    Cheapest,
    Command,
    ExecutionCostTrait,
    ObservedTraits,
    ResourceUsageTrait,
    SchedulingReport,
    Selection,
    StrategyReport,
    Trait,
    TraitIdentifier,
    UnknownCommand,
    World,
)
from dam_traits.hookspecs import hookimpl
from dam_traits.pools import PoolState


@dataclass(frozen=True)
class Import(Command[str]):
    size: int = 1000


async def from_disk(cmd: Import) -> str:
    raise AssertionError("run")


async def from_net(cmd: Import) -> str:
    raise AssertionError("run")


async def disk_traits(cmd, world):
    return [ResourceUsageTrait("disk/read", 1), ExecutionCostTrait(50, 20)]


async def net_traits(cmd, world):
    raise OSError("no route")


DISK = f"{__name__}:from_disk"
NET = f"{__name__}:from_net"


class Known:
    """What was observed, made up."""

    @hookimpl
    def dam_traits_observed_traits(self, system):
        if system.target is from_disk:
            return ObservedTraits(samples=5.0, quantile=0.8, time_ms=40.0)
        return None


@pytest.fixture
def world():
    world = World("home", load_plugins=False, capacities={"disk": 1, "gpu": 1}, strategy=Cheapest())
    world.register_system(from_disk, on_command=Import, calculate_traits=disk_traits)
    world.register_system(from_net, on_command=Import, calculate_traits=net_traits)
    world.add_plugin(Known())
    return world


def report_of(world, command=None):
    return asyncio.run(world.debug_dispatch(command or Import()))


def test_report(world):
    """Everything that decides, and the choice, as values."""
    disk, net = (world.systems.by_name(name) for name in (DISK, NET))
    why = f"{NET} at 0 ms: it takes the least time"

    assert report_of(world) == SchedulingReport(
        world="home",
        command=f"{__name__}:Import",
        size=1000.0,
        candidates=(
            CandidateReport(
                system=DISK,
                version=disk.version,
                predicted=(ResourceUsageTrait("disk/read", 1), ExecutionCostTrait(50, 20)),
                problem=None,
                observed=ObservedTraits(samples=5.0, quantile=0.8, time_ms=40.0),
                traits=(ResourceUsageTrait("disk/read", 1), ExecutionCostTrait(50, 30)),
                merging="50% of 40 ms observed (quantile 0.8, 5 samples) and 50% of 20 ms predicted.",
                expected_wait_ms=0.0,
            ),
            CandidateReport(
                system=NET,
                version=net.version,
                predicted=None,
                problem="OSError: no route",
                observed=None,
                traits=(ExecutionCostTrait(100, 0),),
                merging="Nothing is known of the cost: the default is reckoned with.",
                expected_wait_ms=0.0,
            ),
        ),
        pools=(PoolState("disk", 1, 0, 0), PoolState("disk/read", None, 0, 0)),
        strategies=(
            StrategyReport(
                strategy="run_all",
                scores={DISK: 50.0, NET: 100.0},
                chosen=(DISK, NET),
                reason="all candidates run, one after the other, those of lower priority first",
            ),
            StrategyReport(strategy="cheapest", scores={DISK: 30.0, NET: 0.0}, chosen=(NET,), reason=why),
            StrategyReport(
                strategy="soonest_finished",
                scores={DISK: 30.0, NET: 0.0},
                chosen=(NET,),
                reason=f"{NET} at 0 ms: it would end first, the wait for its pools included",
            ),
        ),
        choice=StrategyReport(strategy="cheapest", scores={DISK: 30.0, NET: 0.0}, chosen=(NET,), reason=why),
    )


def test_nothing_runs_and_nothing_is_taken(world):
    """No system runs, no record is made, the pools are as full as before."""
    records = []
    world.add_plugin(Recorder(records))
    before = world.pools.state()

    report_of(world)

    after = {state.path: state.used for state in world.pools.state()}
    assert after == {state.path: state.used for state in before} | {"disk/read": 0}
    assert records == []


class Recorder:
    def __init__(self, records):
        self.records = records

    @hookimpl
    def dam_traits_execute(self, invocation):
        self.records.append(invocation)

    @hookimpl
    def dam_traits_acquire(self, invocation):
        self.records.append(invocation)

    @hookimpl
    def dam_traits_observe(self, record):
        self.records.append(record)


def test_pools_as_they_are(world):
    """Who holds them counts, and how long a candidate would wait."""
    lease = world.pools.acquire([ResourceUsageTrait("disk/read", 1)], expected_ms=60_000.0)

    report = report_of(world)
    lease.release()

    assert report.pools == (PoolState("disk", 1, 1, 0), PoolState("disk/read", None, 1, 0))
    assert 50_000 < report.candidates[0].expected_wait_ms <= 60_000
    assert report.strategies[2].chosen == (NET,)


def test_more_than_there_is(world):
    """A candidate that could never run waits for ever, which JSON has as a text."""

    async def greedy(cmd, world):
        return [ResourceUsageTrait("disk", 2)]

    async def reads(cmd: Import):
        return None

    world.register_system(reads, on_command=Import, calculate_traits=greedy)
    report = report_of(world)

    assert report.candidates[2].expected_wait_ms == math.inf
    assert json.loads(report.to_json())["candidates"][2]["expected_wait_ms"] == "inf"


def test_the_choice_is_what_dispatch_would_do():
    """It comes from the same step, a plugin's too."""
    world = World(load_plugins=False)

    class Last:
        @hookimpl
        def dam_traits_select(self, candidates):
            return Selection(chosen=(candidates[-1],), strategy="last", scores={}, reason="it is the last")

    async def one(cmd: Import):
        return 1

    async def two(cmd: Import):
        return 2

    world.register_system(one, on_command=Import)
    world.register_system(two, on_command=Import)
    world.add_plugin(Last())

    report = report_of(world)
    results = asyncio.run(world.dispatch_command(Import()).get_all_results())

    assert (report.choice.chosen, report.choice.reason) == ((world.systems.names()[1],), "it is the last")
    assert results == [2]
    assert "\nlast " in str(report)


def test_a_plugin_s_own_merging_is_not_explained_by_our_rule(world):
    """The report does not say that a rule was followed which was not."""

    class Doubled:
        @hookimpl
        def dam_traits_merge_traits(self, predicted):
            return (ExecutionCostTrait(1, 1),)

    world.add_plugin(Doubled())

    assert {each.merging for each in report_of(world).candidates} == {"A plugin merged them by a rule of its own."}


def test_an_unknown_command(world):
    """The same error as dispatching it."""

    class Other(Command[None]): ...

    with pytest.raises(UnknownCommand):
        report_of(world, Other())


def test_as_a_table(world):
    """Aligned plain text: columns begin where their heads do."""
    text = str(report_of(world))
    lines = text.splitlines()

    assert text.isascii()
    assert lines[0] == f"{__name__}:Import in world home, size 1000"
    heads, rule, disk, net = lines[2:6]
    for name in ("candidate", "predicted", "observed", "merged", "wait for pools"):
        at = heads.index(name)
        assert rule[at] == "-"
        assert all(line[at] != " " and (at == 0 or line[at - 2 : at] == "  ") for line in (disk, net))
    assert "ResourceUsage(pool_path=disk/read amount=1), ExecutionCost(priority=50 time_ms=20)" in disk
    assert f"{NET}: Nothing is known of the cost: the default is reckoned with. Its calculate_traits failed: " in text
    assert lines[-1] == f"cheapest runs {NET}: {NET} at 0 ms: it takes the least time"


def test_as_json(world):
    """The same values, each trait by its identifier."""
    report = report_of(world)
    loaded = json.loads(report.to_json())

    assert loaded == report.as_dict()
    assert loaded["candidates"][0]["traits"] == [
        {"trait": "system.resource_usage", "pool_path": "disk/read", "amount": 1},
        {"trait": "system.execution_cost", "priority": 50, "time_ms": 30},
    ]
    assert loaded["candidates"][0]["observed"] == {"samples": 5.0, "quantile": 0.8, "time_ms": 40.0, "io_bound": None}


class Secret:
    def __repr__(self):
        raise AssertionError("shown")


@dataclass(frozen=True)
class Odd(Trait):
    identifier = TraitIdentifier.from_string("test.odd")
    path: PurePosixPath
    key: Secret
    text: str


def test_odd_traits(world):
    """Objects are shown by their type, and control characters do nothing to a terminal."""

    class Oddly:
        @hookimpl
        def dam_traits_calculate_traits(self):
            return [Odd(PurePosixPath("/x"), Secret(), "\x1b[31mred")]

    world.add_plugin(Oddly())
    report = report_of(world)

    assert "Odd(path=/x key=a Secret text=?[31mred)" in str(report)
    assert report.as_dict()["candidates"][1]["predicted"] == [
        {"trait": "test.odd", "path": "/x", "key": "a Secret", "text": "\x1b[31mred"}
    ]
