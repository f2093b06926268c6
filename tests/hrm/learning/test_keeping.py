"""What was learned is kept in memory, and taken up by the next session."""

from __future__ import annotations

import asyncio

import pytest
from dam_hrm import Session, hookimpl, plugin_manager
from dam_hrm.focus.values import GateDecision
from dam_hrm.learning.counting import Count
from dam_hrm.learning.keeping import from_json, to_json
from dam_hrm.learning.values import Loaded, Pattern
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.text(max_size=5) | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
WHENS = st.dictionaries(st.text(max_size=3), VALUES, max_size=3)
PATTERNS = st.builds(
    Pattern,
    pattern_code=st.from_regex(r"[a-z0-9_]{1,8}", fullmatch=True),
    when=WHENS,
    then=st.text(min_size=1, max_size=5),
    confidence=st.floats(0, 1),
    evidence=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    protected=st.booleans(),
    hits=st.integers(0, 99),
    misses=st.integers(0, 99),
    source=st.text(max_size=5),
)
COUNTS = st.builds(
    Count, when=WHENS, then=st.text(min_size=1), evidence=st.lists(st.text(), min_size=1, max_size=2).map(tuple)
)


@given(st.lists(PATTERNS, max_size=3), st.lists(COUNTS, max_size=3))
def test_what_is_written_is_read_back(patterns, counts):
    """All but the turn of the last use, which is another session's."""
    kept = from_json(to_json(patterns, counts))

    assert (kept.patterns, kept.counts, kept.reasons) == (tuple(patterns), tuple(counts), ())


async def in_sessions(folder, *works, plugins=()):
    """Do one thing after the other, each in a session of its own in the same folder."""
    results = []
    for work in works:
        session = Session(folder=folder, plugins=plugin_manager(*plugins, installed=False))
        try:
            results.append(await work(session))
        finally:
            await session.memory.close()
    return results


@pytest.fixture
def in_turn(tmp_path):
    """Run `in_sessions` in a folder."""
    return lambda *works, plugins=(): asyncio.run(in_sessions(tmp_path, *works, plugins=plugins))


def test_the_next_session_knows_what_this_one_learned(in_turn, pattern):
    """As if it had been used just now."""

    async def learn(session):
        session.turns = 40
        await session.learning.add(pattern(evidence=("s:1",), hits=2, protected=True))
        return (await session.learning.save()).allowed

    async def recall(session):
        session.turns = 3
        return await session.learning.load(), session.learning.patterns

    expected = pattern(evidence=("s:1",), hits=2, protected=True, last_turn=3)
    assert in_turn(learn, recall) == [True, (Loaded(patterns=1), (expected,))]


def test_counts_go_on(in_turn):
    """Two successes then, one now."""

    async def twice(session):
        for _ in range(2):
            await session.learning.observe({"a": 1}, "answer", worked=True)
        await session.learning.save()

    async def once(session):
        await session.learning.load()
        return (await session.learning.observe({"a": 1}, "answer", worked=True)).hits

    assert in_turn(twice, once) == [None, 3]


def test_a_count_that_was_begun_since_stays(in_turn):
    """It is the newer one."""

    async def twice(session):
        for _ in range(2):
            await session.learning.observe({"a": 1}, "answer", worked=True)
        await session.learning.save()

    async def once_and_load(session):
        await session.learning.observe({"a": 1}, "answer", worked=True)
        await session.learning.load()
        return [await session.learning.observe({"a": 1}, "answer", worked=True) for _ in range(2)]

    first, second = in_turn(twice, once_and_load)[-1]

    assert (first, second.hits) == (None, 3)


def test_nothing_kept_is_nothing_loaded(in_turn):
    async def load(session):
        return await session.learning.load()

    assert in_turn(load) == [Loaded(patterns=0)]


def test_saving_loses_nothing_that_was_not_loaded(in_turn, pattern):
    """A session that never looked at it keeps it all the same."""

    async def learn(session, code="p"):
        await session.learning.add(pattern(code))
        await session.learning.save()

    async def learn_other(session):
        await learn(session, "q")

    async def recall(session):
        await session.learning.load()
        return [each.pattern_code for each in session.learning.patterns]

    assert in_turn(learn, learn_other, recall)[-1] == ["q", "p"]


