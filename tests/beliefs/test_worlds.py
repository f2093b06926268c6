"""Worlds from plain data: dict, JSON and TOML give the same, and whatever is wrong is told of with label and key."""

import json
import re
from itertools import pairwise

import pytest
from dam_beliefs import (
    BadCondition,
    BadOperation,
    BadWorld,
    BeliefsError,
    CyclicBases,
    LabelTaken,
    UnknownBase,
    UnknownFactory,
    UnknownOperation,
    UnknownTrait,
    World,
    WrongValue,
)
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = {
    "tick": 7,
    "traittypes": {
        "mind": {"type": "Mind", "composable": True},
        "location": "Location",
        "tools": {"type": "str", "container": "list", "composable": True, "own": "replace", "max_length": 5},
        "size": {"values": ["small", "large"]},
        "weight": "float",
    },
    "archetypes": {
        "Location": {"names": ["location", "size"]},
        "Smith": {"bases": ["Mental"], "traits": {"mind.append": {"forge": ["location"]}, "tools": ["hammer"]}},
        "Mental": {"traits": {"mind": {"_call": "create"}}},
    },
    "prototypes": {
        "forge": {"bases": ["Location"], "traits": {"location": "village", "size": None}},
        "village": {"bases": ["Location"]},
        "tom": {"bases": ["Smith"]},
    },
}
TOML = """
tick = 7

[traittypes]
mind = { type = "Mind", composable = true }
location = "Location"
tools = { type = "str", container = "list", composable = true, own = "replace", max_length = 5 }
size = { values = ["small", "large"] }
weight = "float"

[archetypes.Location]
names = ["location", "size"]

[archetypes.Smith]
bases = ["Mental"]
traits."mind.append" = { forge = ["location"] }
traits.tools = ["hammer"]

[archetypes.Mental]
traits.mind = { _call = "create" }

[prototypes]
forge = { bases = ["Location"], traits = { location = "village" } }
village = { bases = ["Location"] }
tom = { bases = ["Smith"] }
"""


def looks(world, known):
    """Tell what somebody who looks at a world sees."""
    beliefs = {belief.label: belief for belief in world.state.get_beliefs()}
    return {
        label: [known(belief.get_trait("mind")) if belief.get_trait("mind") else None]
        + [str(belief.get_trait(trait)) for trait in ("location", "tools", "size", "weight")]
        for label, belief in sorted(beliefs.items())
    }


