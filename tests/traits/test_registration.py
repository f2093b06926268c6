"""A function or class becomes a system: marked, named, told where it runs, or refused with the reason."""

from __future__ import annotations

import asyncio
import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass

import pytest
import wrapt
from dam_traits import Command, Event, InvalidSystem, Kind, RunIn, TraitError, World, hookimpl, system
from dam_traits.invocation import Invocation


class Ask(Command[int]): ...


class AskMore(Ask): ...


class Happened(Event): ...


class Database: ...


@pytest.fixture
def world():
    return World(load_plugins=False)


def function(cmd: Ask): ...
def generator(cmd: Ask):
    yield


async def coroutine(cmd: Ask): ...
async def async_generator(cmd: Ask):
    yield


async def predict(cmd, world):
    return []


class Caller:
    async def __call__(self, cmd: Ask): ...


class DerivedCaller(Caller): ...


def what(system):
    """All of a system that stands for itself."""
    names = ("name", "target", "kind", "run_in", "command", "event", "stage", "calculate_traits", "requires")
    return {name: getattr(system, name) for name in names}


def test_a_marked_one_is_the_very_object(world):
    """The decorator gives back what it got, and a system's target is that."""

    async def function(cmd: Ask): ...

    class Class:
        def __call__(self, cmd: Ask): ...

    for target in (function, Class):
        assert system(on_command=Ask)(target) is target
        assert world.register_system(target).target is target


def test_a_mark_registers_nothing(world):
    """It is made known to a world by registering it there."""

    @system(on_command=Ask)
    def marked(cmd: Ask): ...

    assert world.systems.for_command(Ask) == ()


def test_everything_of_a_system(world):
    """What a registered system says of itself."""

    @system(on_event=Happened)
    async def listen(event: Happened, database: Database): ...

    assert what(world.register_system(listen)) == {
        "name": f"{__name__}:test_everything_of_a_system.<locals>.listen",
        "target": listen,
        "kind": Kind.COROUTINE,
        "run_in": RunIn.LOOP,
        "command": None,
        "event": Happened,
        "stage": None,
        "calculate_traits": None,
        "requires": ((Database,),),
    }


@pytest.mark.parametrize(
    ("target", "kind", "run_in"),
    [
        (function, Kind.FUNCTION, RunIn.THREAD),
        (generator, Kind.GENERATOR, RunIn.THREAD),
        (coroutine, Kind.COROUTINE, RunIn.LOOP),
        (async_generator, Kind.ASYNC_GENERATOR, RunIn.LOOP),
        (Caller, Kind.COROUTINE, RunIn.LOOP),
        (DerivedCaller, Kind.COROUTINE, RunIn.LOOP),
    ],
)
def test_where_it_runs_unless_it_says_otherwise(world, target, kind, run_in):
    """What is async runs on the loop, all else in a thread."""
    made = world.register_system(target, on_command=Ask)

    assert (made.kind, made.run_in) == (kind, run_in)


@pytest.mark.parametrize("place", ["loop", "thread", "process", RunIn.PROCESS])
def test_a_function_runs_where_it_says(world, place):
    """By text or by value."""
    assert world.register_system(function, on_command=Ask, run_in=place).run_in is RunIn(place)


@pytest.mark.parametrize("target", [coroutine, async_generator, Caller])
@pytest.mark.parametrize("place", ["thread", "process"])
def test_what_is_async_runs_on_the_loop_alone(world, target, place):
    """It is refused elsewhere."""
    with pytest.raises(InvalidSystem, match=f"which runs on the loop: run_in={place} is for others"):
        world.register_system(target, on_command=Ask, run_in=place)


def asks_for_the_world(cmd: Ask, world: World): ...
def asks_for_a_resource(cmd: Ask, database: Database): ...
def asks_for_one_that_may_miss(cmd: Ask, database: Database | None): ...


class MadeOfTheWorld:
    def __init__(self, world: World): ...
    def __call__(self, cmd: Ask): ...


@pytest.mark.parametrize(
    ("target", "parameter"),
    [
        (asks_for_the_world, "world"),
        (asks_for_a_resource, "database"),
        (asks_for_one_that_may_miss, "database"),
        (MadeOfTheWorld, "world"),
    ],
)
def test_another_process_gets_the_command_alone(world, target, parameter):
    """What stays in this process is refused, by the parameter's name."""
    with pytest.raises(InvalidSystem, match=f"parameter {parameter} takes what does not leave this process"):
        world.register_system(target, on_command=Ask, run_in="process")


