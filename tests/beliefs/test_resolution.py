"""
Search order, shadowing and composing, as tables of small graphs.

In a graph each letter stands for something with bases and a value, ``x`` is who is asked; ``...``: it says nothing.
"""

import pytest
from dam_beliefs import UnionState


def build(world, graph, trait, kind):
    """Make a graph of archetypes, or of prototypes, and return who is asked."""
    made = {}

    def declare(label):
        bases, value = graph[label]
        below = [made[base] if base in made else declare(base) for base in bases]
        traits = {} if value is ... else {trait: value}
        if kind == "archetypes" and label != "x":
            made[label] = world.add_archetype(label, bases=below, traits=traits)
        else:
            made[label] = world.state.add_belief(label=label, bases=[*below, "Any"], traits=traits)
        return made[label]

    return declare("x")


SHADOWING = {
    "its own value comes first": ({"x": ("a", 1), "a": ("", 2)}, 1),
    "bases are asked left to right": ({"x": ("ab", ...), "a": ("", 1), "b": ("", 2)}, 1),
    "a base that says nothing is passed over": ({"x": ("ab", ...), "a": ("", ...), "b": ("", 2)}, 2),
    "what is inherited further away": ({"x": ("a", ...), "a": ("b", ...), "b": ("c", ...), "c": ("", 3)}, 3),
    "a nearer level beats a further one on its right": (
        {"x": ("ab", ...), "a": ("c", ...), "b": ("", 2), "c": ("", 1)},
        2,
    ),
    "a nearer level beats a further one on its left": (
        {"x": ("ab", ...), "a": ("", 2), "b": ("c", ...), "c": ("", 1)},
        2,
    ),
    "a level is one line, from the left": (
        {"x": ("ab", ...), "a": ("cd", ...), "b": ("e", ...), "c": ("", ...), "d": ("", 1), "e": ("", 2)},
        1,
    ),
    "a diamond's top": ({"x": ("ab", ...), "a": ("t", ...), "b": ("t", ...), "t": ("", 5)}, 5),
    "what is reached twice counts where it is nearer": (
        {"x": ("at", ...), "a": ("st", ...), "s": ("", 1), "t": ("", 2)},
        2,
    ),
    "an explicit None ends the search": ({"x": ("ab", ...), "a": ("", None), "b": ("", 2)}, None),
    "an explicit None hides what is behind it": ({"x": ("a", ...), "a": ("b", None), "b": ("", 2)}, None),
    "an own None": ({"x": ("a", None), "a": ("", 2)}, None),
    "a None that is further away": ({"x": ("ab", ...), "a": ("c", ...), "b": ("", 2), "c": ("", None)}, 2),
    "nobody says": ({"x": ("ab", ...), "a": ("", ...), "b": ("", ...)}, None),
}


@pytest.mark.parametrize("kind", ["prototypes", "archetypes"])
@pytest.mark.parametrize(("graph", "value"), SHADOWING.values(), ids=SHADOWING)
def test_shadowing(lists, graph, value, kind):
    """The first value met wins: own, then breadth first, each level left to right."""
    assert build(lists(), graph, "n", kind).get_trait("n") == value


@pytest.mark.parametrize("kind", ["prototypes", "archetypes"])
@pytest.mark.parametrize(("graph", "value"), SHADOWING.values(), ids=SHADOWING)
def test_lists_shadow_likewise(lists, graph, value, kind):
    """Where the traittype is not composable, a list is a value like any other."""
    listed = {label: (bases, [each] if isinstance(each, int) else each) for label, (bases, each) in graph.items()}

    assert build(lists(), listed, "plain", kind).get_trait("plain") == (None if value is None else (value,))