class TestReading:
    def test_a_dict(self, known):
        """In any order: bases and references may stand behind those that use them."""
        world = World.from_data(DATA)

        assert (world.state.tick, sorted(world.archetypes), sorted(world.labels)) == (
            7,
            ["Location", "Mental", "Smith"],
            ["forge", "tom", "village"],
        )
        assert looks(world, known)["tom"] == [{"forge": {"location": "village"}}, "None", "('hammer',)", "None", "None"]

    @pytest.mark.parametrize(("name", "text"), [("w.json", json.dumps(DATA)), ("w.toml", TOML)])
    def test_a_file(self, tmp_path, known, name, text):
        """The same as the dict; TOML alone has no null."""
        (tmp_path / name).write_text(text)

        assert looks(World.load(tmp_path / name), known) == looks(World.from_data(DATA), known)
        assert looks(World.load(str(tmp_path / name)), known) == looks(World.from_data(DATA), known)

    def test_json_is_equal_to_the_dict(self, tmp_path):
        """Worlds are equal if they say the same."""
        (tmp_path / "w.json").write_text(json.dumps(DATA))

        assert World.load(tmp_path / "w.json") == World.from_data(DATA)
        assert World.from_data({**DATA, "tick": 8}) != World.from_data(DATA)

    def test_the_data_is_left_alone(self):
        """What was read is not changed, and is not the world's to share."""
        data = json.loads(json.dumps(DATA))
        world = World.from_data(data)
        data["archetypes"]["Smith"]["traits"]["tools"].append("saw")

        assert world.labels["tom"].get_trait("tools", world.state) == ("hammer",)

    def test_an_empty_one(self):
        """Nothing has to be there."""
        world = World.from_data({})

        assert (world.state.tick, list(world.state.get_beliefs()), world.archetypes) == (0, [], {})

    def test_a_saved_one_is_equal_to_what_was_saved(self, tmp_path):
        """A file is replaced, and read again."""
        world = World.from_data(DATA)
        world.state.lock()
        for _ in range(2):
            world.save(tmp_path / "w.json")

        assert World.load(tmp_path / "w.json") == world
        assert [each.name for each in tmp_path.iterdir()] == ["w.json"]

    def test_a_file_that_cannot_be_written_is_as_it_was(self, tmp_path):
        """A value that cannot be saved, and a world that was saved before."""
        world = World.from_data(DATA)
        world.save(tmp_path / "w.json")
        before = (tmp_path / "w.json").read_text()
        world.add_traittype("anything", "any")
        world.add_archetype("Odd", traits={"anything": object()})
        with pytest.raises(BeliefsError, match="cannot be saved"):
            world.save(tmp_path / "w.json")

        assert (tmp_path / "w.json").read_text() == before
        assert [each.name for each in tmp_path.iterdir()] == ["w.json"]


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "text", "says"),
        [
            ("w.yaml", "", r"w\.yaml: is named neither \.toml nor \.json$"),
            ("gone.json", None, r"gone\.json: cannot be read: No such file or directory$"),
            ("w.json", "{", r"w\.json: is no JSON: Expecting property name"),
            ("w.json", "[" * 100_000, r"w\.json: is no JSON: "),
            ("w.json", b"\xff\xfe{}", r"w\.json: is no JSON: 'utf-8' codec can't decode"),
            ("w.toml", "tick = ", r"w\.toml: is no TOML: Invalid value"),
            ("w.toml", "a = 1\na = 2", r"w\.toml: is no TOML: Cannot overwrite a value"),
            ("w.json", "[]", r"^the world: is list: write a table$"),
            ("w.json", "null", r"^the world: is NoneType: write a table$"),
        ],
    )
    def test_bad_files(self, tmp_path, name, text, says):
        """With the file's name, and what is wrong with it."""
        if text is not None:
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(BadWorld, match=says):
            World.load(tmp_path / name)

    def test_an_operation_without_quotes_in_toml(self, tmp_path):
        """TOML reads `mind.append` as a table in a table: what that comes to is told of."""
        (tmp_path / "w.toml").write_text(TOML.replace('traits."mind.append"', "traits.mind.append"))
        with pytest.raises(WrongValue, match=r"^Smith: mind says .* of append: .*; or quote the key, \"mind\.append\""):
            World.load(tmp_path / "w.toml")


