"""Values that are made: factories, whose they are, at which tick, and how later versions go on from them."""

import pytest
from dam_beliefs import BadWorld, Mind, NotSavable, UnionState, UnknownFactory, UnknownOperation, World, WrongValue


def at_ticks(world, belief, *changes, first=200, step=100):
    """Make later versions of a belief, each at a tick of its own, and lock all."""
    versions = [belief]
    for number, traits in enumerate(changes):
        state = world.mind.create_state(first + step * number)
        versions.append(versions[-1].with_traits(state, traits))
    world.state.lock()
    return versions


class TestMinds:
    def test_the_first_state_is_of_the_beliefs_own_tick(self, village):
        """What is known when the belief is there is known at its tick."""
        world = village()
        npc = world.state.add_belief(label="npc", bases=["Mental", "Villager"])
        world.state.lock()

        assert [(each.tick, each.is_locked) for each in npc.get_trait("mind").states] == [(100, True), (100, True)]

    def test_default_tick_and_operations(self, village, known):
        """The mind was there before, and knew nothing of what is taught now."""
        world = village(archetypes={"Mental": {"traits": {"mind": {"_call": "create", "default_tick": 1}}}})
        npc = world.state.add_belief(label="npc", bases=["Mental", "Villager"])
        world.state.lock()
        mind = npc.get_trait("mind")

        assert [each.tick for each in mind.states] == [1, 100]
        assert [sorted(known(mind.state_at(tick))) for tick in (1, 99, 100)] == [[], [], ["mayor", "tavern"]]

    @pytest.mark.parametrize("tick", [1, 99, 100, None])
    def test_default_tick_is_the_beliefs_or_an_earlier_one(self, village, tick):
        """`None` is not said."""
        world = village(archetypes={"Mental": {"traits": {"mind": {"_call": "create", "default_tick": tick}}}})
        npc = world.state.add_belief(label="npc", bases=["Mental"])

        assert [each.tick for each in npc.get_trait("mind").states] == [100 if tick is None else tick]

    def test_a_look_up_makes_it_before_the_state_is_locked(self, village, known):
        """And to lock the state makes no other."""
        world = village()
        npc = world.state.add_belief(label="npc", bases=["Mental", "Villager"])
        mind = npc.get_trait("mind")
        world.state.lock()

        assert npc.get_trait("mind") is mind
        assert sorted(known(mind)) == ["mayor", "tavern"]

    def test_a_change_before_the_state_is_locked_makes_another(self, village, known):
        """A belief that is open has the mind that its traits say now."""
        world = village()
        npc = world.state.add_belief(label="npc", bases=["Mental", "Villager"])
        npc.get_trait("mind")
        npc.set_trait("mind.append", {"forge": ["owner"]})
        world.state.lock()

        assert sorted(known(npc.get_trait("mind"))) == ["forge", "mayor", "tavern"]

    def test_later_versions_make_states_at_their_ticks(self, village, known):
        """One mind, and at each tick what was known then."""
        world = village()
        npc = world.state.add_belief(label="npc", bases=["Mental", "Person"])
        versions = at_ticks(
            world,
            npc,
            {"mind.append": {"tavern": ["owner"]}},
            {"name": "Jo"},
            {"mind.append": {"forge": ["owner"]}},
            {"mind.remove": ["tavern"]},
        )
        mind = npc.get_trait("mind")

        assert {id(each.get_trait("mind")) for each in versions} == {id(mind)}
        assert [each.tick for each in mind.states] == [100, 200, 400, 500]
        assert {tick: sorted(known(mind.state_at(tick))) for tick in (100, 199, 200, 300, 400, 499, 500, 900)} == {
            100: [],
            199: [],
            200: ["tavern"],
            300: ["tavern"],
            400: ["forge", "tavern"],
            499: ["forge", "tavern"],
            500: ["forge"],
            900: ["forge"],
        }

    def test_what_is_known_is_what_was_so_then(self, village, known):
        """The tavern gets another owner; who learned of the old one knows the old one until taught again."""
        world = village()
        npc = world.state.add_belief(label="npc", bases=["Mental"], traits={"mind.append": {"tavern": ["owner"]}})
        state = world.mind.create_state(200)
        world.labels["tavern"].belief(state).with_traits(state, {"owner": "Zoe"})
        state = world.mind.create_state(300)
        npc.with_traits(state, {"mind.append": {"tavern": ["owner"]}})
        state.lock()
        mind = npc.get_trait("mind")

        assert [known(mind.state_at(tick))["tavern"]["owner"] for tick in (100, 250, 300)] == ["Ann", "Ann", "Zoe"]

    def test_operations_are_not_applied_twice(self, village):
        """What the archetype taught the first version it does not teach the second again."""
        world = village()
        npc = world.state.add_belief(label="npc", bases=["Mental", "Villager", "Person"])
        later = at_ticks(world, npc, {"name": "Jo"})[-1]

        assert [each.tick for each in later.get_trait("mind").states] == [100, 100]

    def test_a_recipe_of_an_archetype_is_made_for_each(self, village, known):
        """However far away it stands: who inherits from somebody has a mind of their own that knows as much."""
        world = village()
        npc = world.state.add_belief(label="npc", bases=["Mental", "Villager"])
        child = world.state.add_belief(label="child", bases=["npc"])
        world.state.lock()
        minds = [each.get_trait("mind") for each in (npc, child)]

        assert [each.self_subject for each in minds] == [npc.subject, child.subject]
        assert known(minds[0]) == known(minds[1])

    def test_a_mind_that_stands_in_a_belief_is_handed_on(self, village):
        """Who inherits from somebody with a mind of their own has that very mind."""
        world = village()
        npc = world.state.add_belief(label="npc", bases=["Mental"], traits={"mind": {"tavern": ["owner"]}})
        child = world.state.add_belief(label="child", bases=["npc"])
        world.state.lock()

        assert child.get_trait("mind") is npc.get_trait("mind")

    def test_to_teach_somebody_elses_mind_makes_one_of_ones_own(self, village, known):
        """It begins with all that the other knew; the other knows no more than before."""
        world = village()
        npc = world.state.add_belief(label="npc", bases=["Mental"], traits={"mind": {"tavern": ["owner"]}})
        child = world.state.add_belief(label="child", bases=["npc"], traits={"mind.append": {"forge": ["owner"]}})
        world.state.lock()
        mind = child.get_trait("mind")

        assert (mind.self_subject, type(mind.origin_state)) == (child.subject, UnionState)
        assert sorted(known(mind)) == ["forge", "tavern"]
        assert sorted(known(npc.get_trait("mind"))) == ["tavern"]

    def test_a_mind_can_be_given_as_it_is(self, village, known):
        """Made by hand, and handed over as a value."""
        world = village()
        mind = Mind.create(world.state, {"default_tick": 50})
        state = mind.create_state(60, world.state)
        state.learn_about(world.labels["tavern"].belief(world.state), ["owner"])
        npc = world.state.add_belief(label="npc", bases=["Mental"], traits={"mind": mind})
        world.state.lock()

        assert npc.get_trait("mind") is mind
        assert known(mind) == {"tavern": {"owner": "Ann"}}

    def test_knowledge_of_oneself(self, village, known):
        """A mind can know its owner, but for its mind."""
        world = village()
        npc = world.state.add_belief(
            label="npc", bases=["Mental", "Person"], traits={"name": "Jo", "mind.append": {"npc": ["name"]}}
        )
        world.state.lock()

        assert known(npc.get_trait("mind")) == {"npc": {"name": "Jo"}}


