"""
The families of laws that a cost may follow, and how each is fitted.

Costs are positive and their noise multiplies: a load of the machine makes a long run
longer by as much, in per cent, as a short one. So all families are fitted to the
*logarithm* of the cost, and to its median: the sum of absolute residuals is made least, by
Gauss-Newton steps with weights (iteratively reweighted least squares). How far an outlier
is away does not matter then, nor that much waiting comes in lumps, as a turn at the
interpreter lock does; Huber's weights, tried on a busy pipeline, missed by a fifth more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, Literal, TypeAlias

import numpy as np

from dam_obs.diagnose.columns import Columns, Floats

Family: TypeAlias = Literal["constant", "linear", "power", "nlogn", "quadratic", "category", "category_linear"]

MIN_PER_CATEGORY: Final = 5
"""A rarer category is predicted like one that was never seen."""

_ROUNDS: Final = 25
_CLOSE: Final = 0.1
"""Share of the median residual below which residuals weigh the same: the exact law would divide by zero."""
_STILL: Final = 1e-4
"""Largest relative change of the coefficients at which a fit has settled."""
_LONGEST_STEP: Final = 1.0
"""Largest residual, in logarithms, that one Gauss-Newton step tries to make up."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A law with its numbers."""

    family: Family
    features: tuple[str, ...]
    coefficients: dict[str, float]
    categories: dict[str, float] = field(default_factory=dict)

    def predict(self, columns: Columns) -> Floats:
        """Return the cost in nanoseconds of each row, never below 1."""
        return np.maximum(_LAWS[self.family](self, columns), 1.0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A family over some features, not fitted yet."""

    family: Family
    features: tuple[str, ...]
    rank: int
    """Simpler ones have lower ranks."""

    def fit(self, columns: Columns) -> Fitted:
        """Find the numbers of the law."""
        return _FITS[self.family](self.features, columns)

    def __str__(self) -> str:
        """Say it in words, ``linear in size``."""
        if not self.features:
            return self.family
        word = "by" if self.family.startswith("category") else "in"
        return f"{self.family.replace('_', ' + ')} {word} {' and '.join(self.features)}"


CONSTANT: Final = Candidate("constant", (), 0)


def candidates(columns: Columns) -> Iterator[Candidate]:
    """Yield every law that can be tried on `columns`, but the constant one."""
    positive = [name for name, column in columns.numbers.items() if column.min() > 0]
    not_negative = [name for name, column in columns.numbers.items() if column.min() >= 0]
    yield from (Candidate("linear", (name,), 1) for name in columns.numbers)
    yield from (Candidate(family, (name,), 2) for family in _GROWTHS for name in not_negative)
    yield from (Candidate("power", (name,), 3) for name in positive)
    yield from (Candidate("category", (name,), 4) for name in columns.categories)
    yield from (Candidate("linear", pair, 5) for pair in combinations(columns.numbers, 2))
    yield from (Candidate("power", pair, 6) for pair in combinations(positive, 2))
    yield from (
        Candidate("category_linear", (category, number), 7)
        for category in columns.categories
        for number in columns.numbers
    )


def nlogn(values: Floats) -> Floats:
    """Return ``x * log2(1 + x)``, which is 0 at 0 and needs no care there."""
    grown: Floats = values * np.log2(1.0 + values)
    return grown


_GROWTHS: Final[dict[Family, Callable[[Floats], Floats]]] = {"nlogn": nlogn, "quadratic": np.square}
"""Laws that are linear in something that grows with the number."""


def robust_fit(design: Floats, cost: Floats) -> Floats:
    """
    Return coefficients so that the logarithm of ``design @ coefficients`` is close to that of `cost`.

    Predictions are kept above a floor well below the smallest cost, where a law with a
    negative part would leave the logarithm's domain.
    """
    scale = np.abs(design).max(axis=0)
    scaled = design / np.where(scale > 0, scale, 1.0)
    floor = float(np.quantile(cost, 0.01)) / 10
    found = _least_squares(scaled, cost, 1.0 / cost)
    for _ in range(_ROUNDS):
        fitted: Floats = np.maximum(scaled @ found, floor)
        residual: Floats = np.log(cost / fitted)
        weights = np.sqrt(_weights(residual)) / fitted
        target: Floats = fitted * (1.0 + np.clip(residual, -_LONGEST_STEP, _LONGEST_STEP))
        better = _least_squares(scaled, target, weights)
        moved = float(np.abs(better - found).max())
        found = better
        if moved <= _STILL * float(np.abs(found).max()):
            break
    coefficients: Floats = found / np.where(scale > 0, scale, 1.0)
    return coefficients


def _robust_linear(design: Floats, target: Floats) -> Floats:
    """Return coefficients of a plain linear law for the median."""
    found = _least_squares(design, target, np.ones(len(target)))
    for _ in range(_ROUNDS):
        better = _least_squares(design, target, np.sqrt(_weights(target - design @ found)))
        moved = float(np.abs(better - found).max())
        found = better
        if moved <= _STILL * float(np.abs(found).max()):
            break
    return found


def _least_squares(design: Floats, target: Floats, weights: Floats) -> Floats:
    solution = np.linalg.lstsq(design * weights[:, None], target * weights, rcond=None)[0]
    return np.asarray(solution, dtype=np.float64)


def _weights(residual: Floats) -> Floats:
    size = np.abs(residual)
    close = max(_CLOSE * float(np.median(size)), 1e-9)
    weights: Floats = 1.0 / np.maximum(size, close)
    return weights


def _fit_constant(features: tuple[str, ...], columns: Columns) -> Fitted:
    return Fitted("constant", (), {"intercept": float(np.median(columns.cost))})


def _fit_linear(features: tuple[str, ...], columns: Columns) -> Fitted:
    values = [columns.numbers[name] for name in features]
    found = robust_fit(np.column_stack([np.ones(len(columns)), *values]), columns.cost)
    slopes = dict(zip(("slope", "slope_2"), found[1:].tolist(), strict=False))
    return Fitted("linear", features, {"intercept": float(found[0]), **slopes})


def _fit_nlogn(features: tuple[str, ...], columns: Columns) -> Fitted:
    return _fit_growth("nlogn", features, columns)


def _fit_quadratic(features: tuple[str, ...], columns: Columns) -> Fitted:
    return _fit_growth("quadratic", features, columns)


def _fit_growth(family: Family, features: tuple[str, ...], columns: Columns) -> Fitted:
    grown = _GROWTHS[family](columns.numbers[features[0]])
    found = robust_fit(np.column_stack([np.ones(len(columns)), grown]), columns.cost)
    return Fitted(family, features, {"intercept": float(found[0]), "slope": float(found[1])})


def _fit_power(features: tuple[str, ...], columns: Columns) -> Fitted:
    logs = [np.log(columns.numbers[name]) for name in features]
    found = _robust_linear(np.column_stack([np.ones(len(columns)), *logs]), np.log(columns.cost))
    exponents = dict(zip(("exponent", "exponent_2"), found[1:].tolist(), strict=False))
    return Fitted("power", features, {"scale": float(np.exp(found[0])), **exponents})


def _fit_category(features: tuple[str, ...], columns: Columns) -> Fitted:
    column = columns.categories[features[0]]
    medians = {value: float(np.median(columns.cost[column == value])) for value in _common(columns, features[0])}
    return Fitted("category", features, {"intercept": float(np.median(columns.cost))}, medians)


def _fit_category_linear(features: tuple[str, ...], columns: Columns) -> Fitted:
    category, number = features
    column, common = columns.categories[category], _common(columns, category)
    members = [(column == value).astype(np.float64) for value in common]
    rest = 1.0 - sum(members, np.zeros(len(columns)))
    if rest.any() or not members:
        members.append(rest)
    found = robust_fit(np.column_stack([*members, columns.numbers[number]]), columns.cost)
    intercepts = dict(zip(common, found.tolist(), strict=False))
    counts = [float(member.sum()) for member in members]
    unseen = float(found[len(common)]) if len(members) > len(common) else float(np.average(found[:-1], weights=counts))
    return Fitted("category_linear", features, {"intercept": unseen, "slope": float(found[-1])}, intercepts)


def _common(columns: Columns, category: str) -> list[str]:
    values, counts = np.unique(columns.categories[category], return_counts=True)
    return [str(value) for value, count in zip(values, counts, strict=True) if count >= MIN_PER_CATEGORY]


def _constant(law: Fitted, columns: Columns) -> Floats:
    return np.full(len(columns), law.coefficients["intercept"])


def _linear(law: Fitted, columns: Columns) -> Floats:
    cost = np.full(len(columns), law.coefficients["intercept"])
    for name, slope in zip(law.features, ("slope", "slope_2"), strict=False):
        cost += law.coefficients[slope] * columns.numbers[name]
    return cost


def _growth(law: Fitted, columns: Columns) -> Floats:
    grown = _GROWTHS[law.family](columns.numbers[law.features[0]])
    cost: Floats = law.coefficients["intercept"] + law.coefficients["slope"] * grown
    return cost


def _power(law: Fitted, columns: Columns) -> Floats:
    cost = np.full(len(columns), law.coefficients["scale"])
    for name, exponent in zip(law.features, ("exponent", "exponent_2"), strict=False):
        cost *= columns.numbers[name] ** law.coefficients[exponent]
    return cost


def _category(law: Fitted, columns: Columns) -> Floats:
    other = law.coefficients["intercept"]
    column = columns.categories[law.features[0]].tolist()
    return np.array([law.categories.get(value, other) for value in column], dtype=np.float64)


def _category_linear(law: Fitted, columns: Columns) -> Floats:
    cost: Floats = _category(law, columns) + law.coefficients["slope"] * columns.numbers[law.features[1]]
    return cost


_FITS: Final[dict[Family, Callable[[tuple[str, ...], Columns], Fitted]]] = {
    "constant": _fit_constant,
    "linear": _fit_linear,
    "nlogn": _fit_nlogn,
    "quadratic": _fit_quadratic,
    "power": _fit_power,
    "category": _fit_category,
    "category_linear": _fit_category_linear,
}

_LAWS: Final[dict[Family, Callable[[Fitted, Columns], Floats]]] = {
    "constant": _constant,
    "linear": _linear,
    "nlogn": _growth,
    "quadratic": _growth,
    "power": _power,
    "category": _category,
    "category_linear": _category_linear,
}