COMPOSING = {
    "two bases, left to right": ({"x": ("ab", ...), "a": ("", [1]), "b": ("", [2])}, (1, 2), (1, 2)),
    "its own value comes last": ({"x": ("ab", [3]), "a": ("", [1]), "b": ("", [2])}, (1, 2, 3), (1, 2, 3)),
    "each item once, where it first came up": (
        {"x": ("ab", [4, 1]), "a": ("", [1, 2]), "b": ("", [3, 2])},
        (1, 2, 3, 4),
        (1, 2, 3, 4),
    ),
    "level by level": ({"x": ("ab", ...), "a": ("c", ...), "b": ("", [2]), "c": ("", [1])}, (2, 1), (2, 1)),
    "a branch ends at its nearest value": ({"x": ("a", ...), "a": ("b", [1]), "b": ("", [2])}, (2, 1), (1,)),
    "the same ancestor along another path": (
        {"x": ("ab", ...), "a": ("t", [1]), "b": ("t", ...), "t": ("", [2])},
        (2, 1),
        (1, 2),
    ),
    "a base listed beside one that inherits from it": (
        {"x": ("at", ...), "a": ("t", [1]), "t": ("", [2])},
        (2, 1),
        (1, 2),
    ),
    "None contributes nothing": ({"x": ("ab", ...), "a": ("", None), "b": ("", [2])}, (2,), (2,)),
    "None closes its branch": (
        {"x": ("ab", ...), "a": ("c", None), "b": ("", [2]), "c": ("", [1])},
        (2,),
        (2,),
    ),
    "None closes no other branch": ({"x": ("ab", ...), "a": ("t", None), "b": ("t", ...), "t": ("", [1])}, (1,), (1,)),
    "an empty list closes an archetype's branch": (
        {"x": ("ab", ...), "a": ("c", []), "b": ("", [2]), "c": ("", [1])},
        (1, 2),
        (2,),
    ),
    "only None": ({"x": ("ab", ...), "a": ("", None), "b": ("", None)}, None, None),
    "only empty lists": ({"x": ("ab", ...), "a": ("", []), "b": ("", [])}, (), ()),
    "None and an empty list": ({"x": ("ab", ...), "a": ("", None), "b": ("", [])}, (), ()),
    "an own empty list adds nothing": ({"x": ("a", []), "a": ("", [1])}, (1,), (1,)),
    "an own empty list alone": ({"x": ("a", []), "a": ("", ...)}, (), ()),
    "an own empty list over None": ({"x": ("a", []), "a": ("", None)}, (), ()),
    "an own value over None": ({"x": ("a", [1]), "a": ("", None)}, (1,), (1,)),
    "an own None": ({"x": ("a", None), "a": ("", [1])}, None, None),
    "nobody says": ({"x": ("a", ...), "a": ("", ...)}, None, None),
}


@pytest.mark.parametrize(("graph", "of_prototypes", "of_archetypes"), COMPOSING.values(), ids=COMPOSING)
def test_composing(lists, graph, of_prototypes, of_archetypes):
    """A prototype contributes all that it has, its own value joined already; an archetype what stands in it."""
    told = [build(lists(), graph, "xs", kind).get_trait("xs") for kind in ("prototypes", "archetypes")]

    assert told == [of_prototypes, of_archetypes]


REPLACING = {
    "an own value stands alone": ({"x": ("ab", [3]), "a": ("", [1]), "b": ("", [2])}, (3,)),
    "an own empty list as well": ({"x": ("a", []), "a": ("", [1])}, ()),
    "without one, bases are joined": ({"x": ("ab", ...), "a": ("", [1]), "b": ("", [2])}, (1, 2)),
    "a base's own value is all that it contributes": (
        {"x": ("ab", ...), "a": ("c", [1]), "b": ("", [2]), "c": ("", [3])},
        (1, 2),
    ),
    "a base without one contributes what it inherits": (
        {"x": ("ab", ...), "a": ("c", ...), "b": ("", [2]), "c": ("", [3])},
        (2, 3),
    ),
}


@pytest.mark.parametrize("kind", ["prototypes", "archetypes"])
@pytest.mark.parametrize(("graph", "value"), REPLACING.values(), ids=REPLACING)
def test_composing_with_own_replace(lists, graph, value, kind):
    """`own = "replace"`: what a belief says itself is said by nobody else."""
    assert build(lists(xs={"own": "replace"}), graph, "xs", kind).get_trait("xs") == value


