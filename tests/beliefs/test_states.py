"""States and minds: what is valid when, who knows what from whom, and what a lock locks."""

import threading

import pytest
from dam_beliefs import BadTick, ForeignState, Locked, Mind, State, UnionState, World


@pytest.fixture
def world(village):
    """The village at tick 100, locked."""
    made = village()
    made.state.lock()
    return made


def names(state):
    """Tell which versions are valid in a state."""
    return [belief.name for belief in state.get_beliefs()]


class TestTime:
    def test_a_state_knows_all_that_the_one_before_knew(self, world):
        """And what is new in it, in the place of what was."""
        state = world.mind.create_state(200)
        world.labels["tavern"].belief(state).with_traits(state, {"owner": "Zoe"})
        state.add_belief(label="well", bases=["Location"])

        assert names(state) == ["village@100", "tavern@200", "forge@100", "mayor@100", "tools@100", "well@200"]
        assert names(world.mind.states[0]) == ["village@100", "tavern@100", "forge@100", "mayor@100", "tools@100"]

    @pytest.mark.parametrize(
        ("tick", "owner"), [(100, "Ann"), (199, "Ann"), (200, "Zoe"), (300, "Zoe"), (400, None), (10**9, None)]
    )
    def test_history_reads_as_it_was(self, world, tick, owner):
        """A tick between two is that of the earlier one."""
        tavern = world.labels["tavern"]
        state = world.mind.create_state(200)
        tavern.belief(state).with_traits(state, {"owner": "Zoe"})
        world.mind.create_state(300)
        world.mind.create_state(400).remove(tavern)
        world.state.lock()

        assert tavern.get_trait("owner", world.mind.state_at(tick)) == owner

    def test_what_is_forgotten_can_be_known_again(self, world):
        """A subject stays who it is."""
        tavern = world.labels["tavern"]
        world.mind.create_state(200).remove(tavern)
        state = world.mind.create_state(300)
        again = state.put(tavern, bases=["Location"], traits={"owner": "Zoe"})

        assert [tavern.belief(each) for each in world.mind.states] == [
            world.mind.states[0].get_belief(tavern),
            None,
            again,
        ]
        assert again.subject is tavern
        assert world.labels["tavern"] is tavern

    def test_base_and_ground_states(self, world):
        """A state goes on from the one before; one of another mind is about a state of its parent's."""
        mind = Mind.create(world.state, None, world.labels["mayor"])
        later = mind.create_state(200, world.state)

        assert (later.base_state, later.ground_state) == (mind.states[0], world.state)
        assert (mind.states[0].base_state, mind.states[0].ground_state, world.state.ground_state) == (
            None,
            world.state,
            None,
        )

    @pytest.mark.parametrize(("tick", "valid"), [(99, []), (100, [100]), (150, [100]), (200, [200])])
    def test_states_valid_at(self, world, tick, valid):
        """One, or none yet."""
        world.mind.create_state(200)

        assert [each.tick for each in world.mind.states_valid_at(tick)] == valid

    def test_a_mind_without_a_state(self, world):
        """It says how to get one."""
        mind = Mind(world)
        with pytest.raises(ForeignState, match=r"^the mind of the world has no state yet: make one with create_state"):
            _ = mind.state
        assert list(mind.states_valid_at(100)) == []

    def test_to_begin_a_tick_locks_the_one_before(self, village):
        """With all that is made for it."""
        world = village()
        npc = world.state.add_belief(label="npc", bases=["Mental"])
        world.mind.create_state(200)

        assert (world.mind.states[0].is_locked, npc.is_locked, world.state.is_locked) == (True, True, False)

    def test_negative_ticks_and_long_ones(self):
        """Any whole number, as long as it is later."""
        world = World(tick=-5)

        assert [world.mind.create_state(tick).tick for tick in (-4, 0, 10**30)] == [-4, 0, 10**30]
        with pytest.raises(BadTick):
            world.mind.create_state(10**30)

    @pytest.mark.parametrize("tick", ["0", None, 0.0, True])
    def test_a_world_begins_at_a_tick(self, tick):
        """And nothing else."""
        with pytest.raises(
            BadTick, match=r"^a state of the mind of the world: tick .* is no tick; give a whole number$"
        ):
            World(tick=tick)


