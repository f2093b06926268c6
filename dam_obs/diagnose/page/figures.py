"""
What the charts of a system show, as plain rows: how long it took, and what that depends on.

All figuring is done here; `charts` only draws these rows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from dam_obs.diagnose.costs import predict
from dam_obs.diagnose.page import ticks, units
from dam_obs.diagnose.page.text import shown
from dam_obs.diagnose.report import CostModel, Point, Quantiles, SystemDiagnosis
from dam_obs.trace.events import Scalar

BARS: Final = 36
CURVE_POINTS: Final = 48
CATEGORIES_DRAWN: Final = 8
CURVES_DRAWN: Final = 4
LABEL: Final = 18
"""Characters of a category's name in a chart."""

LABEL_HEIGHT: Final = 0.075
"""Of a chart."""

_LINES_BY_CATEGORY: Final = ("category_linear", "category_slopes")
_STATUSES: Final = ("success", "blocked", "error")
_GOLDEN: Final = (math.sqrt(5) - 1) / 2
"""Its multiples spread evenly: points of one category are set side by side without chance."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A scale, from where to where, and its marks."""

    low: float
    high: float
    log: bool
    ticks: list[Tick]


@dataclass(frozen=True, slots=True)
class Bar:
    """Executions of one status that took between `left` and `right` ns, stacked from `bottom` to `top`."""

    left: float
    right: float
    bottom: int
    top: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How long executions took: logarithmic classes of duration, and the quantiles as marks."""

    x: Axis
    y: Axis
    bars: list[Bar]
    quantiles: list[Tick]
    """Of all executions, also where the bars show only some."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One execution."""

    x: float
    y: float
    status: str


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A point of the cost model's line: what it predicts at `x`."""

    x: float
    median: float
    quantile: float
    curve: int
    """Which line it belongs to: one for each category."""


