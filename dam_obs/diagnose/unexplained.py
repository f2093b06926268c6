"""
Say of a cost that stayed constant what it hides: a drift, executions of two kinds, a long tail.

A constant is a fair law where executions differ by little. Where they do not, the reviewer
is to know that no feature says why. What is said is about executions against the typical
one, by ranks and medians, so that single ones do not matter.

`costs` decides whether a cost stays constant; here nothing is fitted or chosen.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from dam_obs.diagnose.columns import Columns, Floats, correlation, ranks

DRIFT: Final = 1.5
"""Median of the last third of executions by that of the first, or the other way round, from which it is told."""

TREND: Final = 0.3
"""Least correlation of cost and time, by ranks, for what is called a drift."""

TAIL: Final = 2.5
"""Cost that a tenth of executions exceed, by the median one, from which the tail is told."""

APART: Final = 1.6
"""Typical cost of one kind of executions by that of the other, at least."""

LEAST_OF_A_KIND: Final = 0.1
"""Share of executions that must be of the rarer kind: fewer are outliers."""

SEPARATE: Final = 0.9
"""
Share of the variance of the logarithms that lies between the two kinds.

Cutting a bell curve in two gives 0.64, an even spread 0.75.
"""


def unexplained(columns: Columns) -> list[str]:
    """Return a sentence for what the typical cost hides most, or nothing where executions are alike."""
    return _drift(columns) or _two_kinds(columns.cost) or _tail(columns.cost)


def _drift(columns: Columns) -> list[str]:
    third = len(columns) // 3
    if columns.started is None or not third:
        return []
    if abs(correlation(ranks(columns.started), ranks(columns.cost))) < TREND:
        return []
    cost = columns.cost[np.argsort(columns.started, kind="stable")]
    times = float(np.median(cost[-third:]) / np.median(cost[:third]))
    if 1 / DRIFT < times < DRIFT:
        return []
    said = f"the last third of executions took {times:.2g} times as long as the first"
    if not columns.like_time:
        return [f"{said}, and no feature says why"]
    names = " and ".join(columns.like_time)
    return [
        f"{said}; {names} went along with the time, so only a run with its values in mixed order tells which it was"
    ]


class _Cut(NamedTuple):
    """Costs cut in two so that each half is as alike as can be."""

    below: Floats
    above: Floats
    between: float
    """Share of the variance of the logarithms that lies between the two."""


def _two_kinds(cost: Floats) -> list[str]:
    ordered = np.sort(cost)
    cut = _best_cut(ordered, max(2, int(LEAST_OF_A_KIND * len(ordered))))
    if cut is None or cut.between < SEPARATE:
        return []
    times = float(np.median(cut.above) / np.median(cut.below))
    if times < APART:
        return []
    share = len(cut.above) / len(ordered)
    said = f"executions are of two kinds, {share:.0%} of them take {times:.2g} times as long as the rest"
    return [f"{said}, and no feature says which"]


def _best_cut(ordered: Floats, least: int) -> _Cut | None:
    """Cut `ordered` costs in two, with the `least` number on either side; the extremes are left out of account."""
    trimmed = ordered[: len(ordered) - len(ordered) // 20]
    logs = np.log(trimmed)
    total = float(((logs - logs.mean()) ** 2).sum())
    places = np.arange(least, len(logs) - least + 1)
    if not total or not len(places):
        return None
    sums = np.cumsum(logs)
    left, right = sums[places - 1] / places, (sums[-1] - sums[places - 1]) / (len(logs) - places)
    between = places * (len(logs) - places) / len(logs) * (right - left) ** 2
    best = int(np.argmax(between))
    place = int(places[best])
    return _Cut(ordered[:place], ordered[place:], float(between[best]) / total)


def _tail(cost: Floats) -> list[str]:
    high = float(np.quantile(cost, 0.9, method="inverted_cdf"))
    times = high / float(np.median(cost))
    if times < TAIL:
        return []
    return [
        f"a tenth of executions take more than {times:.2g} times as long as the typical one, and no feature says why"
    ]
