"""
The design of trait operations, section by section: each example, question and criterion is a test named after it.

Names of archetypes, subjects and traits are those of the design.
"""

import json

import pytest
from dam_beliefs import (
    BadCondition,
    BadWorld,
    Mind,
    Operation,
    UnknownFactory,
    UnknownLabel,
    UnknownOperation,
    World,
    WrongValue,
    parse_trait_key,
)

VILLAGER_KNOWS = {"tavern": {"location": "village"}, "mayor": {"name": "Bob"}}
BLACKSMITH_KNOWS = {"forge": {"location": "village"}, "tools": {"inventory": ["hammer", "tongs"]}}


def npc_of(world, *bases, label="npc", traits=None):
    """Make somebody in the newest state of the world, and lock it."""
    npc = world.state.add_belief(label=label, bases=bases, traits=traits)
    world.state.lock()
    return npc


class TestContext:
    """What was wrong: an NPC of several archetypes had the knowledge of one."""

    def test_current_first_base_shadows_the_other(self, village):
        """Whole minds as values shadow, as any value does, where the traittype does not say otherwise."""
        world = village(
            archetypes={
                "Villager": {"traits": {"mind": {"tavern": ["location"]}}},
                "Blacksmith": {"traits": {"mind": {"forge": ["location"]}}},
            }
        )
        npc = npc_of(world, "Villager", "Blacksmith")

        assert [each.label for each in npc.get_trait("mind").state.get_beliefs()] == ["tavern"]

    def test_desired_knowledge_from_both(self, village, known):
        """Knowledge of all archetypes is combined by operations on one mind."""
        npc = npc_of(village(), "Mental", "Villager", "Blacksmith")

        assert known(npc.get_trait("mind")) == VILLAGER_KNOWS | BLACKSMITH_KNOWS


class TestDesignPrinciples:
    def test_delegation_over_merging(self, village, diary):
        """The value's class gets the operations as they are, and what it returns is the value."""
        world = village(
            traittypes={"diary": "Diary"},
            archetypes={
                "Writer": {"traits": {"diary": {"_call": "create"}}},
                "Poet": {"traits": {"diary.append": ["ode"]}},
            },
            classes=(diary,),
        )
        npc = npc_of(world, "Writer", "Poet")

        assert npc.get_trait("diary").entries[-1] == ("state_data", npc.state, [("append", ("ode",), "Poet")])

    def test_two_step_process(self, village, diary):
        """First construction, then modification by operations."""
        world = village(
            traittypes={"diary": "Diary"},
            archetypes={"Writer": {"traits": {"diary": {"_call": "create"}, "diary.append": ["ode"]}}},
            classes=(diary,),
        )

        assert npc_of(world, "Writer").get_trait("diary").to_data() == ["create", "state_data"]

    def test_no_automatic_merging(self, village):
        """Traits still shadow by default."""
        world = village(
            archetypes={"Red": {"traits": {"color": "red"}}, "Blue": {"traits": {"color": "blue"}}},
        )

        assert npc_of(world, "Red", "Blue").get_trait("color") == "red"

    def test_sub_property_syntax(self, village):
        """`trait.operation` in an archetype is an operation, no trait."""
        world = village()
        npc = npc_of(world, "Mental", "Villager")

        assert (dict(npc.get_own_traits()), list(npc.get_traits())) == ({}, ["mind"])

    def test_extensible(self, village):
        """The pattern is not the mind's: lists and mappings know operations as well."""
        world = village(
            traittypes={"skills": "mapping"},
            archetypes={
                "Child": {"traits": {"inventory": ["ball"], "skills": {"run": 1}}},
                "Pupil": {"traits": {"inventory.append": ["book"], "skills.merge": {"read": 2}}},
            },
        )
        npc = npc_of(world, "Pupil", "Child")

        assert (npc.get_trait("inventory"), dict(npc.get_trait("skills"))) == (("ball", "book"), {"run": 1, "read": 2})