@dataclass(frozen=True, slots=True)
class CurveLabel:
    """The name of a line, at one of its ends."""

    x: float
    y: float
    label: str
    align: Literal["left", "right"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPlot:
    """Executions against one feature, and the cost model through them."""

    x: Axis
    y: Axis
    x_name: str
    dots: list[Dot]
    curve: list[CurvePoint]
    labels: list[CurveLabel] = field(default_factory=list)
    left_out: int
    """Executions that do not have the feature."""
    held: dict[str, str] = field(default_factory=dict)
    """The model's other feature, and the value at which the line was drawn."""

    @property
    def has_many_lines(self) -> bool:
        """Whether lines cross the whole chart side by side: then their quantiles would be too much."""
        return len(self.labels) > 1


def histogram(points: Sequence[Point], quantiles: Quantiles) -> Histogram | None:
    """Sort executions into classes of duration; `None` if there are none."""
    if not points:
        return None
    durations = np.array([max(point.duration_ns, 1) for point in points], dtype=np.float64)
    low, high = float(min(durations.min(), quantiles.p50_ns or 1)), float(max(durations.max(), quantiles.p99_ns))
    low, high = _widened(max(low, 1.0), high)
    number = min(BARS, max(8, round(2 * math.sqrt(len(points)))))
    edges = np.geomspace(low, high, number + 1)
    height = np.zeros(number, dtype=np.int64)
    bars: list[Bar] = []
    for status in _statuses(points):
        mine = durations[[point.status == status for point in points]]
        for place, many in enumerate(np.histogram(mine, edges)[0].tolist()):
            if many:
                bottom = int(height[place])
                bars.append(Bar(float(edges[place]), float(edges[place + 1]), bottom, bottom + many, status))
                height[place] += many
    top = int(height.max())
    marks = [("p50", quantiles.p50_ns), ("p95", quantiles.p95_ns), ("p99", quantiles.p99_ns)]
    return Histogram(
        x=Axis(low=low, high=high, log=True, ticks=_durations(ticks.log_ticks(low, high))),
        y=Axis(low=0, high=top, log=False, ticks=[Tick(mark, units.count(mark)) for mark in ticks.whole_ticks(top)]),
        bars=bars,
        quantiles=[Tick(max(at, 1), f"{name} {units.duration(at)}") for name, at in marks],
    )


def cost_plot(system: SystemDiagnosis) -> CostPlot | None:
    """Set executions against the feature that says most of their cost; `None` if there are none."""
    if not system.points:
        return None
    name, categorical = _best_feature(system)
    if name is None:
        return _over_run(system)
    return _by_category(system, name) if categorical else _by_number(system, name)


def _by_number(system: SystemDiagnosis, name: str) -> CostPlot:
    found = [(value, point) for point in system.points if (value := number(point.features.get(name))) is not None]
    values = [value for value, _ in found]
    low, high = min(values), max(values)
    log = ticks.wants_log(low, high)
    if low == high:
        low, high = low - (abs(low) or 1) * 0.5, high + (abs(high) or 1) * 0.5
    marks = ticks.log_ticks(low, high) if log else ticks.linear_ticks(low, high)
    places = (np.geomspace if log else np.linspace)(low, high, CURVE_POINTS).tolist()
    curve, names, held = _curves(system, name, places)
    dots = [Dot(value, max(point.duration_ns, 1), point.status) for value, point in found]
    y = _cost_axis(dots, curve)
    return CostPlot(
        x=_padded(low, high, log, [Tick(mark, units.short(mark)) for mark in marks]),
        y=y,
        x_name=name,
        dots=dots,
        curve=curve,
        labels=_labels(curve, names, y),
        left_out=len(system.points) - len(found),
        held=held,
    )


def _by_category(system: SystemDiagnosis, name: str) -> CostPlot:
    counts = Counter(str(point.features[name]) for point in system.points if name in point.features)
    drawn = [category for category, _ in counts.most_common(CATEGORIES_DRAWN)]
    places = {category: place for place, category in enumerate(sorted(drawn))}
    dots: list[Dot] = []
    for turn, point in enumerate(system.points):
        category = str(point.features[name]) if name in point.features else None
        if category in places:
            spread = (turn * _GOLDEN % 1 - 0.5) * 0.6
            dots.append(Dot(places[category] + spread, max(point.duration_ns, 1), point.status))
    curve = [
        CurvePoint(place + side, typical, typical * system.cost.quantile_factor, place)
        for category, place in places.items()
        if (typical := _predicted(system.cost, {name: category})) is not None
        for side in (-0.42, 0.42)
    ]
    marks = [Tick(place, shown(category, LABEL)) for category, place in places.items()]
    return CostPlot(
        x=Axis(low=-0.5, high=len(places) - 0.5, log=False, ticks=marks),
        y=_cost_axis(dots, curve),
        x_name=name,
        dots=dots,
        curve=curve,
        left_out=len(system.points) - len(dots),
    )


def _over_run(system: SystemDiagnosis) -> CostPlot:
    """Set executions in the order in which they started, where no feature is left to set them against."""
    dots = [Dot(turn, max(point.duration_ns, 1), point.status) for turn, point in enumerate(system.points, start=1)]
    last = max(len(dots), 2)
    typical = _predicted(system.cost, {})
    curve = (
        []
        if typical is None
        else [CurvePoint(at, typical, typical * system.cost.quantile_factor, 0) for at in (1, last)]
    )
    marks = [Tick(mark, units.count(mark)) for mark in ticks.linear_ticks(1, last) if mark == int(mark)]
    return CostPlot(
        x=_padded(1, last, log=False, marks=marks),
        y=_cost_axis(dots, curve),
        x_name="",
        dots=dots,
        curve=curve,
        left_out=0,
    )


def _curves(
    system: SystemDiagnosis, name: str, places: Sequence[float]
) -> tuple[list[CurvePoint], list[str], dict[str, str]]:
    """
    Ask the model along `places`.

    Returns:
        The lines, one for each category or one with the other feature held at its middle;
        the names of the lines, where there are several; and what was held, at what.
    """
    model = system.cost
    others = [other for other in model.features if other != name]
    middles = {other: _middle(system.points, other) for other in others}
    names: list[str] = []
    settings: list[dict[str, Scalar]] = [{**middles}]
    if model.family in _LINES_BY_CATEGORY and others:
        highest = model.slopes or model.categories
        names = sorted(highest, key=lambda category: -highest[category])[:CURVES_DRAWN]
        settings, middles = [{others[0]: category} for category in names], {}
    curve = [
        CurvePoint(x, typical, typical * model.quantile_factor, line)
        for line, rest in enumerate(settings)
        for x in places
        if (typical := _predicted(model, {**rest, name: x})) is not None
    ]
    return (
        curve,
        names,
        {other: units.short(value) for other, value in middles.items()},
    )


def _labels(curve: Sequence[CurvePoint], names: Sequence[str], y: Axis) -> list[CurveLabel]:
    """Name the lines at that end where they are farther apart, and keep the names from touching."""
    lines = [
        [point for point in curve if point.curve == place and y.low <= point.median <= y.high]
        for place in range(len(names))
    ]
    named = [(name, line) for name, line in zip(names, lines, strict=True) if line]
    if not named:
        return []
    left = sorted((_place(line[0].median, y), line[0].x, name) for name, line in named)
    right = sorted((_place(line[-1].median, y), line[-1].x, name) for name, line in named)
    on_left = left[-1][0] - left[0][0] > right[-1][0] - right[0][0]
    labels, lowest = [], -1.0
    for place, x, name in left if on_left else right:
        lowest = max(place, lowest + LABEL_HEIGHT)
        labels.append(CurveLabel(x, _value_at(lowest, y), shown(name, LABEL), "left" if on_left else "right"))
    return labels


def _place(value: float, axis: Axis) -> float:
    """Return how far up an axis `value` is, 0 to 1."""
    if axis.log:
        return math.log(value / axis.low, axis.high / axis.low)
    return (value - axis.low) / (axis.high - axis.low)


def _value_at(place: float, axis: Axis) -> float:
    if axis.log:
        return float(axis.low * (axis.high / axis.low) ** place)
    return axis.low + place * (axis.high - axis.low)


def _best_feature(system: SystemDiagnosis) -> tuple[str | None, bool]:
    """Return the feature to draw against, and whether its values are names rather than numbers."""
    model = system.cost
    if model.family == "category":
        return model.features[0], True
    if model.family in _LINES_BY_CATEGORY:
        return model.features[1], False
    numbers = [name for name in model.features or system.features if _varies(system.points, name)]
    if numbers:
        return max(numbers, key=lambda name: _says(system.points, name)), False
    if model.family != "constant":
        return model.features[0], False
    names = [name for name in system.features if 2 <= _distinct(system.points, name) <= CATEGORIES_DRAWN]
    return (names[0], True) if names else (None, False)


def _says(points: Sequence[Point], name: str) -> float:
    """Return how well the ranks of a feature follow those of the durations, 0 to 1."""
    pairs = [(value, point.duration_ns) for point in points if (value := number(point.features.get(name))) is not None]
    ranks = [np.argsort(np.argsort(column)) for column in zip(*pairs, strict=True)]
    return abs(float(np.corrcoef(ranks[0], ranks[1])[0, 1]))


def _varies(points: Sequence[Point], name: str) -> bool:
    values = {value for point in points if (value := number(point.features.get(name))) is not None}
    return len(values) > 1


def _distinct(points: Sequence[Point], name: str) -> int:
    return len({str(point.features[name]) for point in points if name in point.features})


def _middle(points: Sequence[Point], name: str) -> float:
    values = [value for point in points if (value := number(point.features.get(name))) is not None]
    return float(np.median(values)) if values else 0.0


def _predicted(model: CostModel, features: dict[str, Scalar]) -> float | None:
    typical = predict(model, features)
    return typical if typical is not None and math.isfinite(typical * model.quantile_factor) else None


def number(value: object) -> float | None:
    """Return `value` as a number that can be drawn; `None` for a name, a truth value or what is infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        as_float = float(value)
    except OverflowError:
        return None
    return as_float if math.isfinite(as_float) and abs(as_float) < 1e300 else None


def _cost_axis(dots: Sequence[Dot], curve: Sequence[CurvePoint]) -> Axis:
    """Make the scale of durations: wide enough for executions and model, but not for a model gone astray."""
    values = [dot.y for dot in dots]
    low, high = min(values), max(values)
    modelled = [at for point in curve for at in (point.median, point.quantile)]
    high = max([high, *(at for at in modelled if at <= 3 * high)])
    low = min([low, *(at for at in modelled if at >= low / 3)])
    if not ticks.wants_log(low, high):
        return Axis(low=0, high=high * 1.05, log=False, ticks=_durations(ticks.linear_ticks(0, high * 1.05)))
    low, high = low / 1.15, high * 1.15
    return Axis(low=low, high=high, log=True, ticks=_durations(ticks.log_ticks(low, high)))


def _padded(low: float, high: float, log: bool, marks: list[Tick]) -> Axis:
    """Leave a little room at both ends, so that no dot is cut."""
    if log:
        room = (high / low) ** 0.02
        return Axis(low=low / room, high=high * room, log=True, ticks=marks)
    room = (high - low) * 0.02
    return Axis(low=low - room, high=high + room, log=False, ticks=marks)


def _durations(marks: Sequence[float]) -> list[Tick]:
    return [Tick(mark, units.duration(mark)) for mark in marks]


def _widened(low: float, high: float) -> tuple[float, float]:
    """Give a range without extent some; in the histogram of equal durations the one bar stands in the middle."""
    return (low, high * 1.0001) if high / low > 1.2 else (low / 1.2, high * 1.2)


def _statuses(points: Sequence[Point]) -> list[str]:
    """Return the statuses that occur, the known ones first and in one order."""
    seen = {point.status for point in points}
    return [status for status in _STATUSES if status in seen] + sorted(seen.difference(_STATUSES))
