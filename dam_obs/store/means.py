"""
Say how far a change of a mean can be trusted: Welch's interval, from sums alone.

Medians say how long something takes (`intervals`); only means add up, so what a change is made
of is told in means. For a mean, a bootstrap and Welch's interval agree as soon as there are
some dozens of values, and with fewer Welch's is the wider of the two. It needs no more
than a count, a mean and a variance, so that the values themselves need not be kept, and it
is the same at each call.

Values are taken as independent of each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(64)
_HALVINGS: Final = 64
_NORMAL_FROM: Final = 2_000.0
"""Degrees of freedom from which on Student's t is the normal distribution to four digits."""


@dataclass(slots=True)
class Moments:
    """Count, mean and spread of values that come one by one (Welford's sums)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    """Sum of the squared distances from the mean."""

    def add(self, value: float) -> None:
        """Take one value in."""
        self.count += 1
        away = value - self.mean
        self.mean += away / self.count
        self.squares += away * (value - self.mean)

    @property
    def variance(self) -> float:
        """Return the variance of the population, estimated; 0 of a single value."""
        return self.squares / (self.count - 1) if self.count > 1 else 0.0

    def scaled(self, factor: float) -> Moments:
        """Return these of every value times `factor`."""
        return Moments(self.count, self.mean * factor, self.squares * factor * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanChange:
    """By how much a mean grew."""

    value: float
    low: float
    high: float
    p: float
    """The chance to see as much of a change where there is none, two-sided."""


def moments_of_counts(count: int, total: float, total_of_squares: float) -> Moments:
    """Return the moments of `count` values, of which the sum and the sum of the squares are known."""
    mean = total / count if count else 0.0
    return Moments(count, mean, max(0.0, total_of_squares - total * mean))


def mean_change(before: Moments, after: Moments, level: float) -> MeanChange:
    """
    Compare two means.

    Args:
        before: The values to compare with; two at least.
        after: Those that are compared; two at least.
        level: The share of intervals that are to hold the true change, such as 0.95.
    """
    value = after.mean - before.mean
    first, second = before.variance / before.count, after.variance / after.count
    error = math.sqrt(first + second)
    if error == 0:
        return MeanChange(value=value, low=value, high=value, p=1.0 if value == 0 else 0.0)
    freedom = (first + second) ** 2 / (first**2 / (before.count - 1) + second**2 / (after.count - 1))
    away = _t_at((1 + level) / 2, freedom) * error
    return MeanChange(value=value, low=value - away, high=value + away, p=_two_sided(abs(value) / error, freedom))


def _two_sided(t: float, freedom: float) -> float:
    """Return the chance that Student's t is at least so far from 0."""
    if freedom >= _NORMAL_FROM:
        return math.erfc(t / math.sqrt(2))
    # With t = sqrt(freedom) * tan(angle) the density is cos(angle) ** (freedom - 1), which is smooth up to its end.
    reached = math.atan2(t, math.sqrt(freedom))
    logs = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(math.pi)
    outside = _integral(reached, math.pi / 2, freedom - 1)
    return min(1.0, 2 * math.exp(logs) * outside)


def _integral(low: float, high: float, power: float) -> float:
    """Integrate cos(x) ** power; of a high power all but the first part is nothing, so the steps grow."""
    total, start, step = 0.0, low, min(high - low, 0.5 / math.sqrt(power + 1))
    while start < high:
        end = min(high, start + step)
        points = start + (end - start) * (_NODES + 1) / 2
        total += float(np.cos(points).clip(0) ** power @ _NODE_WEIGHTS) * (end - start) / 2
        start, step = end, 2 * step
    return total


def _t_at(share: float, freedom: float) -> float:
    """Return the value below which Student's t lies with a chance of `share`, 0.5 at least."""
    if freedom >= _NORMAL_FROM:
        return NormalDist().inv_cdf(share)
    low, high = 0.0, 1.0
    while _two_sided(high, freedom) > 2 * (1 - share) and high < 1e12:
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        half = (low + high) / 2
        low, high = (half, high) if _two_sided(half, freedom) > 2 * (1 - share) else (low, half)
    return high