class TestFactories:
    """Classes of the user's own: `create` and what FACTORIES names."""

    @pytest.fixture
    def writers(self, village, diary):
        """Make the village with diaries."""

        def make(recipe, **keys):
            world = village(
                traittypes={"diary": {"type": "Diary", **keys}},
                archetypes={"Writer": {"traits": {"diary": recipe}}},
                classes=(diary,),
            )
            return world, world.state.add_belief(label="npc", bases=["Writer"])

        return make

    @pytest.mark.parametrize("factory", ["create", "found"])
    def test_the_factory_gets_state_properties_and_subject(self, writers, factory):
        """`self` is the belief's subject."""
        _, npc = writers({"_call": factory, "pages": [1, 2]})

        assert npc.get_trait("diary").entries == ((factory, npc.state, {"pages": (1, 2)}, npc.subject),)

    @pytest.mark.parametrize("factory", ["state_data", "to_data", "__init__", "burn", 5, None, [], {"a": 1}])
    def test_other_names_are_no_factories(self, village, diary, factory):
        """Only what the type declares, whatever methods it has."""
        world = village(traittypes={"diary": "Diary"}, classes=(diary,))
        with pytest.raises(UnknownFactory, match=r"^Writer: diary: _call is .*, and the type declares create, found"):
            world.add_archetype("Writer", traits={"diary": {"_call": factory}})

    def test_a_class_without_factories_makes_nothing(self, village):
        """Its values are given as they are."""
        kind = type("Stone", (), {})
        world = village(traittypes={"stone": "Stone"}, classes=(kind,))
        with pytest.raises(
            UnknownFactory, match=r"^Odd: stone: _call is 'create', and the type makes no values by itse"
        ):
            world.add_archetype("Odd", traits={"stone": {"_call": "create"}})
        value = kind()
        world.add_archetype("Stony", traits={"stone": value})

        assert world.state.add_belief(bases=["Stony"]).get_trait("stone") is value

    @pytest.mark.parametrize("value", [5, "stone", {}, [1]])
    def test_only_instances_are_values(self, village, value):
        """Of a class, and of no other."""
        world = village(traittypes={"stone": "Stone"}, classes=(type("Stone", (), {}),))
        with pytest.raises(WrongValue, match=r"^Odd: stone is .*, which is no Stone$"):
            world.add_archetype("Odd", traits={"stone": value})

    def test_made_once_for_each_belief(self, writers):
        """Of one archetype two beliefs have two values; later versions have the one that was made."""
        world, npc = writers({"_call": "create"})
        other = world.state.add_belief(label="other", bases=["Writer"])
        later = at_ticks(world, npc, {})[-1]

        assert npc.get_trait("diary") is later.get_trait("diary")
        assert other.get_trait("diary") is not npc.get_trait("diary")
        assert other.get_trait("diary").entries[0][3] is other.subject

    def test_later_versions_change_what_was_made(self, writers):
        """Each with its own state and operations; earlier versions keep the value that they had."""
        world, npc = writers({"_call": "create"})
        versions = at_ticks(world, npc, {"diary.append": 1}, {"diary.append": 2})

        assert [
            [(what, state.tick, *([rest[0]] if what == "state_data" else [])) for what, state, *rest in each.entries]
            for each in (version.get_trait("diary") for version in versions)
        ] == [
            [("create", 100)],
            [("create", 100), ("state_data", 200, [("append", 1, "npc@200")])],
            [
                ("create", 100),
                ("state_data", 200, [("append", 1, "npc@200")]),
                ("state_data", 300, [("append", 2, "npc@300")]),
            ],
        ]

    def test_a_class_with_operations_alone(self, village):
        """Without a factory, and without `compose`: what it does not have is not asked of it."""

        class Count:
            OPERATIONS = ("add",)

            def __init__(self, number):
                self.number = number

            def state_data(self, state, operations):
                return Count(self.number + sum(each.value for each in operations))

        world = village(
            traittypes={"count": "Count"},
            archetypes={"Plus": {"names": ["count"], "traits": {"count.add": 10}}},
            classes=(Count,),
        )
        base = world.state.add_belief(bases=["Plus"], traits={"count": Count(1)})
        child = world.state.add_belief(bases=[base, "Plus"], traits={"count.add": 100})

        assert (base.get_trait("count").number, child.get_trait("count").number) == (1, 111)
        with pytest.raises(UnknownOperation, match=r"count\.append of .* knows add; did|count\.append of .* knows add"):
            world.state.add_belief(bases=[base], traits={"count.append": 1})

    @pytest.mark.parametrize(
        ("members", "says"),
        [
            ({"OPERATIONS": ["append"]}, r"^class Odd: has OPERATIONS, and no method state_data\(state, operations\)$"),
            (
                {"OPERATIONS": "append", "state_data": print},
                r"^class Odd: has a text for OPERATIONS: write a list of na",
            ),
            ({"FACTORIES": ["made"]}, r"^class Odd: has 'made' in FACTORIES, and no such method$"),
            ({"FACTORIES": "made", "made": print}, r"^class Odd: has a text for FACTORIES: write a list of names$"),
        ],
    )
    def test_a_class_that_does_not_have_what_it_announces(self, members, says):
        """Told of when the world is made, not when somebody asks."""
        with pytest.raises(BadWorld, match=says):
            World(classes=[type("Odd", (), members)])

    @pytest.mark.parametrize("value", [None, 5, {}])
    @pytest.mark.parametrize("method", ["create", "state_data", "compose"])
    def test_what_comes_out_is_of_the_class(self, village, diary, method, value):
        """With the method that it came out of."""
        kind = type("Odd", (diary,), {})
        replacement = (lambda self, *_: value) if method == "state_data" else staticmethod(lambda *_: value)
        if method != "create":
            kind.create = staticmethod(lambda *_: kind())
        setattr(kind, method, replacement)
        recipe = {"odd": {"_call": "create"}}
        world = village(
            traittypes={"odd": {"type": "Odd", "composable": True}},
            archetypes={"A": {"traits": recipe}, "B": {"traits": recipe}, "C": {"traits": {"odd.append": 1}}},
            classes=(kind,),
        )
        bases = {"create": ["A"], "state_data": ["A", "C"], "compose": ["A", "B"]}[method]
        belief = world.state.add_belief(label="x", bases=bases)
        with pytest.raises(WrongValue, match=rf"^x@100: odd .*{method}.*, which is no Odd$"):
            belief.get_trait("odd")


