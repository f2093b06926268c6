"""Keeping a world: as data, as a file; what goes along, and what cannot."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from beliefs_story import begin, knowledge, shown
from dam_beliefs import Mind, NotSavable, UnionState, World


def through_json(world: World) -> World:
    """Return a world that was written down and read again."""
    return World.from_data(json.loads(json.dumps(world.to_data())))


def test_a_mind_goes_on_from_where_it_stood():
    """After loading, the next thing learned is learned by the same mind, and its past is as it was."""
    world = begin()
    npc = world.state.add_belief(label="npc", bases=["Elder", "Villager", "Thing"])
    world.state.lock()
    again = through_json(world)
    for each in (world, again):
        mind = each.labels["npc"].get_trait("mind", each.state)
        state = mind.create_state(5, each.state)
        state.learn_about(each.labels["forge"].belief(each.state), ["name"])
        state.lock()

    mind = again.labels["npc"].get_trait("mind", again.state)
    assert shown(mind) == shown(npc.get_trait("mind"))
    assert [sorted(knowledge(state)) for state in mind.states] == [[], [0, 2], [0, 1, 2]]
    assert again == world


def test_a_mind_on_a_union_is_one_after_loading():
    """Its first state reads the states of the others, which are the states of their minds."""
    world = begin()
    one = world.state.add_belief(label="one", bases=["Mental", "Villager", "Thing"])
    world.state.add_belief(label="both", bases=[one, "Smith", "Thing"])
    one.with_traits(world.state, {"mind": {"mill": ["name"]}})
    world.state.lock()
    again = through_json(world)
    mind = again.labels["both"].get_trait("mind", again.state)

    assert isinstance(mind.origin_state, UnionState)
    assert again.minds[0] is again.mind
    assert all(any(state in each.states for each in again.minds) for state in mind.origin_state.component_states)
    assert shown(mind) == shown(world.labels["both"].get_trait("mind", world.state))


def test_what_was_forgotten_stays_forgotten():
    """A subject that a state holds nothing of any more, in the world and on top of a union."""
    world = begin()
    npc = world.state.add_belief(label="npc", bases=["Smith", "Thing"], traits={"mind": {"inn": ["name"]}})
    mind = npc.get_trait("mind")
    mind.create_state(1, world.state).remove(world.labels["forge"])
    gone = world.state.add_belief(label="gone", bases=["Thing"])
    world.mind.create_state(10).remove(gone.subject)
    again = through_json(world)

    for each in (world, again):
        assert each.labels["gone"].belief(each.state) is None
        assert each.labels["gone"].belief(each.mind.state_at(0)) is not None
        states = each.labels["npc"].get_trait("mind", each.state).states
        assert each.labels["forge"].belief(states[-1]) is None
        assert each.labels["inn"].belief(states[-1]) is not None


def test_an_open_state_is_open_after_loading():
    """What could be changed still can, on both sides alike; minds that were made early, too, are made again."""
    world = begin()
    npc = world.state.add_belief(label="npc", bases=["Mental", "Villager", "Thing"])
    assert sorted(knowledge(npc.get_trait("mind").state)) == [0]
    again = through_json(world)
    for each in (world, again):
        each.labels["npc"].belief(each.state).set_trait("mind.append", {"mill": ["name"]})
        each.labels["inn"].belief(each.state).set_trait("name", "The Cow")

    assert [shown(each.labels["npc"].get_trait("mind", each.state)) for each in (again, world)] == [
        {0: {0: {**LEARNED, "name": ("The Cow", True), "pals": ((), True)}, 2: {**LEARNED, "name": ("Mill", True)}}}
    ] * 2
    assert again == world


LEARNED = dict.fromkeys(("friend", "mind", "name", "pals", "rank", "skills"), (None, False))


def test_saving_changes_nothing():
    """A world is the same as data before and after, and so is one that was loaded and not touched."""
    world = begin()
    world.state.add_belief(label="npc", bases=["Elder", "Villager", "Thing"])
    data = world.to_data()

    assert world.to_data() == data
    assert World.from_data(data).to_data() == data
    assert through_json(through_json(world)) == world


def test_worlds_that_differ_are_not_equal():
    """By one value, by one operation, by a tick."""
    worlds = [begin() for _ in range(4)]
    worlds[1].state.add_belief(bases=["Thing"])
    worlds[2].labels["inn"].belief(worlds[2].state).set_trait("skills.remove", ["a"])
    worlds[3].mind.create_state(1)

    assert [[one == other for other in worlds] for one in worlds] == [
        [one is other for other in worlds] for one in worlds
    ]
    assert begin() == worlds[0]


def test_a_world_through_a_file(tmp_path: Path):
    """What is written is read again; a world that is there is replaced."""
    world = begin()
    path = tmp_path / "world.json"
    world.save(path)
    world.mind.create_state(10)
    world.save(path)

    assert World.load(path) == world


@pytest.mark.parametrize(
    "take",
    [copy.copy, copy.deepcopy, pickle.dumps],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_world_is_copied_as_data_only(take: Callable[[Any], Any]):
    """`copy` and `pickle` say so, and say how; so do they for all that is part of a world."""
    world = begin()
    message = r"World\.from_data\(world\.to_data\(\)\) makes an equal one"

    with pytest.raises(NotSavable, match=message):
        take(world)
    if take is not copy.copy:
        for part in (world.state, world.labels["inn"], world.labels["inn"].belief(world.state), world.mind):
            with pytest.raises(NotSavable, match=message):
                take(part)


def test_a_mind_that_several_share_is_one_after_loading():
    """A mind that stands in a belief as it is, and is handed on to others, is the same object in all of them."""
    world = begin()
    elder = world.state.add_belief(label="elder", bases=["Elder", "Thing"])
    world.state.add_belief(label="pupil", bases=["Thing"], traits={"mind": elder.get_trait("mind")})
    world.state.add_belief(label="heir", bases=["pupil"])
    world.state.lock()
    again = through_json(world)
    minds = [again.labels[label].get_trait("mind", again.state) for label in ("elder", "pupil", "heir")]

    assert isinstance(minds[0], Mind)
    assert all(mind is minds[0] for mind in minds)
