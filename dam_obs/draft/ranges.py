"""A cost model beside what was seen, by range of its feature: the figures of `plot`, for where no picture shows."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from dam_obs.diagnose.report import Point, SystemDiagnosis
from dam_obs.draft import figures
from dam_obs.draft.markdown import code
from dam_obs.draft.plot import best_feature, categories_of, category, number, told_ms

RANGES = 4
"""Of about as many executions each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A row; every text is Markdown."""

    values: str
    """Of the feature."""
    executions: str
    median: str
    model: str
    """The median of what the model says at its quantile."""
    above: str
    """Share of the executions that took longer than it said."""


@dataclass(frozen=True, slots=True)
class RangeTable:
    """A table of ranges."""

    feature: str
    rows: list[Range]


def range_table(system: SystemDiagnosis) -> RangeTable | None:
    """Set a model beside the executions kept for plotting; `None` without a feature that varies."""
    points = [point for point in system.points if point.status == "success"]
    feature = best_feature(system, points)
    if feature is None:
        return None
    categories = categories_of(points, feature)
    if categories:
        groups = [(code(name), [point for point in points if category(point, feature) == name]) for name in categories]
    else:
        groups = _ranges([point for point in points if number(point, feature) is not None], feature)
    rows = [_row(values, group, system) for values, group in groups if group]
    return RangeTable(code(feature), rows) if len(rows) > 1 else None


def _ranges(points: Sequence[Point], feature: str) -> list[tuple[str, list[Point]]]:
    """Part executions by a number, equal numbers never apart."""
    ranked = sorted(points, key=lambda point: number(point, feature) or 0.0)
    groups: list[list[Point]] = []
    for place, point in enumerate(ranked):
        begins = place * RANGES // len(ranked) != (place - 1) * RANGES // len(ranked)
        if not groups or (begins and number(point, feature) != number(groups[-1][-1], feature)):
            groups.append([])
        groups[-1].append(point)
    return [(_span(number(group[0], feature), number(group[-1], feature)), group) for group in groups]


def _span(low: float | None, high: float | None) -> str:
    first, last = figures.number(low or 0.0), figures.number(high or 0.0)
    return first if first == last else f"{first} to {last}"


def _row(values: str, points: Sequence[Point], system: SystemDiagnosis) -> Range:
    told = [(point.duration_ns / 1e6, told_ms(system.cost, point.features)) for point in points]
    known = [(seen, ms) for seen, ms in told if ms is not None]
    return Range(
        values=values,
        executions=figures.number(len(points)),
        median=figures.milliseconds(statistics.median(point.duration_ns for point in points)),
        model=figures.milliseconds(statistics.median(ms for _, ms in known) * 1e6) if known else "says nothing",
        above=figures.percent(sum(seen > ms for seen, ms in known) / len(known) if known else None),
    )
