"""
The design of trait composition, section by section: each scenario, question and decision is a test named after it.

Names of archetypes, subjects and traits are those of the design.
"""

import pytest
from dam_beliefs import BadWorld, CannotCompose, UnionState, World

COMPOSABLE_MIND = {"mind": {"type": "Mind", "composable": True}}
PEOPLE = {
    "Villager": {"bases": ["Actor"], "traits": {"mind": {"tavern": ["location"]}}},
    "Blacksmith": {"bases": ["Actor"], "traits": {"mind": {"workshop": ["location"]}}},
    "workshop": {"bases": ["Location"], "traits": {"location": "village"}},
    "foo": {"bases": ["Bar"], "traits": {"bar": "x"}},
}
BOTH = {"tavern": {"location": "village"}, "workshop": {"location": "village"}}


@pytest.fixture
def workshop(village):
    """Make the world of the design, with two people who have a mind each."""

    def make(traittypes=COMPOSABLE_MIND, archetypes=(), prototypes=()):
        none = dict.fromkeys(["Mental", "Villager", "Blacksmith"])
        kinds = {**none, "Actor": {"names": ["mind"]}, "Bar": {"names": ["bar"]}, **dict(archetypes)}
        return village(
            traittypes={"bar": "str", **traittypes}, archetypes=kinds, prototypes={**PEOPLE, **dict(prototypes)}
        )

    return make


def made(world, *bases, label="VillageBlacksmith", **traits):
    """Make somebody, and lock the state."""
    belief = world.state.add_belief(label=label, bases=bases, traits=traits)
    world.state.lock()
    return belief


def lists_of(world, *values):
    """Make a prototype for each value of `xs`; `...`: it says nothing of it."""
    return [
        world.add_prototype(f"p{number}", bases=["Any"], traits={} if value is ... else {"xs": value})
        for number, value in enumerate(values)
    ]


class TestProblemStatement:
    def test_current_behavior_first_base_only(self, workshop, known):
        """A traittype that is not composable: the Blacksmith's mind is ignored."""
        world = workshop(traittypes={})
        mind = made(world, "Villager", "Blacksmith").get_trait("mind")

        assert known(mind) == {"tavern": {"location": "village"}}

    def test_expectation_p1_1(self, workshop, known):
        """P1.1: the origin state is a union of both minds' states, it knows what both know, and nothing twice."""
        world = workshop()
        belief = made(world, "Villager", "Blacksmith")
        mind = belief.get_trait("mind")
        bases = [world.labels[each].get_trait("mind", world.state) for each in ("Villager", "Blacksmith")]

        assert isinstance(mind.origin_state, UnionState)
        assert mind.origin_state.component_states == tuple(each.state for each in bases)
        assert known(mind) == BOTH
        assert [each.subject.label for each in mind.state.get_beliefs()] == ["tavern", "workshop"]
        assert mind.self_subject is belief.subject

    def test_p1_1_no_duplication(self, workshop, known):
        """What both know is one belief, with what either knows of it."""
        smith = {"bases": ["Actor"], "traits": {"mind": {"workshop": ["location"], "tavern": ["location", "owner"]}}}
        world = workshop(prototypes={"Blacksmith": smith})
        mind = made(world, "Villager", "Blacksmith").get_trait("mind")

        assert [each.subject.label for each in mind.state.get_beliefs()] == ["tavern", "workshop"]
        assert known(mind) == BOTH | {"tavern": {"location": "village", "owner": "Ann"}}

    def test_p1_1_the_components_stay_as_they_are(self, workshop, known):
        """To be a component changes no mind."""
        world = workshop()
        made(world, "Villager", "Blacksmith", mind={"foo": ["bar"]})
        villager = world.labels["Villager"].get_trait("mind", world.state)

        assert (known(villager), len(villager.states)) == ({"tavern": {"location": "village"}}, 1)


