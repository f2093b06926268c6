"""Which operations apply, in which order, and what the built-in ones do: as tables."""

import pytest
from dam_beliefs import UnknownOperation, World

BASE = {"_call": "create"}

GATHERING = {
    "own first, then breadth first": (
        {
            "x": ("ab", {"diary.append": "x"}),
            "a": ("c", {"diary.append": "a"}),
            "b": ("d", {"diary.append": "b"}),
            "c": ("", {"diary.append": "c"}),
            "d": ("", {"diary": BASE, "diary.append": "d"}),
        },
        ["x", "a", "b", "c", "d"],
    ),
    "siblings of the prototype that brings the base value, on both sides": (
        {
            "x": ("abc", {}),
            "a": ("", {"diary.append": "a"}),
            "b": ("", {"diary": BASE}),
            "c": ("", {"diary.append": "c"}),
        },
        ["a", "c"],
    ),
    "cousins on its level": (
        {"x": ("ab", {}), "a": ("c", {}), "b": ("d", {}), "c": ("", {"diary": BASE}), "d": ("", {"diary.append": "d"})},
        ["d"],
    ),
    "nothing further away": (
        {"x": ("ab", {}), "a": ("c", {"diary": BASE}), "b": ("c", {}), "c": ("", {"diary.append": "c"})},
        [],
    ),
    "an own base value drops what is inherited": (
        {"x": ("a", {"diary": BASE, "diary.append": "x"}), "a": ("", {"diary": BASE, "diary.append": "a"})},
        ["x"],
    ),
    "a node gives its operations once": (
        {
            "x": ("abt", {}),
            "a": ("t", {}),
            "b": ("t", {}),
            "t": ("s", {"diary.append": "t"}),
            "s": ("", {"diary": BASE}),
        },
        ["t"],
    ),
    "several of one node, as they are written": (
        {"x": ("a", {}), "a": ("", {"diary": BASE, "diary.remove": "1", "diary.append": "2", "diary.foo.bar": "3"})},
        ["1", "2", "3"],
    ),
    "those of other traits are others": (
        {"x": ("a", {}), "a": ("", {"diary": BASE, "other.append": "o", "diary.append": "a"})},
        ["a"],
    ),
}


@pytest.fixture
def written(diary):
    """Make a graph of archetypes with diaries, and return `x`, a belief that has them as bases."""

    def make(graph, **keys):
        world = World(classes=[diary])
        for label in ("diary", "other"):
            world.add_traittype(label, {"type": "Diary", **keys})

        def declare(label):
            bases, traits = graph[label]
            for base in bases:
                if base not in world.archetypes:
                    declare(base)
            if label == "x":
                return world.state.add_belief(label="x", bases=list(bases), traits=traits)
            return world.add_archetype(label, bases=list(bases), traits=traits, names=["diary", "other"])

        return declare("x")

    return make


def told(belief, trait="diary"):
    """Return the operations that its value was changed by: key, value, source."""
    return [each for what, _, *rest in belief.get_trait(trait).entries if what == "state_data" for each in rest[0]]


@pytest.mark.parametrize(("graph", "values"), GATHERING.values(), ids=GATHERING)
def test_which_operations_apply(written, graph, values):
    """Down to and including the whole level that the base value is found on; the class gets them in that order."""
    assert [value for _, value, _ in told(written(graph))] == values


def test_each_comes_with_key_value_and_source(written):
    """All after the first dot is the key."""
    graph = {"x": ("a", {"diary.remove": 1}), "a": ("", {"diary": BASE, "diary.foo.bar": [2]})}

    assert told(written(graph)) == [("remove", 1, "x@0"), ("foo.bar", (2,), "a")]


@pytest.mark.parametrize(
    "graph",
    [
        {"x": ("a", {"diary.append": 1}), "a": ("", {"diary.append": 2})},
        {"x": ("a", {"diary.append": 1}), "a": ("b", {"diary": None}), "b": ("", {"diary": BASE})},
        {"x": ("a", {"diary": None, "diary.append": 1}), "a": ("", {"diary": BASE})},
    ],
)
def test_no_base_value_is_none(written, graph):
    """Whatever operations there are."""
    assert written(graph).get_trait("diary") is None


def test_no_operations_leave_the_base_value(written):
    """The class is not asked then."""
    graph = {"x": ("a", {}), "a": ("", {"diary": BASE})}

    assert [each[0] for each in written(graph).get_trait("diary").entries] == ["create"]


def test_an_unknown_operation(written):
    """Trait, operation, source and what is known."""
    with pytest.raises(UnknownOperation) as caught:
        written({"x": ("a", {}), "a": ("", {"diary.apend": 1})})
    error = caught.value

    assert (error.trait, error.operation, error.source) == ("diary", "apend", "a")
    assert str(error) == (
        "a: diary.apend of a: a value of that type knows append, foo.bar, remove; did you mean append?"
    )


CONDITIONS = {
    "holds": ("n >= 5", 5, ["a"]),
    "does not hold": ("n >= 5", 4, []),
    "of what nobody says": ("n >= 5", None, []),
}


@pytest.mark.parametrize(("condition", "n", "values"), CONDITIONS.values(), ids=CONDITIONS)
def test_conditions_ask_the_belief(lists, condition, n, values):
    """Not the archetype that brings the operation: its value here is another one."""
    world = lists(words={"type": "str", "container": "list"})
    world.add_archetype("a", traits={"n": 5, "words": [], "words.append": {"value": ["a"], "if": condition}})
    belief = world.state.add_belief(bases=["a"], traits={"n": n})

    assert belief.get_trait("words") == tuple(values)