class TestResolutionFlow:
    """The five steps of `belief.get_trait('mind', state)`."""

    def test_step_1_collect_sub_properties(self, village, diary):
        """Breadth first through the bases, each with key, value and source."""
        heard = []

        class Hearing(diary):
            @staticmethod
            def create(state, props, subject):
                return Hearing()

            def state_data(self, state, operations):
                heard.extend(operations)
                return self

        world = village(
            traittypes={"hearing": "Hearing"},
            archetypes={
                "Mental": {"traits": {"hearing": {"_call": "create"}}},
                "Villager": {"traits": {"hearing.append": {"tavern": ["location"]}}},
                "Blacksmith": {"traits": {"hearing.append": {"forge": ["location"]}}},
            },
            classes=(Hearing,),
        )
        npc_of(world, "Mental", "Villager", "Blacksmith")

        assert heard == [
            Operation("append", {"tavern": ("location",)}, world.archetypes["Villager"]),
            Operation("append", {"forge": ("location",)}, world.archetypes["Blacksmith"]),
        ]
        assert heard[0].as_mapping == {"key": "append", "value": {"tavern": ("location",)}, "source": "Villager"}

    def test_step_2_find_base_value(self, village):
        """The base value is the marker that stands in the prototype, which stays as it was written."""
        world = village()
        npc_of(world, "Mental", "Villager", "Blacksmith")

        assert dict(world.archetypes["Mental"].own("mind")) == {"_call": "create"}

    def test_step_3_construction(self, village):
        """The type of the traittype makes the value."""
        mind = npc_of(village(), "Mental").get_trait("mind")

        assert isinstance(mind, Mind)

    def test_step_4_modification(self, village, known):
        """Operations are applied where there are some, and only there."""
        world = village()
        plain = world.state.add_belief(label="plain", bases=["Mental"])
        taught = world.state.add_belief(label="taught", bases=["Mental", "Villager"])
        world.state.lock()

        assert len(plain.get_trait("mind").states) == 1
        assert known(taught.get_trait("mind")) == VILLAGER_KNOWS

    def test_step_5_cache_and_return(self, village):
        """What was made once is handed out again."""
        npc = npc_of(village(), "Mental", "Villager")

        assert npc.get_trait("mind") is npc.get_trait("mind")


class TestConstructorMarker:
    def test_call_create(self, village):
        """`{_call: create}` makes a mind in the belief's context: parent, ground state, self, one locked state."""
        world = village()
        npc = npc_of(world, "Mental")
        mind = npc.get_trait("mind")

        assert (mind.parent, mind.self_subject) == (world.mind, npc.subject)
        assert [(each.tick, each.ground_state, each.is_locked) for each in mind.states] == [(100, npc.state, True)]
        assert list(mind.state.get_beliefs()) == []

    def test_properties_in_constructor_marker(self, village):
        """`default_tick` is the tick of the mind's first state."""
        world = village(archetypes={"Mental": {"traits": {"mind": {"_call": "create", "default_tick": 1}}}})
        mind = npc_of(world, "Mental").get_trait("mind")

        assert [each.tick for each in mind.states] == [1]

    def test_properties_are_passed_to_the_factory(self, village, diary):
        """All of the marker but `_call`."""
        world = village(
            traittypes={"diary": "Diary"},
            archetypes={"Writer": {"traits": {"diary": {"_call": "create", "pages": 12, "ruled": True}}}},
            classes=(diary,),
        )
        npc = npc_of(world, "Writer")

        assert npc.get_trait("diary").entries == (("create", npc.state, {"pages": 12, "ruled": True}, npc.subject),)

    def test_why_call_create_instead_of_class_reference(self, village):
        """A template is JSON, there and back."""
        world = village()
        npc_of(world, "Mental", "Villager")

        assert World.from_data(json.loads(json.dumps(world.to_data()))) == world


