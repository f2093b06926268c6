"""What a run showed of a system, in a few plain lines: the docstring of its draft."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Final

from dam_obs.diagnose.report import CostModel, InferredTrait, Point, SystemDiagnosis
from dam_obs.draft import figures
from dam_obs.draft.literals import prose
from dam_obs.draft.written import COST, Written

WIDTH: Final = 92
MOST_REMARKS: Final = 8


def docstring_lines(
    system: SystemDiagnosis, run_id: str, *, model_is_drafted: bool, written: Written | None = None
) -> list[str]:
    """Say what a draft rests on: how many executions, how well the model did, and where to look them up."""
    paragraphs = [
        [f"Drafted from run {prose(run_id)}: {_executions(system)}."],
        _of_cost(system.cost, model_is_drafted) if written is None else _of_written(system.cost, written),
        [remark for trait in _told(system, written)[:MOST_REMARKS] for remark in _remarks(trait)],
        ["Executions to look at:" if system.points else "", *map(_example, examples(system.points))],
    ]
    lines: list[str] = []
    for paragraph in paragraphs:
        wrapped = [line for text in paragraph for line in _wrap(text)]
        lines += ["", *wrapped] if lines and wrapped else wrapped
    return lines


def examples(points: list[Point]) -> list[Point]:
    """Pick the quickest, the median and the slowest execution, of those that succeeded where there are any."""
    succeeded = [point for point in points if point.status == "success"]
    ranked = sorted(succeeded or points, key=lambda point: (point.duration_ns, point.handle))
    picked = [ranked[0], ranked[len(ranked) // 2], ranked[-1]] if ranked else []
    return list({id(point): point for point in picked}.values())


def _executions(system: SystemDiagnosis) -> str:
    statuses = ", ".join(
        f"{figures.number(count)} {prose(status)}" for status, count in list(system.by_status.items())[:MOST_REMARKS]
    )
    plural = "" if system.executions == 1 else "s"
    return f"{figures.number(system.executions)} execution{plural}" + (f" ({statuses})" if statuses else "")


def label(trait: InferredTrait) -> str:
    """Name a trait and, where it has one, its pool."""
    pool = trait.arguments.get("pool_path")
    return f"{trait.trait} {pool}" if isinstance(pool, str) else trait.trait


def _told(system: SystemDiagnosis, written: Written | None) -> list[InferredTrait]:
    """List the traits whose evidence holds: that of the report's cost says nothing of another."""
    return [each for each in system.traits if written is None or each.trait != COST]


def _of_cost(model: CostModel, drafted: bool) -> list[str]:
    return [*_cost(model, drafted), *_ranges(model)]


def _of_written(model: CostModel, written: Written) -> list[str]:
    return [_quantile(model), *map(prose, written.remarks[:MOST_REMARKS])]


def _quantile(model: CostModel) -> str:
    return f"time_ms is meant to hold for {figures.percent(model.quantile)} of executions."


def _cost(model: CostModel, drafted: bool) -> Iterable[str]:
    yield _quantile(model)
    if not drafted and model.family != "constant":
        yield f"It is a constant; why the {model.family} model was not taken is said below."
        return
    if model.held_out is None:
        yield "Too few executions to test the cost on ones it had not seen."
        return
    told = model.held_out
    yield (
        f"On executions it had not seen, the {model.family} model's median error is {figures.percent(told.mdape)}, "
        f"its bias {figures.percent(told.bias, signed=True)}, and {figures.percent(told.under_rate)} took longer."
    )


def _ranges(model: CostModel) -> Iterable[str]:
    for feature, (low, high) in list(model.valid_range.items())[:MOST_REMARKS]:
        seen = f"{figures.number(low)} to {figures.number(high)}"
        yield f"{prose(feature)} was {seen}; beyond that nothing is known."


def _remarks(trait: InferredTrait) -> Iterable[str]:
    yield from (f"{prose(label(trait))}: {prose(text)}" for text in trait.evidence[:2])


def _example(point: Point) -> str:
    return f"{prose(point.handle)}: {figures.milliseconds(point.duration_ns)}, {prose(point.status)}"


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
