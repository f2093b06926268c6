"""
Features of commands as columns that a cost model can use: numbers, or a few categories.

A feature is of use when nearly all executions have it, in one kind, and it varies. Why
another one is not of use is kept, for the report.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dam_obs.trace.events import Scalar

Floats = NDArray[np.float64]
Column = Floats | NDArray[np.str_]

MIN_PRESENT = 0.95
"""Share of executions that must have a feature."""

MAX_CATEGORIES = 12
MAX_GROUPS = 50
"""Different values of a text that is no category any more, but may still tell executions apart."""

LONGEST_CATEGORY = 64
"""Characters: a longer string is text, no category."""

NUMBERS_KEPT = 4
"""The numbers that go most with the cost are tried; each more makes a chance find more likely."""

CATEGORIES_KEPT = 3

LIKE_TIME = 0.99
"""
Correlation with the order of starts, by ranks, from which a number says no more than the time does.

Identifiers that count up, and moments: a cost that drifts seems to follow them.
"""


@dataclass(slots=True)
class Columns:
    """The features of some executions, row by row."""

    cost: Floats
    """Nanoseconds, at least 1."""
    numbers: dict[str, Floats] = field(default_factory=dict)
    categories: dict[str, NDArray[np.str_]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    """Features that are of no use, and why."""
    started: Floats | None = None
    """When each execution started, on any clock; `None`: not known."""
    like_time: list[str] = field(default_factory=list)
    """Numbers that went along with the time, and are among those refused."""
    aside: dict[str, Column] = field(default_factory=dict)
    """Features that laws are not tried with, there being too many, of them or of their values."""

    def __len__(self) -> int:
        return len(self.cost)

    def take(self, rows: NDArray[np.int64]) -> Columns:
        """Return some rows."""
        return Columns(
            self.cost[rows],
            {name: column[rows] for name, column in self.numbers.items()},
            {name: column[rows] for name, column in self.categories.items()},
            self.refused,
            None if self.started is None else self.started[rows],
            self.like_time,
            {name: column[rows] for name, column in self.aside.items()},
        )


def columns(
    durations_ns: NDArray[np.int64],
    features: Sequence[Mapping[str, Scalar]],
    starts_ns: NDArray[np.int64] | None = None,
) -> Columns:
    """Make columns of the features of executions; executions that lack a useful feature are left out."""
    made = Columns(np.maximum(durations_ns.astype(np.float64), 1.0))
    raw: dict[str, list[Scalar]] = {}
    for name in sorted({name for row in features for name in row}):
        values = [row.get(name) for row in features]
        why_not = _why_not(values)
        if why_not:
            made.refused.append(f"{name}: {why_not}")
            if _are_groups(values):
                made.aside[name] = np.array([str(value) for value in values])
        else:
            raw[name] = values

    whole = np.array([all(values[row] is not None for values in raw.values()) for row in range(len(features))], bool)
    rows = np.flatnonzero(whole)
    made.cost = made.cost[rows]
    made.started = None if starts_ns is None else starts_ns[rows].astype(np.float64)
    made.aside = {name: column[rows] for name, column in made.aside.items()}
    for name, values in raw.items():
        kept = [values[row] for row in rows.tolist()]
        if _are_numbers(kept):
            made.numbers[name] = np.array(kept, dtype=np.float64)
        else:
            made.categories[name] = np.array([str(value) for value in kept])
    _drop_lengths(made)
    _drop_clocks(made)
    _keep_the_telling(made)
    return made


def _why_not(values: Sequence[Scalar]) -> str | None:
    present = [value for value in values if value is not None]
    if len(present) < MIN_PRESENT * len(values):
        return f"only {len(present)} of {len(values)} executions have it"
    if len(set(map(str, present))) == 1:
        return f"always {str(present[0])[:40]}"
    if _are_numbers(present):
        return (
            None if all(math.isfinite(value) for value in present if isinstance(value, int | float)) else "not finite"
        )
    if any(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        return "numbers and text mixed"
    if any(len(str(value)) > LONGEST_CATEGORY for value in present):
        return "long text"
    distinct = len(Counter(map(str, present)))
    return f"{distinct} different values, more than {MAX_CATEGORIES}" if distinct > MAX_CATEGORIES else None


def _are_groups(values: Sequence[Scalar]) -> bool:
    """Say whether values are short texts, too many of them for a law and few enough to look at."""
    if not all(value is None or (isinstance(value, str) and len(value) <= LONGEST_CATEGORY) for value in values):
        return False
    return MAX_CATEGORIES < len(set(values)) <= MAX_GROUPS


def _are_numbers(values: Sequence[Scalar]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _drop_lengths(made: Columns) -> None:
    """Drop ``len(kind)`` where ``kind`` is a category: it says less of the same."""
    for name in made.categories:
        if made.numbers.pop(f"len({name})", None) is not None:
            made.refused.append(f"len({name}): {name} says it better")


def _drop_clocks(made: Columns) -> None:
    """Drop numbers that only went along with the time: what they would explain, a drift explains as well."""
    if made.started is None or len(made) < 2:
        return
    order = ranks(made.started)
    for name in list(made.numbers):
        if abs(correlation(ranks(made.numbers[name]), order)) >= LIKE_TIME:
            del made.numbers[name]
            made.like_time.append(name)
            made.refused.append(f"{name}: went along with the time; mix the order of its values to see what it costs")


def _keep_the_telling(made: Columns) -> None:
    """Keep the few features that go most with the cost, by ranks, so that no outlier and no bend matters."""
    if len(made) < 2:
        return
    cost = ranks(made.cost)
    telling = {name: abs(correlation(ranks(column), cost)) for name, column in made.numbers.items()}
    split = {name: _explained(column, cost) for name, column in made.categories.items()}
    _drop(made, made.numbers, telling, NUMBERS_KEPT)
    _drop(made, made.categories, split, CATEGORIES_KEPT)


def _drop(
    made: Columns, kept: dict[str, Floats] | dict[str, NDArray[np.str_]], telling: dict[str, float], room: int
) -> None:
    ordered = sorted(telling, key=lambda name: (-telling[name], name))
    for name in ordered[room:]:
        made.aside[name] = kept.pop(name)
        made.refused.append(f"{name}: goes less with the cost than {room} others")


def ranks(column: Floats) -> Floats:
    """Return ranks, ties at their mean."""
    _, inverse, counts = np.unique(column, return_inverse=True, return_counts=True)
    last = np.cumsum(counts).astype(np.float64)
    means: Floats = last - (counts - 1) / 2
    ranked: Floats = means[inverse]
    return ranked


def correlation(left: Floats, right: Floats) -> float:
    """Return Pearson's correlation; 0 where one of them does not vary."""
    left, right = left - left.mean(), right - right.mean()
    scale = math.sqrt(float((left * left).sum()) * float((right * right).sum()))
    return float((left * right).sum()) / scale if scale else 0.0


def _explained(categories: NDArray[np.str_], ranked: Floats) -> float:
    """Return the share of the ranked' variance that lies between categories."""
    total = float(((ranked - ranked.mean()) ** 2).sum())
    between = sum(
        float(len(group) * (group.mean() - ranked.mean()) ** 2)
        for group in (ranked[categories == value] for value in np.unique(categories))
    )
    return between / total if total else 0.0
