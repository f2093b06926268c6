"""Bad input is told of before anything happens: the world is as it was, down to its plain data."""

from contextlib import contextmanager

import pytest
from dam_beliefs import (
    BadCondition,
    BadOperation,
    BadTick,
    BadWorld,
    BeliefsError,
    CannotCompose,
    CircularTrait,
    ForeignState,
    LabelTaken,
    Locked,
    Mind,
    NotValid,
    UnknownBase,
    UnknownFactory,
    UnknownLabel,
    UnknownOperation,
    UnknownTrait,
    World,
    WrongValue,
)


@contextmanager
def refused(world, error, says):
    """Expect an error that says so, and that the world is as before."""
    before, counted = world.to_data(), (len(world.minds), len(world.states), len(world.subjects))
    with pytest.raises(error, match=says) as caught:
        yield
    assert isinstance(caught.value, BeliefsError)
    assert world.to_data() == before
    assert (len(world.minds), len(world.states), len(world.subjects)) == counted


@pytest.fixture
def world(village):
    """The village with an NPC at tick 100, which is locked, and a state at tick 200, which is not."""
    made = village(
        traittypes={
            "weight": "float",
            "is_open": "bool",
            "skills": "mapping",
            "tags": {"type": "str", "container": "list", "min_length": 1, "max_length": 2},
            "marks": {"type": "int", "container": "list", "composable": True, "max_length": 2},
            "code": {"type": "str", "min_length": 2, "max_length": 4},
            "size": {"type": "str", "values": ["small", "large"]},
            "sizes": {"type": "str", "container": "list", "values": ["small", "large"]},
            "friend": "Person",
            "friends": {"type": "Person", "container": "list", "composable": True},
            "anything": "any",
        },
        archetypes={
            "All": {
                "names": ["weight", "is_open", "skills", "tags", "marks", "code", "size", "sizes"],
            },
            "Any": {"names": ["anything", "friend", "friends", "mind"]},
            "Marked": {"traits": {"marks": [1, 2]}},
            "Skilled": {"traits": {"skills": {"run": 1}}},
        },
    )
    made.state.add_belief(label="npc", bases=["Person", "Mental", "Villager"], traits={"rank": 1})
    made.state.add_belief(label="ghost", bases=["Person", "Marked"])
    state = made.mind.create_state(200)
    made.labels["ghost"].belief(state).with_traits(state, {"name": "Boo"})
    return made


def add(**template):
    """Make something that is to be refused."""
    return lambda world: world.state.add_belief({"label": "x", **template})


def with_trait(trait, value, *bases):
    """Make something with one trait."""
    return add(bases=[*bases, "All", "Any", "Person"], traits={trait: value})