class TestLocks:
    def test_a_locked_belief_locks_what_it_is_built_on(self, world):
        """Also where a kind stands between them: who inherits would change with it."""
        state = world.mind.create_state(200)
        base = state.add_belief(label="base", bases=["Person"], traits={"rank": 1})
        kind = world.add_archetype("Based", bases=[base])
        mind = Mind.create(state, None, world.labels["mayor"])
        thought = mind.create_state(201, state)
        child = thought.add_belief(label="child", bases=[kind])
        assert child.get_trait("rank") == 1
        thought.lock()

        with pytest.raises(Locked, match=r"^base@200 is locked"):
            base.set_trait("rank", 2)
        assert (child.get_trait("rank"), state.is_locked) == (1, False)

    def test_to_lock_twice_is_to_lock_once(self, world):
        """Nothing is made again."""
        before = world.to_data()
        world.state.lock()

        assert world.to_data() == before

    def test_an_open_belief_can_be_changed(self, world):
        """Values and operations, each in the place of what it was."""
        state = world.mind.create_state(200)
        belief = state.add_belief(label="x", bases=["Person"], traits={"inventory": ["a"], "inventory.append": ["b"]})
        belief.set_trait("inventory", ["c"])
        belief.set_trait("inventory.append", ["d"])

        assert belief.get_trait("inventory") == ("c", "d")

    @pytest.mark.parametrize(
        "act",
        [
            lambda state: state.add_belief(label="more"),
            lambda state: state.remove(state.mind.world.labels["x"]),
            lambda state: state.lock(),
            lambda state: state.mind.create_state(200),
        ],
    )
    def test_a_state_that_is_being_locked_takes_nothing_more(self, village, diary, act):
        """A factory that adds to it, or goes on from it, is told so, and nothing is left."""

        class Adding(diary):
            @staticmethod
            def create(state, props, subject):
                act(state)

        world = village(
            traittypes={"adding": "Adding"},
            archetypes={"Adds": {"traits": {"adding": {"_call": "create"}}}},
            classes=(Adding,),
        )
        world.state.add_belief(label="x", bases=["Adds"])
        before = world.to_data()
        with pytest.raises(Locked, match=r"^tick 100 of the mind of the world is locked: (make|not wholly)"):
            world.state.lock()

        assert (world.to_data(), world.state.is_locked) == (before, False)
        world.state.add_belief(label="y")

    def test_two_threads_that_ask_get_one_mind(self, village):
        """Whoever is first makes it."""
        world = village()
        npc = world.state.add_belief(label="npc", bases=["Mental", "Villager"])
        start, found = threading.Barrier(4), []

        def ask():
            start.wait(60)
            found.append(npc.get_trait("mind"))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(60)

        assert [each is found[0] for each in found] == [True] * 4
        assert len(world.minds) == 2


class TestLearning:
    @pytest.fixture
    def mind(self, world):
        """A mind that knows nothing, with an open state."""
        made = Mind.create(world.state, None, world.labels["mayor"])
        made.create_state(150, world.state)
        return made

    def test_what_is_not_learned_is_not_known(self, world, mind, known):
        """Of a subject that is known, too."""
        belief = mind.state.learn_about(world.labels["tavern"].belief(world.state), ["owner"])

        assert known(mind) == {"tavern": {"owner": "Ann"}}
        assert (belief.subject, belief.get_trait("location")) == (world.labels["tavern"], None)

    def test_all_of_it(self, world, mind, known):
        """Without a list of traits."""
        mind.state.learn_about(world.labels["tavern"].belief(world.state))

        assert known(mind) == {"tavern": {"location": "village", "owner": "Ann"}}

    def test_a_subject_alone(self, world, mind, known):
        """That there is such a thing."""
        mind.state.learn_about(world.labels["tavern"].belief(world.state), [])

        assert known(mind) == {"tavern": {}}

    def test_kinds_are_known(self, world, mind):
        """What was learned of is of the same kind; from that kind it inherits nothing."""
        belief = mind.state.learn_about(world.labels["tavern"].belief(world.state), ["owner"])

        assert [each.label for each in belief.kinds] == ["Location"]
        assert belief.is_a(world.archetypes["Location"])

    def test_an_explicit_none_is_learned(self, world, mind, known):
        """That there is nothing is something to know; what nobody says is not."""
        state = world.mind.create_state(200)
        hut = state.add_belief(label="hut", bases=["Location"], traits={"owner": None})
        mind.create_state(201, state).learn_about(hut, ["owner", "location"])

        assert known(mind) == {"hut": {"owner": None}}

    def test_nothing_new_makes_no_version(self, world, mind):
        """The belief that is there is what comes back."""
        tavern = world.labels["tavern"].belief(world.state)
        first = mind.state.learn_about(tavern, ["owner"])
        later = mind.create_state(160, world.state)

        assert later.learn_about(tavern, ["owner"]) is first
        assert later.learn_about(tavern, ["location"]) is not first

    def test_news_take_the_place_of_what_was_known(self, world, mind):
        """From that tick on."""
        tavern = world.labels["tavern"]
        mind.state.learn_about(tavern.belief(world.state))
        state = world.mind.create_state(200)
        tavern.belief(state).with_traits(state, {"owner": "Zoe"})
        mind.create_state(201, state).learn_about(tavern.belief(state), ["owner"])

        assert [
            (tavern.get_trait("owner", each), tavern.get_trait("location", each).name)
            for each in (mind.state_at(150), mind.state_at(201))
        ] == [("Ann", "village"), ("Zoe", "village")]

    def test_lists_are_learned_as_they_are(self, world, mind):
        """Who learns again has what there is now, and not what was there besides."""
        tools = world.labels["tools"]
        mind.state.learn_about(tools.belief(world.state))
        state = world.mind.create_state(200)
        tools.belief(state).with_traits(state, {"inventory.remove": ["hammer"]})
        mind.create_state(201, state).learn_about(tools.belief(state))

        assert [tools.get_trait("inventory", each) for each in (mind.state_at(150), mind.state)] == [
            ("hammer", "tongs"),
            ("tongs",),
        ]

    def test_one_can_learn_from_a_mind(self, world, mind, known):
        """What somebody else knows, not what is the case."""
        mind.state.learn_about(world.labels["tavern"].belief(world.state), ["owner"])
        other = Mind.create(world.state, None, world.labels["tools"])
        state = other.create_state(160, world.state)
        state.learn_about(world.labels["tavern"].belief(mind.state))

        assert known(other) == {"tavern": {"owner": "Ann"}}


