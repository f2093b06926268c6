"""How many executions were in flight, over the time of the run: a mean for each of some buckets of equal length."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dam_obs.diagnose.evidence import Ints, SystemEvidence
from dam_obs.diagnose.report_where import InFlight

BUCKETS: Final = 60


def in_flight(starts_ns: Ints, durations_ns: Ints, first_ns: int, last_ns: int) -> InFlight:
    """
    Return how many ran at a time on average, in each part of the run.

    Args:
        starts_ns: Of the executions of a system.
        durations_ns: Theirs.
        first_ns: Start of the first execution of the run, so that systems can be set side by side.
        last_ns: End of the last.
    """
    length = max(1, last_ns - first_ns)
    edges = np.linspace(0, length, BUCKETS + 1)
    begun = np.sort(np.asarray(starts_ns - first_ns, dtype=np.float64))
    ended = np.sort(np.asarray(starts_ns - first_ns + durations_ns, dtype=np.float64))
    spent = np.diff(_elapsed(begun, edges) - _elapsed(ended, edges))
    means = np.maximum(spent, 0) / (length / BUCKETS)
    return InFlight(bucket_ns=length / BUCKETS, mean=[round(float(mean), 3) for mean in means])


def in_all(systems: Iterable[SystemEvidence]) -> tuple[int, int] | None:
    """Return when the first execution of all systems started and the last one ended; `None` if there is none."""
    spans = [
        (int(starts.min()), int((starts + system.column("duration_ns")).max()))
        for system in systems
        if len(starts := system.column("start_ns"))
    ]
    return (min(start for start, _ in spans), max(end for _, end in spans)) if spans else None


def _elapsed(moments: NDArray[np.float64], until: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much time has passed since each of `moments`, all added up, at each of `until`."""
    sums = np.concatenate([[0.0], np.cumsum(moments)])
    past = np.searchsorted(moments, until, side="right")
    return np.asarray(past * until - sums[past], dtype=np.float64)
