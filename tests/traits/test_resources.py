"""A world's resources are found by type, a base will do, and the last one added counts."""

from __future__ import annotations

from typing import Protocol

import pytest
from dam_traits import InvalidResource, MissingResource, World


class Base: ...


class First(Base): ...


class Second(Base): ...


class Named(Protocol):
    name: str


@pytest.fixture
def world():
    return World(load_plugins=False)


def test_a_resource_is_found_by_its_type(world):
    """The very object; adding can be chained."""
    first = First()

    assert world.add_resource(first) is world
    assert world.get_resource(First) is first
    assert world.has_resource(First)


def test_a_base_finds_the_first_added_of_a_subclass(world):
    """One of the very type comes before."""
    first, second, base = First(), Second(), Base()
    world.add_resource(second).add_resource(first)
    assert world.get_resource(Base) is second
    world.add_resource(base)
    assert world.get_resource(Base) is base


def test_a_subclass_is_not_found_by_its_parent_alone(world):
    """A parent is not what a subclass promises."""
    world.add_resource(Base())

    assert not world.has_resource(First)


def test_another_one_takes_the_place(world):
    """Also for whoever asked before."""
    world.add_resource(First())
    world.get_resource(Base)
    other = First()
    world.add_resource(other)

    assert world.get_resource(Base) is other


def test_a_resource_under_a_type_of_choice(world):
    """A base, or a protocol, which may be one that cannot be checked at run time."""
    first = First()
    world.add_resource(first, Base).add_resource(first, Named)

    assert world.get_resource(Base) is first
    assert world.get_resource(Named) is first
    assert not world.has_resource(First)


def test_what_is_falsy_is_there_as_well(world):
    """Whether there is one does not hang on what it is."""

    class Empty(list): ...

    world.add_resource(Empty())
    assert world.has_resource(Empty)
    assert world.get_resource(Empty) == []


def test_one_that_is_missing_is_an_error(world):
    """It says which, and what to do; one that is added then is found."""
    with pytest.raises(MissingResource) as raised:
        world.get_resource(First)

    assert str(raised.value) == "world 'world' has no resource First: add it by World.add_resource"
    world.add_resource(First())
    assert world.has_resource(First)


@pytest.mark.parametrize(
    ("resource_type", "message"),
    [
        (Second, "a First is not a Second: nobody could use it as one"),
        ("First", "'First' is not a type"),
        (list[int], r"list\[int\] is not a type"),
    ],
)
def test_a_wrong_type_is_refused(world, resource_type, message):
    """Where it is added."""
    with pytest.raises(InvalidResource, match=message):
        world.add_resource(First(), resource_type)
    assert not world.has_resource(First)
