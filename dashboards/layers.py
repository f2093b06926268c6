"""A row for each layer that a trace-point file speaks of: its operations, what they mean, how they go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dashboards.model import Chart, Dashboard, Panel, Query, Row, Text
from dashboards.names import ERRORS, LAYERS, SERVICES
from dashboards.points import LayerOperations, Operation
from dashboards.promql import CALLS, OPERATION, any_of, quantile, rate, share, where

LEGEND = f"{{{{{OPERATION}}}}}"


def page(layers: Sequence[LayerOperations]) -> Dashboard:
    """Make the page."""
    return Dashboard(
        uid=LAYERS,
        title="dam-obs: layers",
        description="Altitude, focus, reasoning, learning, memory and systems, operation by operation.",
        choices=(SERVICES,),
        rows=tuple(Row(title=each.name.capitalize(), panels=tuple(_panels(each))) for each in layers),
    )


def _panels(layer: LayerOperations) -> Iterator[Panel]:
    blockable = layer.only(blocked=True)
    every = where(layer=layer.name)
    timed = where(layer=layer.name, operation=any_of(*layer.only(timed=True)))
    width = 6 if blockable else 8
    yield Chart(
        title=f"{layer.name.capitalize()}: operations",
        meaning="Spans of each operation, a second.",
        queries=(Query(expr=rate(CALLS, every, OPERATION), legend=LEGEND),),
        unit="ops",
        stacked=True,
        width=width,
        height=9,
    )
    yield Chart(
        title=f"{layer.name.capitalize()}: slow ones",
        meaning="95 % of an operation's spans took no longer. The dots are examples, and lead to their traces.",
        queries=(Query(expr=quantile(0.95, timed, OPERATION), legend=LEGEND, exemplars=True),),
        unit="ms",
        width=width,
        height=9,
    )
    yield Chart(
        title=f"{layer.name.capitalize()}: failed",
        meaning="Share of an operation's spans that raised.",
        queries=(Query(expr=share(CALLS, where(status="error"), every, OPERATION), legend=LEGEND),),
        unit="percentunit",
        thresholds=ERRORS,
        width=width,
        height=9,
    )
    if blockable:
        refusing = where(layer=layer.name, operation=any_of(*blockable))
        yield Chart(
            title=f"{layer.name.capitalize()}: refused",
            meaning=f"Share of spans that were blocked, of operations that can be: {', '.join(blockable)}.",
            queries=(Query(expr=share(CALLS, where(status="blocked"), refusing, OPERATION), legend=LEGEND),),
            unit="percentunit",
            top=1,
            width=width,
            height=9,
        )
    yield Text(
        title=f"{layer.name.capitalize()}: what the operations are",
        content=_explained(layer.operations),
        height=3 + len(layer.operations),
    )


def _explained(operations: Sequence[Operation]) -> str:
    lines = ["| operation | what it is | traced in |", "|---|---|---|"]
    for each in operations:
        notes = ["a moment, without duration"] * each.is_moment + ["at level `debug` only"] * each.is_detail
        meaning = f"{each.meaning} ({', '.join(notes)})" if notes else each.meaning
        lines.append(f"| `{each.name}` | {_cell(meaning)} | {', '.join(each.hosts)} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