def test_what_was_learned_since_stays(in_turn, pattern):
    """Where the code is the same."""

    async def learn(session):
        await session.learning.add(pattern(then="old"))
        await session.learning.save()

    async def learn_anew(session):
        await session.learning.add(pattern(then="new"))
        return await session.learning.load(), session.learning.find("p").then

    assert in_turn(learn, learn_anew)[-1] == (Loaded(patterns=0), "new")


def test_what_was_forgotten_stays_forgotten(in_turn, pattern):
    """Once it was loaded."""

    async def learn(session):
        await session.learning.add(pattern(confidence=0.1))
        await session.learning.save()

    async def forget(session):
        await session.learning.load()
        await session.learning.trim()
        await session.learning.save()

    async def recall(session):
        return (await session.learning.load()).patterns

    assert in_turn(learn, forget, recall)[-1] == 0


GOOD = {
    "pattern_code": "good", "when": {"a": 1}, "then": "answer", "confidence": 1, "evidence": [], "protected": False,
    "hits": 0, "misses": 0, "source": "", "unheard_of": 7,
}  # fmt: skip
BAD = [
    ({**GOOD, "confidence": 7}, "BadPattern: pattern good has a confidence of 7"),
    ({**GOOD, "pattern_code": "No Code"}, "BadPattern: 'No Code' is no code"),
    ({**GOOD, "when": {"a": [1]}}, "BadPattern: a is [1] in a situation"),
    ({**GOOD, "when": 7}, "TypeError"),
    ({**GOOD, "hits": "many"}, "BadPattern: pattern good counts 'many'"),
    ({"pattern_code": "p"}, "KeyError: 'when'"),
    (None, "TypeError"),
    ("p", "TypeError"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD)
def test_a_part_that_cannot_be_read_is_set_aside(in_turn, bad, reason):
    """The rest is read; and it is still there after the next save."""
    record = {"version": 1, "patterns": [bad, GOOD], "counts": [{"when": {}, "then": "x", "evidence": ["e"]}, 3]}

    async def write(session):
        await session.memory.write("learning", "patterns", record)

    async def take_up(session):
        loaded = await session.learning.load()
        await session.learning.save()
        return loaded, [each.pattern_code for each in session.learning.patterns]

    async def look(session):
        return (await session.memory.read("learning", "patterns")).value

    _, (loaded, codes), value = in_turn(write, take_up, look)

    assert (loaded.patterns, codes) == (1, ["good"])
    assert loaded.set_aside[0].startswith(f"1 of the patterns: {reason}")
    assert loaded.set_aside[1].startswith("2 of the counts: TypeError")
    assert (value["patterns"][-1], value["counts"]) == (bad, record["counts"])


@pytest.mark.parametrize("record", [{"version": 2, "patterns": []}, {}, [], "text", 7])
def test_a_record_of_another_version_is_not_written_over(in_turn, pattern, record):
    """Whoever wrote it may still want it; the session goes on without."""

    async def write(session):
        await session.memory.write("learning", "patterns", record)

    async def learn(session):
        await session.learning.add(pattern())
        return await session.learning.load(), await session.learning.save()

    async def look(session):
        return (await session.memory.read("learning", "patterns")).value

    _, (loaded, saved), value = in_turn(write, learn, look)

    assert loaded.patterns == 0
    assert loaded.set_aside == (saved.reason,)
    assert (saved.allowed, saved.reason.endswith("and only 1 is known here"), value) == (False, True, record)


def test_a_shut_gate_keeps_nothing(in_turn, pattern):
    """And the answer says so."""

    class Shut:
        @hookimpl
        def dam_hrm_gate_write_approval(self):
            return GateDecision(allowed=False, reason="not today")

    async def learn(session):
        await session.learning.add(pattern())
        return await session.learning.save()

    async def recall(session):
        return await session.learning.load()

    saved, loaded = in_turn(learn, recall, plugins=[Shut()])

    assert (saved.allowed, saved.reason, loaded) == (False, "not today", Loaded(patterns=0))
