"""How duration grows with size, from few executions."""

from __future__ import annotations

import math
import random

import pytest
from dam_traits.learning.law import SizeLaw
from hypothesis import given
from hypothesis import strategies as st


def law_of(points: list[tuple[float, float]], weight: float = 1.0) -> SizeLaw:
    law = SizeLaw()
    for size, duration_ns in points:
        x, y = math.log2(size), math.log2(duration_ns)
        law.add(SizeLaw(weight, weight * x, weight * y, weight * x * x, weight * x * y, weight * y * y))
    return law


@given(st.floats(0.0, 2.0), st.floats(1.0, 1e6))
def test_power_is_found(exponent, at_one_ns):
    """Durations that are a power of size are expected so for other sizes, too."""
    law = law_of([(2.0**k, at_one_ns * 2.0 ** (exponent * k)) for k in range(12)])

    assert law.quantile_ns(0.5, 14.0, samples=12) == pytest.approx(at_one_ns * 2.0 ** (exponent * 14), rel=0.1)


def test_high_quantile_is_seldom_exceeded():
    """Of new executions about a fifth takes longer than the 0.8 quantile, whatever their size."""
    rng = random.Random(1)

    def some(count: int) -> list[tuple[float, float]]:
        return [(size := 2.0 ** rng.uniform(0, 12), 1e6 * size * rng.lognormvariate(0, 0.5)) for _ in range(count)]

    law = law_of(some(200))
    longer = [duration > law.quantile_ns(0.8, math.log2(size), samples=200) for size, duration in some(2000)]

    assert sum(longer) / len(longer) == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize(
    "points",
    [
        pytest.param([], id="nothing"),
        pytest.param([(10, 1e6), (1000, 1e8)], id="two"),
        pytest.param([(100, 1e6), (100, 2e6), (100, 3e6), (101, 3e6)], id="one size"),
    ],
)
def test_too_little_for_a_law(points):
    """With too few executions, or sizes that hardly vary, there is no law."""
    assert law_of(points).quantile_ns(0.8, 5.0, samples=len(points)) is None


def test_work_does_not_shrink_with_size():
    """Durations that happen to fall with size give no falling law: a huge command is not expected to take no time."""
    law = law_of([(1, 8e6), (10, 4e6), (100, 2e6), (1000, 1e6)])

    assert law.quantile_ns(0.5, 40.0, samples=4) == pytest.approx(2.8e6, rel=0.02)


@given(st.lists(st.tuples(st.floats(1, 1e18), st.floats(1, 1e18)), max_size=20), st.floats(2.0**-500, 2.0**500))
def test_weights_do_not_matter_and_nothing_overflows(points, weight):
    """The same executions give the same law in whatever window they are counted."""
    law, heavy = law_of(points), law_of(points, weight)
    expected = law.quantile_ns(0.8, 30.0, samples=len(points))
    found = heavy.quantile_ns(0.8, 30.0, samples=len(points))

    assert found == pytest.approx(expected, rel=1e-3) if expected is not None else True


def test_scaled_sums_are_the_same_law():
    """Fading changes no law, only how many samples it is worth."""
    law = law_of([(1, 1e6), (10, 1e7), (100, 3e7)])
    before = law.quantile_ns(0.8, 4.0, samples=3)
    law.scale(2.0**-40)

    assert law.quantile_ns(0.8, 4.0, samples=3) == pytest.approx(before)
