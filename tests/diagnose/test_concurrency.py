"""Executions in flight over the time of a run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.diagnose.concurrency import BUCKETS, in_flight

spans = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 5_000)), min_size=1, max_size=20)


def test_each_part_of_the_run_has_its_mean() -> None:
    """Two in the first half and one in the second; the run is longer than the system is at work."""
    series = in_flight(np.array([0, 0, 300]), np.array([300, 300, 300]), 0, 1_200)

    assert series.bucket_ns == 20
    assert series.mean == [2.0] * 15 + [1.0] * 15 + [0.0] * 30


@given(spans, st.sampled_from([0, 10**18]))
def test_no_time_is_lost(spans: list[tuple[int, int]], epoch: int) -> None:
    """Means times lengths are the time of all executions, also by a clock that counts from long ago."""
    starts, durations = np.array([epoch + start for start, _ in spans]), np.array([length for _, length in spans])

    series = in_flight(starts, durations, epoch, epoch + 15_000)

    assert len(series.mean) == BUCKETS
    assert sum(series.mean) * series.bucket_ns == pytest.approx(durations.sum(), abs=0.001 * 15_000)
