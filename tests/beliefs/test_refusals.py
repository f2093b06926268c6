"""A law of all that can be done to a world: it is done, or the world is as it was."""

import json

from dam_beliefs import BeliefsError, State, World
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = {
    "tick": 100,
    "traittypes": {
        "mind": {"type": "Mind", "composable": True},
        "location": "Location",
        "owner": "str",
        "rank": "int",
        "bag": {"type": "str", "container": "list", "composable": True, "max_length": 3},
    },
    "archetypes": {
        "Location": {"names": ["location", "owner"]},
        "Person": {"names": ["rank", "location"], "traits": {"bag": ["a"]}},
        "Mental": {"traits": {"mind": {"_call": "create"}}},
        "Guest": {"traits": {"mind.append": {"tavern": ["owner"]}, "bag.append": ["g"]}},
    },
    "prototypes": {
        "village": {"bases": ["Location"]},
        "tavern": {"bases": ["Location"], "traits": {"location": "village", "owner": "Ann"}},
        "jo": {"bases": ["Person", "Mental"], "traits": {"rank": 5}},
    },
}
TEACHING = [
    *({"tavern": ["owner"]}, {"tavern": ["location"]}, {"jo": ["rank"]}, {"x": ["bag"]}, {"x": ["mind"]}),
    *({"nowhere": ["owner"]}, {"tavern": ["rank"]}, {"tavern": {"traits": ["owner"], "if": "rank > 3"}}),
]
WRITTEN = {
    "mind": [
        {},
        None,
        {"_call": "create"},
        *({"_call": "create", "default_tick": each} for each in (1, 10**6)),
        *TEACHING,
    ],
    "mind.append": [*TEACHING, {"value": {"tavern": ["owner"]}, "if": "rank > 'a'"}],
    "mind.remove": [["tavern"], ["nowhere"], {"tavern": ["owner"]}],
    "mind.replace": TEACHING,
    "rank": [1, 5, None, "high"],
    "bag": [["b"], [], None, ["b", "c", "d"], 5],
    "bag.append": [["c"], ["d", "e"], 5],
    "bag.remove": [["a"]],
    "location": ["village", "jo", "nowhere", None],
    "unknown": [1],
}
TRAIT = st.sampled_from(sorted(WRITTEN)).flatmap(lambda key: st.tuples(st.just(key), st.sampled_from(WRITTEN[key])))
TRAITS = st.lists(TRAIT, max_size=2).map(dict)
NAMES = st.sampled_from(["mind", "location", "rank", "bag", "unknown"])
LABELS = st.sampled_from(["x", "y", "z", None])
BASES = st.lists(st.sampled_from(["Guest", "Location", "tavern", "jo", "x", "y", "nowhere"]), max_size=2)
WHICH = st.integers(0, 9)
ACTIONS = st.one_of(
    st.tuples(st.just("add"), LABELS, BASES, TRAITS),
    st.tuples(st.just("version"), WHICH, TRAITS),
    st.tuples(st.just("set"), WHICH, TRAIT),
    st.tuples(st.just("lock")),
    st.tuples(st.just("tick"), st.sampled_from([-10, 0, 10, 20])),
    st.tuples(st.just("look up"), WHICH, NAMES),
    st.tuples(st.just("learn"), WHICH, WHICH, NAMES),
    st.tuples(st.just("think"), WHICH),
    st.tuples(st.just("remove"), WHICH),
)


def one_of(things, number):
    """Return one of some things, whatever the number."""
    things = list(things)
    return things[number % len(things)]


def do(world, action):
    """Do what an action says."""
    beliefs = list(world.state.get_beliefs())
    match action:
        case ("add", label, bases, traits):
            world.state.add_belief(label=label, bases=[*bases, "Person", "Mental"], traits=traits)
        case ("version", number, traits):
            one_of(beliefs, number).with_traits(world.state, traits)
        case ("set", number, (key, value)):
            one_of(beliefs, number).set_trait(key, value)
        case ("lock",):
            world.state.lock()
        case ("tick", later):
            world.mind.create_state(world.state.tick + later)
        case ("look up", number, trait):
            one_of(beliefs, number).get_trait(trait)
        case ("learn", mind, number, trait):
            state = one_of(world.minds, mind).state
            if isinstance(state, State):
                state.learn_about(one_of(beliefs, number), [trait])
        case ("think", mind):
            one_of(world.minds, mind).create_state(world.state.tick, world.state)
        case ("remove", number) if len(beliefs) > 1:
            world.state.remove(one_of(beliefs[1:], number).subject)


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTIONS, max_size=12))
def test_what_is_refused_leaves_the_world_as_it_was(actions):
    """Whatever was done before, in whatever order; and what it is then can be saved and read again."""
    world = World.from_data(DATA)
    for action in actions:
        before = world.to_data(), len(world.minds), len(world.states), len(world.subjects)
        try:
            do(world, action)
        except BeliefsError:
            assert (world.to_data(), len(world.minds), len(world.states), len(world.subjects)) == before
    data = world.to_data()

    assert World.from_data(json.loads(json.dumps(data))).to_data() == data
