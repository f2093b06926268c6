"""Who wins where two patterns have one code, what experience does, and what a pattern may be."""

from __future__ import annotations

import pytest
from dam_hrm import HookFailed, UnknownName, hookimpl
from dam_hrm.learning.errors import BadPattern
from dam_hrm.learning.patterns import MAX_EVIDENCE, STRENGTHENED, WEAKENED, joined, joined_evidence
from dam_hrm.learning.values import Pattern
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pattern_code": ""}, "is no code: use up to 80 of a to z"),
        ({"pattern_code": "Caps"}, "'Caps' is no code"),
        ({"pattern_code": "a" * 81}, "is no code"),
        ({"pattern_code": "a\n"}, "is no code"),
        ({"then": ""}, "pattern p says what to do as ''"),
        ({"confidence": 1.1}, "pattern p has a confidence of 1.1"),
        ({"confidence": float("nan")}, "pattern p has a confidence of nan"),
        ({"confidence": True}, "pattern p has a confidence of True"),
        ({"evidence": ["a"]}, "give a tuple of texts"),
        ({"hits": -1}, "pattern p counts -1"),
        ({"when": {"a": None}}, "a is None in a situation"),
    ],
)
def test_a_pattern_that_cannot_be_is_refused(fields, message):
    """Where it is made, so whoever made it learns of it."""
    with pytest.raises(BadPattern, match=message):
        Pattern(**{"pattern_code": "p", "when": {}, "then": "answer", "confidence": 0.5, **fields})


# -- clashes


def test_a_new_code_is_learned(pattern):
    assert joined(None, pattern()) == pattern()


def test_two_that_say_the_same_are_one(pattern):
    """Conditions and source are the known one's; the rest is of both."""
    known = pattern(when={"a": 1}, confidence=0.6, evidence=("x", "y"), hits=3, misses=1, source="observed")
    new = pattern(when={"b": 2}, confidence=0.5, evidence=("y", "z"), hits=1, misses=2, source="me", protected=True)

    assert joined(known, new) == pattern(
        when={"a": 1}, confidence=0.6, evidence=("x", "y", "z"), hits=4, misses=3, source="observed", protected=True
    )


@pytest.mark.parametrize(
    ("known", "new", "kept"),
    [(0.5, 0.6, "new"), (0.6, 0.5, "known"), (0.5, 0.5, "known")],
)
def test_of_two_that_say_different_things_the_surer_one_wins(pattern, known, new, kept):
    """The one that was there, where they are equally sure."""
    assert joined(pattern(then="known", confidence=known), pattern(then="new", confidence=new)).then == kept


def test_a_protected_one_always_wins(pattern):
    known = pattern(then="known", confidence=0.1, protected=True)

    assert joined(known, pattern(then="new", confidence=1.0)) is known


@given(st.lists(st.lists(st.sampled_from("abcdef"))))
def test_evidence_is_kept_once_where_it_came_last(lists):
    """The newest last, so many at most."""
    together = joined_evidence(*lists)
    flat = [handle for each in lists for handle in each]

    assert len(together) == len(set(together)) <= MAX_EVIDENCE
    assert set(together) <= set(flat)
    assert list(together) == sorted(together, key=lambda handle: len(flat) - flat[::-1].index(handle))


def test_only_the_newest_evidence_is_kept():
    assert joined_evidence(map(str, range(30)), ["new"]) == (*map(str, range(11, 30)), "new")
    assert joined_evidence(["x" * 1000]) == ("x" * 200,)


# -- learning


def test_learning_gives_what_is_kept(play, pattern):
    """Learned in this turn."""

    async def work(session):
        session.turns = 4
        first = await session.learning.add(pattern(evidence=("x",), hits=1))
        second = await session.learning.add(pattern(evidence=("y",), hits=1))
        return first, second, session.learning.patterns

    first = pattern(evidence=("x",), hits=1, last_turn=4)
    second = pattern(evidence=("x", "y"), hits=2, last_turn=4)
    assert play(work) == (first, second, (second,))


