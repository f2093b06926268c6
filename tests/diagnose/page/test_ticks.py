"""Axes have round marks, few and within."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.diagnose.page import ticks

positive = st.floats(min_value=1e-6, max_value=1e18)


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (1, 10_000, [1, 10, 100, 1_000, 10_000]),
        (3, 700, [5, 10, 20, 50, 100, 200, 500]),
        (30, 41, [30, 32.5, 35, 37.5, 40]),
    ],
)
def test_log_ticks(low, high, marks):
    """Decades where there are some; else 1, 2 and 5; else the marks of a plain scale."""
    assert ticks.log_ticks(low, high) == pytest.approx(marks)


def test_linear_ticks():
    """Steps are of 1, 2, 2.5 or 5."""
    assert ticks.linear_ticks(0, 47) == pytest.approx([0, 10, 20, 30, 40])


def test_whole_ticks():
    """Counts have no fractions."""
    assert ticks.whole_ticks(2) == [0, 1, 2]


@given(low=positive, ratio=st.floats(min_value=1.0001, max_value=1e12))
def test_marks_are_few_and_within(low, ratio):
    """Whatever the range, there is a readable number of marks inside of it."""
    high = low * ratio
    slack = 1e-8 * (high - low)
    for marks in (ticks.log_ticks(low, high), ticks.linear_ticks(low, high)):
        assert 2 <= len(marks) <= ticks.MOST + 4
        assert all(low - slack <= mark <= high + slack for mark in marks)