BASES = {
    "unknown": (
        add(bases=["Persn"]),
        UnknownBase,
        r"^x, bases: no archetype or prototype is called 'Persn'; did you mean Person\?$",
    ),
    "a text": (add(bases="Person"), BadWorld, r"^x, bases: is 'Person': write a list, \['Person'\]$"),
    "a number": (add(bases=[5]), BadWorld, r"^x, bases: has 5 in it, which is no archetype, belief or label$"),
    "no list": (add(bases=5), BadWorld, r"^x, bases: is 5: write a list$"),
    "nothing": (add(bases=None), BadWorld, r"^x, bases: is None: write a list$"),
    "itself": (add(bases=["x"]), UnknownBase, r"^x, bases: no archetype or prototype is called 'x'"),
    "an archetype of another world": (
        lambda world: world.state.add_belief(label="x", bases=[World().add_archetype("Person")]),
        BadWorld,
        r"^x, bases: has Person in it, which is of another world",
    ),
    "a belief of another world": (
        lambda world: world.state.add_belief(label="x", bases=[World().state.add_belief(label="y")]),
        BadWorld,
        r"^x, bases: has y@0 in it, which is of another world",
    ),
    "a subject of another world": (
        lambda world: world.state.add_belief(label="x", bases=[World().state.add_belief(label="y").subject]),
        BadWorld,
        r"^x, bases: has y in it, which is of another world",
    ),
}
LABELS = {
    "taken by a subject": (add(label="npc"), LabelTaken, r"^'npc' is taken: a subject has that label"),
    "taken by an archetype": (add(label="Person"), LabelTaken, r"^'Person' is taken: an archetype has that label"),
    "empty": (add(label=""), BadWorld, r"^label '': is no text, or an empty one$"),
    "no text": (add(label=5), BadWorld, r"^label 5: is no text, or an empty one$"),
    "taken for an archetype": (
        lambda world: world.add_archetype("npc"),
        LabelTaken,
        r"^'npc' is taken: a subject has that label",
    ),
    "taken for a traittype": (
        lambda world: world.add_traittype("name", "str"),
        LabelTaken,
        r"^'name' is taken: a traittype has that label",
    ),
}
TEMPLATES = {
    "key": (add(trait={}), BadWorld, r"^x: has no key 'trait'; did you mean traits\?; keys are label, bases, traits$"),
    "no table": (lambda world: world.state.add_belief(["x"]), BadWorld, r"^a belief: is \['x'\]: write a table"),
    "traits are a list": (add(traits=[]), BadWorld, r"^x, traits: is \[\]: write a table$"),
    "a trait is no text": (add(traits={5: 1}), BadWorld, r"^x: 5 is no name of a trait$"),
    "no operation": (add(traits={"name.": 1}), BadWorld, r"^x: 'name\.' is written neither like a trait nor like"),
    "no trait": (add(traits={".append": 1}), BadWorld, r"^x: '\.append' is written neither like a trait nor like"),
    "trait without a traittype": (
        with_trait("nmae", "Ann"),
        UnknownTrait,
        r"^x: 'nmae' has no traittype; did you mean name\?$",
    ),
    "trait that no archetype names": (
        with_trait("population", 5),
        UnknownTrait,
        r"^x: 'population' is named by none of its archetypes",
    ),
    "operation on a trait that no archetype names": (
        add(bases=["Thing"], traits={"skills.merge": {}}),
        UnknownTrait,
        r"^x: 'skills' is named by none of its archetypes",
    ),
}
VALUES = {
    "text": (with_trait("name", 5), WrongValue, r"^x: name is 5, which is no text$"),
    "whole number": (with_trait("rank", 1.5), WrongValue, r"^x: rank is 1\.5, which is no whole number$"),
    "truth is no number": (with_trait("rank", True), WrongValue, r"^x: rank is True, which is no whole number$"),
    "number": (with_trait("weight", "1"), WrongValue, r"^x: weight is '1', which is no number$"),
    "truth value": (with_trait("is_open", 1), WrongValue, r"^x: is_open is 1, which is no truth value$"),
    "mapping": (with_trait("skills", [1]), WrongValue, r"^x: skills is \(1,\), which is no mapping from names$"),
    "mapping from numbers": (with_trait("skills", {1: 2}), WrongValue, r"^x: skills is .*, which is no mapping"),
    "list": (with_trait("tags", "ab"), WrongValue, r"^x: tags is 'ab', which is no list$"),
    "item": (with_trait("tags", ["a", 5]), WrongValue, r"^x: tags at position 1 is 5, which is no text$"),
    "item is nothing": (with_trait("tags", ["a", None]), WrongValue, r"^x: tags has nothing \(None\) at position 1$"),
    "short list": (with_trait("tags", []), WrongValue, r"^x: tags has length 0; at least 1 is asked for$"),
    "long list": (with_trait("tags", ["a", "b", "c"]), WrongValue, r"^x: tags has length 3; at most 2 is allowed$"),
    "long when composed": (
        with_trait("marks", [3], "Marked"),
        WrongValue,
        r"^x@200: marks has length 3; at most 2 is allowed$",
    ),
    "long when operated on": (
        with_trait("marks.append", [3], "Marked"),
        WrongValue,
        r"^x@200: marks has length 3; at most 2 is allowed$",
    ),
    "short text": (with_trait("code", "a"), WrongValue, r"^x: code has length 1; at least 2 is asked for$"),
    "long text": (with_trait("code", "abcde"), WrongValue, r"^x: code has length 5; at most 4 is allowed$"),
    "allowed value": (with_trait("size", "big"), WrongValue, r"^x: size is 'big'; allowed are 'small', 'large'$"),
    "allowed item": (with_trait("sizes", ["big"]), WrongValue, r"^x: sizes is 'big'; allowed are 'small', 'large'$"),
    "reference": (
        with_trait("friend", "mayr"),
        WrongValue,
        r"^x: friend is 'mayr', which is no subject, and no label of one; did you mean mayor\?$",
    ),
    "reference of another kind": (
        with_trait("friend", "tavern"),
        WrongValue,
        r"^x: friend is tavern, which is no Pers",
    ),
    "reference in a list": (
        with_trait("friends", ["mayor", "tavern"]),
        WrongValue,
        r"^x: friends at position 1 is tavern, which is no Person$",
    ),
    "reference to another world": (
        lambda world: with_trait("friend", World().state.add_belief(label="mayor"))(world),
        WrongValue,
        r"^x: friend is <Belief mayor@0, not locked>, which is no subject",
    ),
    "mind": (with_trait("mind", "clever"), WrongValue, r"^x: mind is 'clever', which is no mind, recipe or template$"),
    "mind of another world": (
        lambda world: with_trait("mind", World().mind)(world),
        WrongValue,
        r"^x: mind is the mind of the world of another world$",
    ),
    "mind's tick": (
        with_trait("mind", {"_call": "create", "default_tick": "soon"}),
        WrongValue,
        r"^x: mind has default_tick 'soon', which is no tick$",
    ),
    "mind's tick that is later": (
        with_trait("mind", {"_call": "create", "default_tick": 201}),
        WrongValue,
        r"^x: mind has default_tick 201, which is later than tick 200, at which it is made$",
    ),
    "template of a mind": (
        with_trait("mind", {"tavern": "location"}),
        WrongValue,
        r"^x: mind says 'location' of tavern: write a list of traits$",
    ),
    "trait in a template of a mind": (
        with_trait("mind", {"tavern": ["loction"]}),
        WrongValue,
        r"^x: mind asks for 'loction' of tavern, and no trait is called that; did you mean location\?$",
    ),
    "factory": (with_trait("mind", {"_call": "made"}), UnknownFactory, r"^x: mind: _call is 'made', and the type decl"),
    "factory of a type without": (
        with_trait("anything", {"_call": "create"}),
        UnknownFactory,
        r"^x: anything: _call is 'create', and the type makes no values by itself$",
    ),
}
OPERATIONS = {
    "on a type without operations": (
        with_trait("name.append", "a"),
        UnknownOperation,
        r"^x: name\.append of x: a value of that type knows no operations$",
    ),
    "unknown": (
        with_trait("tags.apend", ["a"]),
        UnknownOperation,
        r"^x: tags\.apend of x: a value of that type knows append, remove, replace; did you mean append\?$",
    ),
    "no list": (with_trait("tags.append", "a"), BadOperation, r"^x: tags\.append of x is 'a', which is no list$"),
    "item": (
        with_trait("tags.append", ["a", 5]),
        BadOperation,
        r"^x: tags\.append of x at position 1 is 5, which is no text$",
    ),
    "reference": (
        with_trait("friends.append", ["tavern"]),
        BadOperation,
        r"^x: friends\.append of x at position 0 is tavern, which is no Person$",
    ),
    "no mapping": (
        with_trait("skills.merge", [1]),
        BadOperation,
        r"^x: skills\.merge of x takes a mapping, not \(1,\)$",
    ),
    "no names": (with_trait("skills.remove", "run"), BadOperation, r"^x: skills\.remove of x takes a list of names"),
    "no labels": (
        with_trait("mind.append", ["tavern"]),
        BadOperation,
        r"^x: mind\.append of x is \('tavern',\): write labels, each with a list of traits$",
    ),
    "no label": (
        with_trait("mind.remove", [5]),
        BadOperation,
        r"^x: mind\.remove of x has 5 in it, which is no label$",
    ),
    "no condition": (
        with_trait("tags.append", {"value": ["a"], "if": 5}),
        BadOperation,
        r"^x: tags\.append of x has the condition 5, which is no text$",
    ),
    "condition": (
        with_trait("tags.append", {"value": ["a"], "if": "rank >>"}),
        BadCondition,
        r"^condition 'rank >>' has",
    ),
    "condition on no trait": (
        with_trait("tags.append", {"value": ["a"], "if": "rnk > 5"}),
        BadCondition,
        r"^condition 'rnk > 5' asks for rnk, and no trait is called that",
    ),
    "condition in a mind": (
        with_trait("mind.append", {"tavern": {"traits": [], "if": "rank"}}),
        BadCondition,
        r"^condition 'rank' ends before a comparison does",
    ),
    "key beside a condition": (
        with_trait("mind.append", {"tavern": {"traits": [], "when": "rank > 1"}}),
        BadOperation,
        r"^x: mind\.append of x says .* of tavern: write traits and, if you like, if$",
    ),
}
CHANGES = {
    "a locked belief": (
        lambda world: world.labels["npc"].belief(world.state).set_trait("name", "Jo"),
        Locked,
        r"^npc@100 is locked: make a new version with with_traits\(state, \.\.\.\)$",
    ),
    "a locked state": (
        lambda world: world.mind.states[0].add_belief(label="x"),
        Locked,
        r"^tick 100 of the mind of the world is locked: make a new one with mind\.create_state\(tick\)$",
    ),
    "a version in a locked state": (
        lambda world: world.labels["npc"].belief(world.state).with_traits(world.mind.states[0], {"name": "Jo"}),
        Locked,
        r"^tick 100 of the mind of the world is locked",
    ),
    "a locked state forgets": (
        lambda world: world.mind.states[0].remove(world.labels["npc"]),
        Locked,
        r"^tick 100 of the mind of the world is locked",
    ),
    "a locked state learns": (
        lambda world: (
            world.labels["npc"]
            .get_trait("mind", world.state)
            .state.learn_about(world.labels["forge"].belief(world.state), ["owner"])
        ),
        Locked,
        r"^tick 100 of the mind of npc is locked",
    ),
    "a version that is not valid any more": (
        lambda world: world.labels["ghost"].belief(world.mind.states[0]).with_traits(world.state, {"name": "Jo"}),
        NotValid,
        r"^ghost@100 is not valid in tick 200 of the mind of the world: there ghost@200 is valid: begin with that one$",
    ),
    "a belief of which a mind knows nothing": (
        lambda world: (
            world.labels["forge"]
            .belief(world.state)
            .with_traits(world.labels["npc"].get_trait("mind", world.state).state, {"owner": "Jo"})
        ),
        NotValid,
        r"^forge@100 is not valid in tick 100 of the mind of npc: it holds no belief about that subject$",
    ),
    "a wrong value of a belief that is open": (
        lambda world: world.labels["ghost"].belief(world.state).set_trait("name", 5),
        WrongValue,
        r"^ghost@200: name is 5, which is no text$",
    ),
    "a trait that it cannot have": (
        lambda world: world.labels["ghost"].belief(world.state).set_trait("owner", "Jo"),
        UnknownTrait,
        r"^ghost@200: 'owner' is named by none of its archetypes",
    ),
    "a value that is too long with what is inherited": (
        lambda world: world.labels["ghost"].belief(world.state).set_trait("marks", [3]),
        WrongValue,
        r"^ghost@200: marks has length 3; at most 2 is allowed$",
    ),
    "a version that is too long with what is inherited": (
        lambda world: world.labels["ghost"].belief(world.state).with_traits(world.state, {"marks.append": [3]}),
        WrongValue,
        r"^ghost@200: marks has length 3; at most 2 is allowed$",
    ),
    "learning a trait that it cannot have": (
        lambda world: world.state.learn_about(world.labels["npc"].belief(world.state), ["owner"]),
        UnknownTrait,
        r"^npc@100: 'owner' is named by none of its archetypes, so it cannot be learned",
    ),
    "learning from another world": (
        lambda world: world.state.learn_about(World().state.add_belief(label="y")),
        ForeignState,
        r"^y@0 is of another world, and tick 200 of the mind of the world cannot learn of it$",
    ),
}
TICKS = {
    "the same": (
        lambda world: world.mind.create_state(200),
        BadTick,
        r"^a state of the mind of the world: tick 200 is not after tick 200, which it is built on; give a later one$",
    ),
    "before its base": (
        lambda world: world.mind.create_state(150),
        BadTick,
        r"^a state of the mind of the world: tick 150 is not after tick 200",
    ),
    "a text": (
        lambda world: world.mind.create_state("300"),
        BadTick,
        r"^a state of the mind of the world: tick '300' is no tick; give a whole number$",
    ),
    "a truth value": (lambda world: world.mind.create_state(True), BadTick, r"tick True is no tick"),
    "a fraction": (lambda world: world.mind.create_state(300.5), BadTick, r"tick 300\.5 is no tick"),
    "default_tick later": (
        lambda world: Mind.create(world.state, {"default_tick": 201}, world.labels["npc"]),
        BadTick,
        r"^default_tick of the mind of npc: tick 201 is later than tick 200, at which the mind of npc is made; give",
    ),
    "default_tick a text": (
        lambda world: Mind.create(world.state, {"default_tick": "201"}),
        BadTick,
        r"^default_tick of the mind of nobody: tick '201' is no tick",
    ),
    "asked before it is there": (
        lambda world: world.labels["ghost"].belief(world.state).get_trait("name", world.mind.states[0]),
        ForeignState,
        r"^ghost@200 is not there yet in tick 100 of the mind of the world: ask the version that is valid then$",
    ),
    "a mind's state before its first": (
        lambda world: world.mind.state_at(99),
        ForeignState,
        r"^the mind of the world has no state at tick 99 yet$",
    ),
}
LOOK_UPS = {
    "a trait without a traittype": (
        lambda world: world.labels["npc"].belief(world.state).get_trait("nmae"),
        UnknownTrait,
        r"^npc@100: 'nmae' has no traittype; did you mean name\?$",
    ),
    "explained": (
        lambda world: world.labels["npc"].belief(world.state).explain_trait("nmae"),
        UnknownTrait,
        r"^npc@100: 'nmae' has no traittype",
    ),
    "a reverse one without a traittype": (
        lambda world: list(world.labels["npc"].rev_trait("nmae", world.state)),
        UnknownTrait,
        r"^rev_trait: 'nmae' has no traittype",
    ),
    "a reverse one of plain values": (
        lambda world: list(world.labels["npc"].rev_trait("name", world.state)),
        UnknownTrait,
        r"^rev_trait: 'name' holds values of type str, no subjects$",
    ),
}
KINDS = {
    "archetype with an unknown base": (
        lambda world: world.add_archetype("New", bases=["Persn"]),
        UnknownBase,
        r"^New, bases: no archetype or prototype is called 'Persn'; did you mean Person\?$",
    ),
    "archetype that names no trait": (
        lambda world: world.add_archetype("New", names=["nmae"]),
        UnknownTrait,
        r"^New, names: 'nmae' has no traittype; did you mean name\?$",
    ),
    "archetype with a wrong value": (
        lambda world: world.add_archetype("New", traits={"rank": "high"}),
        WrongValue,
        r"^New: rank is 'high', which is no whole number$",
    ),
    "archetype that refers to another kind": (
        lambda world: world.add_archetype("New", traits={"friend": "tavern"}),
        WrongValue,
        r"^New: friend is tavern, which is no Person$",
    ),
    "archetype with an unknown operation": (
        lambda world: world.add_archetype("New", traits={"mind.teach": {}}),
        UnknownOperation,
        r"^New: mind\.teach of New: a value of that type knows append, remove, replace",
    ),
    "traittype with an unknown key": (
        lambda world: world.add_traittype("new", composble=True),
        BadWorld,
        r"^traittypes, new: has no key 'composble'; did you mean composable\?; keys are composable, container",
    ),
    "traittype with a dot": (
        lambda world: world.add_traittype("a.b", "str"),
        BadWorld,
        r"^traittypes, a\.b: a trait's label is a text, not empty, without a dot",
    ),
    "traittype without a label": (lambda world: world.add_traittype("", "str"), BadWorld, r"^traittypes, : a trait's"),
    "traittype with a number for a label": (
        lambda world: world.add_traittype(5, "str"),
        BadWorld,
        r"^traittypes, 5: a trait's label is a text",
    ),
}
TABLES = {
    "bases": BASES,
    "labels": LABELS,
    "templates": TEMPLATES,
    "values": VALUES,
    "operations": OPERATIONS,
    "changes": CHANGES,
    "ticks": TICKS,
    "look-ups": LOOK_UPS,
    "kinds": KINDS,
}


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [pytest.param(*case, id=f"{table}: {name}") for table, cases in TABLES.items() for name, case in cases.items()],
)
def test_is_refused_before_anything_happens(world, act, error, says):
    """Each is a clear error that says where, what and, where that can be known, what was meant."""
    with refused(world, error, says):
        act(world)