class Teacher:
    """Answers to what is to be learned by a function."""

    def __init__(self, answer):
        self.answer = answer

    @hookimpl
    async def dam_hrm_learning_pattern_add(self, session, pattern):
        return self.answer(pattern)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda pattern: None, "plugin Teacher answered with NoneType where Pattern was due"),
        (lambda pattern: 1 / 0, "plugin Teacher raised ZeroDivisionError"),
        (
            lambda pattern: Pattern(pattern_code="q", when={}, then="x", confidence=1.0),
            "plugin Teacher answered about pattern q when p was asked about",
        ),
    ],
)
def test_a_plugin_that_fails_teaches_nothing(play, pattern, answer, message):
    """And is named; a pattern that was known stays as it was."""

    async def work(session):
        await session.learning.add(pattern("q"))
        session.plugins.register(Teacher(answer))
        with pytest.raises(HookFailed, match=message):
            await session.learning.add(pattern("p"))
        return session.learning.patterns

    assert play(work) == (pattern("q"),)


def test_no_plugin_changes_what_a_protected_pattern_says(play, pattern):
    """Nor makes it unprotected."""

    async def work(session):
        await session.learning.add(pattern("p", then="known", protected=True))
        session.plugins.register(Teacher(lambda pattern: Pattern(pattern_code="p", when={}, then="x", confidence=1.0)))
        changed = await session.learning.add(pattern("p", then="new"))
        return changed.then, changed.when, changed.protected

    assert play(work) == ("known", {"a": 1}, True)


def test_protection_can_be_given_and_taken(play, pattern):
    async def work(session):
        await session.learning.add(pattern("p"))
        return session.learning.protect("p").protected, session.learning.protect("p", protected=False).protected

    assert play(work) == (True, False)


@pytest.mark.parametrize("operation", ["protect", "trim", "generalize"])
def test_an_unknown_pattern_is_an_error(play, pattern, operation):
    """With the nearest one."""

    async def work(session):
        await session.learning.add(pattern("answer_1"))
        if operation == "protect":
            session.learning.protect("answer_2")
        elif operation == "trim":
            await session.learning.trim("answer_2")
        else:
            await session.learning.generalize(["answer_1", "answer_2"])

    with pytest.raises(UnknownName, match=r"unknown pattern 'answer_2': did you mean answer_1\?"):
        play(work)


# -- experience


@pytest.mark.parametrize(
    ("worked", "confidence", "hits", "misses"),
    [(True, 0.5 + 0.5 * STRENGTHENED, 1, 0), (False, 0.5 * WEAKENED, 0, 1)],
)
def test_experience_changes_confidence(play, pattern, worked, confidence, hits, misses):
    """Of every pattern that fits and says so, and of no other."""

    async def work(session):
        session.turns = 3
        for code, fields in {
            "wide": {"when": {}},
            "narrow": {"when": {"a": 1}},
            "other": {"when": {"a": 2}},
            "says_else": {"when": {"a": 1}, "then": "else"},
        }.items():
            await session.learning.add(pattern(code, **fields))
        best = await session.learning.observe({"a": 1}, "answer", worked=worked, evidence="here")
        return best.pattern_code, {each.pattern_code: each for each in session.learning.patterns}

    best, patterns = play(work)

    assert best == "narrow"
    for code in ("wide", "narrow"):
        each = patterns[code]
        assert (each.confidence, each.hits, each.misses, each.evidence) == (confidence, hits, misses, ("here",))
    assert all((patterns[code].confidence, patterns[code].evidence) == (0.5, ()) for code in ("other", "says_else"))


@given(st.lists(st.booleans(), max_size=60))
def test_confidence_stays_between_0_and_1(play, pattern, outcomes):
    """Whatever happens; and every outcome is counted."""

    async def work(session):
        await session.learning.add(pattern("p"))
        for worked in outcomes:
            await session.learning.observe({"a": 1}, "answer", worked=worked)
        return session.learning.find("p")

    learned = play(work)

    assert 0 <= learned.confidence <= 1
    assert (learned.hits, learned.misses) == (sum(outcomes), len(outcomes) - sum(outcomes))


def test_what_fails_again_and_again_comes_to_be_trimmed(play, pattern):
    """From an ordinary confidence in a few failures."""

    async def work(session):
        await session.learning.add(pattern("p", confidence=0.8))
        failures = 0
        while not (await session.learning.trim("p"))[0].removed:
            await session.learning.observe({"a": 1}, "answer", worked=False)
            failures += 1
        return failures

    assert play(work) == 4