class TestFactoryAndModificationMethod:
    def test_factory_method(self, village):
        """`Mind.create(state, props, subject)` can be called by anybody: an empty mind with one locked state."""
        world = village()
        subject = world.labels["mayor"]
        mind = Mind.create(world.state, {"default_tick": 7}, subject)

        assert (mind.parent, mind.self_subject, [each.tick for each in mind.states]) == (world.mind, subject, [7])
        assert mind.state.is_locked

    def test_modification_method_makes_a_new_state(self, village, known):
        """Operations go into a state of their own, on top of the one that was made."""
        mind = npc_of(village(), "Mental", "Villager").get_trait("mind")

        assert [known(each) for each in mind.states] == [{}, VILLAGER_KNOWS]

    def test_modification_method_preserves_self_reference(self, village):
        """The new state is a state of the same self."""
        npc = npc_of(village(), "Mental", "Villager")

        assert {each.self_subject for each in npc.get_trait("mind").states} == {npc.subject}

    def test_knowledge_is_there_when_the_belief_is(self, village, known):
        """The design's state at `latest + 1` lay in the future of the belief that it belongs to."""
        npc = npc_of(village(), "Mental", "Villager")

        assert known(npc.get_trait("mind").state_at(npc.state.tick)) == VILLAGER_KNOWS


class TestUsageExamples:
    def test_basic_composition(self, village, known):
        """A blacksmith knows tavern, mayor, forge and tools."""
        world = village()
        blacksmith = world.state.add_belief(
            {"label": "blacksmith_npc", "bases": ["Mental", "Villager", "Blacksmith"], "traits": {}}
        )
        world.state.lock()

        assert known(blacksmith.get_trait("mind")) == VILLAGER_KNOWS | BLACKSMITH_KNOWS

    def test_versioning_with_operations(self, village, known):
        """At a later tick the blacksmith learns about a new tool; what was known then is what was known then."""
        world = village()
        belief = npc_of(world, "Mental", "Villager", "Blacksmith", label="blacksmith_npc")
        state_200 = world.mind.create_state(200)
        state_200.add_belief(label="new_hammer", bases=["Thing"], traits={"location": "forge", "quality": "good"})
        v2 = belief.with_traits(state_200, {"mind.append": {"new_hammer": ["location", "quality"]}})
        state_200.lock()
        mind = v2.get_trait("mind")
        before = VILLAGER_KNOWS | BLACKSMITH_KNOWS

        assert mind is belief.get_trait("mind")
        assert known(mind) == before | {"new_hammer": {"location": "forge", "quality": "good"}}
        assert [known(mind.state_at(tick)) == before for tick in (100, 199, 200)] == [True, True, False]
        assert mind.state.tick == 200  # the state's own: the design's 201 was not there yet

    def test_custom_override(self, village, known):
        """An own value drops the operations that are inherited, and not its own."""
        world = village(prototypes={"secret_location": {"bases": ["Location"], "traits": {"coordinates": "7, 9"}}})
        unique = npc_of(
            world,
            "Mental",
            "Villager",
            label="unique_npc",
            traits={"mind": {"_call": "create"}, "mind.append": {"secret_location": ["coordinates"]}},
        )

        assert known(unique.get_trait("mind")) == {"secret_location": {"coordinates": "7, 9"}}


class TestSubPropertySyntax:
    @pytest.mark.parametrize(
        ("key", "parsed"),
        [
            ("mind", ("mind", None)),
            ("mind.append", ("mind", "append")),
            ("mind.foo.bar", ("mind", "foo.bar")),
        ],
    )
    def test_parse_trait_key(self, key, parsed):
        """The examples of the parser."""
        assert parse_trait_key(key) == parsed

    def test_traittype_needs_no_special_config(self, village, diary):
        """All after the first dot is the operation, and it is the value's class that knows it."""
        world = village(
            traittypes={"diary": "Diary"},
            archetypes={"Writer": {"traits": {"diary": {"_call": "create"}, "diary.foo.bar": 1}}},
            classes=(diary,),
        )
        npc = npc_of(world, "Writer")

        assert npc.get_trait("diary").entries[-1] == ("state_data", npc.state, [("foo.bar", 1, "Writer")])


