"""A village to look at: places, people, a smithy, and kinds of people who know some of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dam_beliefs import Mind, Subject, World

TRAITTYPES = {
    "mind": "Mind",
    "location": "Location",
    "owner": "str",
    "coordinates": "str",
    "population": "int",
    "name": "str",
    "rank": "int",
    "age_range": "str",
    "quality": "str",
    "inventory": {"type": "str", "container": "list", "composable": True},
    "color": "str",
}
ARCHETYPES = {
    "Location": {"names": ["location", "owner", "coordinates", "population"]},
    "Person": {"names": ["name", "rank", "inventory", "color"]},
    "Thing": {"names": ["location", "quality", "inventory"]},
    "Mental": {"traits": {"mind": {"_call": "create"}}},
    "Villager": {"traits": {"mind.append": {"tavern": ["location"], "mayor": ["name"]}}},
    "Blacksmith": {"traits": {"mind.append": {"forge": ["location"], "tools": ["inventory"]}}},
}
PROTOTYPES = {
    "village": {"bases": ["Location"], "traits": {"population": 40}},
    "tavern": {"bases": ["Location"], "traits": {"location": "village", "owner": "Ann"}},
    "forge": {"bases": ["Location"], "traits": {"location": "village", "owner": "Tom"}},
    "mayor": {"bases": ["Person"], "traits": {"name": "Bob", "rank": 9}},
    "tools": {"bases": ["Thing"], "traits": {"inventory": ["hammer", "tongs"]}},
}


@pytest.fixture
def village() -> Callable[..., World]:
    """Make the village at tick 100, with more in each table, or something in it another way; `None` is left out."""

    def make(
        *,
        traittypes: Any = (),
        archetypes: Any = (),
        prototypes: Any = (),
        classes: tuple[type, ...] = (),
        tick: int = 100,
    ) -> World:
        data = {
            "tick": tick,
            "traittypes": _with(TRAITTYPES, traittypes),
            "archetypes": _with(ARCHETYPES, archetypes),
            "prototypes": _with(PROTOTYPES, prototypes),
        }
        return World.from_data(data, classes=classes)

    return make


def _with(table: dict[str, Any], more: Any) -> dict[str, Any]:
    return {label: keys for label, keys in {**table, **dict(more)}.items() if keys is not None}


@pytest.fixture
def lists() -> Callable[..., World]:
    """
    Make a world with one archetype for all traits: ``n`` shadows, ``xs`` composes, ``ref`` and ``refs`` are subjects.

    Keys of single traittypes can be given another way.
    """

    def make(**traittypes: Any) -> World:
        listed = {"type": "int", "container": "list"}
        made = {
            "n": "int",
            "plain": listed,
            "xs": {**listed, "composable": True},
            "ref": "Subject",
            "refs": {"type": "Subject", "container": "list", "composable": True},
            "m": "mapping",
        }
        for label, keys in traittypes.items():
            known = made.get(label, {})
            made[label] = {**({"type": known} if isinstance(known, str) else known), **keys}
        return World.from_data({"traittypes": made, "archetypes": {"Any": {"names": list(made)}}})

    return make


@pytest.fixture
def known() -> Callable[[Any], dict[str, dict[str, Any]]]:
    """Tell what a mind, or a state, knows: traits by subject, other subjects by their names."""
    return _known


def _known(mind: Any) -> dict[str, dict[str, Any]]:
    state = mind.state if isinstance(mind, Mind) else mind
    return {
        belief.subject.name: {
            trait: _shown(value)
            for trait, value in belief.get_traits().items()
            if value is not None or belief.world.is_said(belief, trait)
        }
        for belief in state.get_beliefs()
    }


def _shown(value: Any) -> Any:
    if isinstance(value, Subject):
        return value.name
    return [_shown(each) for each in value] if isinstance(value, tuple) else value


class Diary:
    """A value class of a user's own, which writes down what it is given."""

    OPERATIONS = ("append", "remove", "foo.bar")
    FACTORIES = ("found",)

    def __init__(self, *entries: Any) -> None:
        self.entries = entries

    @staticmethod
    def create(state: Any, props: Any, subject: Any) -> Diary:
        return Diary(("create", state, dict(props), subject))

    @staticmethod
    def found(state: Any, props: Any, subject: Any) -> Diary:
        return Diary(("found", state, dict(props), subject))

    @staticmethod
    def compose(values: Any) -> Diary:
        return Diary(("compose", [each.entries for each in values]))

    def state_data(self, state: Any, operations: Any) -> Diary:
        told = [(each.key, each.value, each.source.name) for each in operations]
        return Diary(*self.entries, ("state_data", state, told))

    def to_data(self) -> list[str]:
        return [str(each[0]) for each in self.entries]

    @staticmethod
    def from_data(data: Any) -> Diary:
        return Diary(*((each,) for each in data))


@pytest.fixture
def diary() -> type[Diary]:
    """Give the class."""
    return Diary
