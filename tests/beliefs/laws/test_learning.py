"""Laws of learning and forgetting: what is learned is what there is, learned once; what was not is not known."""

from __future__ import annotations

from typing import Any

from beliefs_story import TRAITTYPES
from dam_beliefs import Belief, World
from hypothesis import given, settings
from hypothesis import strategies as st

LAW = settings(max_examples=25, deadline=None, derandomize=True)
TRAITS = ("name", "rank", "skills", "friend", "pals")

_value = {
    "name": st.none() | st.sampled_from(["Ann", "Bob"]),
    "rank": st.none() | st.integers(0, 2),
    "skills": st.none() | st.lists(st.sampled_from("abc"), max_size=2, unique=True),
    "friend": st.none() | st.just("inn"),
    "pals": st.none() | st.lists(st.just("inn"), max_size=1),
}
said = st.fixed_dictionaries({}, optional=_value)
some = st.lists(st.sampled_from(TRAITS), unique=True)


def told(belief: Belief | None) -> dict[str, Any]:
    """Return all that is said of a subject; a `None` may be."""
    if belief is None:
        return {}
    return {trait: belief.get_trait(trait) for trait in TRAITS if belief.world.is_said(belief, trait)}


def a_world(*versions: dict[str, Any]) -> tuple[World, list[Belief], Any]:
    """Return a world, versions of a thing at ticks of its own, and somebody's mind."""
    world = World()
    for label, kind in TRAITTYPES.items():
        world.add_traittype(label, kind)
    world.add_archetype("Thing", names=TRAITTYPES)
    world.state.add_belief(label="inn", bases=["Thing"])
    npc = world.state.add_belief(label="npc", bases=["Thing"], traits={"mind": {"_call": "create"}})
    thing = world.state.add_belief(label="thing", bases=["Thing"])
    mind = npc.get_trait("mind")
    mind.create_state(1, world.state)
    found: list[Belief] = []
    for number, traits in enumerate(versions, start=1):
        state = world.mind.create_state(10 * number)
        thing = state.put(thing.subject, bases=["Thing"], traits=traits)
        found.append(thing)
    return world, found, mind


@LAW
@given(said, some, some)
def test_what_is_learned_is_what_there_is_and_nothing_else(traits: dict[str, Any], first: list[str], then: list[str]):
    """Values of the traits that were asked for, if anybody says them, one after the other or at once."""
    _, (thing,), mind = a_world(traits)
    mind.state.learn_about(thing, first)
    known = mind.state.learn_about(thing, then)

    assert told(known) == {trait: value for trait, value in told(thing).items() if trait in {*first, *then}}


@LAW
@given(said, some)
def test_to_learn_again_changes_nothing(traits: dict[str, Any], learned: list[str]):
    """The same belief stays: in the same state, in the next one, and any part of it alike."""
    _, (thing,), mind = a_world(traits)
    known = mind.state.learn_about(thing, learned)

    assert mind.state.learn_about(thing, learned) is known
    later = mind.create_state(20)
    assert later.learn_about(thing, learned[:1]) is known
    assert not later.new_beliefs


@LAW
@given(said, said, some, some)
def test_what_is_learned_anew_takes_the_place_of_what_was_known(
    one: dict[str, Any], other: dict[str, Any], first: list[str], then: list[str]
):
    """Lists that would be joined, too; what is not learned anew stays as it was learned, and the past is the past."""
    _, (before, after), mind = a_world(one, other)
    old = mind.state.learn_about(before, first)
    past = told(old)
    new = mind.create_state(30).learn_about(after, then)

    assert told(new) == {
        **past,
        **{trait: value for trait, value in told(after).items() if trait in then},
    }
    assert told(mind.state_at(1).get_belief(before.subject)) == past


@LAW
@given(said, some, some)
def test_what_is_forgotten_is_not_known(traits: dict[str, Any], learned: list[str], forgotten: list[str]):
    """By an operation on the mind: those traits are not said any more, the others are as they were."""
    world, (thing,), mind = a_world(traits)
    world.state.lock()
    mind.state.learn_about(thing, learned)
    known = told(mind.state.get_belief(thing.subject))
    state = world.mind.create_state(40)
    npc = world.labels["npc"].belief(state).with_traits(state, {"mind.remove": {"thing": forgotten}})
    state.lock()

    assert npc.get_trait("mind") is mind
    left = {trait: value for trait, value in known.items() if trait not in forgotten}
    assert told(mind.state.get_belief(thing.subject)) == left
    assert told(mind.state_at(1).get_belief(thing.subject)) == known


@LAW
@given(said, some)
def test_who_forgot_a_subject_can_learn_it_again(traits: dict[str, Any], learned: list[str]):
    """Nothing is left of it, so that what is learned then is all that is known."""
    _, (thing,), mind = a_world(traits)
    mind.state.learn_about(thing, TRAITS)
    state = mind.create_state(20)
    state.remove(thing.subject)
    assert state.get_belief(thing.subject) is None

    known = state.learn_about(thing, learned)
    assert told(known) == {trait: value for trait, value in told(thing).items() if trait in learned}


@LAW
@given(said, some)
def test_an_earlier_version_reads_as_with_traits_left_it(traits: dict[str, Any], changed: list[str]):
    """With_traits of what is there already changes no value, whatever was changed before."""
    world, (thing,), _ = a_world(traits)
    same = {trait: value for trait, value in told(thing).items() if trait in changed}
    later = thing.with_traits(world.mind.create_state(50), {**same, "rank": 3})

    assert told(later) == {**told(thing), "rank": 3}
    assert told(thing) == told(world.mind.state_at(10).get_belief(thing.subject))
