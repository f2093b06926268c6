"""`explain_trait`: read as a person reads it, whole texts compared."""

from __future__ import annotations

import json

import pytest
from dam_beliefs import UnknownTrait, World

ITEMS = {"type": "str", "container": "list", "composable": True}
WORLD = {
    "tick": 100,
    "traittypes": {
        "mind": {"type": "Mind", "composable": True},
        "memory": "Mind",
        "location": "Location",
        "name": "str",
        "rank": "int",
        "color": "str",
        "inventory": ITEMS,
        "badges": {**ITEMS, "own": "replace"},
        "friends": {"type": "Subject", "container": "list", "composable": True},
    },
    "archetypes": {
        "Location": {"names": ["location", "name"]},
        "Person": {"names": ["name", "rank", "color", "inventory", "badges", "mind", "friends"]},
        "Mental": {"traits": {"mind": {"_call": "create"}}},
        "Remembering": {"traits": {"memory": {"_call": "create"}, "memory.append": {"tavern": ["name"]}}},
        "Villager": {
            "bases": ["Person"],
            "traits": {
                "mind.append": {"tavern": ["location"], "mayor": ["name"]},
                "inventory": ["bread", "knife"],
                "color": "brown",
            },
        },
        "Blacksmith": {
            "bases": ["Person"],
            "traits": {
                "mind.append": {"forge": ["location"], "tavern": ["name"]},
                "inventory": ["hammer"],
                "inventory.remove": {"value": ["bread"], "if": "rank >= 5"},
                "badges": ["smith"],
            },
        },
        "Hermit": {"bases": ["Villager"], "traits": {"inventory": None, "color": None}},
        "Monk": {"bases": ["Villager"], "traits": {"inventory": []}},
        "Warrior": {
            "bases": ["Person"],
            "traits": {"mind.append": {"forge": ["name"], "armory": {"traits": ["location"], "if": "rank >= 5"}}},
        },
    },
    "prototypes": {
        "village": {"bases": ["Location"]},
        "tavern": {"bases": ["Location"], "traits": {"location": "village"}},
        "forge": {"bases": ["Location"], "traits": {"location": "village"}},
        "armory": {"bases": ["Location"], "traits": {"location": "village"}},
        "mayor": {"bases": ["Person"], "traits": {"name": "Bob"}},
        "elder": {"bases": ["Villager", "Hermit"], "traits": {"inventory": ["staff"]}},
        "innkeeper": {"bases": ["Person"], "traits": {"mind": {"tavern": ["location"]}}},
        "smith": {"bases": ["Person"], "traits": {"mind": {"forge": ["location"], "tavern": ["location"]}}},
    },
}