class TestModifiedGetTrait:
    def test_current_behavior_own_traits_first(self, village):
        """Own traits come before those of bases."""
        world = village(archetypes={"Red": {"traits": {"color": "red"}}})

        assert npc_of(world, "Red", traits={"color": "green"}).get_trait("color") == "green"

    def test_current_behavior_first_match_of_the_bases(self, village):
        """Without an own value the first base counts that has one."""
        world = village(archetypes={"Blue": {"traits": {"color": "blue"}}})

        assert npc_of(world, "Person", "Blue").get_trait("color") == "blue"

    def test_new_behavior_own_operations_count(self, village):
        """Operations of the belief itself are applied to the value that it inherits."""
        world = village(archetypes={"Child": {"traits": {"inventory": ["ball"]}}})
        npc = npc_of(world, "Child", traits={"inventory.append": ["book"]})

        assert npc.get_trait("inventory") == ("ball", "book")

    def test_new_behavior_no_value_is_null(self, village):
        """Operations alone make no value."""
        npc = npc_of(village(), "Villager", "Blacksmith")

        assert npc.get_trait("mind") is None

    def test_the_whole_level_of_the_base_value_counts(self, village, known):
        """The pseudocode stopped at the base value: then `Mental` first would drop what `Villager` says beside it."""
        worlds = [village(), village()]
        first = npc_of(worlds[0], "Mental", "Villager").get_trait("mind")
        last = npc_of(worlds[1], "Villager", "Mental").get_trait("mind")

        assert known(first) == known(last) == VILLAGER_KNOWS