def has_a_default(cmd: Ask, database: Database = Database()): ...  # noqa: B008 - as it says


def test_another_process_keeps_defaults(world):
    """A resource that has a default is not sent along, though it is there."""
    world.add_resource(Database())
    made = world.register_system(has_a_default, on_command=Ask, run_in="process")
    command = Ask()

    assert made.bind(Invocation(world=world, system=made, command=command)) == {"cmd": command}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_command": Ask, "on_event": Happened}, "has on_command and on_event: a system runs for one of them"),
        ({"on_command": Ask, "on_stage": "load"}, "has on_command and on_stage"),
        ({"on_command": (Ask, AskMore)}, "on_command is a tuple: it must be one class"),
        ({"on_command": Command[int]}, "on_command is .*: it must be one class"),
        ({"on_event": "Happened"}, "on_event is 'Happened': it must be one class"),
        ({"on_stage": ""}, "on_stage is '': it must be a stage's name"),
        ({"on_stage": 1}, "on_stage is 1: it must be a stage's name"),
        ({"on_command": Ask, "run_in": "moon"}, "run_in is 'moon': it must be one of loop, thread, process"),
    ],
)
def test_options_that_cannot_be_meant_fail_where_they_are_written(world, options, message):
    """In the decorator, and when registering."""
    with pytest.raises(InvalidSystem, match=message):
        system(**options)
    with pytest.raises(InvalidSystem, match=message):
        world.register_system(function, **options)
    assert len(world.systems) == 0


class WithoutCall: ...


class StaticCall:
    @staticmethod
    def __call__(cmd: Ask): ...


class Abstract(ABC):
    @abstractmethod
    def __call__(self, cmd: Ask): ...


class NeedsText:
    def __init__(self, name: str): ...
    def __call__(self, cmd: Ask): ...


class NeedsTheCommand:
    def __init__(self, cmd: Ask): ...
    def __call__(self, cmd: Ask): ...


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (WithoutCall, "has no method __call__"),
        (StaticCall, "has no method __call__"),
        (Abstract, "is abstract, so no instance can be made"),
        (NeedsText, "__init__: parameter name is annotated str"),
        (
            NeedsTheCommand,
            "__init__: parameter cmd takes Ask, and the system runs for nothing that could be given here",
        ),
        (7, "7: is neither a function nor a class"),
        (functools.partial(function), "a partial: is neither a function nor a class"),
        (Caller(), "a Caller: is neither a function nor a class"),
    ],
)
def test_a_target_that_is_no_system_is_refused(world, target, message):
    """With the reason; the registry stays empty."""
    with pytest.raises(InvalidSystem, match=message):
        world.register_system(target, on_command=Ask)
    assert len(world.systems) == 0


def test_a_system_must_run_for_something(world):
    """What it runs for is said by its mark or where it is registered."""
    with pytest.raises(InvalidSystem, match="runs for nothing yet: give on_command, on_event or on_stage"):
        world.register_system(function)


def test_what_is_given_replaces_what_was_marked(world):
    """The trigger as a whole, the rest one by one."""

    @system(on_command=Ask, run_in="loop")
    def marked(cmd: Ask): ...

    made = world.register_system(marked, on_command=AskMore)

    assert (made.command, made.run_in) == (AskMore, RunIn.LOOP)


def test_the_same_one_twice_is_one_system(world):
    """The one that is there is given back; to run it elsewhere is refused."""
    made = world.register_system(function, on_command=Ask)

    assert world.register_system(function, on_command=Ask) is made
    assert world.register_system(function, on_command=Ask, run_in="thread") is made
    with pytest.raises(InvalidSystem, match="is registered already, with run_in=thread"):
        world.register_system(function, on_command=Ask, run_in="loop")
    with pytest.raises(InvalidSystem, match="is registered already, with another calculate_traits"):
        world.register_system(function, on_command=Ask, calculate_traits=predict)
    assert tuple(world.systems) == (made,)


def test_the_same_one_for_something_else_is_another_system(world):
    """Names are unique: the second one's ends in a number."""
    first = world.register_system(function, on_command=Ask)
    second = world.register_system(function, on_command=AskMore)

    assert [first.name, second.name] == [f"{__name__}:function", f"{__name__}:function#2"]
    assert world.systems.by_target(function) == (first, second)