class TestSaving:
    """`to_data` and `from_data` of a class, where it has them."""

    def test_a_value_is_saved_and_read(self, village, diary):
        """By the class's own methods."""
        world = village(
            traittypes={"diary": "Diary"},
            archetypes={"Writer": {"traits": {"diary": {"_call": "create"}, "diary.append": 1}}},
            classes=(diary,),
        )
        npc = world.state.add_belief(label="npc", bases=["Writer"])
        world.state.lock()
        again = World.from_data(world.to_data(), classes=[diary])
        value = again.labels["npc"].get_trait("diary", again.state)

        assert (type(value), value.to_data()) == (diary, npc.get_trait("diary").to_data())
        assert again == world

    def test_a_value_that_does_not_say_how(self, village):
        """Which class, and what to give it."""
        kind = type("Stone", (), {})
        world = village(traittypes={"stone": "Stone"}, classes=(kind,))
        world.add_archetype("Stony", traits={"stone": kind()})
        with pytest.raises(
            NotSavable, match=r"^a Stone cannot be saved: give the class to_data\(\) and from_data\(data\)$"
        ):
            world.to_data()

    def test_a_world_that_is_read_without_the_class(self, village, diary):
        """The type is not known, and it is said of which trait."""
        world = village(traittypes={"diary": "Diary"}, classes=(diary,))
        with pytest.raises(BadWorld, match=r"^traittypes, diary, type: there is no type 'Diary'"):
            World.from_data(world.to_data())