SITUATIONS = {
    "the nearest value shadows the others": (
        "color",
        {"bases": ["Monk", "Person"]},
        """
        color of ann@100: 'brown'
        `- level 2, Villager: 'brown'
        """,
    ),
    "its own value is the nearest": (
        "color",
        {"bases": ["Villager"], "traits": {"color": "red"}},
        """
        color of ann@100: 'red'
        `- own: 'red'
        """,
    ),
    "None ends a search": (
        "color",
        {"bases": ["Hermit", "Villager"]},
        """
        color of ann@100: None
        `- level 1, Hermit: None, ends the search
        """,
    ),
    "nobody says": (
        "color",
        {"bases": ["Person"]},
        """
        color of ann@100: not set
        """,
    ),
    "nobody says, so there is nothing to change": (
        "inventory",
        {"bases": ["Person"], "traits": {"inventory.append": ["ale"]}},
        """
        inventory of ann@100: not set
        `- own: append ['ale'], not applied: there is no value to change
        """,
    ),
    "joined, and a condition that does not hold": (
        "inventory",
        {"bases": ["Villager", "Blacksmith"], "traits": {"rank": 3, "inventory": ["apron"]}},
        """
        inventory of ann@100: ['bread', 'knife', 'hammer', 'apron']
        |- joined: ['bread', 'knife', 'hammer', 'apron']
        |  |- level 1, Villager: ['bread', 'knife']
        |  |- level 1, Blacksmith: ['hammer']
        |  `- own: ['apron']
        `- level 1, Blacksmith: remove ['bread'], not applied: it takes rank >= 5, and rank is 3
        """,
    ),
    "joined and changed": (
        "inventory",
        {"bases": ["Villager", "Blacksmith"], "traits": {"rank": 6, "inventory.append": ["ale"]}},
        """
        inventory of ann@100: ['knife', 'hammer', 'ale']
        |- joined: ['bread', 'knife', 'hammer']
        |  |- level 1, Villager: ['bread', 'knife']
        |  `- level 1, Blacksmith: ['hammer']
        |- own: append ['ale']
        `- level 1, Blacksmith: remove ['bread'], since rank >= 5
        """,
    ),
    "an operation behind which none is heard": (
        "inventory",
        {"bases": ["Villager", "Blacksmith"], "traits": {"rank": 6, "inventory.replace": ["nothing"]}},
        """
        inventory of ann@100: ['nothing']
        |- joined: ['bread', 'knife', 'hammer']
        |  |- level 1, Villager: ['bread', 'knife']
        |  `- level 1, Blacksmith: ['hammer']
        |- own: replace ['nothing']
        `- level 1, Blacksmith: remove ['bread'], not applied: the replace of ann@100 is nearer
        """,
    ),
    "branches that are closed": (
        "inventory",
        {"bases": ["Hermit", "Monk", "Blacksmith"]},
        """
        inventory of ann@100: ['hammer']
        |- level 1, Hermit: None, adds nothing and closes its branch
        |- level 1, Monk: [], adds nothing and closes its branch
        |- level 1, Blacksmith: ['hammer']
        `- level 1, Blacksmith: remove ['bread'], not applied: it takes rank >= 5, and rank is None
        """,
    ),
    "its own None": (
        "inventory",
        {"bases": ["Villager"], "traits": {"inventory": None, "inventory.append": ["ale"]}},
        """
        inventory of ann@100: None
        |- own: None, instead of what is inherited
        `- own: append ['ale'], not applied: the value is None
        """,
    ),
    "its own instead of what is inherited": (
        "badges",
        {"bases": ["Blacksmith"], "traits": {"badges": ["guest"]}},
        """
        badges of ann@100: ['guest']
        `- own: ['guest'], instead of what is inherited
        """,
    ),
    "a prototype that joined before": (
        "inventory",
        {"bases": ["elder", "Monk"]},
        """
        inventory of ann@100: ['bread', 'knife', 'staff']
        |- level 1, elder@100: ['bread', 'knife', 'staff']
        |  |- level 2, Villager: ['bread', 'knife']
        |  |- level 2, Hermit: None, adds nothing and closes its branch
        |  `- its own: ['staff']
        `- level 1, Monk: [], adds nothing and closes its branch
        """,
    ),
    "subjects": (
        "friends",
        {"bases": ["Person"], "traits": {"friends": ["mayor"], "friends.append": ["smith"]}},
        """
        friends of ann@100: [mayor, smith]
        |- own: [mayor]
        `- own: append ['smith']
        """,
    ),
    "a mind that is made, and taught": (
        "mind",
        {"bases": ["Mental", "Villager", "Blacksmith"]},
        """
        mind of ann@100: knows tavern, forge, mayor
        |- level 1, Mental: {_call: 'create'}
        |- level 1, Villager: append {tavern: ['location'], mayor: ['name']}
        `- level 1, Blacksmith: append {forge: ['location'], tavern: ['name']}
        """,
    ),
    "a condition on one thing to know": (
        "mind",
        {"bases": ["Mental", "Warrior"], "traits": {"rank": 3}},
        """
        mind of ann@100: knows forge
        |- level 1, Mental: {_call: 'create'}
        `- level 1, Warrior: append
           |- forge: ['name']
           `- armory: ['location'], not applied: it takes rank >= 5, and rank is 3
        """,
    ),
    "what it is to know from the beginning": (
        "mind",
        {
            "bases": ["Person"],
            "traits": {"rank": 7, "mind": {"forge": ["name"], "armory": {"traits": ["name"], "if": "rank >= 5"}}},
        },
        """
        mind of ann@100: knows forge, armory
        `- own: what it is to know
           |- forge: ['name']
           `- armory: ['name'], since rank >= 5
        """,
    ),
    "minds of two prototypes, joined": (
        "mind",
        {"bases": ["innkeeper", "smith"]},
        """
        mind of ann@100: knows tavern, forge
        |- level 1, innkeeper@100: mind of innkeeper, knows tavern
        |  `- its own: {tavern: ['location']}
        `- level 1, smith@100: mind of smith, knows tavern, forge
           `- its own: {forge: ['location'], tavern: ['location']}
        """,
    ),
    "an empty template": (
        "mind",
        {"bases": ["Mental", "Villager"], "traits": {"mind": {}}},
        """
        mind of ann@100: knows tavern, mayor
        |- level 1, Mental: {_call: 'create'}
        |- own: {}, adds nothing
        `- level 1, Villager: append {tavern: ['location'], mayor: ['name']}
        """,
    ),
    "operations that lie too far away are not told": (
        "memory",
        {"bases": ["Remembering"], "traits": {"memory": {"_call": "create"}, "memory.append": {"forge": ["name"]}}},
        """
        memory of ann@100: knows forge
        |- own: {_call: 'create'}
        `- own: append {forge: ['name']}
        """,
    ),
}


