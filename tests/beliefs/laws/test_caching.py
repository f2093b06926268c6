"""What is remembered, and for how long; and several threads that ask at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from dam_beliefs import Mind, Resolved, World, hookimpl

DATA = {
    "traittypes": {
        "name": "str",
        "skills": {"type": "str", "container": "list", "composable": True},
        "mind": {"type": "Mind", "composable": True},
    },
    "archetypes": {
        "Thing": {"names": ["name", "skills"]},
        "Mental": {"traits": {"mind": {"_call": "create"}, "mind.append": {"inn": ["name"]}}},
        "Smith": {"traits": {"skills": ["forge"], "mind": {"forge": ["name"]}}},
    },
    "prototypes": {
        "inn": {"bases": ["Thing"], "traits": {"name": "The Ox"}},
        "forge": {"bases": ["Thing"], "traits": {"name": "Tom's"}},
        "walker": {"bases": ["Thing"], "traits": {"skills": ["walk"]}},
    },
}


class Counting:
    """Notes each value that is searched for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    @hookimpl
    def dam_beliefs_trait_resolve(self, world: World, belief: Any, trait: str) -> Resolved | None:
        self.asked.append((belief.name, trait))
        return None


def test_a_locked_belief_never_searches_twice():
    """Asked again, a value is there: composed, made, `None`, and not said alike."""
    counting = Counting()
    world = World.from_data(DATA, counting)
    npc = world.state.add_belief(label="npc", bases=["walker", "Smith", "Mental"])
    world.state.lock()
    first = dict(npc.get_traits())
    counting.asked.clear()

    assert dict(npc.get_traits()) == first
    assert counting.asked == []
    assert npc.get_trait("skills") is first["skills"]
    assert npc.get_trait("mind") is first["mind"]


def test_an_open_belief_is_searched_each_time():
    """Its bases may still change; what is made for it stays the same mind as long as nothing does."""
    counting = Counting()
    world = World.from_data(DATA, counting)
    npc = world.state.add_belief(label="npc", bases=["walker", "Smith", "Mental"])
    mind = npc.get_trait("mind")

    assert npc.get_trait("mind") is mind
    assert npc.get_trait("skills") == ("walk", "forge")
    world.labels["walker"].belief(world.state).set_trait("skills", ["run"])
    assert npc.get_trait("skills") == ("run", "forge")


def test_a_mind_made_early_is_made_again_when_its_state_changes():
    """What it knows is what there is when the state is locked; one that thought on is kept as it is."""
    world = World.from_data(DATA)
    inn = world.labels["inn"].belief(world.state)
    one, other = (world.state.add_belief(bases=["Thing", "Mental"]) for _ in range(2))
    early, kept = one.get_trait("mind"), other.get_trait("mind")
    kept.create_state(1, world.state)
    inn.set_trait("name", "The Cow")
    world.state.lock()

    assert one.get_trait("mind") is not early
    assert one.get_trait("mind").state.get_belief(inn.subject).get_trait("name") == "The Cow"
    assert other.get_trait("mind") is kept
    assert kept.state.get_belief(inn.subject).get_trait("name") == "The Ox"


def test_a_world_without_caching_remembers_nothing_but_what_was_made():
    """Every question is searched for; a mind is no memory of an answer, it is the answer."""
    counting = Counting()
    world = World(counting, caching=False)
    for label, kind in DATA["traittypes"].items():
        world.add_traittype(label, kind)
    world.add_archetype("Thing", names=["name", "mind"], traits={"mind": {"_call": "create"}})
    thing = world.add_prototype("thing", bases=["Thing"], traits={"name": "x"})
    world.state.lock()
    mind = thing.get_trait("mind")
    counting.asked.clear()

    assert [thing.get_trait("name"), thing.get_trait("name")] == ["x", "x"]
    assert counting.asked == [("thing@0", "name")] * 2
    assert thing.get_trait("mind") is mind


@pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "open"])
def test_threads_that_ask_for_one_mind_get_the_same(is_locked: bool):
    """However many ask at once: one mind is made, and what it knows is known once."""
    world = World.from_data(DATA)
    npc = world.state.add_belief(label="npc", bases=["Thing", "Mental", "Smith"])
    if is_locked:
        world.state.lock()
    together = threading.Barrier(8)

    def ask(_number: int) -> tuple[Mind, list[str | None]]:
        together.wait(60)
        mind = npc.get_trait("mind")
        return mind, [belief.label for belief in mind.state.get_beliefs()]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))

    assert all(mind is answers[0][0] for mind, _ in answers)
    assert [known for _, known in answers] == [["inn", "forge"]] * 8


def test_threads_that_read_a_union_get_the_same_beliefs():
    """A belief that two components know is read as one, which is one object for all who ask."""
    world = World.from_data(DATA)
    one, other = (world.state.add_belief(bases=["Thing", "Mental"], traits={"mind": {"forge": []}}) for _ in range(2))
    both = world.state.add_belief(bases=[one, other])
    world.state.lock()
    state = both.get_trait("mind").state
    together = threading.Barrier(8)

    def ask(_number: int) -> list[int]:
        together.wait(60)
        return [id(belief) for belief in state.get_beliefs()]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))

    assert answers == [answers[0]] * 8