def test_functions_of_one_name_are_told_apart(world):
    """Those that a factory makes, for one."""

    def make():
        def made(cmd: Ask): ...

        return made

    names = [world.register_system(make(), on_command=Ask).name.rpartition(".")[2] for _ in range(3)]

    assert names == ["made", "made#2", "made#3"]


def test_a_method_is_a_system(world):
    """It is known by its object and function, though it is a new object each time it is asked for."""

    class Service:
        def handle(self, cmd: Ask): ...

    service, other = Service(), Service()
    made = world.register_system(service.handle, on_command=Ask)

    assert world.register_system(service.handle, on_command=Ask) is made
    assert world.register_system(other.handle, on_command=Ask) is not made


def test_a_subclass_of_a_marked_class_is_marked(world):
    """It inherits what was said of its parent."""

    @system(on_command=Ask)
    class Parent:
        def __call__(self, cmd: Ask): ...

    class Child(Parent): ...

    assert world.register_system(Child).command is Ask


def test_a_wrapper_has_the_parameters_of_what_it_wraps(world):
    """functools.wraps is enough, string annotations included."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    made = world.register_system(wrapper, on_command=Ask)
    command = Ask()
    assert made.bind(Invocation(world=world, system=made, command=command)) == {"cmd": command}


@pytest.mark.parametrize("wrapped", [coroutine, async_generator, generator])
def test_a_plain_wrapper_of_what_is_not_is_refused(world, wrapped):
    """It would be run as what it is not, and its results lost."""

    @functools.wraps(wrapped)
    def wrapper(*args, **kwargs):
        return wrapped(*args, **kwargs)

    with pytest.raises(
        InvalidSystem, match=r"is a wrapper that gives a value around what gives an? .*: make the wrapper"
    ):
        world.register_system(wrapper, on_command=Ask)


def test_a_proxy_is_what_it_stands_for(world):
    """An observer's wrapt proxy is a function of the same kind, and the call goes through it."""
    seen = []

    def note(wrapped, instance, args, kwargs):
        seen.append(kwargs)
        return wrapped(*args, **kwargs)

    proxy = wrapt.FunctionWrapper(coroutine, note)
    made = world.register_system(proxy, on_command=Ask)
    command = Ask()

    asyncio.run(made.call(**made.bind(Invocation(world=world, system=made, command=command))))

    assert (made.target is proxy, made.kind, seen) == (True, Kind.COROUTINE, [{"cmd": command}])


def test_an_instance_is_made_once_for_each_world(world):
    """When it is first called, with what its parameters ask for."""
    made = []

    @dataclass
    class Counter:
        database: Database
        world: World

        def __post_init__(self):
            made.append(self)

        def __call__(self, cmd: Ask):
            return self

    database = Database()
    worlds = [world, World("other", load_plugins=False)]
    counters = [each.add_resource(database).register_system(Counter, on_command=Ask) for each in worlds]
    assert made == []

    first, again, other = counters[0].call(cmd=Ask()), counters[0].call(cmd=Ask()), counters[1].call(cmd=Ask())

    assert first is again
    assert made == [first, other]
    assert [(each.database, each.world) for each in made] == [(database, each) for each in worlds]


def test_a_class_is_checked_for_its_resources(world):
    """What its constructor needs is needed by the system."""

    class Keeper:
        def __init__(self, database: Database): ...
        def __call__(self, cmd: Ask): ...

    assert world.register_system(Keeper, on_command=Ask).requires == ((Database,),)


def test_a_plugin_hears_of_each_system_once(world):
    """The hook is called right after, with the system in its place."""
    heard = []

    class Listener:
        @hookimpl
        def dam_traits_register(self, world, system):
            heard.append((system, system in world.systems))

    world.add_plugin(Listener())
    made = world.register_system(function, on_command=Ask)
    world.register_system(function, on_command=Ask)

    assert heard == [(made, True)]


def test_a_plugin_can_refuse_a_system(world):
    """What its hook raises reaches the caller, and the system is not there."""

    class Refused(TraitError): ...

    class Doorman:
        @hookimpl
        def dam_traits_register(self, world, system):
            raise Refused

    world.add_plugin(Doorman())

    with pytest.raises(Refused):
        world.register_system(function, on_command=Ask)
    assert len(world.systems) == 0
    assert world.systems.for_command(Ask) == ()
