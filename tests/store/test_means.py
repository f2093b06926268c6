"""Changes of means."""

from __future__ import annotations

import math
import random
from statistics import mean, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.store.means import Moments, mean_change, moments_of_counts

values = st.lists(st.integers(0, 10**12).map(float), min_size=2, max_size=40)


def moments(sample: list[float]) -> Moments:
    found = Moments()
    for value in sample:
        found.add(value)
    return found


@given(values)
def test_moments_are_those_of_the_sample(sample: list[float]) -> None:
    """Count, mean and variance, whichever way they come."""
    one_by_one = moments(sample)
    of_sums = moments_of_counts(len(sample), math.fsum(sample), math.fsum(value * value for value in sample))

    assert one_by_one.mean == pytest.approx(mean(sample))
    assert one_by_one.variance == pytest.approx(variance(sample), rel=1e-6, abs=1e-3)
    assert of_sums.mean == pytest.approx(mean(sample))
    assert of_sums.variance == pytest.approx(variance(sample), rel=1e-3, abs=1e-9 * max(sample) ** 2 + 1e-9)


@pytest.mark.parametrize(
    ("before", "after", "low", "high", "p"),
    [
        # By hand: t = 2.1448 at 14 degrees of freedom, errors of sqrt(6 / 8 + 6 / 8).
        ([1.0, 2, 3, 4, 5, 6, 7, 8], [3.0, 4, 5, 6, 7, 8, 9, 10], -0.6268, 4.6268, 0.1245),
        ([1.0, 1, 1, 1], [1.0, 1, 1, 1], 0, 0, 1.0),
        ([1.0, 1, 1, 1], [2.0, 2, 2, 2], 1, 1, 0.0),
    ],
)
def test_interval_is_welchs(before: list[float], after: list[float], low: float, high: float, p: float) -> None:
    """As tables of Student's t have it."""
    change = mean_change(moments(before), moments(after), 0.95)

    assert (change.low, change.high) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))
    assert change.p == pytest.approx(p, abs=5e-4)


@pytest.mark.parametrize(
    ("freedom", "t"), [(1, 12.7062), (2, 4.3027), (5, 2.5706), (30, 2.0423), (1_000, 1.9623), (10_000, 1.9600)]
)
def test_students_t(freedom: int, t: float) -> None:
    """The known 97.5 % points; one side without spread leaves the other's degrees of freedom."""
    one = Moments(count=freedom + 1, mean=0.0, squares=float(freedom * (freedom + 1)))
    change = mean_change(Moments(count=5, mean=0.0), one, 0.95)

    assert change.high == pytest.approx(t, abs=2e-3 if freedom > 1 else 1e-3)
    assert mean_change(Moments(5, 0.0), Moments(one.count, t, one.squares), 0.95).p == pytest.approx(0.05, abs=1e-3)


@given(values, values)
def test_the_other_way_round_is_the_mirror(before: list[float], after: list[float]) -> None:
    """To the last digit."""
    there, back = (mean_change(moments(x), moments(y), 0.9) for x, y in ((before, after), (after, before)))

    assert (there.value, there.low, there.high, there.p) == (-back.value, -back.high, -back.low, back.p)


def test_as_many_intervals_as_promised_hold_the_truth() -> None:
    """Of skewed values, too, as durations are."""
    dice = random.Random(4)
    held = 0
    for _ in range(400):
        one, other = (moments([dice.lognormvariate(0, 0.8) for _ in range(40)]) for _ in range(2))
        change = mean_change(one, other, 0.9)
        held += change.low <= 0 <= change.high

    assert 340 <= held <= 380
