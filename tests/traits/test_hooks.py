"""Every step is a hook: a plugin can watch it or do it otherwise. Each hook's test bears its name."""

import asyncio
import inspect
import re
from dataclasses import dataclass
from pathlib import Path

import pluggy
import pytest
from dam_traits import (
    Command,
    ExecutionCostTrait,
    InvalidAnswer,
    ObservedTraits,
    ResourceUsageTrait,
    Selection,
    World,
    hookspecs,
)
from dam_traits.hookspecs import hookimpl
from dam_traits.pools import NO_LEASE, PoolTimeout

HOOKS = sorted(name for name, _ in inspect.getmembers(hookspecs, inspect.isfunction) if name.startswith("dam_traits_"))
ELSEWHERE = Path(__file__).parent / "executor"
"""Where the hooks around other processes are tested, with processes."""


@dataclass(frozen=True)
class Ask(Command[str]):
    size: int = 5


class Unheard(Command[str]): ...


async def one(cmd: Ask):
    return "one"


async def two(cmd: Ask):
    return "two"


@pytest.fixture
def world():
    world = World(load_plugins=False)
    world.register_system(one, on_command=Ask)
    world.register_system(two, on_command=Ask)
    return world


@pytest.fixture
def records(world):
    """All records of the world."""

    class Keeper(list):
        observe = list.append

    keeper = Keeper()
    world.observers.append(keeper)
    return keeper


def plugin(**hooks):
    """Make a plugin of functions: ``plugin(select=...)``."""
    return type("Plugin", (), {f"dam_traits_{name}": staticmethod(hookimpl(each)) for name, each in hooks.items()})()


def results(world, command=None, **options):
    return asyncio.run(world.dispatch_command(command or Ask(), **options).get_all_results())


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_is_tested_and_documented(hook):
    """There is a test of its name, or one among the executors', and a paragraph on the page."""
    page = Path(__file__).parents[2] / "docs" / "traits" / "scheduling.md"
    texts = "".join(path.read_text(encoding="utf-8") for path in ELSEWHERE.glob("*.py"))

    assert f"test_{hook}" in globals() or f"`{hook}`" in texts or f"def {hook}" in texts
    assert re.search(rf"`{hook}`", page.read_text(encoding="utf-8"))


def test_dam_traits_register(world):
    """It hears of each system once, and by raising undoes the registration."""
    heard = []

    def register(world, system):
        heard.append(system.name)
        if system.name.endswith("bad"):
            raise ValueError("not here")

    async def good(cmd: Ask): ...

    async def bad(cmd: Ask): ...

    world.add_plugin(plugin(register=register))
    system = world.register_system(good, on_command=Ask)
    with pytest.raises(ValueError, match="not here"):
        world.register_system(bad, on_command=Ask)

    assert heard[0] == system.name
    assert results(world) == ["one", "two", None]


def test_dam_traits_dispatch(world):
    """It runs the whole workflow another way, when the first result is asked for."""
    asked = []

    async def replay(command):
        yield f"replayed {command.size}"

    def dispatch(world, command, target_system):
        asked.append(target_system)
        return replay(command) if target_system is None else None

    world.add_plugin(plugin(dispatch=dispatch))
    world.dispatch_command(Ask())
    assert asked == []

    assert results(world) == ["replayed 5"]
    assert results(world, target_system=two) == ["two"]
    assert [each and each.target for each in asked] == [None, two]


def test_dam_traits_dispatch_that_answers_nonsense(world):
    """The error names the hook and what it must be."""
    world.add_plugin(plugin(dispatch=lambda command: [1]))

    with pytest.raises(InvalidAnswer, match="dam_traits_dispatch answered a list: it must be an async generator"):
        results(world)


def test_dam_traits_find_handlers(world):
    """It can find handlers for a command of which the registry knows nothing."""

    async def any_command(cmd: object):
        return type(cmd).__name__

    system = world.register_system(any_command, on_command=object)
    world.systems.remove(system)
    world.add_plugin(plugin(find_handlers=lambda command: [system] if isinstance(command, Unheard) else None))

    assert results(world, Unheard()) == ["Unheard"]
    assert results(world, Unheard(), target_system="any_command") == ["Unheard"]
    assert results(world) == ["one", "two"]


@pytest.mark.parametrize("late", [False, True])
def test_dam_traits_calculate_traits(world, late):
    """It predicts for systems that do not, at once or as an awaitable; `None` leaves it to the system."""

    async def later(answer):
        return answer

    def calculate_traits(system):
        if system.target is one:
            return None
        answer = [ExecutionCostTrait(priority=1)]
        return later(answer) if late else answer

    world.add_plugin(plugin(calculate_traits=calculate_traits))

    assert results(world) == ["two", "one"]


def test_dam_traits_calculate_traits_that_raises(world):
    """Like a system's own that does: counted, and the command runs."""

    def calculate_traits(system):
        raise ValueError

    world.add_plugin(plugin(calculate_traits=calculate_traits))

    assert results(world) == ["one", "two"]
    assert world.scheduler.failures == {"calculate_traits": 2}


