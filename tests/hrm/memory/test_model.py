"""Memory held against a plain model: dictionaries, over all operations, crashes and a second session."""

from __future__ import annotations

import asyncio
import shutil

import pytest
from dam_hrm.memory.values import Tier
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

TIERS = [Tier.HOT, Tier.WARM, Tier.COLD]
KEYS = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


class MemoryMachine(RuleBasedStateMachine):
    """One session that does everything, and a second one with the same folder."""

    def __init__(self, opening):
        super().__init__()
        self.runner = asyncio.Runner()
        self.open = opening.session
        self.folder = opening.folder()
        self.below = {}  # key -> (value, tier), what is on the disk
        self.hot = {}  # key -> (value, whether it is nowhere else)
        self.session = self.open(self.folder)
        self.other = self.open(self.folder)

    def teardown(self):
        self.run(self.session.memory.close())
        self.run(self.other.memory.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def run(self, coroutine):
        return self.runner.run(coroutine)

    def here(self, key):
        return Tier.HOT if key in self.hot else self.below.get(key, (None, None))[1]

    def value(self, key):
        return (self.hot.get(key) or self.below[key])[0]

    @rule(key=KEYS, value=VALUES, tier=st.sampled_from(TIERS))
    def write(self, key, value, tier):
        assert self.run(self.session.memory.write("n", key, value, tier=tier)).tier is tier
        if tier is Tier.HOT:
            self.hot[key] = (value, True)
        else:
            self.hot.pop(key, None)
            self.below[key] = (value, tier)

    @rule(key=KEYS, value=VALUES, tier=st.sampled_from(TIERS[1:]))
    def other_writes(self, key, value, tier):
        self.run(self.other.memory.write("n", key, value, tier=tier))
        self.hot.pop(key, None)
        self.below[key] = (value, tier)

    @rule(key=KEYS)
    def read(self, key):
        found = self.run(self.session.memory.read("n", key))
        assert found.tier is self.here(key)
        if found.tier is not None:
            assert same(found.value, self.value(key))

    @rule(key=KEYS)
    def other_reads(self, key):
        found = self.run(self.other.memory.read("n", key))
        value, tier = self.below.get(key, (None, None))
        assert found.tier is tier
        assert same(found.value, value)

    @rule(key=KEYS, to=st.sampled_from([None, *TIERS]))
    def promote(self, key, to):
        here = self.here(key)
        to = to or TIERS[max(TIERS.index(here or Tier.COLD) - 1, 0)]
        moves = here is not None and TIERS.index(to) < TIERS.index(here)
        assert self.run(self.session.memory.promote("n", key, to)).moved is moves
        if moves and to is Tier.HOT:
            self.hot[key] = (self.value(key), False)
        elif moves:
            self.below[key] = (self.value(key), to)

    @rule(key=KEYS, to=st.sampled_from([None, *TIERS]))
    def demote(self, key, to):
        here = self.here(key)
        to = to or TIERS[min(TIERS.index(here or Tier.HOT) + 1, 2)]
        moves = here is not None and TIERS.index(to) > TIERS.index(here)
        assert self.run(self.session.memory.demote("n", key, to)).moved is moves
        if moves:
            self.below[key] = (self.value(key), to)
            self.hot.pop(key, None)

    @rule(key=KEYS, to=st.sampled_from(TIERS[1:]), operation=st.sampled_from(["promote", "demote"]))
    def other_moves(self, key, to, operation):
        value, here = self.below.get(key, (None, None))
        step = 1 if operation == "demote" else -1
        moves = here is not None and (TIERS.index(to) - TIERS.index(here)) * step > 0
        assert self.run(getattr(self.other.memory, operation)("n", key, to)).moved is moves
        if moves:
            self.below[key] = (value, to)

    @rule()
    def reopen(self):
        self.run(self.session.memory.close())
        self.session = self.open(self.folder)
        self.below.update({key: (value, Tier.WARM) for key, (value, only) in self.hot.items() if only})
        self.hot.clear()

    @precondition(lambda self: self.session.memory.records._opened.tiers is not None)
    @rule()
    def crash(self):
        """As far as one process can: the files are let go of without a word."""
        self.session.memory.records._opened.let_go()
        self.session = self.open(self.folder)
        self.hot.clear()

    @invariant()
    def nothing_is_set_aside(self):
        assert self.session.memory.faults == self.other.memory.faults == ()


class SmallMachine(RuleBasedStateMachine):
    """A session whose hot tier has room for two records: wherever they go, none is lost, over any reopening."""

    def __init__(self, opening):
        super().__init__()
        self.runner = asyncio.Runner()
        self.open = opening.session
        self.folder = opening.folder()
        self.model = {}
        self.memory = self.open(self.folder, hot_entries=2).memory

    def teardown(self):
        self.runner.run(self.memory.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    keys = st.sampled_from(["a", "b", "c", "d", "e"])

    @rule(key=keys, value=st.integers(), tier=st.sampled_from([Tier.HOT, Tier.HOT, *TIERS]))
    def write(self, key, value, tier):
        self.runner.run(self.memory.write("n", key, value, tier=tier))
        self.model[key] = value

    @rule(key=keys, operation=st.sampled_from(["promote", "demote"]), to=st.sampled_from([None, *TIERS]))
    def move(self, key, operation, to):
        self.runner.run(getattr(self.memory, operation)("n", key, to))

    @rule()
    def reopen(self):
        self.runner.run(self.memory.close())
        self.memory = self.open(self.folder, hot_entries=2).memory

    @rule(key=keys)
    def read(self, key):
        assert self.runner.run(self.memory.read("n", key)).value == self.model.get(key)

    @invariant()
    def hot_is_bounded(self):
        assert len(self.memory.records._opened.tiers._hot._records if self.memory.records._opened.tiers else ()) <= 2


def same(one, other):
    """Tell whether two values are equal, and of the same types all through."""
    return one == other and repr(one) == repr(other)


@pytest.mark.parametrize("machine", [MemoryMachine, SmallMachine])
def test_memory_is_a_dictionary(machine, opening):
    """Each operation answers as the model does, in any order."""
    few = settings(max_examples=50, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(lambda: machine(opening), settings=few)
