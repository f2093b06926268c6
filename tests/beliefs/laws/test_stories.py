"""Laws of minds and of time: history stays, asking and remembering change nothing, and worlds can be kept."""

from __future__ import annotations

import json
from typing import Any

from beliefs_story import (
    REFERENCES,
    begin,
    every_state,
    knowledge,
    live,
    locked_states,
    minds,
    shown,
    stories,
)
from dam_beliefs import Belief, BeliefsError, Subject, UnionState, World
from hypothesis import given, settings
from hypothesis import strategies as st

LAW = settings(max_examples=25, deadline=None, derandomize=True)

KINDS_OF_MINDS: st.SearchStrategy[dict[str, Any]] = st.sampled_from([{}, {"own": "replace"}, {"composable": False}])


def all_told(world: World) -> Any:
    """Return what everybody knew at every tick."""
    people = {belief.subject.number: belief for belief in world.state.get_beliefs()}
    return {
        "world": shown(world.mind),
        "minds": {number: mind_of(belief) for number, belief in people.items()},
    }


def mind_of(belief: Belief) -> Any:
    """Return what a mind knew at every tick; an error, such as of a mind that went on too early, by its text."""
    try:
        return shown(belief.get_trait("mind"))
    except BeliefsError as error:
        return str(error)


@LAW
@given(stories(), KINDS_OF_MINDS)
def test_a_past_tick_never_changes(story: list[Any], kind: dict[str, Any]):
    """Of each mind, and of each union that one began with: what was locked says for ever what it said then."""
    world = begin(**kind)
    said: dict[int, Any] = {}
    kept: list[Any] = []
    for act in story:
        live(world, act)
        for state in locked_states(world):
            kept.append(state)
            assert said.setdefault(id(state), knowledge(state)) == knowledge(state)


@LAW
@given(stories(), KINDS_OF_MINDS)
def test_a_cache_never_changes_an_answer(story: list[Any], kind: dict[str, Any]):
    """Two worlds, one that remembers values and one that does not, give the same answers and errors all along."""
    one, other = begin(**kind), begin(caching=False, **kind)
    for act in story:
        assert live(one, act) == live(other, act)
    assert all_told(one) == all_told(other)


@LAW
@given(stories(), st.integers(0, 12), KINDS_OF_MINDS)
def test_a_loaded_world_is_equal_and_goes_on_equally(story: list[Any], place: int, kind: dict[str, Any]):
    """Also one with an open state, with minds on a union, with subjects that are forgotten."""
    world = begin(**kind)
    for act in story[:place]:
        live(world, act)
    text = json.dumps(world.to_data())
    again = World.from_data(json.loads(text))

    assert json.loads(json.dumps(again.to_data())) == json.loads(text)
    assert again == world
    assert all_told(again) == all_told(world)
    for act in story[place:]:
        assert live(again, act) == live(world, act)
        assert again.to_data() == world.to_data()
    assert all_told(again) == all_told(world)


@LAW
@given(stories(), KINDS_OF_MINDS)
def test_asking_early_changes_nothing(story: list[Any], kind: dict[str, Any]):
    """Somebody who asks everything after every act, also while states are open, learns the same in the end."""
    silent, asked = begin(**kind), begin(**kind)
    for act in story:
        live(silent, act)
        live(asked, act)
        all_told(asked)
    live(silent, ("lock",))
    live(asked, ("lock",))

    assert all_told(asked) == all_told(silent)


@LAW
@given(stories(), KINDS_OF_MINDS)
def test_what_goes_wrong_leaves_everything_as_it_was(story: list[Any], kind: dict[str, Any]):
    """An act that ends in an error: the world is the same as data."""
    world = begin(**kind)
    for act in story:
        before = world.to_data()
        if isinstance(live(world, act), tuple):
            assert world.to_data() == before


def holds(belief: Belief, trait: str, subject: Subject) -> bool:
    """Say whether a belief holds a subject, by looking."""
    value = belief.get_trait(trait)
    return value is subject or (isinstance(value, tuple) and subject in value)


@LAW
@given(stories(), KINDS_OF_MINDS)
def test_reverse_look_up_finds_what_a_search_finds(story: list[Any], kind: dict[str, Any]):
    """At every tick of every mind, open ones too: all who hold a subject, be it inherited, and no others."""
    world = begin(**kind)
    for act in story:
        live(world, act)
    for state in [each for mind in minds(world) for each in every_state(mind)]:
        for trait in REFERENCES:
            for subject in world.subjects:
                found = list(subject.rev_trait(trait, state))
                assert found == [belief for belief in state.get_beliefs() if holds(belief, trait, subject)]


@LAW
@given(stories(), KINDS_OF_MINDS)
def test_a_union_knows_what_its_components_know(story: list[Any], kind: dict[str, Any]):
    """Flattened; no component and no belief twice; nothing is lost, and nothing is there that nobody knows."""
    world = begin(**kind)
    for act in story:
        live(world, act)
    for union in [each for mind in minds(world) for each in every_state(mind) if isinstance(each, UnionState)]:
        components = union.component_states
        beliefs = list(union.get_beliefs())
        subjects = {belief.subject.number for state in components for belief in state.get_beliefs()}

        assert not any(isinstance(each, UnionState) for each in components)
        assert len({id(each) for each in components}) == len(components)
        assert [belief.subject.number for belief in beliefs] == sorted(subjects)
        for belief in beliefs:
            read_as_one([each for state in components if (each := state.get_belief(belief.subject))], belief)


def read_as_one(parts: list[Belief], belief: Belief) -> None:
    """See that a belief says what others say, where they differ what the first one says."""
    for trait in belief.names:
        said = [part.get_trait(trait) for part in parts if trait in part.names and part.world.is_said(part, trait)]
        assert belief.world.is_said(belief, trait) == bool(said)
        if trait == "mind" or not said:
            continue
        if belief.world.traittypes[trait].composable:
            lists = [each for each in said if each is not None]
            assert belief.get_trait(trait) == (tuple(dict.fromkeys(sum(lists, ()))) if lists else None)
        else:
            assert belief.get_trait(trait) == said[0]
