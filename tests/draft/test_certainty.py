"""Intervals hold what they say they hold."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.draft.certainty import Interval, quantile_interval, share_interval


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=60), st.sampled_from([0.5, 0.9, 0.95]))
def test_an_interval_holds_the_quantile_that_was_seen(values, quantile):
    """For any values."""
    found = quantile_interval(values, quantile)

    assert found.low <= found.value <= found.high
    assert found.value in values


def test_few_executions_say_little():
    """An upper end needs as many as make it likely that one of them lies above the quantile."""
    assert quantile_interval([1.0], 0.9) == Interval(value=1.0, low=0.0, high=math.inf)
    assert quantile_interval([1.0] * 50, 0.9).high == math.inf
    assert quantile_interval([1.0] * 51, 0.9).high == 1.0
    assert quantile_interval([2.0, 3.0, 4.0], 0.9).low == 2.0


@pytest.mark.parametrize("size", [5, 60, 300])
def test_the_true_quantile_lies_within_as_often_as_is_stated(size):
    """In 99 of 100 cases; the trials are the same each time."""
    chance = random.Random(4)
    held = 0
    for _ in range(400):
        found = quantile_interval([chance.random() for _ in range(size)], 0.9)
        held += found.low <= 0.9 <= found.high

    assert held >= 392


def test_wilsons_interval_is_the_textbooks():
    """10 of 100 at 95 %."""
    found = share_interval(10, 100, 0.95)

    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.1, 0.0552, 0.1744)
    assert share_interval(0, 3).low == 0
    assert share_interval(3, 3).high == 1