class TestQuestion1CompositionStrategy:
    """When does composition happen: each option, and whether it can be had."""

    def test_option_a_first_wins(self, lists):
        """It is what a trait does that is not composable."""
        world = lists(xs={"composable": False})

        assert world.state.add_belief(bases=lists_of(world, [1], [2])).get_trait("xs") == (1,)

    def test_option_b_last_wins(self, lists):
        """It cannot be had: it loses as much, and says less clearly what is lost."""
        with pytest.raises(BadWorld, match=r"^traittypes, xs, composable: cannot be 'last'"):
            lists(xs={"composable": "last"})

    def test_option_c_opt_in_composition(self, workshop, known):
        """An explicit empty template gives no more than none at all: nobody has to think of it."""
        worlds = [workshop(), workshop()]
        without = made(worlds[0], "Villager", "Blacksmith").get_trait("mind")
        with_template = made(worlds[1], "Villager", "Blacksmith", mind={}).get_trait("mind")

        assert known(without) == known(with_template) == BOTH

    def test_option_d_automatic_composition(self, lists):
        """Only where the traittype says so; beside it another list shadows."""
        world = lists()
        bases = [
            world.add_prototype(f"p{each}", bases=["Any"], traits={"xs": [each], "plain": [each]}) for each in (1, 2)
        ]
        belief = world.state.add_belief(bases=bases)

        assert (belief.get_trait("xs"), belief.get_trait("plain")) == ((1, 2), (1,))

    def test_option_e_traittype_defined_strategy(self, workshop, known):
        """Each traittype declares it, and minds compose while places override."""
        archetypes = {
            "Here": {"traits": {"location": "village"}},
            "There": {"traits": {"location": "tavern"}},
        }
        world = workshop(archetypes=archetypes)
        belief = made(world, "Villager", "Blacksmith", "Here", "There")

        assert known(belief.get_trait("mind")) == BOTH
        assert belief.get_trait("location") is world.labels["village"]


class TestQuestion2MindComposition:
    def test_scenario_1_no_mind_trait_provided(self, workshop, known):
        """B: a union of both minds, by itself."""
        mind = made(workshop(), "Villager", "Blacksmith").get_trait("mind")

        assert (type(mind.origin_state), known(mind)) == (UnionState, BOTH)

    def test_scenario_2_empty_mind_template(self, workshop, known):
        """B: the same; an empty template blocks nothing and adds nothing."""
        mind = made(workshop(), "Villager", "Blacksmith", mind={}).get_trait("mind")

        assert (type(mind.origin_state), known(mind)) == (UnionState, BOTH)

    def test_scenario_3_mind_template_with_new_knowledge(self, workshop, known):
        """B: a union, and foo is learned."""
        mind = made(workshop(), "Villager", "Blacksmith", mind={"foo": ["bar"]}).get_trait("mind")

        assert (type(mind.origin_state), known(mind)) == (UnionState, BOTH | {"foo": {"bar": "x"}})

    def test_scenario_3_own_knowledge_adds_to_what_is_inherited(self, workshop, known):
        """More of a subject that a base knows already."""
        mind = made(workshop(), "Villager", "Blacksmith", mind={"tavern": ["owner"]}).get_trait("mind")

        assert known(mind) == BOTH | {"tavern": {"location": "village", "owner": "Ann"}}

    def test_scenario_3_ignoring_the_bases_is_the_traittypes_choice(self, workshop, known):
        """A: with `own = "replace"` an own value stands alone."""
        world = workshop(traittypes={"mind": {"type": "Mind", "composable": True, "own": "replace"}})
        mind = made(world, "Villager", "Blacksmith", mind={"foo": ["bar"]}).get_trait("mind")

        assert known(mind) == {"foo": {"bar": "x"}}


class TestQuestion3GeneralComposition:
    def test_inventory_merges_arrays_of_several_bases(self, village):
        """Lists join item by item."""
        archetypes = {
            "A": {"traits": {"inventory": ["sword", "shield"]}},
            "B": {"traits": {"inventory": ["shield", "potion"]}},
        }

        assert made(village(archetypes=archetypes), "A", "B").get_trait("inventory") == ("sword", "shield", "potion")

    def test_skills_merge_maps_by_an_explicit_class_only(self, village):
        """What two bases say of one key is for a class to decide; a mapping alone is an error where two meet."""
        archetypes = {"A": {"traits": {"skills": {"run": 1}}}, "B": {"traits": {"skills": {"run": 2}}}}
        world = village(traittypes={"skills": {"type": "mapping", "composable": True}}, archetypes=archetypes)
        alone = world.state.add_belief(bases=["A"])
        both = world.state.add_belief(label="both", bases=["A", "B"])

        assert alone.get_trait("skills") == {"run": 1}
        with pytest.raises(
            CannotCompose,
            match=r"^both@100: skills comes from A and B, and mapping has no compose: "
            r"give it one, or declare the traittype without composable$",
        ):
            both.get_trait("skills")

    def test_skills_merged_by_a_class(self, village):
        """The class of the traittype takes the best of each."""

        class Skills:
            def __init__(self, levels):
                self.levels = levels

            @staticmethod
            def create(state, props, subject):
                return Skills(props)

            @staticmethod
            def compose(values):
                names = sorted({name for each in values for name in each.levels})
                return Skills({name: max(each.levels.get(name, 0) for each in values) for name in names})

        archetypes = {
            "A": {"traits": {"skills": {"_call": "create", "run": 1, "sing": 4}}},
            "B": {"traits": {"skills": {"_call": "create", "run": 2}}},
        }
        world = village(
            traittypes={"skills": {"type": "Skills", "composable": True}}, archetypes=archetypes, classes=(Skills,)
        )

        assert made(world, "A", "B").get_trait("skills").levels == {"run": 2, "sing": 4}

    def test_color_cannot_compose_primitives_and_must_override(self, village):
        """Two colors: the nearer or first one; marked composable they are an error, not a guess."""
        archetypes = {"A": {"traits": {"color": "red"}}, "B": {"traits": {"color": "blue"}}}
        marked = village(traittypes={"color": {"type": "str", "composable": True}}, archetypes=archetypes)

        assert made(village(archetypes=archetypes), "A", "B").get_trait("color") == "red"
        with pytest.raises(CannotCompose, match=r"color comes from A and B, and str has no compose"):
            made(marked, "A", "B").get_trait("color")

    def test_option_b_composable_marker(self, village, diary):
        """`compose(values)` of the class gets all values, first one first."""
        archetypes = {label: {"traits": {"diary": {"_call": "found", "by": label}}} for label in "ABC"}
        world = village(
            traittypes={"diary": {"type": "Diary", "composable": True}}, archetypes=archetypes, classes=(diary,)
        )
        [(what, values)] = made(world, "C", "A", "B").get_trait("diary").entries

        assert (what, [each[0][2]["by"] for each in values]) == ("compose", ["C", "A", "B"])


