"""
How duration grows with size, as far as few executions can say.

`SizeLaw` fits ``duration = c * size ** b`` to all executions that had a size, by least squares of
the logarithms, from six sums: it can be added to, added up and faded like everything else in
a profile. It is what is gone by where too little is known of the very size that is asked for.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

FEWEST_SAMPLES = 3
"""Below so many effective samples, rounded, there is no law."""

_LEAST_VARIANCE = 0.1
"""Of the binary logarithm of sizes; where they vary less, size explains nothing."""

_STEEPEST = 3.0
_FLATTENS_LIKE = 1.0
"""The exponent is drawn towards 0 as if by so many further samples, one doubling of size away from the others."""


@dataclass(slots=True)
class SizeLaw:
    """Weighted sums over executions: ``x`` is the binary logarithm of the size, ``y`` of the duration in ns."""

    weight: float = 0.0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    yy: float = 0.0

    def add(self, other: SizeLaw) -> None:
        """Add the sums over other executions."""
        self.weight += other.weight
        self.x += other.x
        self.y += other.y
        self.xx += other.xx
        self.xy += other.xy
        self.yy += other.yy

    def scale(self, factor: float) -> None:
        """Multiply every weight."""
        self.weight *= factor
        self.x *= factor
        self.y *= factor
        self.xx *= factor
        self.xy *= factor
        self.yy *= factor

    def quantile_ns(self, quantile: float, log2_size: float, samples: float) -> float | None:
        """
        Give a quantile of the durations for a size.

        Args:
            quantile: Which one, as if logarithms spread around the law like a bell.
            log2_size: The size's binary logarithm.
            samples: How many effective samples `weight` is.

        Returns:
            Nanoseconds; `None`: there is no law, since there is too little of it or sizes hardly vary.
        """
        if round(samples) < FEWEST_SAMPLES:
            return None
        mean_x, mean_y = self.x / self.weight, self.y / self.weight
        variance = self.xx / self.weight - mean_x * mean_x
        if variance < _LEAST_VARIANCE:
            return None
        covariance = self.xy / self.weight - mean_x * mean_y
        exponent = covariance / (variance + _FLATTENS_LIKE / samples)
        exponent = min(max(exponent, 0.0), _STEEPEST)
        left = self.yy / self.weight - mean_y * mean_y - 2.0 * exponent * covariance + exponent * exponent * variance
        spread = math.sqrt(max(left, 0.0) * samples / max(samples - 2.0, 1.0))
        log2_ns = mean_y + exponent * (log2_size - mean_x) + _bell(quantile) * spread
        return math.exp2(min(max(log2_ns, 0.0), _LONGEST_LOG2_NS))


_LONGEST_LOG2_NS = 60.0


@functools.cache
def _bell(quantile: float) -> float:
    """How many standard deviations above the mean a quantile is; the outermost are beyond any sample."""
    from statistics import NormalDist  # slow to import

    return NormalDist().inv_cdf(min(max(quantile, 0.01), 0.99))
