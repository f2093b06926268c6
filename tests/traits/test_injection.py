"""Arguments are found by type: what fills what, and which parameters are refused before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, Optional, TypeVar

import pytest
from dam_traits import Command, Event, InvalidSystem, MissingResource, World
from dam_traits.invocation import Invocation

if TYPE_CHECKING:
    from somewhere import NotAtRunTime

T = TypeVar("T")


class EntityCommand(Command[int]): ...


@dataclass
class Ask(EntityCommand):
    text: str = ""


class Tell(Command[None]): ...


class Happened(Event): ...


class Database: ...


class Sqlite(Database): ...


class Cache(Generic[T]): ...


@pytest.fixture
def world():
    return World(load_plugins=False)


def arguments(world, system, command):
    """What the system would be called with."""
    return dict(system.bind(Invocation(world=world, system=system, command=command)))


def own_class(cmd: Ask): ...
def base_class(cmd: EntityCommand): ...
def base_of_all(cmd: Command[int]): ...
def annotated(cmd: Annotated[Ask, "the command"]): ...
def one_of_several(cmd: Ask | Tell): ...
def optional(cmd: Optional[Ask]): ...  # noqa: UP045 - the old way of saying it
def keyword_only(*, cmd: Ask): ...
def with_the_rest(cmd: Ask, *args: Any, **kwargs: Any): ...
def with_a_default(cmd: Ask, retries: int = 3, note=None): ...


@pytest.mark.parametrize(
    "target",
    [
        own_class,
        base_class,
        base_of_all,
        annotated,
        one_of_several,
        optional,
        keyword_only,
        with_the_rest,
        with_a_default,
    ],
)
def test_the_command_goes_where_its_class_or_a_base_stands(world, target):
    """String annotations, Annotated, unions and generic bases included; all else keeps its default."""
    command = Ask()

    assert arguments(world, world.register_system(target, on_command=Ask), command) == {"cmd": command}


def test_the_very_objects_are_passed(world):
    """Command, world and resource are the objects themselves."""

    def target(world: World, database: Database, cmd: Ask): ...

    database, command = Database(), Ask()
    world.add_resource(database)

    found = arguments(world, world.register_system(target, on_command=Ask), command)

    assert [found["world"], found["database"], found["cmd"]] == [world, database, command]
    assert found["cmd"] is command


def test_two_parameters_may_take_the_same(world):
    """Each parameter is filled by its own type."""

    def target(cmd: Ask, same: EntityCommand, one: World, two: World): ...

    command = Ask()
    system = world.register_system(target, on_command=Ask)
    assert arguments(world, system, command) == {"cmd": command, "same": command, "one": world, "two": world}


def test_an_event_goes_to_its_class(world):
    """As a command does."""

    def target(event: Happened): ...

    event = Happened()
    assert arguments(world, world.register_system(target, on_event=Happened), event) == {"event": event}


def test_a_stages_name_goes_to_str(world):
    """A stage's system may ask for its name, and need not."""

    def named(stage: str, world: World): ...
    def unnamed(world: World): ...
    def nothing(): ...

    given = [
        arguments(world, world.register_system(each, on_stage="load"), "load") for each in (named, unnamed, nothing)
    ]
    assert given == [{"stage": "load", "world": world}, {"world": world}, {}]


def test_a_resource_of_a_subclass_will_do(world):
    """It is found by its own type first, then by a base."""

    def target(cmd: Ask, database: Database): ...

    system = world.register_system(target, on_command=Ask)
    sqlite, database = Sqlite(), Database()
    world.add_resource(sqlite)
    assert arguments(world, system, Ask())["database"] is sqlite
    world.add_resource(database)
    assert arguments(world, system, Ask())["database"] is database


def test_a_generic_resource_is_found_by_its_class(world):
    """Type arguments are for type checkers."""

    def target(cmd: Ask, cache: Cache[int]): ...

    cache = Cache()
    world.add_resource(cache)
    assert arguments(world, world.register_system(target, on_command=Ask), Ask())["cache"] is cache


def test_a_resource_may_come_after_the_system(world):
    """Until then it is missing: `check` says so, and so does the first use."""

    def target(cmd: Ask, database: Database): ...

    system = world.register_system(target, on_command=Ask)
    needed_by = f"{__name__}:test_a_resource_may_come_after_the_system.<locals>.target"

    with pytest.raises(MissingResource) as at_check:
        world.check()
    with pytest.raises(MissingResource) as at_use:
        arguments(world, system, Ask())

    message = "world 'world' has no resource Database, needed by {}: add it by World.add_resource"
    assert str(at_check.value) == message.format(needed_by)
    assert str(at_use.value) == message.format(f"parameter database of {needed_by}")
    world.add_resource(Database())
    world.check()


