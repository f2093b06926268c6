"""Systems are found by what they run for, in a stated order, also after others came and went."""

from __future__ import annotations

import pytest
from dam_traits import Command, DuplicateIdentity, Event, World
from dam_traits.registry import SystemRegistry


class Base(Command[None]): ...


class Mixin: ...


class Ask(Base, Mixin): ...


class Happened(Event): ...


class Again(Happened): ...


@pytest.fixture
def world():
    return World(load_plugins=False)


def named(name, trigger):
    def target(cmd): ...

    target.__qualname__ = name
    target.__annotations__ = {"cmd": trigger}
    return target


def names(systems):
    return [each.name.partition(":")[2] for each in systems]


def test_own_class_first_then_bases(world):
    """In the order of the class's own resolution, within each by registration."""
    for name, trigger in [("base", Base), ("mixin", Mixin), ("own", Ask), ("base2", Base), ("own2", Ask)]:
        world.register_system(named(name, trigger), on_command=trigger)

    assert names(world.systems.for_command(Ask)) == ["own", "own2", "base", "base2", "mixin"]
    assert names(world.systems.for_command(Base)) == ["base", "base2"]
    assert world.systems.for_command(Command) == ()


def test_events_and_commands_are_apart(world):
    """The same rule for events, in a table of their own."""
    world.register_system(named("once", Happened), on_event=Happened)
    world.register_system(named("again", Again), on_event=Again)

    assert names(world.systems.for_event(Again)) == ["again", "once"]
    assert world.systems.for_command(Again) == ()


def test_a_stage_has_its_systems_in_order(world):
    """By its exact name."""
    for name in ("b", "a"):

        def target(): ...

        target.__qualname__ = name
        world.register_system(target, on_stage="load")

    assert names(world.systems.for_stage("load")) == ["b", "a"]
    assert world.systems.for_stage("store") == ()


def test_what_was_found_before_is_found_anew(world):
    """Asking does not freeze the answer: later systems come in, removed ones go out."""
    assert world.systems.for_command(Ask) == ()
    first = world.register_system(named("first", Base), on_command=Base)
    assert world.systems.for_command(Ask) == (first,)
    second = world.register_system(named("second", Ask), on_command=Ask)
    assert world.systems.for_command(Ask) == (second, first)

    world.unregister_system(first.target)

    assert world.systems.for_command(Ask) == (second,)
    assert first not in world.systems
    assert world.systems.by_name(first.name) is None
    assert world.systems.by_target(first.target) == ()


@pytest.mark.parametrize("trigger", [{"on_command": Ask}, {"on_event": Ask}, {"on_stage": "load"}])
def test_a_removed_system_is_gone_from_everywhere(world, trigger):
    """By its name or as itself; and it can come back under the same name."""

    def for_stage(stage: str): ...
    def for_class(it: Ask): ...

    target = for_stage if "on_stage" in trigger else for_class
    made = world.register_system(target, **trigger)
    world.unregister_system(made.name)

    found = (world.systems.for_command(Ask), world.systems.for_event(Ask), world.systems.for_stage("load"))
    assert (found, len(world.systems), world.systems.names()) == (((), (), ()), 0, ())
    assert world.register_system(target, **trigger).name == made.name


def test_removing_what_is_not_there_does_nothing(world):
    """Also where another system has the name now."""
    made = world.register_system(named("same", Ask), on_command=Ask)
    world.unregister_system(made)
    again = world.register_system(named("same", Ask), on_command=Ask)

    world.unregister_system(made)

    assert tuple(world.systems) == (again,)


def test_a_name_is_one_systems(world):
    """A second system of a name is refused, naming both."""
    made = world.register_system(named("same", Ask), on_command=Ask)

    with pytest.raises(DuplicateIdentity, match="same is taken by"):
        world.systems.add(made)


def test_looking_up_costs_the_same_among_many():
    """What is looked at does not grow with the systems of other commands: their classes are never touched."""

    class Told(type):
        asked = 0

        def __hash__(cls):
            Told.asked += 1
            return type.__hash__(cls)

    class Mine(metaclass=Told): ...

    asked = []
    for others in (0, 1_000):
        registry = SystemRegistry()
        world = World(load_plugins=False)
        world.systems = registry
        for _ in range(others):
            world.register_system(named("other", Base), on_command=Base)
        world.register_system(named("mine", Mine), on_command=Mine)
        registry.for_command(Mine)
        Told.asked = 0
        assert len(registry.for_command(Mine)) == 1
        asked.append(Told.asked)

    assert asked == [1, 1]