def test_a_base_that_is_not_there_yet(world):
    """A tick before that of its base."""
    late = world.state.add_belief(label="late")
    early = world.labels["npc"].get_trait("mind", world.state).create_state(150)
    says = r"^x, bases: tick 150 comes before tick 200 of its base late@200; give a version that is there by then$"
    with refused(world, BadTick, says):
        early.add_belief(label="x", bases=[late])


BROKEN = {
    "unknown label": (
        {"mind.append": {"nowhere": ["owner"]}},
        UnknownLabel,
        r"^npc2@200, mind\.append of npc2@200: no belief is called 'nowhere'$",
    ),
    "trait that the subject cannot have": (
        {"mind.append": {"forge": ["name"]}},
        UnknownTrait,
        r"^npc2@200, mind\.append of npc2@200, forge: 'name' is named by none of its archetypes, so it cannot be",
    ),
    "unknown label in a template": (
        {"mind": {"nowhere": ["owner"]}},
        UnknownLabel,
        r"^npc2@200, mind: no belief is called 'nowhere'$",
    ),
    "unknown label to forget": (
        {"mind.remove": ["nowhere"]},
        UnknownLabel,
        r"^npc2@200, mind\.remove of npc2@200: no belief is called 'nowhere'$",
    ),
    "a mind that is to know itself": (
        {"mind.append": {"npc2": ["mind"]}},
        CircularTrait,
        r"^npc2@200: mind depends on itself: a condition or a factory asks for it$",
    ),
    "a condition that compares what has no order": (
        {"mind.append": {"value": {"forge": ["owner"]}, "if": "rank >= 'high'"}},
        BadCondition,
        r"^condition \"rank >= 'high'\" compares rank, which is 1, with 'high'",
    ),
}