LISTS = {
    "append": ([1, 2], [{"append": [3]}], (1, 2, 3)),
    "append what is there": ([1, 2], [{"append": [2, 1]}], (1, 2)),
    "append several, nearest first": ([1], [{"append": [2]}, {"append": [3]}], (1, 2, 3)),
    "remove": ([1, 2, 3], [{"remove": [2]}], (1, 3)),
    "remove what is not there": ([1], [{"remove": [2]}], (1,)),
    "remove all": ([1], [{"remove": [1]}], ()),
    "replace": ([1, 2], [{"replace": [3]}], (3,)),
    "replace by nothing": ([1, 2], [{"replace": []}], ()),
    "the nearer removes what the further appends": ([1], [{"remove": [2]}, {"append": [2, 3]}], (1, 3)),
    "the nearer appends what the further removes": ([1, 2], [{"append": [2]}, {"remove": [2, 1]}], (2,)),
    "the nearer replaces, the further is not heard": ([1], [{"replace": [5]}, {"append": [2]}], (5,)),
    "the nearer changes what the further replaces": ([1], [{"append": [2]}, {"replace": [5]}], (5, 2)),
    "of two replacements the nearer": ([1], [{"replace": [5]}, {"replace": [6]}], (5,)),
    "True is no 1": ([1], [{"remove": [True]}], (1,)),
}
MAPPINGS = {
    "merge": ({"a": 1}, [{"merge": {"b": 2}}], {"a": 1, "b": 2}),
    "merge deep inside": ({"a": {"b": 1, "c": 1}}, [{"merge": {"a": {"b": 2}}}], {"a": {"b": 2, "c": 1}}),
    "merge a value over a mapping": ({"a": {"b": 1}}, [{"merge": {"a": 2}}], {"a": 2}),
    "merge a mapping over a value": ({"a": 2}, [{"merge": {"a": {"b": 1}}}], {"a": {"b": 1}}),
    "merge nothing": ({"a": 1}, [{"merge": {}}], {"a": 1}),
    "replace keys": ({"a": {"b": 1}, "c": 1}, [{"replace": {"a": {"d": 2}}}], {"a": {"d": 2}, "c": 1}),
    "remove keys": ({"a": 1, "b": 2}, [{"remove": ["a", "z"]}], {"b": 2}),
    "of two that merge the nearer wins": ({}, [{"merge": {"a": 1}}, {"merge": {"a": 2, "b": 2}}], {"a": 1, "b": 2}),
    "the nearer removes": ({"a": 1}, [{"remove": ["b"]}, {"merge": {"b": 2}}], {"a": 1}),
    "the nearer merges": ({"a": 1}, [{"merge": {"a": 2}}, {"remove": ["a"]}], {"a": 2}),
}


def operated(world, trait, base, operations, key_type):
    """Return the value of a belief whose bases, each nearer than the next, bring one operation each."""
    below = [world.add_archetype("base", traits={trait: base})]
    for number, operation in reversed(list(enumerate(operations))):
        traits = {f"{trait}.{key}": value for key, value in operation.items()}
        below = [world.add_archetype(f"level{number}", bases=below, traits=traits)]
    value = world.state.add_belief(bases=below).get_trait(trait)
    return key_type(value)


@pytest.mark.parametrize(("base", "operations", "value"), LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("is_composable", [False, True])
def test_operations_on_lists(lists, base, operations, value, is_composable):
    """Of each item the nearest operation that names it decides."""
    world = lists(plain={"type": "any", "composable": is_composable})

    assert operated(world, "plain", base, operations, tuple) == value


@pytest.mark.parametrize(("base", "operations", "value"), MAPPINGS.values(), ids=MAPPINGS)
def test_operations_on_mappings(lists, base, operations, value):
    """Of each key the nearest operation that names it decides."""
    assert operated(lists(), "m", base, operations, dict) == value


def test_operations_on_lists_of_subjects(lists):
    """Written as labels, as beliefs or as subjects."""
    world = lists()
    a, b, c = (world.add_prototype(label, bases=["Any"]) for label in "abc")
    base = world.add_prototype("base", bases=["Any"], traits={"refs": ["a", "b"]})
    belief = world.state.add_belief(bases=[base], traits={"refs.append": [c, "a"], "refs.remove": [b.subject]})

    assert belief.get_trait("refs") == (a.subject, c.subject)


def test_a_composed_value_has_the_operations_of_all_its_levels(lists):
    """The level of a value with several sources is that of the furthest."""
    world = lists()
    world.add_archetype("far", traits={"xs": [1], "xs.append": [10]})
    world.add_archetype("further", traits={"xs.append": [30]})
    world.add_archetype("left", bases=["far"], traits={"xs.append": [11]})
    world.add_archetype("right", bases=["further"], traits={"xs": [2], "xs.append": [20]})

    assert world.state.add_belief(bases=["left", "right"]).get_trait("xs") == (2, 1, 11, 20, 10, 30)


def test_operations_do_not_change_the_prototype(lists):
    """What a child does to a value it does to its own."""
    world = lists()
    base = world.add_prototype("base", bases=["Any"], traits={"plain": [1], "m": {"a": {"b": 1}}})
    child = world.state.add_belief(bases=[base], traits={"plain.append": [2], "m.merge": {"a": {"c": 2}}})

    assert (child.get_trait("plain"), child.get_trait("m")) == ((1, 2), {"a": {"b": 1, "c": 2}})
    assert (base.get_trait("plain"), base.get_trait("m")) == ((1,), {"a": {"b": 1}})
