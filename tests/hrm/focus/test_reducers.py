"""Several answers become one, always in the same way."""

from __future__ import annotations

import pytest
from dam_hrm.focus.reducers import REDUCERS, reduce
from dam_hrm.focus.values import Answer, Reducer
from hypothesis import given
from hypothesis import strategies as st


def answers(*said):
    """Make answers of texts, or of texts with a confidence."""
    pairs = [each if isinstance(each, tuple) else (each, 1.0) for each in said]
    return [Answer(agent=f"agent-{n}", text=text, confidence=sure) for n, (text, sure) in enumerate(pairs)]


@pytest.mark.parametrize(
    ("reducer", "said", "expected"),
    [
        ("pass_through", ["one", ("two", 0.1)], "one"),
        ("pass_through", [("one", 0.1), ("two", 0.9)], "one"),
        ("merge", ["one", "two"], "one\n\ntwo"),
        ("merge", ["one", "two", " ONE "], "one\n\ntwo"),
        ("merge", ["one", "", "  "], "one"),
        ("vote", ["yes", "no", "Yes "], "yes"),
        ("vote", [("yes", 0.4), ("no", 0.9), ("yes", 0.4)], "no"),
        # Equal: more agents, then who was first.
        ("vote", [("no", 1.0), ("yes", 0.5), ("yes", 0.5)], "yes"),
        ("vote", [("no", 0.5), ("yes", 0.5)], "no"),
        # Ten tenths are one, in whichever order they are added.
        ("vote", [("no", 1.0), *[("yes", 0.1)] * 10], "yes"),
        ("synthesize", [("Low.", 0.2), ("High.", 0.9)], "High. Low."),
        (
            "synthesize",
            [("It rains. Take a coat.", 0.9), ("Take a coat! Or stay.", 0.5)],
            "It rains. Take a coat. Or stay.",
        ),
        ("synthesize", [("Same.", 0.5), ("Other.", 0.5)], "Same. Other."),
        ("synthesize", ["", "  "], ""),
    ],
)
def test_answers_become_one(reducer, said, expected):
    assert reduce(Reducer(reducer), answers(*said)) == expected


def test_there_is_a_way_for_every_reducer():
    assert set(REDUCERS) == set(Reducer)


SAID = st.lists(st.tuples(st.text(max_size=20), st.floats(0, 1)), max_size=6)


@given(st.sampled_from(Reducer), st.text(), st.floats(0, 1))
def test_a_single_answer_stays_as_it_is(reducer, text, confidence):
    """To the character."""
    assert reduce(reducer, answers((text, confidence))) == text


@given(st.sampled_from(Reducer))
def test_nothing_stays_nothing(reducer):
    assert reduce(reducer, []) == ""


@given(SAID)
def test_a_vote_is_for_a_text_that_was_given(said):
    """And no other text has more."""
    cast = answers(*said)
    won = reduce(Reducer.VOTE, cast)

    def weight(text):
        return sum(each.confidence for each in cast if each.text.casefold().split() == text.casefold().split())

    assert won in [each.text for each in cast] or not cast
    assert all(weight(won) >= weight(each.text) - 1e-9 for each in cast)


@given(SAID)
def test_merging_what_was_merged_changes_nothing(said):
    """Each text once: giving all answers twice is the same."""
    cast = answers(*said)

    if len(cast) > 1:
        assert reduce(Reducer.MERGE, [*cast, *cast]) == reduce(Reducer.MERGE, cast)


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_an_answer_is_sure_from_0_to_1(confidence):
    with pytest.raises(ValueError, match="its confidence is from 0 to 1"):
        Answer(agent="a", text="", confidence=confidence)