class TestLocking:
    """A state that cannot be locked is open still, nothing that was begun is left, and it can be mended."""

    @pytest.fixture
    def broken(self, world):
        """Make a belief that keeps its state from being locked, between two others with minds of their own."""

        def make(traits):
            world.state.add_belief(label="npc1", bases=["Mental", "Villager"])
            made = world.state.add_belief(label="npc2", bases=["Person", "Mental"], traits={"rank": 1, **traits})
            world.state.add_belief(label="npc3", bases=["Mental", "Blacksmith"])
            return made

        return make

    @pytest.mark.parametrize(("traits", "error", "says"), BROKEN.values(), ids=BROKEN)
    def test_nothing_is_left(self, world, broken, traits, error, says):
        """No half-made mind, no state, no belief locked."""
        belief = broken(traits)
        with refused(world, error, says):
            world.state.lock()

        assert (world.state.is_locked, belief.is_locked) == (False, False)
        assert [each for each in world.state.get_beliefs() if isinstance(each.made.get("mind"), Mind)] == []

    @pytest.mark.parametrize(("traits", "error", "says"), BROKEN.values(), ids=BROKEN)
    def test_no_tick_begins(self, world, broken, traits, error, says):
        """To begin a tick locks the one before, or nothing happens."""
        broken(traits)
        with refused(world, error, says):
            world.mind.create_state(300)

        assert [each.tick for each in world.mind.states] == [100, 200]

    @pytest.mark.parametrize(("traits", "error", "says"), BROKEN.values(), ids=BROKEN)
    def test_a_look_up_leaves_nothing_either(self, world, broken, traits, error, says):
        """Whoever asks before the state is locked gets the same error."""
        belief = broken(traits)
        with refused(world, error, says):
            belief.get_trait("mind")

    @pytest.mark.parametrize(("traits", "error", "says"), BROKEN.values(), ids=BROKEN)
    def test_it_can_be_mended(self, world, broken, known, traits, error, says):
        """Set it another way, and the state is locked with all minds in it."""
        belief = broken(traits)
        with pytest.raises(error):
            world.state.lock()
        for key in traits:
            belief.set_trait(key, {"forge": ["owner"]} if key != "mind.remove" else ["forge"])
        world.state.lock()
        minds = [world.labels[label].get_trait("mind", world.state) for label in ("npc1", "npc2", "npc3")]

        assert world.state.is_locked
        assert [sorted(known(mind)) for mind in minds] == [
            ["mayor", "tavern"],
            [] if "mind.remove" in traits else ["forge"],
            ["forge", "tools"],
        ]

    def test_it_can_be_mended_by_what_was_missing(self, world, broken, known):
        """A label that was unknown is made known."""
        belief = broken({"mind.append": {"nowhere": ["owner"]}})
        with pytest.raises(UnknownLabel):
            world.state.lock()
        world.state.add_belief(label="nowhere", bases=["Location"], traits={"owner": "Nemo"})
        world.state.lock()

        assert known(belief.get_trait("mind")) == {"nowhere": {"owner": "Nemo"}}

    def test_a_default_tick_of_an_archetype_that_is_later(self, village):
        """Which it is shows when somebody is made of it."""
        late = {"Late": {"traits": {"mind": {"_call": "create", "default_tick": 101}}}}
        world = village(archetypes=late)
        belief = world.state.add_belief(label="npc", bases=["Late"])
        says = (
            r"^default_tick of the mind of npc: tick 101 is later than tick 100, at which the mind of npc is made; give"
        )
        with refused(world, BadTick, says):
            world.state.lock()
        belief.set_trait("mind", {"_call": "create"})
        world.state.lock()

        assert [each.tick for each in belief.get_trait("mind").states] == [100]

    def test_an_earlier_version_of_a_mind_is_as_it_was(self, world, known):
        """What a later version could not be taught is in no state of the mind that goes on."""
        before = world.labels["npc"].belief(world.state)
        mind = before.get_trait("mind")
        after = before.with_traits(world.state, {"mind.append": {"forge": ["owner"], "nowhere": ["owner"]}})
        with refused(world, UnknownLabel, r"^npc@200, mind\.append of npc@200: no belief is called 'nowhere'"):
            world.state.lock()
        assert [each.tick for each in mind.states] == [100, 100]
        after.set_trait("mind.append", {"forge": ["owner"]})
        world.state.lock()

        assert after.get_trait("mind") is mind
        assert [sorted(known(each)) for each in mind.states] == [
            [],
            ["mayor", "tavern"],
            ["forge", "mayor", "tavern"],
        ]

    def test_an_open_state_of_a_mind_is_open_still(self, world):
        """What somebody wrote into a mind by hand can be changed as before."""
        before = world.labels["npc"].belief(world.state)
        thought = before.get_trait("mind").create_state(150)
        idea = thought.add_belief(label="idea", bases=["Thing"], traits={"quality": "new"})
        before.with_traits(world.state, {"mind.append": {"nowhere": ["owner"]}})
        with refused(world, UnknownLabel, r"no belief is called 'nowhere'"):
            world.state.lock()
        idea.set_trait("quality", "old")

        assert (thought.is_locked, idea.get_trait("quality")) == (False, "old")

    def test_a_reference_of_the_wrong_kind_shows_when_the_state_is_locked(self, world):
        """Where a subject came to be known later than it was referred to."""
        subject = world.labels["ghost"]
        world.state.remove(subject)
        friend = world.state.add_belief(label="x", bases=["Any"], traits={"friend": "ghost"})
        world.state.put(subject, bases=["Thing"])
        with refused(world, WrongValue, r"^x@200: friend is ghost, which is no Person$"):
            world.state.lock()
        friend.set_trait("friend", "mayor")
        world.state.lock()

        assert world.state.is_locked

    def test_what_a_factory_raises_is_handed_on(self, village, diary):
        """The very error, and nothing is left."""
        fault = OSError("no paper")

        class Broken(diary):
            @staticmethod
            def create(state, props, subject):
                raise fault

        world = village(
            traittypes={"broken": "Broken"},
            archetypes={"Writer": {"bases": ["Mental"], "traits": {"broken": {"_call": "create"}}}},
            classes=(Broken,),
        )
        world.state.add_belief(label="npc", bases=["Mental"])
        world.state.add_belief(label="writer", bases=["Writer"])
        before = world.to_data()
        with pytest.raises(OSError, match="no paper") as caught:
            world.state.lock()

        assert caught.value is fault
        assert (world.to_data(), len(world.minds), world.state.is_locked) == (before, 1, False)