class TestOpenQuestions:
    @pytest.mark.parametrize(
        ("operation", "value", "result"),
        [
            ("append", ["saw"], ("hammer", "tongs", "saw")),
            ("remove", ["tongs"], ("hammer",)),
            ("replace", ["saw"], ("saw",)),
        ],
    )
    def test_1_operation_semantics_of_lists(self, village, operation, value, result):
        """Lists know append, remove and replace."""
        world = village(archetypes={"Smith": {"traits": {"inventory": ["hammer", "tongs"]}}})

        assert npc_of(world, "Smith", traits={f"inventory.{operation}": value}).get_trait("inventory") == result

    @pytest.mark.parametrize(
        ("operation", "value", "result"),
        [
            ("merge", {"craft": {"weld": 3}}, {"craft": {"forge": 2, "weld": 3}, "sing": 1}),
            ("replace", {"craft": {"weld": 3}}, {"craft": {"weld": 3}, "sing": 1}),
            ("remove", ["craft"], {"sing": 1}),
        ],
    )
    def test_1_operation_semantics_of_mappings(self, village, operation, value, result):
        """Mappings know merge, deep inside, replace, key by key, and remove."""
        world = village(
            traittypes={"skills": "mapping"},
            archetypes={"Smith": {"traits": {"skills": {"craft": {"forge": 2}, "sing": 1}}}},
        )

        assert npc_of(world, "Smith", traits={f"skills.{operation}": value}).get_trait("skills") == result

    @pytest.mark.parametrize(
        ("operation", "value", "result"),
        [
            ("append", {"tavern": ["owner"]}, {"tavern": {"location": "village", "owner": "Ann"}}),
            ("replace", {"tavern": ["owner"]}, {"tavern": {"owner": "Ann"}}),
            ("remove", {"tavern": ["location"]}, {"tavern": {}}),
            ("remove", ["tavern"], {}),
        ],
    )
    def test_1_operation_semantics_of_minds(self, village, known, operation, value, result):
        """Minds know append, which learns, remove, which forgets, and replace, which learns anew."""
        world = village(archetypes={"Guest": {"traits": {"mind": {"tavern": ["location"]}}}})
        npc = npc_of(world, "Guest", traits={f"mind.{operation}": value})

        assert known(npc.get_trait("mind")) == result

    def test_1_custom_per_class(self, village, diary):
        """A class of the user's own says which it knows; others are refused before anything happens."""
        world = village(traittypes={"diary": "Diary"}, classes=(diary,))

        with pytest.raises(UnknownOperation, match=r"diary\.burn of Writer: .* knows append, foo\.bar, remove"):
            world.add_archetype("Writer", traits={"diary.burn": 1})

    def test_2_operation_order_union_of_trait_lists(self, village, known):
        """Two archetypes on the same subject: answer A, both are learned."""
        world = village(
            archetypes={
                "Villager": {"traits": {"mind.append": {"tavern": ["location"]}}},
                "Blacksmith": {"traits": {"mind.append": {"tavern": ["owner"]}}},
            }
        )
        npc = npc_of(world, "Mental", "Villager", "Blacksmith")

        assert known(npc.get_trait("mind")) == {"tavern": {"location": "village", "owner": "Ann"}}

    def test_2_operation_conflict_the_nearer_wins(self, village, known):
        """One removes what another appends: the nearer one has the last word, whichever it is."""
        world = village(
            archetypes={
                "Hermit": {"bases": ["Villager"], "traits": {"mind": {"_call": "create"}, "mind.remove": ["tavern"]}},
                "Drinker": {"bases": ["Hermit"], "traits": {"mind.append": {"tavern": ["owner"]}}},
                "Mental": {"bases": ["Villager"], "traits": {"mind": {"tavern": ["location"]}}},
                "Forgetful": {"bases": ["Mental"], "traits": {"mind.remove": ["tavern"]}},
            }
        )
        drinker = world.state.add_belief(label="drinker", bases=["Drinker"])
        forgetful = world.state.add_belief(label="forgetful", bases=["Forgetful"])
        world.state.lock()

        assert known(drinker.get_trait("mind")) == {"tavern": {"owner": "Ann"}}
        assert known(forgetful.get_trait("mind")) == {}

    def test_3_self_reference(self, village):
        """Option A: the belief's subject is passed to the factory."""
        npc = npc_of(village(), "Mental")

        assert npc.get_trait("mind").self_subject is npc.subject

    def test_3_self_reference_everybody_has_a_mind_of_their_own(self, village):
        """One archetype, two people, two minds."""
        world = village()
        people = [world.state.add_belief(label=each, bases=["Mental", "Villager"]) for each in ("ann", "tom")]
        world.state.lock()
        minds = [each.get_trait("mind") for each in people]

        assert [each.self_subject.label for each in minds] == ["ann", "tom"]
        assert minds[0] is not minds[1]

    def test_4_caching_strategy_each_version_has_its_own(self, village):
        """A later version does not change what the earlier one says."""
        world = village()
        first = npc_of(world, "Person", traits={"inventory": ["ball"]})
        assert first.get_trait("inventory") == ("ball",)
        state = world.mind.create_state(200)
        second = first.with_traits(state, {"inventory.append": ["book"]})
        state.lock()

        assert [each.get_trait("inventory") for each in (first, second, first)] == [
            ("ball",),
            ("ball", "book"),
            ("ball",),
        ]

    @pytest.mark.parametrize(
        ("members", "why"),
        [
            ({"OPERATIONS": ("append",)}, r"class Broken: has OPERATIONS, and no method state_data"),
            ({"FACTORIES": ("found",)}, r"class Broken: has 'found' in FACTORIES, and no such method"),
        ],
    )
    def test_5_type_safety_when_the_class_is_given(self, members, why):
        """Runtime validation: what a class announces it has, or the world does not take it."""
        with pytest.raises(BadWorld, match=why):
            World(classes=[type("Broken", (), members)])

    @pytest.mark.parametrize("answer", [None, 5])
    def test_5_type_safety_when_a_value_is_made(self, village, diary, answer):
        """A factory or a change that gives no value of the class is told of, with belief and trait."""

        class Broken(diary):
            @staticmethod
            def create(state, props, subject):
                return Broken() if props else answer

            def state_data(self, state, operations):
                return answer

        world = village(
            traittypes={"broken": "Broken"},
            archetypes={
                "Made": {"traits": {"broken": {"_call": "create"}}},
                "Changed": {"traits": {"broken": {"_call": "create", "fine": True}, "broken.append": 1}},
            },
            classes=(Broken,),
        )
        for kind in ("Made", "Changed"):
            belief = world.state.add_belief(label=f"a{kind}", bases=[kind])
            with pytest.raises(WrongValue, match=rf"^a{kind}@100: broken .*{answer}"):
                belief.get_trait("broken")