def text(shown):
    """Return a text as it is without the indent that it has here."""
    return "\n".join(line.removeprefix("        ") for line in shown.strip("\n").splitlines()).rstrip()


@pytest.fixture
def world():
    return World.from_data(WORLD)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_value_is_explained(world, situation):
    """Level by level: values, what closed a branch, operations with why they were applied, or were not."""
    trait, template, shown = SITUATIONS[situation]
    ann = world.state.add_belief(template, label="ann")

    assert str(ann.explain_trait(trait)) == text(shown)


def test_every_explanation_is_the_same_after_loading(world):
    """What was made for a belief is told as before, too."""
    for number, (_, template, _) in enumerate(SITUATIONS.values()):
        world.state.add_belief(template, label=f"ann{number}")
    world.state.lock()

    loaded = World.from_data(json.loads(json.dumps(world.to_data())))

    assert told(loaded) == told(world)


def told(world):
    """Return all explanations of all beliefs of a world."""
    beliefs = {belief.name: belief for belief in world.state.get_beliefs()}
    return {
        name: [str(belief.explain_trait(trait)) for trait in sorted(belief.names)] for name, belief in beliefs.items()
    }


def test_a_later_version_tells_what_the_earlier_ones_did(world):
    """Each with what the mind knew at its tick."""
    ann = world.state.add_belief(label="ann", bases=["Mental", "Villager"])
    world.state.lock()
    later = world.mind.create_state(200)
    ann2 = ann.with_traits(later, {"mind.append": {"forge": ["location"]}})
    later.lock()

    assert str(ann2.explain_trait("mind")) == text(
        """
        mind of ann@200: knows tavern, forge, mayor
        |- level 1, ann@100: knows tavern, mayor
        |  |- level 2, Mental: {_call: 'create'}
        |  `- level 2, Villager: append {tavern: ['location'], mayor: ['name']}
        `- own: append {forge: ['location']}
        """
    )
    assert str(ann.explain_trait("mind")).startswith("mind of ann@100: knows tavern, mayor\n")


def test_knowledge_says_whose_it_is(world):
    """What a mind knows, and that of the minds that it is joined of: all of them have the same subject and tick."""
    ann = world.state.add_belief(label="ann", bases=["innkeeper", "smith"])
    world.state.lock()

    known = ann.get_trait("mind").state.get_belief_by_label("tavern")

    assert str(known.explain_trait("location")) == text(
        """
        location of tavern@100, as ann knows it: village
        `- level 1, tavern@100, as innkeeper knows it: village
        """
    )


@pytest.mark.parametrize("trait", ["inventory", "mind"])
def test_a_long_history_is_told_to_where_a_person_reads(world, trait):
    """The tree says whom to ask for what lies behind."""
    belief = world.state.add_belief(label="ann", bases=["Mental", "Person"], traits={"inventory": ["0"]})
    for tick in range(101, 400):
        world.state.lock()
        state = world.mind.create_state(tick)
        belief = belief.with_traits(state, {"inventory": [str(tick)], "mind.append": {"forge": ["name"]}})
    world.state.lock()

    shown = str(belief.explain_trait(trait))

    assert len(shown.splitlines()) < 40
    assert "made of more: ask ann@390 itself" in shown


def test_as_data(world):
    """For programs: the same tree, without what is empty."""
    ann = world.state.add_belief(label="ann", bases=["Hermit", "Blacksmith"], traits={"rank": 5})

    assert ann.explain_trait("inventory").to_data() == {
        "what": "value",
        "source": "inventory of ann@100",
        "value": "['hammer']",
        "below": [
            {
                "what": "inherited",
                "source": "Hermit",
                "level": 1,
                "value": "None",
                "note": "adds nothing and closes its branch",
            },
            {"what": "inherited", "source": "Blacksmith", "level": 1, "value": "['hammer']"},
            {
                "what": "operation",
                "source": "Blacksmith",
                "level": 1,
                "key": "remove",
                "value": "['bread']",
                "note": "since rank >= 5",
            },
        ],
    }


def test_what_is_long_is_cut(world):
    """A list of a thousand things is no explanation."""
    ann = world.state.add_belief(
        label="ann", bases=["Person"], traits={"inventory": [str(each) for each in range(1000)]}
    )

    (line, _) = str(ann.explain_trait("inventory")).splitlines()

    assert line.endswith("'18', '19', and 980 more]")


def test_an_unknown_trait_is_an_error(world):
    """As for `get_trait`."""
    with pytest.raises(UnknownTrait, match="mayor@100: 'colour' has no traittype; did you mean color"):
        world.labels["mayor"].belief(world.state).explain_trait("colour")
