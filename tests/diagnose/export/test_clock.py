"""Placing samples in time by the executions they were taken in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.diagnose.export.clock import Residual, place, residual

PERIOD = 10


def ran(**segments):
    """When executions ran."""
    return lambda span: segments.get(span, ())


@pytest.mark.parametrize(
    ("owners", "segments", "expected"),
    [
        ([("a", 1)], {"a": [(100, 110)]}, [105]),
        ([(None, 2), ("a", 1), (None, 1)], {"a": [(100, 110)]}, [85, 95, 105, 115]),
        ([("a", 1), (None, 3), ("b", 1)], {"a": [(100, 110)], "b": [(145, 145)]}, [105, 115, 125, 135, 145]),
        ([("a", 1), (None, 1), ("b", 1)], {"a": [(0, 10)], "b": [(995, 1005)]}, [5, 502, 1000]),
        ([("a", 3)], {"a": [(100, 120)]}, [100, 110, 120]),
        ([("a", 1), ("gone", 2), ("b", 1)], {"a": [(0, 0)], "b": [(30, 30)]}, [0, 10, 20, 30]),
        ([("a", 1), ("a", 1)], {"a": [(100, 105)]}, [100, 105]),
    ],
    ids=["one", "before and after", "between", "a gap", "a long one", "no segments", "equal in a row"],
)
def test_samples_lie_where_anchors_say(owners, segments, expected):
    """In the middle of what an execution leaves, evenly between two, and at the sampler's pace beyond."""
    assert place(owners, ran(**segments), PERIOD).times_ns.tolist() == expected


@pytest.mark.parametrize("owners", [[], [(None, 5)], [("gone", 3)]])
def test_without_any_execution_nothing_is_guessed(owners):
    """A thread that says nothing of time is not placed."""
    assert place(owners, ran(), PERIOD) is None


def test_a_sample_of_a_coroutine_lies_in_one_of_its_steps():
    """Not in the time between two steps, when something else ran."""
    segments = {"a": [(0, 10)], "slow": [(15, 18), (60, 70)], "b": [(40, 42)]}
    placed = place([("a", 1), ("slow", 1), ("b", 1), ("slow", 1)], ran(**segments), PERIOD)
    times = placed.times_ns.tolist()

    assert [0 <= times[0] <= 10, 15 <= times[1] <= 18, 40 <= times[2] <= 42, 60 <= times[3] <= 70] == [True] * 4


def test_contradictions_cost_their_own_samples_only():
    """An execution that ran at another time than its neighbours say is put where it ran."""
    segments = {"a": [(0, 10)], "far": [(9_000, 9_010)], "b": [(20, 30)], "c": [(30, 40)]}
    times = place([("a", 1), ("far", 1), ("b", 1), ("c", 1)], ran(**segments), PERIOD).times_ns.tolist()

    assert 9_000 <= times[1] <= 9_010
    assert 0 <= times[0] <= 10
    assert 20 <= times[2] <= 30


def test_the_residual_is_how_far_outside_the_others_put_an_anchor():
    """Of three anchors the middle one lies 15 later than halfway between the others."""
    placed = place([("a", 1), ("b", 1), ("c", 1)], ran(a=[(0, 0)], b=[(25, 27)], c=[(20, 40)]), PERIOD)

    assert placed.times_ns.tolist() == [0, 26, 32]
    assert placed.residuals_ns.tolist() == [25 - 16.25]


def test_the_residual_of_a_run_sums_up_its_threads():
    """Median, 95th percentile and the largest; nothing where no anchor has neighbours."""
    assert residual([]) is None
    assert residual([np.empty(0)]) is None
    assert residual([np.array([0.0, 10.0]), np.array([20.0])]) == Residual(
        median_ns=10, p95_ns=19, largest_ns=20, anchors=3
    )


@st.composite
def schedules(draw):
    """A thread that runs executions one after the other, and a sampler that looks at it at random times."""
    now = draw(st.integers(0, 10**15))
    segments, looks = {}, []
    for number in range(draw(st.integers(1, 12))):
        now += draw(st.integers(0, 50))
        length = draw(st.integers(0, 60))
        segments[str(number)] = [(now, now + length)]
        looks += [(moment, str(number)) for moment in draw(st.lists(st.integers(now, now + length), max_size=4))]
        now += length + 1
        looks += [(now, None)] * draw(st.integers(0, 2))
    return segments, sorted(looks, key=lambda look: look[0])


@given(schedules())
def test_whatever_ran_order_and_executions_are_kept(schedule):
    """Samples of a real sequence stay in order, and each claimed one lies inside its execution."""
    segments, looks = schedule
    placed = place([(owner, 1) for _, owner in looks], ran(**segments), PERIOD)
    if placed is None:
        assert all(owner is None for _, owner in looks)
        return
    times = placed.times_ns.tolist()

    assert times == sorted(times)
    for time, (_, owner) in zip(times, looks, strict=True):
        assert owner is None or segments[owner][0][0] <= time <= segments[owner][0][1]


@given(
    st.lists(st.tuples(st.sampled_from([None, "a", "b", "c", "d"]), st.integers(1, 5)), max_size=20),
    st.dictionaries(
        st.sampled_from(["a", "b", "c", "d"]),
        st.lists(
            st.tuples(st.integers(0, 2**62), st.integers(0, 2**61)).map(lambda p: (p[0], p[0] + p[1])), min_size=1
        ),
    ),
)
def test_nonsense_is_placed_without_failing(owners, segments):
    """However contradictory a ledger is, there is one time for each sample."""
    placed = place(owners, ran(**segments), PERIOD)

    assert placed is None or placed.times_ns.size == sum(weight for _, weight in owners)