class TestUnions:
    @pytest.fixture
    def union(self, world):
        """Two minds that know some of the same, read as one."""
        minds = [Mind.create(world.state, None, world.labels[label]) for label in ("mayor", "tools")]
        for mind, told in zip(
            minds, ({"tavern": ["owner"]}, {"tavern": ["location"], "forge": ["owner"]}), strict=True
        ):
            state = mind.create_state(150, world.state)
            for label, traits in told.items():
                state.learn_about(world.labels[label].belief(world.state), traits)
            state.lock()
        whole = Mind.compose(minds, world.mind.create_state(200), world.labels["village"])
        return whole.origin_state

    def test_it_reads_all_of_them(self, union, known):
        """By subject, each once."""
        assert known(union) == {
            "tavern": {"owner": "Ann", "location": "village"},
            "forge": {"owner": "Tom"},
        }

    def test_it_is_locked_and_of_its_tick(self, union):
        """As are its components."""
        assert (type(union), union.is_locked, union.tick) == (UnionState, True, 200)
        assert [(each.is_locked, each.tick) for each in union.component_states] == [(True, 150), (True, 150)]

    def test_what_one_knows_is_the_very_belief(self, union, world):
        """Only what several know is read as one."""
        forge = world.labels["forge"]

        assert union.get_belief(forge) is union.component_states[1].get_belief(forge)
        assert union.get_belief(world.labels["tavern"]).bases == tuple(
            each.get_belief(world.labels["tavern"]) for each in union.component_states
        )

    def test_nothing_of_what_nobody_knows(self, union, world):
        """Neither by subject nor by label."""
        assert (union.get_belief(world.labels["mayor"]), union.get_belief_by_label("mayor")) == (None, None)
        assert union.get_belief_by_label("nobody") is None

    def test_a_mind_goes_on_from_it(self, union, world, known):
        """A state on top of a union can know more, otherwise, and less."""
        state = union.mind.create_state(300, world.state)
        state.learn_about(world.labels["mayor"].belief(world.state), ["name"])
        state.get_belief_by_label("forge").with_traits(state, {"owner": "Zoe"})
        state.remove(world.labels["tavern"])
        state.lock()

        assert known(state) == {"mayor": {"name": "Bob"}, "forge": {"owner": "Zoe"}}
        assert sorted(known(union.mind.state_at(200))) == ["forge", "tavern"]

    def test_the_first_counts_where_they_differ(self, world):
        """The order is that of the bases."""
        minds = []
        for label, owner in (("mayor", "A"), ("tools", "B")):
            mind = Mind.create(world.state, None, world.labels[label])
            state = mind.create_state(150)
            state.put(world.labels["tavern"], bases=["Location"], traits={"owner": owner})
            minds.append(mind)
        told = [Mind.compose(each, world.mind.create_state(tick)) for tick, each in ((200, minds), (300, minds[::-1]))]

        assert [world.labels["tavern"].get_trait("owner", each.state) for each in told] == ["A", "B"]


class TestNames:
    @pytest.mark.parametrize(
        ("what", "name"),
        [
            (lambda world: world.labels["mayor"], "<Subject mayor>"),
            (lambda world: world.state.add_belief().subject, "<Subject #5>"),
            (lambda world: world.labels["mayor"].belief(world.state), "<Belief mayor@100>"),
            (lambda world: world.state.add_belief(label="x"), "<Belief x@200, not locked>"),
            (lambda world: world.archetypes["Person"], "<Archetype Person>"),
            (lambda world: world.mind, "<Mind 0, mind of the world, 2 states>"),
            (lambda world: world.state, "<State tick 200 of the mind of the world, not locked>"),
            (lambda world: world.mind.states[0], "<State tick 100 of the mind of the world>"),
        ],
    )
    def test_what_is_shown_of_things(self, world, what, name):
        """By label and tick."""
        world.mind.create_state(200)

        assert repr(what(world)) == name

    def test_a_belief_without_a_label(self, world):
        """It can be a base, and a value, as itself."""
        state = world.mind.create_state(200)
        nameless = state.add_belief(bases=["Location"], traits={"owner": "Jo"})
        near = state.add_belief(bases=[nameless], traits={"location": nameless})

        assert (nameless.label, near.get_trait("owner"), near.get_trait("location")) == (None, "Jo", nameless.subject)
        assert isinstance(near.state, State)