def test_a_check_names_all_that_is_missing(world):
    """All resources, and all systems that need one; of a union, one is enough."""

    def first(cmd: Ask, database: Database, cache: Cache[int]): ...
    def second(cmd: Ask, some: Cache[int] | Database): ...

    for each in (first, second):
        each.__qualname__ = each.__name__
        world.register_system(each, on_command=Ask)

    with pytest.raises(MissingResource) as raised:
        world.check()
    assert str(raised.value) == (
        "world 'world' has no resource Database and Cache and Cache or Database, "
        f"needed by {__name__}:first and {__name__}:second: add it by World.add_resource"
    )
    world.add_resource(Database())
    with pytest.raises(MissingResource, match=f"has no resource Cache, needed by {__name__}:first:"):
        world.check()


def test_a_resource_that_is_not_needed_may_be_missing(world):
    """A default is left; an optional one gets None; both take the resource once it is there."""

    def target(cmd: Ask, left: Database = None, none: Database | None = ...): ...  # type: ignore[assignment]
    def optional(cmd: Ask, database: Database | None): ...

    command = Ask()
    first, second = (world.register_system(each, on_command=Ask) for each in (target, optional))
    world.check()
    assert arguments(world, first, command) == {"cmd": command}
    assert arguments(world, second, command) == {"cmd": command, "database": None}

    database = Database()
    world.add_resource(database)
    assert arguments(world, first, command) == {"cmd": command, "left": database, "none": database}
    assert arguments(world, second, command) == {"cmd": command, "database": database}


def test_names_that_a_system_would_take_need_no_import(world):
    """`World` and the command's classes may be imported for type checkers alone, or be local."""

    class Local(Command[None]): ...

    def target(cmd: Local, world: World): ...

    command = Local()
    assert arguments(world, world.register_system(target, on_command=Local), command) == {
        "cmd": command,
        "world": world,
    }


def test_return_types_are_not_looked_at(world):
    """What cannot be resolved there disturbs nobody."""

    def target(cmd: Ask) -> NotAtRunTime: ...

    world.register_system(target, on_command=Ask)


def no_parameter(): ...
def only_args(*args: Ask): ...
def only_kwargs(**kwargs: Any): ...
def without_annotation(cmd): ...
def anything(cmd: Any): ...
def an_object(cmd: object): ...
def another_command(cmd: Tell): ...
def an_event(cmd: Ask, event: Happened): ...
def a_text(cmd: Ask, name: str): ...
def a_list(cmd: Ask, names: list[str]): ...
def a_type_variable(cmd: Ask, thing: T): ...
def positional_only(cmd: Ask, /): ...
def not_at_run_time(cmd: Ask, thing: NotAtRunTime): ...
def a_stage(cmd: Ask, stage: str): ...
def only_the_world(world: World): ...
def bad_syntax(cmd: Ask, thing: "not a type!"): ...  # noqa: F722 - as it says


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (no_parameter, "no parameter takes the Ask that it runs for"),
        (only_args, "no parameter takes the Ask that it runs for"),
        (only_kwargs, "no parameter takes the Ask that it runs for"),
        (only_the_world, "no parameter takes the Ask that it runs for"),
        (without_annotation, "parameter cmd has no annotation"),
        (anything, r"parameter cmd is annotated (typing\.)?Any, which is no type of a resource"),
        (an_object, "parameter cmd is annotated object, which is no type of a resource"),
        (another_command, "parameter cmd takes Tell, and the system runs for Ask"),
        (an_event, "parameter event takes Happened, and the system runs for Ask"),
        (a_text, "parameter name is annotated str, which is no type of a resource"),
        (a_list, r"parameter names is annotated list\[str\], which is no type of a resource"),
        (a_type_variable, "parameter thing is annotated ~T, which is no type of a resource"),
        (positional_only, "parameter cmd is positional-only, and arguments are given by name"),
        (not_at_run_time, "parameter thing is annotated 'NotAtRunTime', which cannot be resolved"),
        (bad_syntax, "parameter thing is annotated .*not a type!.*, which cannot be resolved"),
        (len, "parameter obj is positional-only"),
        (print, "no parameter takes the Ask"),
        (a_stage, "parameter stage is annotated str"),
    ],
)
def test_a_parameter_that_nothing_fills_is_refused(world, target, message):
    """At registration, by its name; nothing is registered, and the world takes the next one."""
    with pytest.raises(InvalidSystem, match=message) as raised:
        world.register_system(target, on_command=Ask)

    assert raised.value.system == f"{target.__module__}:{target.__qualname__}"
    assert len(world.systems) == 0
    world.register_system(own_class, on_command=Ask)
    assert len(world.systems) == 1
