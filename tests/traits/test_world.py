"""The world as its users see it: dispatched commands, events and stages, calls from threads, closing."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass

import pytest
from dam_traits import Command, Event, InvalidSetting, World, WrongThread, system


@dataclass(frozen=True)
class Double(Command[int]):
    number: int


@dataclass(frozen=True)
class Quadruple(Command[int]):
    number: int


class Happened(Event): ...


@system(on_command=Double)
async def double(cmd: Double) -> int:
    return cmd.number * 2


@system(on_command=Quadruple)
def quadruple(cmd: Quadruple, world: World) -> int:
    (once,) = world.call_command(Double(cmd.number))
    (twice,) = world.call_command(Double(once))
    return twice


@pytest.fixture
def world():
    world = World(load_plugins=False)
    world.register_system(double)
    return world


def test_a_command_is_dispatched(world):
    """Its systems' results come back."""
    assert asyncio.run(world.dispatch_command(Double(2)).get_all_results()) == [4]


def test_a_method_can_be_the_target(world):
    """Though it is another object each time it is asked for."""

    class Service:
        async def answer(self, cmd: Double):
            return "service"

    service = Service()
    world.register_system(service.answer, on_command=Double)

    assert asyncio.run(world.dispatch_command(Double(2), target_system=service.answer).get_one_value()) == "service"


def test_sync_and_async_and_generators(world):
    """Each kind of system, marked or not, function or class."""

    def sync(cmd: Double):
        return "sync"

    def generator(cmd: Double):
        yield "generator 1"
        yield "generator 2"

    async def async_generator(cmd: Double):
        yield "async 1"
        yield "async 2"

    class Class:
        async def __call__(self, cmd: Double):
            return "class"

    for target in (sync, generator, async_generator, Class):
        world.register_system(target, on_command=Double)

    assert asyncio.run(world.dispatch_command(Double(2)).get_all_results()) == [
        4,
        "sync",
        "generator 1",
        "generator 2",
        "async 1",
        "async 2",
        "class",
    ]


def test_an_event_goes_to_all_listeners(world):
    """Those of its class and of its bases; nobody listening is no error."""
    heard = []

    def own(event: Happened):
        heard.append(event)

    async def base(event: Event):
        heard.append(event)

    event = Happened()
    asyncio.run(world.dispatch_event(event).get_all_results())
    world.register_system(base, on_event=Event)
    world.register_system(own, on_event=Happened)
    asyncio.run(world.dispatch_event(event).get_all_results())

    assert heard == [event, event]


def test_a_stage_runs_its_systems_in_order(world):
    """By name; a stage without systems does nothing."""
    ran = []

    def first(stage: str):
        ran.append(stage)

    async def second():
        ran.append("second")

    world.register_system(first, on_stage="load")
    world.register_system(second, on_stage="load")
    asyncio.run(world.run_stage("load").get_all_results())
    asyncio.run(world.run_stage("store").get_all_results())

    assert ran == ["load", "second"]


def test_a_sync_system_calls_commands(world):
    """From its thread, on the loop that runs it."""
    world.register_system(quadruple)

    assert asyncio.run(world.dispatch_command(Quadruple(3)).get_all_results()) == [12]


def test_more_callers_than_threads_do_not_block_each_other(world):
    """A thread that waits for a command is no thread that a command waits for."""

    def relay(cmd: Quadruple, world: World) -> int:
        return world.call_command(Double(cmd.number), target_system=slow)[0]

    def slow(cmd: Double) -> int:
        return cmd.number

    world.register_system(relay, on_command=Quadruple)
    world.register_system(slow, on_command=Double)

    async def run():
        calls = (world.dispatch_command(Quadruple(number)).get_all_results() for number in range(60))
        return await asyncio.wait_for(asyncio.gather(*calls), 60)

    assert asyncio.run(run()) == [[number] for number in range(60)]


def test_an_error_reaches_the_calling_thread(world):
    """The very exception that the system raised."""
    raised = ValueError("no")

    async def fail(cmd: Quadruple):
        raise raised

    world.register_system(fail, on_command=Quadruple)

    async def run():
        async with world:
            return await asyncio.to_thread(world.call_command, Quadruple(1))

    with pytest.raises(ValueError, match="no") as caught:
        asyncio.run(run())
    assert caught.value is raised


def test_a_call_that_takes_too_long_is_cancelled(world):
    """Its caller gets a TimeoutError, and the system is told."""
    told = threading.Event()

    async def hang(cmd: Quadruple):
        try:
            await asyncio.Event().wait()
        finally:
            told.set()

    world.register_system(hang, on_command=Quadruple)

    async def run():
        async with world:
            with pytest.raises(TimeoutError):
                await asyncio.to_thread(world.call_command, Quadruple(1), timeout_s=0.05)
            await asyncio.to_thread(told.wait, 30)

    asyncio.run(run())
    assert told.is_set()


def test_calling_on_a_loops_thread_is_refused(world):
    """It would wait for what cannot run while it waits."""

    async def run():
        world.call_command(Double(1))

    with pytest.raises(WrongThread, match=r"would block the event loop of this thread: await dispatch_command"):
        asyncio.run(run())


def test_calling_without_a_loop_is_refused(world):
    """Before a loop was seen, and after it has ended."""
    with pytest.raises(WrongThread, match="world 'world' runs on no event loop now"):
        world.call_command(Double(1))
    asyncio.run(world.dispatch_command(Double(1)).get_all_results())
    with pytest.raises(WrongThread, match="world 'world' runs on no event loop now"):
        world.call_command(Double(1))


def test_a_world_goes_on_in_another_loop(world):
    """One asyncio.run after the other."""
    world.register_system(quadruple)

    assert [asyncio.run(world.dispatch_command(Quadruple(1)).get_all_results()) for _ in range(2)] == [[4], [4]]


def test_closing_twice_is_closing_once(world):
    """As a context manager and by hand."""

    async def run():
        async with world as entered:
            assert entered is world
            await world.dispatch_command(Double(1)).get_all_results()
            await world.aclose()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": ""}, "name of World is ''"),
        ({"name": None}, "name of World is None"),
        ({"traits_timeout_s": 0}, "traits_timeout_s of World is 0: it must be a number of seconds above 0"),
        ({"traits_timeout_s": "1"}, "traits_timeout_s of World is '1'"),
        ({"strategy": "cheapest"}, "strategy of World is 'cheapest'"),
        ({"profiles": 7}, "profiles of World is 7: it must be a path"),
        ({"executor": 7}, "executor of World is 7"),
    ],
)
def test_settings_that_cannot_be_meant_are_errors(settings, message):
    """When the world is made."""
    with pytest.raises(InvalidSetting, match=message):
        World(**settings, load_plugins=False)
