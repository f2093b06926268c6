"""
Say what a law of cost hides: what features still tell, a drift, executions of two kinds, a long tail.

A law is fair where executions are about as it says. Where they are not, the reviewer is to
know, and the law is not drafted. What is said is about executions against what
the law says of them, by ranks and medians, so that single ones do not matter. A long tail
is told of constants alone: beside another law the factor of its quantile says as much.

`costs` decides which law it is; here nothing is fitted or chosen.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from dam_obs.diagnose.columns import Columns, Floats, correlation, ranks
from dam_obs.diagnose.leftover import leftover

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


def unexplained(columns: Columns, law: Floats | None = None) -> list[str]:
    """
    Return a sentence for what a law hides most, or nothing where executions are as it says.

    Args:
        columns: The executions.
        law: What the law says each takes; `None`: it is constant.
    """
    if law is None:
        return told_by_features(columns) or _drift(columns, columns.cost) or _beyond(columns.cost)
    ratio = columns.cost / law
    found = told_by_features(columns, law) or _drift(columns, ratio) or _two_kinds(ratio)
    return [f"beside the law, {said}" for said in found]


def told_by_features(columns: Columns, law: Floats | None = None) -> list[str]:
    """Return a sentence for the feature, or the two together, that tells most of what a law does not, if any does."""
    ratio = columns.cost if law is None else columns.cost / law
    found = leftover(ratio, {**columns.numbers, **columns.categories, **columns.aside})
    if found is None:
        return []
    names = " and ".join(found.features) + (" together" if len(found.features) > 1 else "")
    return [f"executions differ by {names}, up to {found.high / found.low:.2g} times, in a way that no law tried says"]


def _beyond(cost: Floats) -> list[str]:
    return _two_kinds(cost) or _tail(cost)


def _drift(columns: Columns, cost: Floats) -> list[str]:
    third = len(columns) // 3
    if columns.started is None or not third:
        return []
    if abs(correlation(ranks(columns.started), ranks(cost))) < TREND:
        return []
    cost = cost[np.argsort(columns.started, kind="stable")]
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
