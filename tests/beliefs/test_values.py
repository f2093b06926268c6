"""What a traittype takes, and what it makes of it."""

import pytest
from dam_beliefs import MISSING, Belief, Unfit, UnknownTrait, ValueType, World, WrongValue

TAKEN = {
    "any": [(5, 5), ("a", "a"), ([1, [2]], (1, (2,))), ({"a": [1]}, {"a": (1,)})],
    "str": [("", ""), ("a", "a")],
    "int": [(0, 0), (-5, -5), (10**30, 10**30)],
    "float": [(0.5, 0.5), (1, 1)],
    "bool": [(True, True), (False, False)],
    "mapping": [({}, {}), ({"a": {"b": [1]}}, {"a": {"b": (1,)}}), ({"_call": "x"}, {"_call": "x"})],
}
REFUSED = {
    "str": [5, b"a", ["a"], {}, True],
    "int": [0.5, "1", True, [1]],
    "float": ["1", True, None.__class__, [0.5]],
    "bool": [0, 1, "true", []],
    "mapping": ["a", [1], {1: 2}, 5],
    "Subject": ["nobody", 5, ["tom"], {}],
    "Person": ["nobody", "hut"],
    "Mind": ["clever", 5, [], {"hut": "n"}, {5: []}],
}


@pytest.fixture
def typed():
    """Make a world with a trait `t` of some type."""

    def make(**keys):
        return World.from_data(
            {
                "traittypes": {"t": keys, "n": "int"},
                "archetypes": {"Any": {"names": ["t", "n"]}, "Person": {"bases": ["Any"]}},
                "prototypes": {"tom": {"bases": ["Person"]}, "hut": {"bases": ["Any"]}},
            }
        )

    return make


def keep(world, value):
    """Return what is kept of a value."""
    return world.state.add_belief(bases=["Any"], traits={"t": value}).get_trait("t")


@pytest.mark.parametrize(
    ("kind", "value", "kept"), [(kind, value, kept) for kind, cases in TAKEN.items() for value, kept in cases]
)
def test_what_is_taken(typed, kind, value, kept):
    """Lists as tuples and mappings read-only, deep inside, all else as it is."""
    assert keep(typed(type=kind), value) == kept


@pytest.mark.parametrize(
    ("kind", "value", "kept"), [(kind, value, kept) for kind, cases in TAKEN.items() for value, kept in cases]
)
def test_lists_of_what_is_taken(typed, kind, value, kept):
    """Item by item."""
    assert keep(typed(type=kind, container="list"), [value, value]) == (kept, kept)


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in REFUSED.items() for value in values])
def test_what_is_refused(typed, kind, value):
    """With the value, and what it should have been."""
    world = typed(type=kind)
    with pytest.raises(WrongValue, match=r"^x: t "):
        world.state.add_belief(label="x", bases=["Any"], traits={"t": value})
    assert "x" not in world.labels


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, values in REFUSED.items() if kind != "Mind" for value in values]
)
def test_lists_of_what_is_refused(typed, kind, value):
    """With the position."""
    world = typed(type=kind, container="list")
    with pytest.raises(WrongValue, match=r"^x: t at position 0 is "):
        world.state.add_belief(label="x", bases=["Any"], traits={"t": [value]})


@pytest.mark.parametrize("kind", [*TAKEN, "Subject", "Person", "Mind"])
@pytest.mark.parametrize("limits", [{}, {"composable": True}, {"container": "list", "min_length": 1}])
def test_none_is_always_allowed(typed, kind, limits):
    """It says that there is nothing."""
    if kind == "Mind":
        limits = {key: limits[key] for key in limits.keys() & {"composable"}}
    world = typed(type=kind, **limits)
    belief = world.state.add_belief(bases=["Any"], traits={"t": None})

    assert (belief.get_trait("t"), belief.own("t"), belief.own("n")) == (None, None, MISSING)


@pytest.mark.parametrize("value", ["tom", "belief", "subject"])
@pytest.mark.parametrize("kind", ["Subject", "Person"])
def test_a_subject_is_written_in_three_ways(typed, kind, value):
    """As its label, as a belief about it, or as itself; what is kept is the subject."""
    world = typed(type=kind)
    subject = world.labels["tom"]

    assert keep(world, {"belief": subject.belief(world.state), "subject": subject}.get(value, value)) is subject


LIMITS = {
    "a list within": ({"container": "list", "min_length": 1, "max_length": 2}, [1], True),
    "a list at its bounds": ({"container": "list", "min_length": 2, "max_length": 2}, [1, 2], True),
    "a short list": ({"container": "list", "min_length": 2}, [1], False),
    "a long list": ({"container": "list", "max_length": 2}, [1, 2, 3], False),
    "a text within": ({"type": "str", "min_length": 1, "max_length": 2}, "ab", True),
    "a short text": ({"type": "str", "min_length": 1}, "", False),
    "a long text": ({"type": "str", "max_length": 2}, "abc", False),
    "a mapping within": ({"type": "mapping", "max_length": 1}, {"a": 1}, True),
    "a long mapping": ({"type": "mapping", "max_length": 1}, {"a": 1, "b": 2}, False),
    "an allowed value": ({"values": [1, "a"]}, "a", True),
    "another value": ({"values": [1, "a"]}, "b", False),
    "True is no 1": ({"values": [1]}, True, False),
    "1.0 is 1": ({"type": "float", "values": [1, 2]}, 1.0, True),
    "allowed items": ({"container": "list", "values": [1, 2]}, [2, 1, 2], True),
    "another item": ({"container": "list", "values": [1, 2]}, [1, 3], False),
    "no items": ({"container": "list", "values": [1, 2]}, [], True),
    "nothing is allowed": ({"values": []}, 1, False),
    "a composable list within": ({"container": "list", "composable": True, "max_length": 1}, [1], True),
    "a composable list that is long": ({"container": "list", "composable": True, "max_length": 1}, [1, 2], False),
    "a composable list that is short": ({"container": "list", "composable": True, "min_length": 3}, [1, 2], False),
}


