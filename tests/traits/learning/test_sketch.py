"""Durations in little room, and how they fade."""

from __future__ import annotations

import math

import pytest
from dam_traits.learning.sketch import BINS, LONGEST_NS, RELATIVE_ERROR, Decay, DurationSketch, bin_of
from hypothesis import given
from hypothesis import strategies as st

WEEK_S = 7 * 86400.0
durations = st.floats(1, LONGEST_NS)
weights = st.floats(2.0**-20, 2.0**500)
weighted = st.lists(st.tuples(durations, weights), min_size=1, max_size=60)


def sketch_of(values: list[tuple[float, float]]) -> DurationSketch:
    sketch = DurationSketch()
    for duration, weight in values:
        sketch.add(bin_of(duration), weight)
    return sketch


def exact_quantiles(values: list[tuple[float, float]], quantile: float) -> list[float]:
    """The weighted quantile; several where rounding decides which one it is."""
    total = math.fsum(weight for _, weight in values)
    found, passed = [], 0.0
    for duration, weight in sorted(values):
        before, passed = passed, passed + weight
        if before <= quantile * total * (1 + 1e-9) and passed >= quantile * total * (1 - 1e-9):
            found.append(duration)
    return found or [max(values)[0]]


@given(weighted, st.floats(0, 1))
def test_quantile_is_within_the_stated_error(values, quantile):
    """A quantile differs from the exact weighted one by at most the stated part of it."""
    answer = sketch_of(values).quantile(quantile)

    assert any(
        math.isclose(answer, exact, rel_tol=RELATIVE_ERROR * 1.05) for exact in exact_quantiles(values, quantile)
    )


@given(weighted, weighted)
def test_sketches_add_up(some, others):
    """Two sketches merged have the bins of one that saw everything."""
    merged = sketch_of(some)
    merged.merge(sketch_of(others))

    assert dict(merged) == pytest.approx(dict(sketch_of(some + others)), rel=1e-12)


@given(st.lists(st.integers(-5, 2**80), min_size=1, max_size=2000))
def test_bins_are_bounded(any_durations):
    """Whatever comes in, there are no more bins than stated."""
    sketch = sketch_of([(duration, 1.0) for duration in [*any_durations, LONGEST_NS - 1]])

    assert all(0 <= bin_ < BINS for bin_, _ in sketch)


def test_empty_sketch_has_no_quantile():
    """Where nothing came in, nothing is known."""
    assert DurationSketch().quantile(0.5) is None


def test_high_quantile_of_few_is_the_longest():
    """The 0.8 quantile of up to five equal records is the longest of them: rather too much than too little."""
    for count in range(1, 6):
        sketch = sketch_of([(1000.0 * (i + 1), 1.0) for i in range(count)])
        assert sketch.quantile(0.8) == pytest.approx(1000.0 * count, rel=RELATIVE_ERROR)


def test_record_one_half_life_older_weighs_half():
    """The weight halves with each half-life."""
    decay = Decay(WEEK_S)
    at = 1_790_000_000.0
    window = decay.window(at)

    assert decay.weight(at - WEEK_S, window) == pytest.approx(decay.weight(at, window) / 2)


def test_infinite_half_life_forgets_nothing():
    """Without decay all records weigh one, at any time."""
    decay = Decay(math.inf)

    assert [decay.weight(at, decay.window(at)) for at in (0.0, 1.0, 1e9, 1e12)] == [1.0, 1.0, 1.0, 1.0]


@given(st.floats(0.001, 1e9), st.floats(0, 1e11))
def test_weights_cannot_overflow(half_life_s, at):
    """In its own window any record's weight is at most 2 to the 512th, so that 10**150 of them can be added up."""
    decay = Decay(half_life_s)

    assert 0.99 <= decay.weight(at, decay.window(at)) <= 2.0**513


@given(st.floats(1.0, 1e9), st.floats(0, 4e9), st.floats(0, 600))
def test_moving_to_a_later_window_changes_no_sample(half_life_s, at, half_lives_later):
    """As many effective samples are counted, whatever window they are counted in."""
    decay = Decay(half_life_s)
    later = at + half_lives_later * half_life_s
    old, new = decay.window(at), decay.window(later)
    weight = decay.weight(at, old)

    samples = decay.samples(weight * decay.between(old, new), new, later)

    assert samples == pytest.approx(decay.samples(weight, old, later), rel=1e-5, abs=1e-150)


def test_moving_rounds_nothing():
    """The factor between windows is a power of two, so a weight keeps all its digits."""
    decay = Decay(WEEK_S)
    weight = decay.weight(1_790_000_000.123, decay.window(1_790_000_000.123)) * math.pi

    assert math.frexp(weight * decay.between(5, 6))[0] == math.frexp(weight)[0]


@given(st.floats(1.0, 1e8), st.floats(1.0, 1e8), st.floats(1e6, 4e9))
def test_another_half_life_keeps_the_samples_of_now(half_life_s, other_half_life_s, now):
    """What was written with another half-life comes to as many effective samples as of now."""
    decay, other = Decay(half_life_s), Decay(other_half_life_s)
    weight = 12.5 * other.weight(now, other.window(now))

    factor = decay.from_other(other, other.window(now), decay.window(now), now)

    assert decay.samples(weight * factor, decay.window(now), now) == pytest.approx(12.5, rel=1e-4)
