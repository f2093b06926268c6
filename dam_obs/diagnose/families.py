"""
The families of laws that a cost may follow, and how each is fitted.

Costs are positive and their noise multiplies: a load of the machine makes a long run
longer by as much, in per cent, as a short one. So all families are fitted to the
*logarithm* of the cost, and to its median: by scipy's robust least squares, with a loss
that grows with a residual and not with its square once it is beyond a few per cent. How
far an outlier is away hardly matters then, nor that much waiting comes in lumps, as a turn
at the interpreter lock does. ``benchmarks/regression.py`` holds it against other libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, Literal, TypeAlias

import numpy as np

from dam_obs.diagnose.columns import Columns, Floats

Family: TypeAlias = Literal[
    "constant", "linear", "power", "nlogn", "quadratic", "category", "category_linear", "category_slopes"
]

MIN_PER_CATEGORY: Final = 5
"""A rarer category is predicted like one that was never seen."""

MIN_PER_SLOPE: Final = 10
"""A category with fewer executions has no slope of its own: it is predicted like one that was never seen."""

CLOSE: Final = 0.03
"""Residual, in logarithms, up to which its square counts, and beyond which it counts itself: three per cent."""

_ROUNDS: Final = 200

_LARGEST: Final = 1e100
"""A larger number is in no law: its square would be none any more."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A law with its numbers."""

    family: Family
    features: tuple[str, ...]
    coefficients: dict[str, float]
    categories: dict[str, float] = field(default_factory=dict)
    slopes: dict[str, float] = field(default_factory=dict)

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
        name = {"category_linear": "category + linear", "category_slopes": "category * linear"}.get(self.family)
        return f"{name or self.family} {word} {' and '.join(self.features)}"


CONSTANT: Final = Candidate("constant", (), 0)


def candidates(columns: Columns) -> Iterator[Candidate]:
    """Yield every law that can be tried on `columns`, but the constant one."""
    numbers = [name for name, column in columns.numbers.items() if np.abs(column).max() < _LARGEST]
    positive = [name for name in numbers if columns.numbers[name].min() > 0]
    not_negative = [name for name in numbers if columns.numbers[name].min() >= 0]
    yield from (Candidate("linear", (name,), 1) for name in numbers)
    yield from (Candidate(family, (name,), 2) for family in _GROWTHS for name in not_negative)
    yield from (Candidate("power", (name,), 3) for name in positive)
    yield from (Candidate("category", (name,), 4) for name in columns.categories)
    yield from (Candidate("linear", pair, 5) for pair in combinations(numbers, 2))
    yield from (Candidate("power", pair, 6) for pair in combinations(positive, 2))
    pairs = [(category, number) for category in columns.categories for number in numbers]
    yield from (Candidate("category_linear", pair, 7) for pair in pairs)
    yield from (Candidate("category_slopes", pair, 8) for pair in pairs)


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
    scale = np.where(scale > 0, scale, 1.0)
    scaled = design / scale
    target = np.log(cost)
    floor = float(np.quantile(cost, 0.01)) / 10

    def predicted(found: Floats) -> Floats:
        fitted: Floats = np.maximum(scaled @ found, floor)
        return fitted

    found = _least(
        lambda found: np.log(predicted(found)) - target,
        lambda found: scaled / predicted(found)[:, None],
        begun=_least_squares(scaled / cost[:, None], np.ones(len(cost))),
    )
    coefficients: Floats = found / scale
    return coefficients


def _robust_linear(design: Floats, target: Floats) -> Floats:
    """Return coefficients of a plain linear law for the median."""
    return _least(lambda found: design @ found - target, lambda found: design, begun=_least_squares(design, target))


def _least(residuals: Callable[[Floats], Floats], slopes: Callable[[Floats], Floats], begun: Floats) -> Floats:
    """Return what makes residuals, in logarithms, least; whoever is far away pulls no more than the others."""
    from scipy.optimize import least_squares  # half a second to import, which only those pay who fit a law

    found = least_squares(residuals, begun, jac=slopes, loss="soft_l1", f_scale=CLOSE, max_nfev=_ROUNDS)
    return np.asarray(found.x, dtype=np.float64)


def _least_squares(design: Floats, target: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(design, target, rcond=None)[0], dtype=np.float64)


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


def _fit_category_slopes(features: tuple[str, ...], columns: Columns) -> Fitted:
    """Fit each category for itself; one that was never seen, or seldom, is as the others are on average."""
    category, number = features
    design = np.column_stack([np.ones(len(columns)), columns.numbers[number]])
    own: dict[str, Floats] = {}
    counts: list[int] = []
    for value in _common(columns, category, MIN_PER_SLOPE):
        rows = columns.categories[category] == value
        own[value] = robust_fit(design[rows], columns.cost[rows])
        counts.append(int(rows.sum()))
    unseen = np.average(list(own.values()), axis=0, weights=counts) if own else robust_fit(design, columns.cost)
    return Fitted(
        "category_slopes",
        features,
        {"intercept": float(unseen[0]), "slope": float(unseen[1])},
        {value: float(found[0]) for value, found in own.items()},
        {value: float(found[1]) for value, found in own.items()},
    )


def _common(columns: Columns, category: str, least: int = MIN_PER_CATEGORY) -> list[str]:
    values, counts = np.unique(columns.categories[category], return_counts=True)
    return [str(value) for value, count in zip(values, counts, strict=True) if count >= least]


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
    return _by_category(law.categories, law.coefficients["intercept"], law, columns)


def _category_linear(law: Fitted, columns: Columns) -> Floats:
    cost: Floats = _category(law, columns) + law.coefficients["slope"] * columns.numbers[law.features[1]]
    return cost


def _category_slopes(law: Fitted, columns: Columns) -> Floats:
    slopes = _by_category(law.slopes, law.coefficients["slope"], law, columns)
    cost: Floats = _category(law, columns) + slopes * columns.numbers[law.features[1]]
    return cost


def _by_category(known: Mapping[str, float], other: float, law: Fitted, columns: Columns) -> Floats:
    column = columns.categories[law.features[0]].tolist()
    return np.array([known.get(value, other) for value in column], dtype=np.float64)


_FITS: Final[dict[Family, Callable[[tuple[str, ...], Columns], Fitted]]] = {
    "constant": _fit_constant,
    "linear": _fit_linear,
    "nlogn": _fit_nlogn,
    "quadratic": _fit_quadratic,
    "power": _fit_power,
    "category": _fit_category,
    "category_linear": _fit_category_linear,
    "category_slopes": _fit_category_slopes,
}

_LAWS: Final[dict[Family, Callable[[Fitted, Columns], Floats]]] = {
    "constant": _constant,
    "linear": _linear,
    "nlogn": _growth,
    "quadratic": _growth,
    "power": _power,
    "category": _category,
    "category_linear": _category_linear,
    "category_slopes": _category_slopes,
}