class TestSuccessCriteria:
    def test_1_composability(self, village, known):
        """NPCs inherit knowledge from several archetypes, whatever their order."""
        worlds = [village(), village()]
        one = npc_of(worlds[0], "Mental", "Villager", "Blacksmith").get_trait("mind")
        other = npc_of(worlds[1], "Blacksmith", "Villager", "Mental").get_trait("mind")

        assert known(one) == known(other) == VILLAGER_KNOWS | BLACKSMITH_KNOWS

    def test_2_no_automatic_merging(self, village):
        """Default shadow semantics: a list that is not composable is the first one's."""
        world = village(
            traittypes={"inventory": {"type": "str", "container": "list"}},
            archetypes={"A": {"traits": {"inventory": ["a"]}}, "B": {"traits": {"inventory": ["b"]}}},
        )

        assert npc_of(world, "A", "B").get_trait("inventory") == ("a",)

    def test_3_class_delegation(self, village, diary):
        """How values join is the class's business."""
        world = village(
            traittypes={"diary": {"type": "Diary", "composable": True}},
            archetypes={label: {"traits": {"diary": {"_call": "found", "by": label}}} for label in "AB"},
            classes=(diary,),
        )
        npc = npc_of(world, "A", "B")

        assert npc.get_trait("diary").entries == (
            ("compose", [(("found", npc.state, {"by": label}, npc.subject),) for label in "AB"]),
        )

    def test_4_extensible(self, village, diary):
        """Any class with these methods is a type of values."""
        world = village(
            traittypes={"diary": "Diary"},
            archetypes={"Writer": {"traits": {"diary": {"_call": "create"}, "diary.remove": "x"}}},
            classes=(diary,),
        )

        assert npc_of(world, "Writer").get_trait("diary").to_data() == ["create", "state_data"]

    def test_5_clean_syntax(self, village):
        """What is no trait and no operation is told of by its key."""
        with pytest.raises(BadWorld, match=r"Odd: 'mind\.' is written neither like a trait nor like trait\.operation"):
            village().add_archetype("Odd", traits={"mind.": {}})

    def test_6_performance_a_value_is_made_once(self, village, diary):
        """However often it is asked for, and by however many who inherit it."""
        made = []

        class Counted(diary):
            @staticmethod
            def create(state, props, subject):
                made.append(subject.label)
                return Counted()

        world = village(
            traittypes={"counted": "Counted"},
            archetypes={"Has": {"traits": {"counted": {"_call": "create"}}}},
            prototypes={"one": {"bases": ["Has"]}},
            classes=(Counted,),
        )
        children = [world.state.add_belief(label=f"child{each}", bases=["one"]) for each in range(3)]
        world.state.lock()
        for belief in [*children, *children, world.labels["one"].belief(world.state)]:
            belief.get_trait("counted")

        assert sorted(made) == ["child0", "child1", "child2", "one"]

    def test_7_tests_pass_all_at_once(self, village, known):
        """Construction, operations of three sources, a condition and a later version in one NPC."""
        world = village(
            archetypes={
                "Veteran": {"traits": {"mind.append": {"value": {"mayor": ["rank"]}, "if": "rank >= 5"}}},
            }
        )
        npc = npc_of(world, "Person", "Mental", "Villager", "Veteran", traits={"rank": 6})
        state = world.mind.create_state(200)
        later = npc.with_traits(state, {"mind.remove": ["tavern"]})
        state.lock()
        mind = later.get_trait("mind")

        assert known(mind.state_at(100)) == VILLAGER_KNOWS | {"mayor": {"name": "Bob", "rank": 9}}
        assert known(mind.state_at(200)) == {"mayor": {"name": "Bob", "rank": 9}}


