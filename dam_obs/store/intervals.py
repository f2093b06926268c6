"""
Say how far a change can be trusted: ratios of medians and differences of rates, each with an interval.

A bootstrap asks how a median would vary if the sample were drawn again from itself. For a
median that needs no dice: a resample's median is one of the sample's own values, and how
often it is which one is known, for the middle one of n uniform numbers is distributed as
Beta(m, n - m + 1). So the intervals here are those of a percentile bootstrap with
infinitely many resamples: the same at each call, with tails as fine as a correction for many
comparisons needs, and made of the few values around the middle alone, for a sample of any size.

Values are taken as independent of each other. What is compared is `populations`' business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

REACH: Final = 3.5
"""The ranks that matter lie within `REACH` * sqrt(n) + 2 of the middle: seven standard deviations."""

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(8)
_HALVINGS: Final = 64
_LEAST_P: Final = 1e-12
"""What lies beyond `REACH` is left out, so nothing smaller can be told."""


@dataclass(frozen=True, slots=True)
class Middle:
    """The values around the median of a sample; all others do not matter for it."""

    size: int
    """Of the whole sample, 1 at least."""

    first_rank: int
    """Rank of the first of `values` in the sample, from 1 for the smallest."""

    values: Floats
    """Ascending; not negative. All whose ranks `matters` lets through, at least."""

    @property
    def median(self) -> float:
        """Return the mean of the two middle values, which are one if the size is odd."""
        return float(sum(self.values[rank - self.first_rank] for rank in _middle_ranks(self.size))) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times larger one median is than another."""

    value: float
    """`math.inf` if the earlier one is 0."""
    low: float
    high: float
    """`math.inf` where there is no upper end."""
    p: float
    """The chance to see as much of a change where there is none, two-sided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChange:
    """How a share changed: 0.1 is ten percentage points more."""

    value: float
    low: float
    high: float
    p: float
    """The chance to see as much of a change where there is none, two-sided."""


def middle_of(sample: Sequence[float] | Floats) -> Middle:
    """Return the middle of a sample that is at hand."""
    values = np.sort(np.asarray(sample, dtype=np.float64))
    first, last = _reach(len(values))
    return Middle(len(values), first, values[first - 1 : last])


def ratio_of_medians(before: Middle, after: Middle, level: float) -> Ratio:
    """
    Compare two medians by the percentile bootstrap of their ratio.

    Args:
        before: The middle of the sample to compare with.
        after: The middle of the sample that is compared.
        level: The share of intervals that are to hold the true ratio, such as 0.95.
    """
    ratios = _Ratios(before, after)
    tail = (1 - level) / 2
    p = 2 * min(ratios.share_up_to(1), 1 - ratios.share_below(1))
    return Ratio(
        value=_quotient(after.median, before.median),
        low=ratios.quantile(tail),
        high=ratios.quantile(1 - tail),
        p=min(1.0, max(p, _least_p(before.size, after.size))),
    )


def rate_change(before: tuple[int, int], after: tuple[int, int], level: float) -> RateChange:
    """
    Compare two rates by Newcombe's interval for their difference, made of Wilson's for each.

    Args:
        before: How many it happened to, of how many (1 at least).
        after: The same of the other sample.
        level: The share of intervals that are to hold the true difference.
    """
    low, high = _newcombe(before, after, NormalDist().inv_cdf((1 + level) / 2))
    value = after[0] / after[1] - before[0] / before[1]
    return RateChange(value=value, low=low, high=high, p=_newcombe_p(before, after))


def discoveries(p_values: Sequence[float], false_share: float) -> list[bool]:
    """
    Tell which of many changes to believe, by Benjamini and Hochberg's step-up rule.

    Of those that are believed, at most `false_share` are expected to be none.
    """
    ordered = sorted(p_values)
    bounds = [p for rank, p in enumerate(ordered, 1) if p <= false_share * rank / len(ordered)]
    return [bool(bounds) and p <= bounds[-1] for p in p_values]


# -- medians


def _middle_ranks(size: int) -> tuple[int, int]:
    return (size + 1) // 2, size // 2 + 1


def _reach(size: int) -> tuple[int, int]:
    """Return the first and the last rank that matters."""
    away = math.ceil(REACH * math.sqrt(size)) + 1
    low, high = _middle_ranks(size)
    return max(1, low - away), min(size, high + away)


def _weights(middle: Middle) -> Floats:
    """
    Return how often each value is the median of a resample.

    The density is a smooth polynomial, so eight points of Gauss and Legendre's in each step
    of a rank integrate it to the last digits. Of an even number of values either middle
    one stands for the median, with half the weight each.
    """
    size, ranks = middle.size, middle.first_rank + np.arange(len(middle.values))
    points = (ranks[:, None] - 0.5 + 0.5 * _NODES) / size
    total = np.zeros(len(ranks))
    for rank in _middle_ranks(size):
        logs = (rank - 1) * np.log(points) + (size - rank) * np.log1p(-points)
        weights = np.exp(logs - logs.max()) @ _NODE_WEIGHTS
        total += weights / weights.sum()
    shares: Floats = total / total.sum()
    return shares


class _Ratios:
    """The ratios that the medians of two resamples may have, with their chances."""

    def __init__(self, before: Middle, after: Middle) -> None:
        self._before, self._chances = before.values, _weights(before)
        self._after = after.values
        self._below = np.concatenate([[0.0], np.cumsum(_weights(after))])

    def share_up_to(self, ratio: float) -> float:
        """Return the chance of a ratio not above this one. Nothing to nothing is a ratio of 1."""
        fitting = np.searchsorted(self._after, ratio * self._before, side="right")
        return self._sum(np.where((self._before == 0) & (ratio < 1), 0, fitting))

    def share_below(self, ratio: float) -> float:
        """Return the chance of a ratio below this one."""
        fitting = np.searchsorted(self._after, ratio * self._before, side="left")
        zeros = np.searchsorted(self._after, 0, side="right")
        return self._sum(np.where(self._before == 0, zeros if ratio > 1 else 0, fitting))

    def quantile(self, share: float) -> float:
        """Return the smallest of the ratios that has at least `share` not above it."""
        if self.share_up_to(0) >= share:
            return 0.0
        positive = self._before[self._before > 0]
        largest = self._after[-1] / positive[0] if len(positive) else 1.0
        high = max(largest, 1.0) * 2
        if self.share_up_to(high) < share:
            return math.inf
        low = math.log(self._smallest()) - 1
        top = math.log(high)
        for _ in range(_HALVINGS):
            half = (low + top) / 2
            low, top = (low, half) if self.share_up_to(math.exp(half)) >= share else (half, top)
        return self._at_or_below(math.exp(top))

    def _smallest(self) -> float:
        positive = self._after[self._after > 0]
        return min(1.0, float(positive[0] / max(self._before[-1], 1))) if len(positive) else 1.0

    def _at_or_below(self, ratio: float) -> float:
        """Return the largest ratio that is not above this one, but for what halving leaves."""
        bound = ratio * (1 + 1e-12)
        at = np.searchsorted(self._after, bound * self._before, side="right")
        usable = (self._before > 0) & (at > 0)
        found = self._after[at[usable] - 1] / self._before[usable]
        nothing_to_nothing = bound >= 1 and self._before[0] == self._after[0] == 0
        return float(found.max(initial=1.0 if nothing_to_nothing else 0.0))

    def _sum(self, fitting: npt.NDArray[np.int64]) -> float:
        return min(1.0, float(self._chances @ self._below[fitting]))


def _quotient(after: float, before: float) -> float:
    if before == 0:
        return 1.0 if after == 0 else math.inf
    return after / before


def _least_p(one: int, other: int) -> float:
    """Return the least chance that such samples can show: that of all of one lying on one side of the other."""
    apart = 2 * math.exp(math.lgamma(one + 1) + math.lgamma(other + 1) - math.lgamma(one + other + 1))
    return max(apart, _LEAST_P)


# -- rates


def _wilson(hits: int, of: int, z: float) -> tuple[float, float]:
    share, spread = hits / of, z * z / of
    centre = share + spread / 2
    away = math.sqrt(spread * (share * (1 - share) + spread / 4))
    return max(0.0, (centre - away) / (1 + spread)), min(1.0, (centre + away) / (1 + spread))


def _newcombe(before: tuple[int, int], after: tuple[int, int], z: float) -> tuple[float, float]:
    first, second = before[0] / before[1], after[0] / after[1]
    (low_1, high_1), (low_2, high_2) = _wilson(*before, z), _wilson(*after, z)
    change = second - first
    return change - math.hypot(second - low_2, high_1 - first), change + math.hypot(high_2 - second, first - low_1)


def _newcombe_p(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Return the level at which the interval just reaches no change."""
    change = after[0] / after[1] - before[0] / before[1]
    if change == 0:
        return 1.0
    low, high = 0.0, 40.0
    for _ in range(_HALVINGS):
        z = (low + high) / 2
        bounds = _newcombe(before, after, z)
        low, high = (z, high) if bounds[0] > 0 or bounds[1] < 0 else (low, z)
    return math.erfc(low / math.sqrt(2))