ALONE = {
    "of a base": {"x": ("a", ...), "a": ("", [1, 1])},
    "of a base beside None": {"x": ("ab", ...), "a": ("", [1, 1]), "b": ("", None)},
    "of a base beside an empty list": {"x": ("ab", ...), "a": ("", [1, 1]), "b": ("", [])},
    "of a base under an own empty list": {"x": ("a", []), "a": ("", [1, 1])},
}


@pytest.mark.parametrize("kind", ["prototypes", "archetypes"])
@pytest.mark.parametrize("graph", ALONE.values(), ids=ALONE)
def test_one_single_contribution_is_the_very_object(lists, graph, kind):
    """It is neither copied nor looked through."""
    world = lists()
    x = build(world, graph, "xs", kind)
    source = world.archetypes["a"] if kind == "archetypes" else world.labels["a"].belief(world.state)

    assert x.get_trait("xs") is source.own("xs")


def test_not_set_is_not_set_to_none(lists):
    """Both read as `None`; own traits tell them apart."""
    world = lists()
    is_set, is_not = (world.state.add_belief(bases=["Any"], traits=each) for each in ({"n": None}, {}))

    assert (is_set.get_trait("n"), is_not.get_trait("n")) == (None, None)
    assert (dict(is_set.get_own_traits()), dict(is_not.get_own_traits())) == ({"n": None}, {})


def test_an_own_none_is_inherited_as_such(lists):
    """The child of one that has nothing has nothing, though a grandparent has something."""
    world = lists()
    base = world.add_prototype("base", bases=["Any"], traits={"xs": [1]})
    none = world.add_prototype("none", bases=[base], traits={"xs": None})
    told = {"child": world.state.add_belief(bases=[none])}
    told["child with a value"] = world.state.add_belief(bases=[none], traits={"xs": [2]})
    told["child of both"] = world.state.add_belief(bases=[none, base])

    assert {name: each.get_trait("xs") for name, each in told.items()} == {
        "child": None,
        "child with a value": (2,),
        "child of both": (1,),
    }


def test_a_type_that_cannot_join_joins_equals(lists):
    """Two values meet only where they differ."""
    world = lists(n={"composable": True})
    a, b = (world.add_prototype(label, bases=["Any"], traits={"n": 5}) for label in "ab")

    assert world.state.add_belief(bases=[a, b]).get_trait("n") == 5


def test_earlier_versions_are_bases_like_others(lists):
    """A version that says nothing of a trait has what the one before has."""
    world = lists()
    first = world.state.add_belief(label="b", bases=["Any"], traits={"n": 1, "xs": [1]})
    state = world.mind.create_state(1)
    second = first.with_traits(state, {"xs": [2]})
    state = world.mind.create_state(2)
    third = second.with_traits(state, {"n": 3})

    assert [(each.get_trait("n"), each.get_trait("xs")) for each in (first, second, third)] == [
        (1, (1,)),
        (1, (1, 2)),
        (3, (1, 2)),
    ]


def test_all_traits_at_once(lists):
    """By name, those too of which nobody says anything; and nobody can change what comes back."""
    world = lists()
    belief = world.state.add_belief(bases=["Any"], traits={"n": 1, "xs": [1], "m": {"a": [2]}})
    traits = belief.get_traits()

    assert list(traits.items()) == [
        ("m", {"a": (2,)}),
        ("n", 1),
        ("plain", None),
        ("ref", None),
        ("refs", None),
        ("xs", (1,)),
    ]
    with pytest.raises(TypeError):
        traits["n"] = 2
    with pytest.raises(TypeError):
        traits["m"]["a"] = 3