class TestWhereCompositionLives:
    @pytest.mark.parametrize("is_read_first", [True, False])
    def test_creation_time_and_lookup_time_agree(self, lists, is_read_first):
        """C and B: a prototype that was read when it was made gives the same as one that nobody asked."""
        world = lists()
        one, two = lists_of(world, [1, 2], [2, 3])
        middle = world.add_prototype("middle", bases=[one, two], traits={"xs": [4]})
        if is_read_first:
            assert middle.get_trait("xs") == (1, 2, 3, 4)

        assert world.state.add_belief(bases=[middle], traits={"xs": [5]}).get_trait("xs") == (1, 2, 3, 4, 5)

    def test_traittype_infrastructure(self, lists):
        """D: the traittype decides for own values, too."""
        told = {}
        for own in ("compose", "replace"):
            world = lists(xs={"own": own})
            told[own] = world.state.add_belief(bases=lists_of(world, [1]), traits={"xs": [2]}).get_trait("xs")

        assert told == {"compose": (1, 2), "replace": (2,)}


class TestBackwardsCompatibility:
    def test_existing_single_base_beliefs_continue_working(self, lists):
        """One base: its value, the very object."""
        world = lists()
        [base] = lists_of(world, [1, 2])

        assert world.state.add_belief(bases=[base]).get_trait("xs") is base.get_trait("xs")

    def test_mind_with_empty_template_inherits_from_its_base(self, workshop, known):
        """`mind: {}` with one base: what the base knows."""
        mind = made(workshop(), "Villager", mind={}).get_trait("mind")

        assert known(mind) == {"tavern": {"location": "village"}}

    def test_mind_with_empty_template_and_nothing_to_inherit(self, workshop):
        """`mind: {}` alone: an empty mind of one's own."""
        belief = made(workshop(), "Actor", mind={})
        mind = belief.get_trait("mind")

        assert (list(mind.state.get_beliefs()), mind.self_subject) == ([], belief.subject)

    def test_existing_behavior_of_a_single_base_with_new_knowledge(self, workshop, known):
        """C of scenario 3: the base's knowledge, extended; the base's own mind is as it was."""
        world = workshop()
        mind = made(world, "Villager", mind={"foo": ["bar"]}).get_trait("mind")

        assert known(mind) == {"tavern": {"location": "village"}, "foo": {"bar": "x"}}
        assert known(world.labels["Villager"].get_trait("mind", world.state)) == {"tavern": {"location": "village"}}


