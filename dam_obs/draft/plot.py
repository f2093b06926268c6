"""
A small picture of what a cost model rests on: each execution as a dot, the model as a line.

It is an SVG file of few elements that stands beside the review: code hosts strip pictures
that are written into Markdown itself, and show files that it names. It has no script, no
link and no font of its own, and colours that are seen on white and on black.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import numpy as np

from dam_obs.diagnose.costs import predict
from dam_obs.diagnose.report import CostModel, Point, SystemDiagnosis
from dam_obs.draft import figures
from dam_obs.draft.literals import shown

WIDTH: Final = 360
HEIGHT: Final = 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 12, 24, 38
MOST_DOTS: Final = 300
MOST_CATEGORIES: Final = 6
_LINE_PLACES: Final = 60
_LOG_RATIO: Final = 20.0
_LARGEST: Final = 1e18

_INK: Final = "#7a7f87"
_DOT: Final = "#3f83d1"
_MODEL: Final = "#d9730d"


@dataclass(frozen=True, slots=True)
class _Dot:
    x: float
    ms: float
    predicted: float | None
    """By the model, at its quantile."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """Values laid out from one place to another, evenly or by their logarithms."""

    low: float
    high: float
    start: float
    end: float
    log: bool

    def at(self, value: float) -> float:
        """Return the place of a value."""
        low, high, here = (math.log(v) if self.log else v for v in (self.low, self.high, max(value, self.low)))
        share = (here - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)


def plot(system: SystemDiagnosis) -> str | None:
    """
    Draw the cost of a system's executions against the feature that explains it best.

    Returns:
        An SVG file; `None` where there is no feature to draw against, or too few executions.
    """
    points = [point for point in system.points if point.status == "success" and 0 < point.duration_ns < _LARGEST]
    feature = best_feature(system, points)
    if feature is None or len(points) < 2:
        return None
    drawn = points[:: math.ceil(len(points) / MOST_DOTS)]
    categories = categories_of(drawn, feature)
    place = _places(feature, categories)
    dots = [
        _Dot(x, point.duration_ns / 1e6, told_ms(system.cost, point.features))
        for point in drawn
        if (x := place(point)) is not None
    ]
    if len(dots) < 2:
        return None
    line = [] if categories else _line(system.cost, [dot.x for dot in dots])
    return _drawing(dots, line, feature, categories, system.cost)


def best_feature(system: SystemDiagnosis, points: Sequence[Point]) -> str | None:
    """Name the feature to draw against: a number of the model, else a category of it, else what varies most."""
    own = [name for name in system.cost.features if numbers(points, name)]
    if own or system.cost.features:
        return (own or system.cost.features)[0]
    return max(
        (name for name in system.features if len(set(numbers(points, name))) > 1),
        key=lambda name: (len(set(numbers(points, name))), name),
        default=None,
    )


def numbers(points: Iterable[Point], name: str) -> list[float]:
    """Return the values of a feature that are numbers."""
    return [value for point in points if (value := number(point, name)) is not None]


def number(point: Point, name: str) -> float | None:
    """Return a feature of an execution if it is a number that can be drawn."""
    value = point.features.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST < value < _LARGEST:
        return None
    return float(value)


def category(point: Point, name: str) -> str | None:
    """Return a feature of an execution as the name of its category, as a model has it."""
    value = point.features.get(name)
    return str(value) if isinstance(value, str | bool) else None


def categories_of(points: Sequence[Point], name: str) -> list[str]:
    """Return the most frequent categories, or none where the feature is a number."""
    if numbers(points, name):
        return []
    values = Counter(text for point in points if (text := category(point, name)) is not None)
    return sorted(values, key=lambda text: (-values[text], text))[:MOST_CATEGORIES]


def _places(name: str, categories: list[str]) -> Callable[[Point], float | None]:
    if not categories:
        return lambda point: number(point, name)
    order = {text: float(place) for place, text in enumerate(categories)}
    return lambda point: order.get(category(point, name) or "")


def told_ms(model: CostModel, features: Mapping[str, Any]) -> float | None:
    """Return what a model says at its quantile, in ms; `None` where it says nothing: a report may hold anything."""
    try:
        with np.errstate(all="ignore"):
            nanoseconds = predict(model, features)
            value = math.nan if nanoseconds is None else nanoseconds * model.quantile_factor / 1e6
    except (LookupError, ArithmeticError, TypeError, ValueError):
        return None
    return value if 0 <= value < _LARGEST else None


def _line(model: CostModel, seen: Sequence[float]) -> list[tuple[float, float]]:
    """Return the model over the range seen, where it is of one number or of none."""
    if len(model.features) > 1 or model.family.startswith("category"):
        return []
    low, high = min(seen), max(seen)
    wide = low > 0 and high / low > _LOG_RATIO
    shares = [step / (_LINE_PLACES - 1) for step in range(_LINE_PLACES)]
    values = [low * (high / low) ** share if wide else low + (high - low) * share for share in shares]
    told = [(x, told_ms(model, dict.fromkeys(model.features, x))) for x in values]
    return [(x, ms) for x, ms in told if ms is not None]


def _drawing(
    dots: Sequence[_Dot],
    line: Sequence[tuple[float, float]],
    feature: str,
    categories: Sequence[str],
    model: CostModel,
) -> str:
    lowest, highest = min(dot.ms for dot in dots), max(dot.ms for dot in dots)
    upright = _Axis(lowest if highest > lowest * _LOG_RATIO else 0.0, highest, HEIGHT - _BOTTOM, _TOP, False)
    upright = _Axis(upright.low, upright.high, upright.start, upright.end, upright.low > 0)
    left, right = min(dot.x for dot in dots), max(dot.x for dot in dots)
    level = _Axis(left, right, _LEFT, WIDTH - _RIGHT, not categories and left > 0 and right / left > _LOG_RATIO)
    if categories:
        level = _Axis(-0.5, len(categories) - 0.5, _LEFT, WIDTH - _RIGHT, False)
    title = f"ms by {shown(feature)}; the line is the model at {figures.percent(model.quantile)}"
    parts = [
        _text(_LEFT, 14, title[:70], "start"),
        f'<path d="M{_LEFT} {_TOP}V{HEIGHT - _BOTTOM}H{WIDTH - _RIGHT}" fill="none" stroke="{_INK}"/>',
        *(_text(_LEFT - 6, upright.at(ms) + 4, _short(ms), "end") for ms in _marks(upright)),
        *_below(level, categories),
        f'<g fill="{_DOT}" fill-opacity="0.55">',
        *(f'<circle cx="{level.at(dot.x):.1f}" cy="{upright.at(dot.ms):.1f}" r="2.2"/>' for dot in dots),
        "</g>",
        _model(dots, line, level, upright),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="11">\n' + "\n".join(part for part in parts if part) + "\n</svg>\n"
    )


def _model(dots: Sequence[_Dot], line: Sequence[tuple[float, float]], level: _Axis, upright: _Axis) -> str:
    """Draw the model: as a line where it is one, else as a dash for each execution."""
    low, high = upright.end, upright.start

    def height(ms: float) -> float:
        return min(max(upright.at(ms), low), high)

    if line:
        way = "L".join(f"{level.at(x):.1f} {height(ms):.1f}" for x, ms in line)
    else:
        told = sorted({(level.at(dot.x), height(dot.predicted)) for dot in dots if dot.predicted is not None})
        way = "M".join(f"{x - 4:.1f} {y:.1f}h8" for x, y in told)
    return f'<path d="M{way}" fill="none" stroke="{_MODEL}" stroke-width="1.8"/>' if way else ""


def _below(level: _Axis, categories: Sequence[str]) -> list[str]:
    base = HEIGHT - _BOTTOM + 15
    if categories:
        return [
            _text(level.at(place), base, shown(name)[: 60 // len(categories)], "middle")
            for place, name in enumerate(categories)
        ]
    return [
        _text(level.at(value), base, _short(value), anchor)
        for value, anchor in zip(_marks(level), ("start", "middle", "end"), strict=False)
    ]


def _marks(axis: _Axis) -> list[float]:
    """Return the ends of an axis and what is in the middle between them."""
    if axis.high <= axis.low:
        return [axis.low]
    middle = math.sqrt(axis.low * axis.high) if axis.log else (axis.low + axis.high) / 2
    return [axis.low, middle, axis.high]


def _short(value: float) -> str:
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e12 else f"{value:.3g}"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_INK}">{escape(text)}</text>'