class TestMinds:
    """`Mind` composes into a union over the minds that meet."""

    @pytest.fixture
    def people(self, village):
        """Make people with minds, each with bases and what it knows."""

        def make(**people):
            none = dict.fromkeys(["Mental", "Villager", "Blacksmith"])
            world = village(
                traittypes={"mind": {"type": "Mind", "composable": True}},
                archetypes={**none, "Actor": {"names": ["mind"]}},
            )
            for label, (bases, mind) in people.items():
                traits = {} if mind is ... else {"mind": mind}
                world.state.add_belief(label=label, bases=bases or ["Actor"], traits=traits)
            world.state.lock()
            return world

        return make

    def mind(self, world, label):
        """Return somebody's mind."""
        return world.labels[label].get_trait("mind", world.state)

    def test_a_union_of_unions_is_flat(self, people):
        """Its components are states of minds, never unions."""
        world = people(
            a=([], {"tavern": ["owner"]}),
            b=([], {"forge": ["owner"]}),
            c=([], {"mayor": ["name"]}),
            ab=(["a", "b"], {"village": []}),
            abc=(["ab", "c"], ...),
        )
        union = self.mind(world, "abc").origin_state

        assert [type(each) is UnionState for each in union.component_states] == [False] * 4
        assert [each.mind.self_subject.label for each in union.component_states] == ["a", "b", "ab", "c"]

    def test_no_component_twice(self, people):
        """One mind that comes along two paths is one component."""
        world = people(
            a=([], {"tavern": ["owner"]}),
            b=(["a"], {"forge": ["owner"]}),
            c=(["a"], {"mayor": ["name"]}),
            x=(["b", "c"], ...),
        )
        union = self.mind(world, "x").origin_state

        assert len(union.component_states) == len(set(union.component_states))
        assert [each.subject.label for each in union.get_beliefs()] == ["tavern", "forge", "mayor"]

    def test_nothing_is_lost_when_two_know_the_same(self, people, known):
        """One belief, which has what either of them knows."""
        world = people(
            a=([], {"tavern": ["owner"]}), b=([], {"tavern": ["location"], "forge": ["owner"]}), x=(["a", "b"], ...)
        )

        assert known(self.mind(world, "x")) == {
            "tavern": {"owner": "Ann", "location": "village"},
            "forge": {"owner": "Tom"},
        }

    def test_one_mind_is_handed_on(self, people):
        """One single contribution, none of one's own: the very mind."""
        world = people(a=([], {"tavern": ["owner"]}), x=(["a"], ...), y=(["a"], {}))

        assert self.mind(world, "x") is self.mind(world, "y") is self.mind(world, "a")

    def test_own_knowledge_adds(self, people, known):
        """To what one inherits, and to nobody else's mind."""
        world = people(a=([], {"tavern": ["owner"]}), x=(["a"], {"forge": ["owner"]}))

        assert known(self.mind(world, "x")) == {"tavern": {"owner": "Ann"}, "forge": {"owner": "Tom"}}
        assert known(self.mind(world, "a")) == {"tavern": {"owner": "Ann"}}

    @pytest.mark.parametrize(("mind", "knows"), [(None, None), ({}, None), ({"forge": ["owner"]}, ["forge"])])
    def test_none_closes_a_branch(self, people, mind, knows):
        """Who has no mind hands none on; an empty template above it makes one that knows nothing."""
        world = people(a=([], {"tavern": ["owner"]}), b=(["a"], None), x=(["b"], mind))
        found = self.mind(world, "x")
        told = None if found is None else [each.subject.label for each in found.state.get_beliefs()]

        assert told == ([] if mind == {} else knows)

    def test_the_state_of_a_union_is_of_its_tick(self, people, known):
        """Components are the states that were valid when the belief was made: what a base learns later is its own."""
        world = people(a=([], {"tavern": ["owner"]}), b=([], {"mayor": ["name"]}), x=(["a", "b"], ...))
        state = world.mind.create_state(200)
        world.labels["a"].belief(state).with_traits(state, {"mind.append": {"forge": ["owner"]}})
        y = state.add_belief(label="y", bases=["a", "b"])
        state.lock()

        assert sorted(known(self.mind(world, "x"))) == ["mayor", "tavern"]
        assert sorted(known(y.get_trait("mind"))) == ["forge", "mayor", "tavern"]
        assert isinstance(y.get_trait("mind").origin_state, UnionState)
