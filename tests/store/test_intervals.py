"""Intervals of ratios and rates: against what is known in closed form, by simulation, and by laws."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.store.intervals import (
    Middle,
    discoveries,
    middle_of,
    rate_change,
    ratio_of_medians,
)

LEVEL = 0.95
times = st.lists(st.integers(0, 10**12), min_size=1, max_size=60)


def ratio(before, after, level=LEVEL):
    return ratio_of_medians(middle_of(before), middle_of(after), level)


# -- the bootstrap


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_all_resamples_of_a_small_sample_give_the_same_interval(size):
    """The bootstrap with infinitely many resamples is the one with all of them, which can be counted."""
    sample = [10.0 * (n + 1) + n * n for n in range(size)]
    medians = []
    for resample in product(range(size), repeat=size):
        ordered = sorted(resample)
        medians += [sample[ordered[(size - 1) // 2]], sample[ordered[size // 2]]]
    medians.sort()

    found = ratio_of_medians(middle_of([1.0]), middle_of(sample), 0.9)

    for end, share in ((found.low, 0.05), (found.high, 0.95)):
        assert end == pytest.approx(medians[math.ceil(share * len(medians) - 1e-9) - 1])


def test_resamples_that_were_drawn_give_the_same_interval():
    """A bootstrap by dice, as others do it, comes to the same within its own noise."""
    dice = np.random.default_rng(7)
    before, after = dice.lognormal(2, 0.5, 201), dice.lognormal(2.3, 0.5, 151)
    drawn = [np.median(dice.choice(sample, (20_000, len(sample))), axis=1) for sample in (before, after)]
    low, high = np.quantile(drawn[1] / drawn[0], [0.025, 0.975])

    found = ratio(before, after)

    assert (found.low, found.high) == (pytest.approx(low, rel=0.01), pytest.approx(high, rel=0.01))


SHAPES = {
    "long tail": lambda dice, size: dice.lognormal(1, 1, size),
    "exponential": lambda dice, size: dice.exponential(3, size),
    "even": lambda dice, size: dice.uniform(1, 2, size),
    "two humps": lambda dice, size: np.where(
        dice.random(size) < 0.7, dice.normal(10, 1, size), dice.normal(40, 4, size)
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sizes", [(8, 8), (20, 35), (200, 50)])
def test_interval_holds_the_true_ratio_as_often_as_it_says(shape, sizes):
    """In 600 pairs of samples from one distribution, of which the true ratio is 1; never much less, nor more, often."""
    dice = np.random.default_rng(11)
    holding = 0
    for _ in range(600):
        found = ratio(SHAPES[shape](dice, sizes[0]), SHAPES[shape](dice, sizes[1]), 0.9)
        holding += found.low <= 1 <= found.high

    # The standard deviation of such a count is 1.2 points. Of a median such intervals are a little wide, if anything.
    assert 0.87 <= holding / 600 <= 0.97


@pytest.mark.parametrize("true", [0.5, 2.0, 1.3])
def test_interval_holds_a_ratio_that_is_not_one(true):
    """What is true of no change is true of any."""
    dice = np.random.default_rng(5)
    holding = 0
    for _ in range(400):
        found = ratio(dice.lognormal(0, 0.8, 60), true * dice.lognormal(0, 0.8, 60))
        holding += found.low <= true <= found.high

    assert 0.93 <= holding / 400 <= 0.99


@pytest.mark.slow
def test_chance_is_as_small_as_it_says():
    """Where nothing changed a chance below 5 % is seen in 5 % of the cases at most, and one below 1 % in 1 %."""
    dice = np.random.default_rng(23)
    chances = np.array([ratio(dice.lognormal(0, 1, 40), dice.lognormal(0, 1, 60)).p for _ in range(2_000)])

    assert 0.02 <= (chances < 0.05).mean() <= 0.055
    assert (chances < 0.01).mean() <= 0.013


def test_twofold_is_found_in_fifty_spans():
    """In nearly all of two hundred pairs, also where single spans vary by much more than that."""
    dice = np.random.default_rng(3)
    found = [ratio(dice.lognormal(0, 0.6, 50), 2 * dice.lognormal(0, 0.6, 50)) for _ in range(200)]

    assert sum(each.low > 1 for each in found) >= 196
    assert np.median([each.value for each in found]) == pytest.approx(2, rel=0.05)


@given(times, times, st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_interval_surrounds_the_ratio(before, after, level):
    """Whatever the samples: ends in order, a chance between 0 and 1, a wider interval for a higher level."""
    found = ratio(before, after, level)
    wider = ratio(before, after, 0.9999)

    assert wider.low <= found.low <= found.high <= wider.high
    assert 0 < found.p <= 1
    assert found.value == math.inf or wider.low <= found.value * (1 + 1e-9)


@given(times)
def test_a_sample_against_itself_did_not_change(sample):
    """The ratio is 1, its interval holds 1, and the chance to see as much is 1."""
    found = ratio(sample, sample)

    assert (found.value, found.p) == (1.0, 1.0)
    assert found.low <= 1 <= found.high


@given(
    st.lists(st.integers(1, 10**9), min_size=1, max_size=40), st.lists(st.integers(1, 10**9), min_size=1, max_size=40)
)
def test_to_compare_the_other_way_round_turns_all_over(before, after):
    """A ratio becomes its inverse, with the same chance."""
    one, other = ratio(before, after), ratio(after, before)

    assert other.value == pytest.approx(1 / one.value)
    assert other.p == pytest.approx(one.p)


@given(times, times, st.sampled_from([2, 1000]))
def test_units_do_not_matter(before, after, factor):
    """Microseconds or nanoseconds, all comes out the same."""
    one, other = ratio(before, after), ratio([factor * each for each in before], [factor * each for each in after])

    assert (other.value, other.low, other.high, other.p) == pytest.approx((one.value, one.low, one.high, one.p))


def test_times_of_nothing():
    """As in a trace in whole milliseconds: from nothing to nothing is no change, from nothing to something no ratio."""
    nothing, something = [0] * 20, [5] * 20

    assert (ratio(nothing, nothing).low, ratio(nothing, nothing).high) == (1.0, 1.0)
    assert (ratio(nothing, something).value, ratio(nothing, something).low) == (math.inf, math.inf)
    assert (ratio(something, nothing).value, ratio(something, nothing).high) == (0.0, 0.0)


def test_the_middle_of_a_large_sample_is_enough():
    """The values around the median give what all give, but for the last digits."""
    sample = np.random.default_rng(1).lognormal(0, 1, 40_000)
    middle = middle_of(sample)

    assert len(middle.values) < 1_500
    assert middle.median == np.median(sample)
    whole = Middle(len(sample), 1, np.sort(sample))
    few, all_of_them = ratio_of_medians(middle, middle, LEVEL), ratio_of_medians(whole, whole, LEVEL)
    assert (few.low, few.high) == pytest.approx((all_of_them.low, all_of_them.high))


# -- rates


@pytest.mark.parametrize(
    ("before", "after", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17:873-890, table II, method 10, with the groups exchanged
        ((48, 80), (56, 70), 0.0524, 0.3339),
        ((3, 10), (9, 10), 0.1705, 0.8090),
        ((2, 7), (6, 7), 0.0582, 0.8062),
        ((0, 29), (5, 56), -0.0381, 0.1926),
        ((0, 20), (0, 10), -0.1611, 0.2775),
        ((0, 10), (10, 10), 0.6075, 1.0),
    ],
)
def test_newcombes_own_examples(before, after, low, high):
    """The intervals of the paper that the method is from."""
    found = rate_change(before, after, 0.95)

    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 50), st.integers(1, 50))
def test_chance_and_interval_of_a_rate_agree(hits_before, of_before, hits_after, of_after):
    """A chance below 5 % is one whose 95 % interval does not hold 0."""
    before, after = (min(hits_before, of_before), of_before), (min(hits_after, of_after), of_after)
    found = rate_change(before, after, 0.95)

    assert -1 <= found.low <= found.value <= found.high <= 1
    if abs(found.p - 0.05) > 1e-6:
        assert (found.p < 0.05) == (not found.low <= 0 <= found.high)


# -- many comparisons


def test_benjamini_and_hochbergs_own_example():
    """Fifteen chances, of which four are believed, although nine are below 5 %."""
    chances = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
        0.7590, 1.0,
    ]  # fmt: skip

    assert discoveries(chances, 0.05) == [True] * 4 + [False] * 11


@given(st.lists(st.floats(0, 1), max_size=30), st.floats(0.001, 0.5))
def test_what_is_believed_is_what_is_least_likely_by_chance(chances, share):
    """All at or below some chance, no other; with none to ask, none."""
    believed = discoveries(chances, share)

    assert len(believed) == len(chances)
    kept = [chance for chance, yes in zip(chances, believed, strict=True) if yes]
    assert all(chance <= max(kept) for chance in kept) if kept else True
    assert all(chance > max(kept, default=0) or yes for chance, yes in zip(chances, believed, strict=True) if kept)
    assert all(yes for chance, yes in zip(chances, believed, strict=True) if chance <= share / max(len(chances), 1))
