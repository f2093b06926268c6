"""The hot tier is bounded, and what leaves it is not lost."""

from __future__ import annotations

import pytest
from dam_hrm import hookimpl
from dam_hrm.memory.hot import Hot, HotRecord
from dam_hrm.memory.values import Address, Shifted, Tier


def tiers(memory, run, keys):
    """Say where the records of these keys are."""
    return [run(memory.read("n", key)).tier for key in keys]


def test_the_least_recently_used_goes_to_warm(begin, run):
    """Reading counts as use."""
    memory = begin(hot_entries=3)
    for key in "abc":
        run(memory.write("n", key, key, tier="hot"))
    run(memory.read("n", "a"))
    run(memory.write("n", "d", "d", tier="hot"))

    assert tiers(memory, run, "abcd") == [Tier.HOT, Tier.WARM, Tier.HOT, Tier.HOT]
    assert [run(memory.read("n", key)).value for key in "abcd"] == list("abcd")


def test_as_many_bytes_as_there_may_be(begin, run):
    """A large record makes several small ones leave."""
    memory = begin(hot_bytes=100)
    for key in "abc":
        run(memory.write("n", key, "x" * 20, tier="hot"))
    run(memory.write("n", "d", "x" * 60, tier="hot"))

    assert tiers(memory, run, "abcd") == [Tier.WARM, Tier.WARM, Tier.HOT, Tier.HOT]


@pytest.mark.parametrize("limits", [{"hot_bytes": 30}, {"hot_entries": 0}])
def test_too_large_for_hot(begin, run, limits):
    """It goes to warm instead, the answer says so, and nothing leaves for it."""
    memory = begin(**limits)
    run(memory.write("n", "small", 1, tier="hot"))

    written = run(memory.write("n", "large", "x" * 40, tier="hot"))

    assert (written.tier, written.allowed, written.reason) == (Tier.WARM, True, "too large for hot")
    assert run(memory.read("n", "large")).tier is Tier.WARM
    shifted = run(memory.promote("n", "large"))
    assert (shifted.moved, shifted.reason) == (False, "it is larger than the hot tier may be")


def test_promoting_into_a_full_hot_tier(begin, run):
    """Makes room in the same way."""
    memory = begin(hot_entries=1)
    run(memory.write("n", "a", 1, tier="hot"))
    run(memory.write("n", "b", 2))
    run(memory.promote("n", "b"))

    assert tiers(memory, run, "ab") == [Tier.WARM, Tier.HOT]


class Watching:
    """Sees demotions; `refuse` lets none happen."""

    def __init__(self, refuse=False):
        self.seen = []
        self.refuse = refuse

    @hookimpl
    def dam_hrm_memory_demote(self, shift):
        self.seen.append(shift.summary)
        return Shifted(shift=shift, moved=False, reason="no") if self.refuse else None


def test_what_leaves_is_seen_by_the_hook(begin, run):
    """A record leaves hot by a demotion like any other."""
    watching = Watching()
    memory = begin(watching, hot_entries=1)
    run(memory.write("n", "a", 1, tier="hot"))
    run(memory.write("n", "b", 2, tier="hot"))

    assert watching.seen == ["n.a: hot→warm"]


def test_a_plugin_that_lets_nothing_leave(begin, run):
    """The bound holds all the same, and nothing is lost."""
    memory = begin(Watching(refuse=True), hot_entries=1)
    run(memory.write("n", "a", 1, tier="hot"))
    run(memory.write("n", "b", 2, tier="hot"))

    assert tiers(memory, run, "ab") == [Tier.WARM, Tier.HOT]


def test_an_older_record_comes_too_late():
    """Of two that arrive from two threads, the newer one stays."""
    hot, address = Hot(9, 99), Address(namespace="n", key="key")
    newer = HotRecord(b"2", version=2, kept_below=False, checked=None)

    assert hot.put(address, newer)
    assert hot.put(address, HotRecord(b"1", version=1, kept_below=False, checked=None))
    hot.drop(address, up_to_version=1)

    assert hot.get(address) == newer
