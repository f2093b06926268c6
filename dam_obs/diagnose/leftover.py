"""
Look for what a law left over: a feature, or two together, by whose values executions are off it.

Executions are put into groups by the values of one or two features, numbers by quarters, and the
groups are compared by how long their executions took against what the law says: by ranks and
medians, so that single ones do not matter. This knows no families: it sees a slope that
differs by category, a threshold, or that two switches matter only together.

`costs` tries laws and `unexplained` says what else a law hides; here nothing is fitted or chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, islice
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dam_obs.diagnose.columns import Column, Floats, ranks

QUARTERS: Final = 4
"""Groups that a number is cut into, unless it has hardly more values than that."""

FEW_VALUES: Final = 6

LEAST_OF_A_GROUP: Final = 8
"""Executions; all smaller groups count as one, and are not compared."""

LEAST_SHARE: Final = 0.03
"""Of executions, for the same."""

TOLD: Final = 0.25
"""
Share of the leftover's variance, by ranks, that groups must tell; ``2 / sqrt(executions)`` is added, for chance.

Tried on 1,500 made-up systems with eight features that tell nothing: of none was it said otherwise.
"""

TIMES: Final = 1.5
"""Typical leftover of one group by that of another, from which it matters."""

MOST_FEATURES: Final = 12
"""More are not looked at: the number of pairs grows with their square."""

MOST_ROWS: Final = 2_000
"""Of more executions so many are looked at, evenly."""

PAIR_GAIN: Final = 0.1
"""Share that two features must tell beyond what one does."""


class Leftover(NamedTuple):
    """What features still tell of executions beside their law."""

    features: tuple[str, ...]
    told: float
    """Share of the variance, by ranks; what chance alone would give is taken off."""
    low: float
    """What executions of one group typically take, by what the law says."""
    high: float


def leftover(ratio: Floats, features: Mapping[str, Column]) -> Leftover | None:
    """
    Find the feature, or the pair of features, that tells most of what a law did not.

    Args:
        ratio: What each execution took by what the law says.
        features: Their values, row by row, the most telling first.

    Returns:
        `None` where none tells enough to matter.
    """
    rows = slice(None, None, max(1, -(-len(ratio) // MOST_ROWS)))
    ratio = ratio[rows]
    ranked = ranks(ratio)
    groups = {name: _groups(column[rows]) for name, column in islice(features.items(), MOST_FEATURES)}
    singles = [_told((name,), group, ratio, ranked) for name, group in groups.items()]
    pairs = [_told(names, group, ratio, ranked) for names, group in _pairs(groups)]
    best = max(singles, key=lambda found: found.told, default=None)
    pair = max(pairs, key=lambda found: found.told, default=None)
    if pair is not None and (best is None or pair.told > best.told + PAIR_GAIN):
        best = pair
    if best is None or best.told < TOLD + 2 / np.sqrt(len(ratio)) or best.high < TIMES * best.low:
        return None
    return best


def _pairs(groups: Mapping[str, NDArray[np.int64]]) -> Iterator[tuple[tuple[str, str], NDArray[np.int64]]]:
    for left, right in combinations(groups, 2):
        yield (left, right), groups[left] * (int(groups[right].max()) + 1) + groups[right]


def _groups(column: Column) -> NDArray[np.int64]:
    """Return the number of each row's group."""
    values, place = np.unique(column, return_inverse=True)
    if column.dtype.kind != "f" or len(values) <= FEW_VALUES:
        return place.astype(np.int64)
    numbers = column.astype(np.float64)
    edges = np.quantile(numbers, np.arange(1, QUARTERS) / QUARTERS)
    return np.searchsorted(edges, numbers).astype(np.int64)


def _told(names: tuple[str, ...], groups: NDArray[np.int64], ratio: Floats, ranked: Floats) -> Leftover:
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    large = counts >= max(LEAST_OF_A_GROUP, LEAST_SHARE * len(ratio))
    place = np.where(large[place], place, -1)
    members = [place == group for group in np.unique(place).tolist()]
    free = len(ratio) - len(members)
    if large.sum() < 2 or free <= 0:
        return Leftover(names, 0.0, 1.0, 1.0)
    total = float(((ranked - ranked.mean()) ** 2).sum())
    within = sum(float(((ranked[each] - ranked[each].mean()) ** 2).sum()) for each in members)
    typical = [float(np.median(ratio[place == group])) for group in np.flatnonzero(large).tolist()]
    told = 1 - within / total * (len(ratio) - 1) / free if total else 0.0
    return Leftover(names, told, min(typical), max(typical))