@pytest.mark.parametrize(("keys", "value", "is_taken"), LIMITS.values(), ids=LIMITS)
def test_limits(typed, keys, value, is_taken):
    """Of length, and of what is allowed."""
    world = typed(**keys)
    if is_taken:
        assert keep(world, value) == (tuple(value) if isinstance(value, list) else value)
    else:
        before = world.to_data()
        with pytest.raises(WrongValue, match=r"^x(@0)?: t (has length|is)"):
            world.state.add_belief(label="x", bases=["Any"], traits={"t": value})
        assert world.to_data() == before


def test_limits_of_what_is_only_inherited(typed):
    """Nobody wrote the whole of it: it is told of when it is asked for."""
    world = typed(container="list", composable=True, max_length=2)
    bases = [world.add_archetype(f"A{each}", traits={"t": [each, 10 + each]}) for each in (1, 2)]
    belief = world.state.add_belief(label="x", bases=bases)
    with pytest.raises(WrongValue, match=r"^x@0: t has length 4; at most 2 is allowed$"):
        belief.get_trait("t")


def test_a_short_part_makes_a_whole_that_is_long_enough(typed):
    """Each part of a composed list may be shorter than the whole has to be."""
    world = typed(container="list", composable=True, min_length=2)
    base = world.add_archetype("A", traits={"t": [1]})

    assert world.state.add_belief(bases=[base, "Any"], traits={"t": [2]}).get_trait("t") == (1, 2)


class TestNames:
    """A belief takes only traits that its archetypes name."""

    @pytest.mark.parametrize("bases", [["Person"], ["tom"], ["Person", "Other"]])
    def test_of_archetypes_near_and_far(self, typed, bases):
        """By themselves, by their bases, by a prototype."""
        world = typed()
        world.add_archetype("Other")

        assert world.state.add_belief(bases=bases, traits={"n": 1}).get_trait("n") == 1

    @pytest.mark.parametrize("how", ["names", "a value", "an operation"])
    def test_each_way_to_name_one(self, typed, how):
        """Declared, set, or operated on."""
        world = typed(container="list")
        said = {
            "names": {"names": ["t"]},
            "a value": {"traits": {"t": []}},
            "an operation": {"traits": {"t.append": []}},
        }
        world.add_archetype("Way", **said[how])

        assert world.state.add_belief(bases=["Way"], traits={"t": [1]}).get_trait("t") == (1,)

    @pytest.mark.parametrize("bases", [[], ["Other"]])
    def test_others_are_refused(self, typed, bases):
        """Also where there is a traittype of that name."""
        world = typed()
        world.add_archetype("Other")
        with pytest.raises(UnknownTrait, match=r"^x: 'n' is named by none of its archetypes$"):
            world.state.add_belief(label="x", bases=bases, traits={"n": 1})

    def test_a_trait_that_it_cannot_have_is_none(self, typed):
        """To ask for it is no error, as long as there is such a trait."""
        world = typed()

        assert world.state.add_belief().get_trait("n") is None

    def test_a_later_version_may_have_what_the_first_may(self, typed):
        """An earlier version names what its archetypes name."""
        world = typed()
        first = world.state.add_belief(bases=["Any"])
        state = world.mind.create_state(1)

        assert first.with_traits(state, {"n": 1}).get_trait("n") == 1
        with pytest.raises(UnknownTrait):
            state.add_belief(traits={"n": 1})


class TestNobodyChangesAValue:
    def test_a_value_that_was_given_is_copied(self, typed):
        """Who gave it may go on with it."""
        world = typed(type="mapping")
        given = {"a": [1]}
        belief = world.state.add_belief(bases=["Any"], traits={"t": given})
        given["a"].append(2)
        given["b"] = 3

        assert belief.get_trait("t") == {"a": (1,)}

    def test_a_value_that_comes_back_cannot_be_changed(self, typed):
        """Nor what is in it."""
        value = keep(typed(type="mapping"), {"a": {"b": 1}})
        with pytest.raises(TypeError):
            value["a"]["b"] = 2

    def test_own_traits_cannot_be_changed(self, typed):
        """They are as they were written."""
        belief = typed(type="any").state.add_belief(bases=["Any"], traits={"t": 1})
        with pytest.raises(TypeError):
            belief.get_own_traits()["t"] = 2

        assert dict(belief.get_own_traits()) == {"t": 1}


class Even(ValueType):
    """A type of a plugin author's own."""

    name = "even"
    operations = frozenset({"double"})
    composes = True

    def take(self, value, world, state):
        if not isinstance(value, int) or value % 2:
            raise Unfit(f"is {value!r}, which is odd")
        return value

    def compose(self, values, making):
        return sum(values)

    def operate(self, value, operations, making):
        return value * 2 ** len(operations)


def test_a_type_of_ones_own():
    """Taken, joined and changed by what it says."""
    world = World()
    world.types.add(Even())
    world.add_traittype("t", type="even", composable=True)
    for label, value in (("A", 2), ("B", 4)):
        world.add_archetype(label, traits={"t": value, "t.double": None})
    belief = world.state.add_belief(label="x", bases=["A", "B"])

    assert isinstance(belief, Belief)
    assert belief.get_trait("t") == 24
    with pytest.raises(WrongValue, match=r"^y: t is 3, which is odd$"):
        world.state.add_belief(label="y", bases=["A"], traits={"t": 3})