def test_dam_traits_observed_traits(world, records):
    """It says what was observed, knowing the command's size."""

    def observed_traits(system, size):
        return ObservedTraits(samples=1.0, quantile=0.5, time_ms=10.0 * size)

    world.add_plugin(plugin(observed_traits=observed_traits))
    results(world)

    assert [each.predicted_ms for each in records] == [50, 50]


def test_dam_traits_observed_traits_that_answers_nonsense(world):
    """The error names the hook and what it must be."""
    world.add_plugin(plugin(observed_traits=lambda system: 10))

    with pytest.raises(InvalidAnswer, match="dam_traits_observed_traits answered 10: it must be an ObservedTraits"):
        results(world)


def test_dam_traits_merge_traits(world, records):
    """It has its own rule; a list will do."""

    def merge_traits(system, predicted, observed):
        assert predicted is None
        return [ExecutionCostTrait(priority=1 if system.target is two else 2, time_ms=7)]

    world.add_plugin(plugin(merge_traits=merge_traits))

    assert results(world) == ["two", "one"]
    assert [each.predicted_ms for each in records] == [7, 7]


def test_dam_traits_merge_traits_that_answers_nonsense(world):
    """The error names the hook and what it must be."""
    world.add_plugin(plugin(merge_traits=lambda system: [7]))

    with pytest.raises(InvalidAnswer, match="dam_traits_merge_traits answered with 7 among the traits"):
        results(world)


def test_dam_traits_select(world):
    """It chooses, and in which order."""

    def select(candidates):
        return Selection(chosen=tuple(reversed(candidates)), strategy="back", scores={}, reason="backwards")

    world.add_plugin(plugin(select=select))

    assert results(world) == ["two", "one"]


def test_dam_traits_acquire(world):
    """It may say how long to wait for pools, or that none are needed."""

    def acquire(world, invocation):
        if invocation.system.target is two:
            return NO_LEASE
        return world.pools.acquire([ResourceUsageTrait("gate")], timeout_s=0.01)

    world.pools.set_capacity("gate", 1)
    world.add_plugin(plugin(acquire=acquire))
    lease = world.pools.acquire([ResourceUsageTrait("gate")])

    assert results(world, target_system=two) == ["two"]
    with pytest.raises(PoolTimeout):
        results(world, target_system=one)
    lease.release()
    assert results(world, target_system=one) == ["one"]


def test_dam_traits_acquire_that_answers_nonsense(world):
    """The error names the hook and what it must be."""
    world.add_plugin(plugin(acquire=lambda invocation: "mine"))

    with pytest.raises(InvalidAnswer, match="dam_traits_acquire answered 'mine': it must be a Lease"):
        results(world)


def test_dam_traits_execute(world):
    """It is asked in the place of the system, with the arguments that it would get."""

    async def dry(what):
        return f"dry {what}"

    def execute(invocation):
        assert list(invocation.arguments) == ["cmd"]
        return dry(invocation.system.target.__name__)

    world.add_plugin(plugin(execute=execute))

    assert results(world) == ["dry one", "dry two"]


def test_dam_traits_observe(world, records):
    """It hears of each end, after the world's observers."""
    heard = []
    world.add_plugin(plugin(observe=lambda record: heard.append((record.system, len(records)))))

    results(world)

    assert heard == [(f"{__name__}:one", 1), (f"{__name__}:two", 2)]


def test_dam_traits_observe_that_raises(world, records):
    """It keeps neither the result from its reader nor the record from the world's observers."""

    def observe(record):
        raise RuntimeError("full")

    world.add_plugin(plugin(observe=observe))

    assert results(world) == ["one", "two"]
    assert len(records) == 2
    assert world.scheduler.failures == {"observe": 2}


def test_dam_traits_size_of(world, records):
    """It knows the size of commands that do not say."""
    world.add_plugin(plugin(size_of=lambda command: 77 if isinstance(command, Ask) else None))

    results(world)

    assert [each.size for each in records] == [77.0, 77.0]


def test_each_step_is_seen_by_who_monitors_the_plugin_manager(world):
    """All go through the manager's own call, so tracing its hooks shows the workflow in its order."""
    seen = []

    def before(hook_name, hook_impls, kwargs):
        seen.append(hook_name.removeprefix("dam_traits_"))

    stop = world.plugin_manager.add_hookcall_monitoring(before, lambda *_: None)
    results(world, target_system=one)
    first, seen[:] = list(seen), []
    world.systems.remove(world.systems.by_target(two)[0])
    results(world)
    stop()
    results(world)

    reckoning = ["calculate_traits", "observed_traits", "merge_traits"]
    running = ["acquire", "execute", "observe"]
    assert first == ["find_handlers", "dispatch", "size_of", *reckoning, *running]
    assert seen == ["dispatch", "size_of", "find_handlers", *reckoning, "select", *running]


def test_built_in_steps_are_a_plugin_that_is_asked_last():
    """Under a name of its own; without it nothing is left."""
    world = World(load_plugins=False)
    world.register_system(one, on_command=Ask)
    steps = world.plugin_manager.get_plugin("dam_traits.steps")

    assert isinstance(world.plugin_manager, pluggy.PluginManager)
    assert steps is not None
    world.plugin_manager.unregister(steps)
    with pytest.raises(InvalidAnswer, match="dam_traits_dispatch answered None"):
        results(world)
