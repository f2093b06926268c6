"""The rule by which predicted and observed traits become one set, and its laws."""

from __future__ import annotations

import math

import pytest
from dam_traits import ExecutionCostTrait, InvalidAnswer, IOBoundTrait, ObservedTraits, ResourceUsageTrait
from dam_traits.aggregate import DEFAULT_COST, cost_of, explain_merge, merge, time_reckoned_ms
from hypothesis import given
from hypothesis import strategies as st

DISK = ResourceUsageTrait("disk", 2)
PREDICTED_MS = st.integers(1, 10**9)
OBSERVED_MS = st.floats(0, 1e9)
SAMPLES = st.floats(0, 1e9)


def seen(time_ms, samples=5.0, io_bound=None):
    return ObservedTraits(samples=samples, quantile=0.8, time_ms=time_ms, io_bound=io_bound)


def merged_ms(predicted_ms, observed_ms, samples):
    return cost_of(merge((ExecutionCostTrait(time_ms=predicted_ms),), seen(observed_ms, samples))).time_ms


@pytest.mark.parametrize(
    ("predicted", "observed", "merged"),
    [
        (None, None, (ExecutionCostTrait(100, 0),)),
        ((), None, (ExecutionCostTrait(100, 0),)),
        ((DISK,), None, (DISK, ExecutionCostTrait(100, 0))),
        ((ExecutionCostTrait(50, 10), DISK), None, (ExecutionCostTrait(50, 10), DISK)),
        (None, seen(7.4), (ExecutionCostTrait(100, 7),)),
        ((DISK,), seen(7.6), (DISK, ExecutionCostTrait(100, 8))),
        ((ExecutionCostTrait(50, 100), DISK), seen(200.0), (DISK, ExecutionCostTrait(50, 150))),
        ((ExecutionCostTrait(50, 100),), seen(200.0, 15.0), (ExecutionCostTrait(50, 175),)),
        ((ExecutionCostTrait(50, 100),), seen(200.0, 0.0), (ExecutionCostTrait(50, 100),)),
        ((ExecutionCostTrait(50, 0),), seen(200.0, 1.0), (ExecutionCostTrait(50, 200),)),
        ((ExecutionCostTrait(50, 100),), seen(200.0, math.inf), (ExecutionCostTrait(50, 200),)),
        (None, seen(1.0, 1.0, True), (ExecutionCostTrait(100, 1), IOBoundTrait())),
        ((IOBoundTrait(),), seen(1.0, 19.9, False), (ExecutionCostTrait(100, 1), IOBoundTrait())),
        ((IOBoundTrait(),), seen(1.0, 20.0, False), (ExecutionCostTrait(100, 1),)),
        ((IOBoundTrait(),), seen(1.0, 99.0, None), (ExecutionCostTrait(100, 1), IOBoundTrait())),
        ((IOBoundTrait(),), seen(1.0, 99.0, True), (ExecutionCostTrait(100, 1), IOBoundTrait())),
    ],
)
def test_rule(predicted, observed, merged):
    """The table of what is merged to what."""
    assert merge(predicted, observed) == merged


@given(PREDICTED_MS, OBSERVED_MS, SAMPLES)
def test_between_both(predicted_ms, observed_ms, samples):
    """The merged time is never beyond the prediction nor beyond the observation."""
    low, high = sorted((predicted_ms, observed_ms))

    assert round(low) <= merged_ms(predicted_ms, observed_ms, samples) <= round(high)


@given(PREDICTED_MS, OBSERVED_MS, SAMPLES, SAMPLES)
def test_monotone_in_samples(predicted_ms, observed_ms, one, other):
    """The larger the sample, the nearer to what was observed."""
    few, many = sorted((one, other))

    far = abs(merged_ms(predicted_ms, observed_ms, few) - observed_ms)
    near = abs(merged_ms(predicted_ms, observed_ms, many) - observed_ms)

    assert near <= far + 1e-6 * max(predicted_ms, observed_ms)


@given(st.integers(1, 10**6), st.floats(0, 1e6))
def test_converges_to_the_observation(predicted_ms, observed_ms):
    """In the end only what was observed counts."""
    assert abs(merged_ms(predicted_ms, observed_ms, 1e9) - observed_ms) <= 0.51


@given(
    st.lists(
        st.one_of(
            st.builds(ResourceUsageTrait, st.sampled_from(["disk", "net/eth0"]), st.integers(1, 9)),
            st.just(IOBoundTrait()),
        ),
        max_size=4,
    ),
    st.none() | st.builds(seen, OBSERVED_MS, SAMPLES, st.none() | st.booleans()),
)
def test_pools_stay(others, observed):
    """What is predicted of pools is neither lost nor doubled nor put in another order, and there is one cost."""
    merged = merge(others, observed)

    assert [each for each in merged if isinstance(each, ResourceUsageTrait)] == [
        each for each in others if isinstance(each, ResourceUsageTrait)
    ]
    assert sum(isinstance(each, ExecutionCostTrait) for each in merged) == 1


@pytest.mark.parametrize("observed", [seen(math.nan), seen(math.inf), seen(-1.0), seen(1.0, -1.0), seen(1.0, math.nan)])
def test_an_observation_of_no_time(observed):
    """It is refused in words, not by whatever rounding makes of it."""
    with pytest.raises(InvalidAnswer, match=r"the observation is of .* it must be of a finite time"):
        merge(None, observed)


def test_reckoned_time_of_what_nobody_knows():
    """The default is not a prediction, though its number may be."""
    assert time_reckoned_ms(merge(None, None)) is None
    assert time_reckoned_ms(merge((ExecutionCostTrait(),), None)) == 0
    assert time_reckoned_ms(merge(None, seen(0.2))) == 0
    assert cost_of(merge(None, None)) is DEFAULT_COST


@pytest.mark.parametrize(
    ("predicted", "observed", "sentence"),
    [
        (None, None, "Nothing is known of the cost: the default is reckoned with."),
        ((DISK,), None, "Nothing is known of the cost: the default is reckoned with."),
        ((ExecutionCostTrait(50, 10),), None, "The prediction alone: nothing was observed yet."),
        (
            None,
            seen(12.0, 3.0),
            "The observation alone, since no time is predicted: 12 ms observed (quantile 0.8, 3 samples).",
        ),
        (
            (ExecutionCostTrait(50, 10), IOBoundTrait()),
            seen(20.0, 45.0, False),
            (
                "90% of 20 ms observed (quantile 0.8, 45 samples) and 10% of 10 ms predicted; "
                "it was seen to compute most of the time."
            ),
        ),
        (
            (ExecutionCostTrait(50, 10),),
            seen(20.0, 5.0, True),
            (
                "50% of 20 ms observed (quantile 0.8, 5 samples) and 50% of 10 ms predicted; "
                "it was seen to wait most of the time."
            ),
        ),
    ],
)
def test_sentence(predicted, observed, sentence):
    """How it was merged, for people."""
    assert explain_merge(predicted, observed) == sentence
