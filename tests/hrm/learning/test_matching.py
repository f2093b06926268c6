"""The best pattern by score, whatever the order of learning."""

from __future__ import annotations

import random

import pytest
from dam_hrm import HookFailed, hookimpl
from dam_hrm.learning.errors import BadPattern
from dam_hrm.learning.matching import match, score
from dam_hrm.learning.values import Match
from hypothesis import given
from hypothesis import strategies as st

SITUATION = {"a": 1, "b": "x", "c": True}


@pytest.mark.parametrize(
    ("patterns", "codes"),
    [
        ([], []),
        ([("p", {"a": 2}, 0.9)], []),
        ([("p", {"a": 1, "z": 1}, 0.9)], []),
        ([("p", {"a": 1}, 0.5), ("q", {"a": 1}, 0.6)], ["q", "p"]),
        # Equally sure: who says more.
        ([("p", {"a": 1}, 0.5), ("q", {"a": 1, "b": "x"}, 0.5), ("r", {}, 0.5)], ["q", "p", "r"]),
        # Much surer beats saying more.
        ([("p", {"a": 1}, 0.9), ("q", SITUATION, 0.3)], ["p", "q"]),
        # Equal in all: the alphabet.
        ([("q", {"a": 1}, 0.5), ("p", {"b": "x"}, 0.5)], ["p", "q"]),
        # Scores of 0.9 * 2/3 and 0.8 * 3/4 are the same: who says more.
        ([("p", {"a": 1}, 0.9), ("q", {"a": 1, "b": "x"}, 0.8)], ["q", "p"]),
    ],
)
def test_the_best_match_is_found(pattern, patterns, codes):
    made = [pattern(code, when=when, confidence=confidence) for code, when, confidence in patterns]
    found = match(made, SITUATION)

    assert [code for code in (found.pattern_code, *found.also) if code is not None] == codes
    assert found == match(reversed(made), SITUATION)


def test_of_equal_scores_the_one_with_more_hits_wins(pattern):
    few, many = pattern("a", hits=1), pattern("b", hits=2)

    assert match([few, many], SITUATION).pattern_code == "b"


def test_a_match_says_what_to_do_and_how_sure_that_is(pattern):
    """The pattern's own confidence, not its score."""
    assert match([pattern("p", then="rest", confidence=0.7)], SITUATION) == Match(
        pattern_code="p", confidence=0.7, then="rest"
    )


@given(st.lists(st.tuples(st.sampled_from(["", "a", "ab", "abc"]), st.floats(0, 1)), max_size=8), st.randoms())
def test_the_order_of_learning_never_matters(pattern, cases, order: random.Random):
    """And nothing that fits has a better score than the best."""
    patterns = [
        pattern(f"p{n}", when={name: SITUATION[name] for name in names}, confidence=confidence)
        for n, (names, confidence) in enumerate(cases)
    ]
    found = match(patterns, SITUATION)
    shuffled = list(patterns)
    order.shuffle(shuffled)

    assert match(shuffled, SITUATION) == found
    assert len(found.also) == max(len(patterns) - 1, 0)
    if patterns:
        scores = {each.pattern_code: score(each) for each in patterns}
        assert scores[found.pattern_code] == max(scores.values())


def test_a_match_counts_as_use(play, pattern):
    """In the turn in which it was made; the others that fit were not used."""

    async def work(session):
        await session.learning.add(pattern("p", confidence=0.9))
        await session.learning.add(pattern("q"))
        session.turns = 7
        found = await session.learning.match({"a": 1})
        return found.pattern_code, [(each.pattern_code, each.last_turn) for each in session.learning.patterns]

    assert play(work) == ("p", [("p", 7), ("q", 0)])


def test_a_plugin_may_have_patterns_of_its_own(play):
    """Which the session knows nothing of."""

    class Model:
        @hookimpl
        async def dam_hrm_learning_pattern_match(self, situation):
            return Match(pattern_code="its-own", confidence=0.9, then="sing")

    async def work(session):
        return (await session.learning.match({"a": 1})).then, session.learning.patterns

    assert play(work, Model()) == ("sing", ())


@pytest.mark.parametrize("answer", ["p", {"pattern_code": "p"}])
def test_a_plugin_that_answers_nonsense_is_named(play, answer):
    class Crooked:
        @hookimpl
        def dam_hrm_learning_pattern_match(self):
            return answer

    async def work(session):
        await session.learning.match({"a": 1})

    with pytest.raises(HookFailed, match="dam_hrm_learning_pattern_match: plugin Crooked answered with"):
        play(work, Crooked())


def test_a_situation_that_there_cannot_be_is_an_error(play):
    """Of the caller, not of a plugin."""

    async def work(session):
        await session.learning.match({"a": None})

    with pytest.raises(BadPattern, match="a is None in a situation"):
        play(work)