def changed(*path, to):
    """Make the data with one thing another way."""
    data = json.loads(json.dumps(DATA))
    place = data
    for key in path[:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = to
    return data


BAD = {
    "no table": ([], BadWorld, r"^the world: is list: write a table$"),
    "unknown key": (
        changed("archetype", to={}),
        BadWorld,
        r"^the world: has no key 'archetype'; did you mean archetypes\?; keys are tick, traittypes, archetypes, proto",
    ),
    "tick": (changed("tick", to="7"), BadWorld, r"^the world, tick: is '7', which is no whole number$"),
    "true tick": (changed("tick", to=True), BadWorld, r"^the world, tick: is True, which is no whole number$"),
    "traittypes": (changed("traittypes", to=[]), BadWorld, r"^traittypes: is list: write a table$"),
    "traittype": (
        changed("traittypes", "size", to=5),
        BadWorld,
        r"^traittypes, size: is 5: write a table, or the name of a type$",
    ),
    "traittype's key": (
        changed("traittypes", "size", to={"typ": "str"}),
        BadWorld,
        r"^traittypes, size: has no key 'typ'; did you mean type\?; keys are composable, container, max_length",
    ),
    "traittype's label": (
        changed("traittypes", "a.b", to="str"),
        BadWorld,
        r"^traittypes, a\.b: a trait's label is a text, not empty, without a dot",
    ),
    "type": (
        changed("traittypes", "size", to="string"),
        BadWorld,
        r"^traittypes, size, type: there is no type 'string'; did you mean str\?$",
    ),
    "type that is nearly one": (
        changed("traittypes", "size", to="Locaton"),
        BadWorld,
        r"^traittypes, size, type: there is no type 'Locaton'; did you mean Location\?$",
    ),
    "type that is no text": (
        changed("traittypes", "size", to={"type": 5}),
        BadWorld,
        r"^traittypes, size, type: cannot be 5$",
    ),
    "container": (
        changed("traittypes", "size", to={"container": "set"}),
        BadWorld,
        r"^traittypes, size, container: cannot be 'set'$",
    ),
    "container of minds": (
        changed("traittypes", "mind", to={"type": "Mind", "container": "list"}),
        BadWorld,
        r"^traittypes, mind, container: there are no lists of Mind: each is made for one belief$",
    ),
    "composable": (
        changed("traittypes", "size", to={"composable": "yes"}),
        BadWorld,
        r"^traittypes, size, composable: cannot be 'yes'$",
    ),
    "own": (
        changed("traittypes", "size", to={"own": "merge"}),
        BadWorld,
        r"^traittypes, size, own: cannot be 'merge'$",
    ),
    "min_length": (
        changed("traittypes", "size", to={"min_length": -1}),
        BadWorld,
        r"^traittypes, size, min_length: cannot be -1$",
    ),
    "max_length": (
        changed("traittypes", "size", to={"max_length": True}),
        BadWorld,
        r"^traittypes, size, max_length: cannot be True$",
    ),
    "lengths": (
        changed("traittypes", "size", to={"min_length": 3, "max_length": 2}),
        BadWorld,
        r"^traittypes, size, min_length: 3 is more than max_length, 2$",
    ),
    "length of a number": (
        changed("traittypes", "weight", to={"type": "float", "max_length": 2}),
        BadWorld,
        r"^traittypes, weight, max_length: float has no length$",
    ),
    "values": (
        changed("traittypes", "size", to={"values": "small"}),
        BadWorld,
        r"^traittypes, size, values: cannot be ",
    ),
    "allowed values of another type": (
        changed("traittypes", "weight", to={"type": "float", "values": [1, "heavy"]}),
        BadWorld,
        r"^traittypes, weight, values: what is allowed is 'heavy', which is no number$",
    ),
    "allowed minds": (
        changed("traittypes", "mind", to={"type": "Mind", "values": ["clever"]}),
        BadWorld,
        r"^traittypes, mind, values: allowed values cannot be listed for Mind$",
    ),
    "archetypes": (changed("archetypes", to=[]), BadWorld, r"^archetypes: is list: write a table$"),
    "archetype": (changed("archetypes", "Mental", to=5), BadWorld, r"^archetypes, Mental: is int: write a table$"),
    "archetype's label": (
        changed("archetypes", "", to={}),
        BadWorld,
        r"^archetypes: has the label '', which is no text",
    ),
    "archetype's key": (
        changed("archetypes", "Mental", to={"base": []}),
        BadWorld,
        r"^archetypes, Mental: has no key 'base'; did you mean bases\?; keys are bases, traits, names$",
    ),
    "archetype's bases": (
        changed("archetypes", "Smith", "bases", to="Mental"),
        BadWorld,
        r"^archetypes, Smith, bases: is 'Mental': write a list of labels$",
    ),
    "archetype's unknown base": (
        changed("archetypes", "Smith", "bases", to=["Mentl"]),
        UnknownBase,
        r"^archetypes, Smith, bases: no archetype or prototype is called 'Mentl'; did you mean Mental\?$",
    ),
    "archetype's names": (
        changed("archetypes", "Location", "names", to="location"),
        BadWorld,
        r"^archetypes, Location, names: is 'location': write a list of traits$",
    ),
    "archetype's unknown name": (
        changed("archetypes", "Location", "names", to=["loction"]),
        UnknownTrait,
        r"^Location, names: 'loction' has no traittype; did you mean location\?$",
    ),
    "archetype's traits": (
        changed("archetypes", "Smith", "traits", to=[]),
        BadWorld,
        r"^archetypes, Smith, traits: is list: write a table$",
    ),
    "archetype's unknown trait": (
        changed("archetypes", "Smith", "traits", "tool", to=[]),
        UnknownTrait,
        r"^Smith: 'tool' has no traittype; did you mean tools\?$",
    ),
    "archetype's value": (
        changed("archetypes", "Smith", "traits", "tools", to=[5]),
        WrongValue,
        r"^Smith: tools at position 0 is 5, which is no text$",
    ),
    "archetype's reference of another kind": (
        changed("archetypes", "Location", "traits", to={"location": "tom"}),
        WrongValue,
        r"^Location: location is tom, which is no Location$",
    ),
    "archetype's factory": (
        changed("archetypes", "Mental", "traits", "mind", to={"_call": "make"}),
        UnknownFactory,
        r"^Mental: mind: _call is 'make', and the type declares create",
    ),
    "archetype's operation": (
        changed("archetypes", "Smith", "traits", "mind.learn", to={}),
        UnknownOperation,
        r"^Smith: mind\.learn of Smith: a value of that type knows append, remove, replace",
    ),
    "what is given with an operation": (
        changed("archetypes", "Smith", "traits", "mind.append", to=["forge"]),
        BadOperation,
        r"^Smith: mind\.append of Smith is \('forge',\): write labels, each with a list of traits$",
    ),
    "condition of an operation": (
        changed("archetypes", "Smith", "traits", "mind.append", to={"value": {}, "if": "size ="}),
        BadCondition,
        r"^condition 'size =' cannot be read from '=' on",
    ),
    "archetypes in a circle": (
        changed("archetypes", "Mental", "bases", to=["Smith"]),
        CyclicBases,
        r"^(Mental -> Smith -> Mental|Smith -> Mental -> Smith): bases go in a circle; take one of them out$",
    ),
    "archetype that is its own base": (
        changed("archetypes", "Mental", "bases", to=["Mental"]),
        CyclicBases,
        r"^Mental -> Mental: bases go in a circle",
    ),
    "prototypes": (changed("prototypes", to=5), BadWorld, r"^prototypes: is int: write a table$"),
    "prototype": (changed("prototypes", "forge", to=[]), BadWorld, r"^prototypes, forge: is list: write a table$"),
    "prototype's label": (
        changed("prototypes", "", to={}),
        BadWorld,
        r"^prototypes: has the label '', which is no text",
    ),
    "prototype's key": (
        changed("prototypes", "forge", "names", to=[]),
        BadWorld,
        r"^prototypes, forge: has no key 'names'; .*keys are bases, traits$",
    ),
    "prototype's label is an archetype's": (
        changed("prototypes", "Smith", to={}),
        BadWorld,
        r"^prototypes, Smith: there is an archetype of that label, too$",
    ),
    "prototype's bases": (
        changed("prototypes", "forge", "bases", to=[5]),
        BadWorld,
        r"^prototypes, forge, bases: is \[5\]: write a list of labels$",
    ),
    "prototype's unknown base": (
        changed("prototypes", "forge", "bases", to=["Loc"]),
        UnknownBase,
        r"^prototypes, forge, bases: no archetype or prototype is called 'Loc'",
    ),
    "prototype's traits": (
        changed("prototypes", "forge", "traits", to="location"),
        BadWorld,
        r"^prototypes, forge, traits: is str: write a table$",
    ),
    "prototype's value": (
        changed("prototypes", "forge", "traits", "size", to="big"),
        WrongValue,
        r"^forge: size is 'big'; allowed are 'small', 'large'$",
    ),
    "trait that the prototype cannot have": (
        changed("prototypes", "forge", "traits", "tools", to=[]),
        UnknownTrait,
        r"^forge: 'tools' is named by none of its archetypes$",
    ),
    "prototype's reference": (
        changed("prototypes", "forge", "traits", "location", to="vilage"),
        WrongValue,
        r"^forge: location is 'vilage', which is no subject, and no label of one; did you mean village\?$",
    ),
    "prototype's reference of another kind": (
        changed("prototypes", "forge", "traits", "location", to="tom"),
        WrongValue,
        r"^forge@7: location is tom, which is no Location$",
    ),
    "archetype and prototype in a circle": (
        changed("archetypes", "Location", "bases", to=["village"]),
        CyclicBases,
        r"^(Location -> village -> Location|village -> Location -> village): bases go in a circle",
    ),
    "saved": (changed("saved", to=[]), BadWorld, r"^saved: is list: write a table$"),
    "nothing that was saved": (
        changed("saved", to={"subjects": []}),
        BadWorld,
        r"^saved: is not what was written by World\.save \(KeyError: ",
    ),
}


@pytest.mark.parametrize(("data", "error", "says"), BAD.values(), ids=BAD)
def test_every_error_names_label_and_key(data, error, says):
    """Where in the data, what is wrong, and what may have been meant."""
    with pytest.raises(error) as caught:
        World.from_data(data)
    assert re.search(says, str(caught.value))


@pytest.mark.parametrize(("data", "error", "says"), BAD.values(), ids=BAD)
def test_the_same_from_a_file(tmp_path, data, error, says):
    """As JSON it is the same error."""
    (tmp_path / "w.json").write_text(json.dumps(data))
    with pytest.raises(error) as caught:
        World.load(tmp_path / "w.json")
    assert re.search(says, str(caught.value))


@pytest.mark.parametrize("table", ["traittypes", "archetypes", "prototypes"])
def test_labels_are_text(table):
    """A dict may have others for keys, which JSON and TOML never do."""
    with pytest.raises(BadWorld, match=rf"^{table}(, 5: a trait's|: has the) label (is a text|5, which is no text)"):
        World.from_data({table: {5: {}}})


def test_an_error_in_a_table_says_which_table(village):
    """Beside the message, as a note: an archetype and a prototype may be told of by their label alone."""
    with pytest.raises(WrongValue) as caught:
        village(prototypes={"odd": {"bases": ["Person"], "traits": {"rank": "high"}}})

    assert caught.value.__notes__ == ["prototypes, odd"]


def test_prototypes_in_a_circle(village):
    """Whichever of them is read first, the circle is told of in whole."""
    circle = {"a": {"bases": ["b"]}, "b": {"bases": ["c"]}, "c": {"bases": ["a"]}}
    with pytest.raises(CyclicBases) as caught:
        village(prototypes=circle)

    labels = caught.value.labels
    assert (labels[0], sorted(labels[1:])) == (labels[-1], ["a", "b", "c"])
    assert all(circle[one]["bases"] == [other] for one, other in pairwise(labels))


def test_a_class_of_a_name_that_is_taken():
    """A class is a type by its name, and there is one already."""
    with pytest.raises(LabelTaken, match=r"^'Mind' is taken: a type of values has that label"):
        World(classes=[type("Mind", (), {})])


ODD = [
    *(None, True, 0, -1, 1.5, "", "a", "village", "Smith", "Location", "Mind", "int", "_call", "create"),
    *([], {}, [[]], [{}], ["village"], ["Smith"], ["location"], [5], {"a": 5}, {"forge": ["location"]}),
    *({"_call": "create"}, {"_call": []}, {"value": [], "if": "size == 'small'"}, {"value": {}, "if": "weight > 1"}),
    {"forge": {"traits": ["location"], "if": "size in ['small']"}},
]


def places(data):
    """Yield each table or list within the data, with each of its keys."""
    for key in list(data) if isinstance(data, dict) else range(len(data)):
        yield data, key
        if isinstance(data[key], (dict, list)):
            yield from places(data[key])


@st.composite
def spoilt(draw):
    """Give the data with up to three things in it replaced by what does not belong there, as a rule."""
    data = json.loads(json.dumps(DATA))
    for _ in range(draw(st.integers(1, 3))):
        table, key = draw(st.sampled_from(list(places(data))))
        table[key] = json.loads(json.dumps(draw(st.sampled_from(ODD))))
    return data


@settings(max_examples=80, deadline=None)
@given(spoilt())
def test_any_data_is_a_world_or_an_error_of_ours(data):
    """There is no third: and what is a world can be locked, asked, saved and read again, or it says why not."""
    try:
        world = World.from_data(data)
        world.state.lock()
        for belief in world.state.get_beliefs():
            belief.get_traits()
        saved = json.loads(json.dumps(world.to_data()))
    except BeliefsError:
        return
    assert World.from_data(saved) == world