class TestNotes:
    def test_relationship_to_shared_beliefs(self, village, known):
        """A shared belief says what somebody is, an operation what somebody knows; an archetype uses both."""
        world = village(
            archetypes={
                "Actor": {"names": ["age_range"]},
                "Villager": {
                    "bases": ["PersonPrototype"],
                    "traits": {"mind.append": {"village": ["location", "population"]}},
                },
            },
            prototypes={"PersonPrototype": {"bases": ["Actor"], "traits": {"age_range": "20-80"}}},
        )
        npc = npc_of(world, "Mental", "Villager")

        assert npc.get_trait("age_range") == "20-80"
        assert known(npc.get_trait("mind")) == {"village": {"population": 40}}

    def test_works_for_construction_and_modification(self, village, known):
        """The same operation teaches a mind that is made and one that is there."""
        world = village()
        npc = npc_of(world, "Mental", traits={"mind.append": {"tavern": ["owner"]}})
        state = world.mind.create_state(101)
        later = npc.with_traits(state, {"mind.append": {"forge": ["owner"]}})
        state.lock()

        assert known(later.get_trait("mind")) == {"tavern": {"owner": "Ann"}, "forge": {"owner": "Tom"}}


class TestFutureEnhancements:
    @pytest.mark.parametrize(
        ("rank", "knows"),
        [
            (4, {"armory": {"location": "village"}}),
            (5, {"armory": {"location": "village"}, "weapon_rack": {"inventory": ["axe"]}}),
            (None, {"armory": {"location": "village"}}),
        ],
    )
    def test_conditional_operations(self, village, known, rank, knows):
        """A part of an operation counts where its condition holds for the belief."""
        world = village(
            archetypes={
                "Warrior": {
                    "traits": {
                        "mind.append": {
                            "armory": ["location"],
                            "weapon_rack": {"traits": ["inventory"], "if": "rank >= 5"},
                        }
                    }
                }
            },
            prototypes={
                "armory": {"bases": ["Location"], "traits": {"location": "village"}},
                "weapon_rack": {"bases": ["Thing"], "traits": {"inventory": ["axe"]}},
            },
        )
        npc = npc_of(world, "Person", "Mental", "Warrior", traits={"rank": rank})

        assert known(npc.get_trait("mind")) == knows

    def test_parameterized_templates(self, village):
        """What a marker says beside `_call` is the mind's to keep."""
        props = {"memory_capacity": 100, "learning_rate": 0.8}
        world = village(archetypes={"Mental": {"traits": {"mind": {"_call": "create", **props}}}})
        mind = npc_of(world, "Mental").get_trait("mind")
        again = World.from_data(world.to_data()).labels["npc"]

        assert dict(mind.props) == props
        assert dict(again.get_trait("mind", again.world.state).props) == props

    @pytest.mark.parametrize(
        ("traits", "error", "says"),
        [
            (
                {"mind.apend": {"tavern": ["owner"]}},
                UnknownOperation,
                r"^npc: mind\.apend of npc: a value of that type knows append, remove, replace; did you mean append\?$",
            ),
            ({"color.append": "red"}, UnknownOperation, r"color\.append of npc: .* knows no operations"),
            (
                {"mind": {"_call": "clone"}},
                UnknownFactory,
                r"^npc: mind: _call is 'clone', and the type declares create",
            ),
            ({"mind.append": {"value": {"tavern": []}, "if": "rank >"}}, BadCondition, r"^condition 'rank >' "),
        ],
    )
    def test_validation_when_it_is_written(self, village, traits, error, says):
        """Operations are looked at before anything is kept."""
        world = village()

        with pytest.raises(error, match=says):
            world.state.add_belief(label="npc", bases=["Person", "Mental"], traits=traits)
        assert "npc" not in world.labels

    def test_validation_when_it_is_applied(self, village):
        """What only shows then is told of with belief, trait, operation and source."""
        world = village(archetypes={"Villager": {"traits": {"mind.append": {"taverm": ["location"]}}}})
        world.state.add_belief(label="npc", bases=["Mental", "Villager"])

        with pytest.raises(
            UnknownLabel,
            match=r"^npc@100, mind\.append of Villager: no belief is called 'taverm'; did you mean tavern\?$",
        ):
            world.state.lock()
