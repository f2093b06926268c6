"""
How sure a figure of a few executions is: intervals for a quantile and for a share.

Both take executions for independent of each other. Neither assumes anything of how times are distributed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.99
"""The share of intervals that hold the truth: one system in a hundred may be called wrong by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure and what it may truly be."""

    value: float
    low: float
    high: float
    """`math.inf` where there are too few executions to say."""


def quantile_interval(values: Sequence[float], quantile: float, confidence: float = CONFIDENCE) -> Interval:
    """
    Return a quantile of `values`, of which there must be one at least, between two of the observed ones.

    How many of n values lie below the true quantile is binomially distributed, so the ranks between
    which it lies are known.
    """
    ordered = sorted(values)
    size, tail = len(ordered), (1 - confidence) / 2
    below, low, high = 0.0, 0, size + 1
    for count in range(size + 1):
        chance = _binomial(size, count, quantile)
        if below + chance <= tail:
            low = count + 1
        below += chance
        if below >= 1 - tail:
            high = count + 1
            break
    value = ordered[max(0, math.ceil(quantile * size) - 1)]
    return Interval(
        value=value,
        low=ordered[low - 1] if low else 0.0,
        high=ordered[high - 1] if high <= size else math.inf,
    )


def share_interval(count: int, of: int, confidence: float = CONFIDENCE) -> Interval:
    """Return a share of executions with Wilson's interval; `of` must be 1 at least."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = count / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return Interval(value=share, low=max(0.0, middle - half), high=min(1.0, middle + half))


def _binomial(size: int, count: int, share: float) -> float:
    """Return the chance of `count` among `size`, by logarithms: the factors alone may be too large or too small."""
    log = math.lgamma(size + 1) - math.lgamma(count + 1) - math.lgamma(size - count + 1)
    return math.exp(log + count * math.log(share) + (size - count) * math.log1p(-share))
