"""Histories and graphs of any size: no recursion that Python would end, and no node that is asked again and again."""

from __future__ import annotations

from typing import Any

import pytest
from dam_beliefs import World

LENGTH = 5000
LADDER = 60
"""Rungs of two; a walk that asks each node once for each path to it would ask 2**60 times."""

LISTED = {"type": "str", "container": "list"}
TEACH = {"mind.append": {"tavern": ["name"]}}


def village(**traittypes: Any) -> World:
    """Return a world with a tavern to know of."""
    traittypes = {
        "name": "str",
        "color": "str",
        "tags": LISTED,
        "skills": {**LISTED, "composable": True},
        "friends": {"type": "Subject", "container": "list", "composable": True},
        "mind": {"type": "Mind", "composable": True},
        **traittypes,
    }
    return World.from_data(
        {
            "traittypes": traittypes,
            "archetypes": {"Thing": {"names": list(traittypes)}, "Mental": {"traits": {"mind": {"_call": "create"}}}},
            "prototypes": {
                "tavern": {"bases": ["Thing"], "traits": {"name": "The Ox"}},
                "forge": {"bases": ["Thing"], "traits": {"name": "Tom's"}},
            },
        }
    )


def known(mind: Any) -> list[str]:
    """Return the labels of all that a mind knows."""
    return [belief.subject.label for belief in mind.state.get_beliefs()]


def test_a_long_history_of_one_subject():
    """Five thousand versions of one subject, each at a tick of its own: all traits are found from the last one."""
    world = village()
    traits = {"color": "red", "tags": ["a"], "skills": ["a"], "friends": ["tavern"]}
    version = world.state.add_belief(label="npc", bases=["Mental", "Thing"], traits=traits)
    for tick in range(1, LENGTH):
        state = world.mind.create_state(tick)
        version = version.with_traits(state, {"name": f"npc{tick % 10}", "tags.append": ["b"]})
    world.state.lock()

    assert version.get_trait("color") == "red"
    assert version.get_trait("tags") == ("a", "b")
    assert version.get_trait("skills") == ("a",)
    assert known(version.get_trait("mind")) == []
    assert [each.name for each in world.labels["tavern"].rev_trait("friends", world.state)] == [version.name]
    assert version.explain_trait("skills").value == ("a",)


def test_a_long_history_in_which_every_version_adds():
    """Each version has a value of its own, which it adds to what the one before has."""
    world = village()
    version = world.state.add_belief(label="npc", bases=["Thing"], traits={"skills": ["0"]})
    for tick in range(1, LENGTH):
        version = version.with_traits(world.mind.create_state(tick), {"skills": [str(tick % 50)]})

    assert sorted(version.get_trait("skills"), key=int) == [str(each) for each in range(50)]


def test_a_long_history_of_a_mind_that_nobody_asked_for():
    """Thousands of versions follow each other in one open state, and only the last one is asked for its mind."""
    world = village()
    version = world.state.add_belief(label="npc", bases=["Mental", "Thing"])
    for number in range(LENGTH // 2):
        version = version.with_traits(world.state, TEACH if number == 7 else {"name": "a"})

    assert known(version.get_trait("mind")) == ["tavern"]


@pytest.mark.parametrize("kind", ["archetype", "prototype"])
def test_a_long_chain_of_bases(kind: str):
    """Five thousand archetypes, or prototypes, each the base of the next."""
    world = village()
    base: Any = world.add_archetype("K0", bases=["Thing"], traits={"color": "red", "skills": ["a"], **TEACH})
    for number in range(1, LENGTH):
        if kind == "archetype":
            base = world.add_archetype(f"K{number}", bases=[base], traits={"tags": ["t"]} if number == 9 else {})
        else:
            base = world.state.add_belief(bases=[base], traits={"tags": ["t"]} if number == 9 else {})
    npc = world.state.add_belief(bases=[base, "Mental"])
    world.state.lock()

    assert npc.get_trait("color") == "red"
    assert npc.get_trait("tags") == ("t",)
    assert npc.get_trait("skills") == ("a",)
    assert npc.is_a(world.archetypes["K0"])


def test_a_long_chain_of_prototypes_with_minds_of_their_own():
    """Each has learned a thing more than the one that it is made of: the last one knows what all know."""
    world = village()
    base = world.state.add_belief(bases=["Mental", "Thing"], traits={"mind": {"forge": ["name"]}})
    for number in range(LENGTH // 10):
        base = world.state.add_belief(bases=[base], traits=TEACH if number % 2 else {"mind": {"tavern": ["name"]}})

    assert known(base.get_trait("mind")) == ["tavern", "forge"]
    world.state.lock()
    assert known(base.get_trait("mind")) == ["tavern", "forge"]


@pytest.mark.parametrize(
    "own",
    [{}, {"skills": ["b"], "tags.append": ["c"]}, {"skills.append": ["b"], "tags.append": ["c"]}],
    ids=["silent", "own", "operations"],
)
def test_a_ladder_of_diamonds(own: dict[str, Any]):
    """Both on a rung have both of the rung below as bases: each is asked once."""
    world = village()
    rung: list[Any] = [world.add_archetype("Bottom", bases=["Thing"], traits={"skills": ["a"], "tags": ["a"]})]
    for _ in range(LADDER):
        rung = [world.state.add_belief(bases=rung, traits=own) for _ in range(2)]
    top = world.state.add_belief(bases=rung)

    assert top.get_trait("skills") == (("a", "b") if "skills" in own or "skills.append" in own else ("a",))
    assert top.get_trait("tags") == (("a", "c") if own else ("a",))
    assert str(top.explain_trait("tags"))


@pytest.mark.parametrize(
    "own",
    [{}, {"mind": {"tavern": ["name"]}}, {"mind": {"_call": "create"}, **TEACH}, TEACH],
    ids=["silent", "template", "recipe", "operations"],
)
def test_a_ladder_of_diamonds_of_minds(own: dict[str, Any]):
    """A mind that comes from both sides on every rung knows what any of them knows, and is quick to say so."""
    world = village()
    bottom = world.state.add_belief(bases=["Thing", "Mental"], traits={"mind": {"forge": ["name"]}})
    rung = [bottom]
    for _ in range(LADDER):
        rung = [world.state.add_belief(bases=rung, traits=own) for _ in range(2)]
    top = world.state.add_belief(bases=rung)
    world.state.lock()

    assert sorted(known(top.get_trait("mind"))) == (["forge", "tavern"] if own else ["forge"])
    names = [belief.get_trait("name") for belief in top.get_trait("mind").state.get_beliefs()]
    assert sorted(names) == (["The Ox", "Tom's"] if own else ["Tom's"])


def test_a_long_history_is_saved_and_goes_on():
    """Thousands of versions, each the base of the next, and a mind that thought at each tick."""
    world = village()
    version = world.state.add_belief(label="npc", bases=["Mental", "Thing"], traits={"color": "red"})
    for tick in range(1, LENGTH // 2):
        version = version.with_traits(world.mind.create_state(tick), {"name": str(tick), **(TEACH if tick < 3 else {})})
    world.state.lock()
    again = World.from_data(world.to_data())
    same = again.labels["npc"].belief(again.state)

    assert same.get_trait("color") == "red"
    assert known(same.get_trait("mind")) == ["tavern"]
    assert same.get_trait("mind").states[-1].tick == version.get_trait("mind").states[-1].tick
    later = same.with_traits(again.mind.create_state(LENGTH), {"mind.remove": ["tavern"]})
    assert known(later.get_trait("mind")) == []