class TestKeyDecisions:
    def test_1_traittypes_opt_in(self, lists):
        """`composable` is false where it is not said."""
        world = lists()

        assert [world.traittypes[each].composable for each in ("plain", "xs")] == [False, True]

    def test_2_type_classes_implement_compose(self, workshop):
        """`Mind.compose` is such a method, and can be called by anybody."""
        world = workshop()
        minds = [world.labels[each].get_trait("mind", world.state) for each in ("Villager", "Blacksmith")]
        union = type(minds[0]).compose(minds, world.state)

        assert [each.subject.label for each in union.state.get_beliefs()] == ["tavern", "workshop"]

    def test_3_arrays_have_their_own_logic(self, lists):
        """Without any class."""
        world = lists()

        assert world.state.add_belief(bases=lists_of(world, [3, 1], [2, 1])).get_trait("xs") == (3, 1, 2)

    def test_4_composition_at_both_creation_and_lookup_time(self, lists):
        """A belief that is loaded, and so never was made of a template, composes the same."""
        world = lists()
        world.state.add_belief(label="b", bases=lists_of(world, [1], [2]), traits={"xs": [3]})
        again = World.from_data(world.to_data())

        assert again.labels["b"].get_trait("xs", again.state) == (1, 2, 3)

    @pytest.mark.parametrize(
        ("values", "result"),
        [
            ([None, [2]], (2,)),
            ([[1], None], (1,)),
            ([None, None], None),
            ([..., None], None),
            ([..., ...], None),
        ],
    )
    def test_5_explicit_null_blocks_composition_from_that_branch(self, lists, values, result):
        """Of that branch alone: the others still count."""
        world = lists()

        assert world.state.add_belief(bases=lists_of(world, *values)).get_trait("xs") == result

    def test_5_explicit_null_hides_what_is_behind_it(self, lists):
        """The branch is not followed beyond it."""
        world = lists()
        [behind] = lists_of(world, [1])
        null = world.add_prototype("null", bases=[behind], traits={"xs": None})

        assert world.state.add_belief(bases=[null]).get_trait("xs") is None

    @pytest.mark.parametrize(
        ("values", "result"),
        [
            ([[], [2]], (2,)),
            ([[1], []], (1,)),
            ([[], []], ()),
            ([[], None], ()),
            ([[], ...], ()),
        ],
    )
    def test_6_empty_arrays_do_not_block_composition(self, lists, values, result):
        """They add nothing, and alone they are an empty list, which is not nothing."""
        world = lists()

        assert world.state.add_belief(bases=lists_of(world, *values)).get_trait("xs") == result


class TestEdgeCases:
    def test_deduplication_of_subjects_by_identity(self, lists):
        """One subject named as label, as belief and as subject is one item, wherever it first came up."""
        world = lists()
        a, b = (world.add_prototype(each, bases=["Any"]) for each in "ab")
        one = world.add_prototype("one", bases=["Any"], traits={"refs": [b, "a"]})
        two = world.add_prototype("two", bases=["Any"], traits={"refs": [a.subject, "b"]})

        assert world.state.add_belief(bases=[one, two]).get_trait("refs") == (b.subject, a.subject)

    def test_deduplication_tells_true_from_one(self, lists):
        """Plain values by equality, and of one type."""
        world = lists(xs={"type": "any"})

        belief = world.state.add_belief(bases=lists_of(world, [1, True], [True, 1.0, 1]))
        assert [(type(each), each) for each in belief.get_trait("xs")] == [(int, 1), (bool, True), (float, 1.0)]

    def test_deduplication_of_a_shared_ancestor(self, lists):
        """A diamond: what both sides inherit counts once."""
        world = lists()
        [top] = lists_of(world, [1])
        left, right = (
            world.add_prototype(label, bases=[top], traits={"xs": [number]}) for label, number in (("l", 2), ("r", 3))
        )

        assert world.state.add_belief(bases=[left, right]).get_trait("xs") == (1, 2, 3)

    def test_null_blocking_is_inherited(self, lists):
        """An own null gives null, and a child of it has null as well."""
        world = lists()
        [base] = lists_of(world, [1])
        null = world.add_prototype("null", bases=[base], traits={"xs": None})
        child = world.state.add_belief(bases=[null])

        assert (null.get_trait("xs"), child.get_trait("xs")) == (None, None)

    def test_temporal_composition(self, lists):
        """Each version composes what it adds with what it was; earlier ticks read as they were."""
        world = lists()
        versions = [world.state.add_belief(label="b", bases=lists_of(world, [1], [2]), traits={"xs": [3]})]
        for tick in (1, 2):
            state = world.mind.create_state(tick)
            versions.append(versions[-1].with_traits(state, {"xs": [10 * tick]}))
        world.state.lock()

        assert [each.get_trait("xs") for each in versions] == [(1, 2, 3), (1, 2, 3, 10), (1, 2, 3, 10, 20)]

    def test_temporal_composition_of_a_changed_prototype(self, lists):
        """A later version of a prototype is for those who come later."""
        world = lists()
        [base] = lists_of(world, [1])
        early = world.state.add_belief(bases=["p0"])
        state = world.mind.create_state(1)
        base.with_traits(state, {"xs": [2]})
        late = state.add_belief(bases=["p0"])

        assert (early.get_trait("xs"), late.get_trait("xs")) == ((1,), (1, 2))