@pytest.mark.parametrize("typed", ["farmr1234", "farmerr1234", "fatmer1234", "framer1234", "farmer123ä4", "Farmer1234"])
def test_what_was_meant_is_found_among_many(typed):
    """One slip, in a world of thousands, where comparing with each would take its time."""
    world = World()
    for number in range(2_000):
        world.state.add_belief(label=f"farmer{number}")
    with pytest.raises(UnknownBase, match="did you mean farmer1234"):
        world.state.add_belief(bases=[typed])


def test_a_circle_of_conditions_is_told_of(village):
    """Two traits that decide on each other."""
    listed = {"type": "str", "container": "list"}
    world = village(
        traittypes={"a": listed, "b": listed},
        archetypes={"Both": {"traits": {"a": [], "b": []}}},
    )
    belief = world.state.add_belief(
        label="x",
        bases=["Both"],
        traits={"a.append": {"value": ["1"], "if": "b == 1"}, "b.append": {"value": ["1"], "if": "a == 1"}},
    )
    with refused(world, CircularTrait, r"^x@100: a depends on itself: a condition or a factory asks for it$"):
        belief.get_trait("a")


def test_two_values_that_meet_of_a_type_that_cannot_join(village):
    """Only then, and with everybody's name."""
    world = village(
        traittypes={"color": {"type": "str", "composable": True}},
        archetypes={"Red": {"traits": {"color": "red"}}, "Blue": {"traits": {"color": "blue"}}},
    )
    belief = world.state.add_belief(label="x", bases=["Red", "Blue"])
    with refused(world, CannotCompose, r"^x@100: color comes from Red and Blue, and str has no compose"):
        belief.get_trait("color")
