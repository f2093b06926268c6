"""The tables of ``dam-obs stats``: figures by group, bars over time, the slowest with their handles."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from dam_obs.cli._stats.columns import Cell, Column, cells, fitting, print_columns
from dam_obs.cli._stats.sparks import sparkline
from dam_obs.cli._units import counted, duration
from dam_obs.store.figures import Durations, Figures, Groups, LayerFigures, OverTime
from dam_obs.store.timing import duration_ns
from dam_obs.text import printable

if TYPE_CHECKING:
    from rich.console import Console

    from dam_obs.trace.events import TraceEvent

BARS_SPARED: Final = 40
"""Columns that bars over time leave to names and figures."""

FEWEST_BARS: Final = 8

_TIMES: Final = (("p50", 3), ("p90", 8), ("p95", 2), ("p99", 7), ("Slowest", 5), ("Total", 6))
"""Headers of durations, in the order of `_times`, and which of them go first where there is no room."""


def print_layers(out: Console, layers: Sequence[LayerFigures]) -> None:
    """Print each layer and below it its operations."""
    names: list[Cell] = []
    figures: list[LayerFigures | Figures] = []
    for layer in layers:
        names += cells([layer.layer], "bold")
        figures.append(layer)
        names += cells(f"  {each.name}" for each in layer.by_operation)
        figures += layer.by_operation
    print_columns(out, [Column("Layer", names, left=True, shrinks=True), *_figure_columns(figures)])
    for layer in layers:
        if layer.operations_left_out:
            left_out = counted(layer.operations_left_out, "operation")
            _say(out, f"Left out: {left_out} of {layer.layer} that took less; --groups N shows more.")


def print_groups(out: Console, grouped: Groups) -> None:
    """Print what the user asked to group by."""
    names = cells(group.name for group in grouped.groups)
    print_columns(out, [Column(_heading(grouped.by), names, left=True, shrinks=True), *_figure_columns(grouped.groups)])
    if grouped.groups_left_out:
        _say(out, f"Left out: {counted(grouped.groups_left_out, 'group')} that took less; --groups N shows more.")
    if grouped.events_without:
        _say(out, f"{counted(grouped.events_without, 'event')} without {grouped.by}.")


def print_over_time(out: Console, over_time: OverTime, bars: str) -> None:
    """Print how many operations there were in each part of the time, and how long they took; aside if there is room."""
    begin = datetime.fromtimestamp(over_time.first_ns / 1e9, UTC).astimezone()
    from_when = begin.isoformat(sep=" ", timespec="seconds")
    _say(out, f"Over time: each bar is {duration(over_time.bucket_ns)}, the first from {from_when} on")
    names = Column(
        _heading(over_time.by), cells((series.name for series in over_time.series), "bold"), left=True, shrinks=True
    )
    counts = [series.operations for series in over_time.series]
    took = [series.p95_ns for series in over_time.series]
    operations = _bar_columns("Operations", [[number or None for number in row] for row in counts], "{:,}".format, bars)
    latency = _bar_columns("p95", took, duration, bars)
    aside = [names, *operations, *latency]
    if len(fitting(aside, out.width)) == len(aside):
        print_columns(out, aside)
        return
    print_columns(out, [names, *operations])
    print_columns(out, [names, *latency])


def print_slowest(out: Console, slowest: Sequence[TraceEvent], source: str | None) -> None:
    """
    Print where the slowest operations are to be found.

    Args:
        out: Where to.
        slowest: In their order.
        source: The words between ``dam-obs view`` and its options; `None` where it cannot be read again.
    """
    ranks = cells(f"{rank}." for rank in range(1, len(slowest) + 1))
    print_columns(
        out,
        [
            Column("", ranks),
            Column("Handle", cells(event.trace_id for event in slowest), left=True),
            Column("Took", cells(duration(duration_ns(event) or 0) for event in slowest)),
            Column("Status", [_status(event) for event in slowest], 1, left=True),
            Column("Component", cells(event.component for event in slowest), 2, left=True, shrinks=True),
            Column("Started", cells(event.timestamp for event in slowest), 3, left=True),
        ],
    )
    if source is not None:
        # The handle is from the trace, and the line is made to be pasted into a shell.
        handle = shlex.quote(slowest[0].trace_id)
        words = " ".join(word for word in ("dam-obs view", source, "--trace-id", handle) if word)
        _say(out, f"See the first where it belongs: {words}")


def _say(out: Console, text: str) -> None:
    out.print(printable(text), soft_wrap=True)


def _figure_columns(figures: Sequence[LayerFigures | Figures]) -> list[Column]:
    times = [_times(each.durations) for each in figures]
    return [
        Column("Count", cells(f"{each.operations:,}" for each in figures)),
        Column("Errors", [_part(each.by_status["error"], each.error_rate, "red") for each in figures], 1),
        Column("Blocked", [_part(each.by_status["blocked"], each.blocked_rate, "yellow") for each in figures], 4),
        *(Column(header, cells(row[number] for row in times), rank) for number, (header, rank) in enumerate(_TIMES)),
    ]


def _part(number: int, rate: float, style: str) -> Cell:
    return Cell(f"{number:,} ({rate:.1%})", style) if number else Cell("0", "dim")


def _times(took: Durations | None) -> tuple[str, ...]:
    if took is None:
        return ("",) * len(_TIMES)
    shown = (took.p50_ns, took.p90_ns, took.p95_ns, took.p99_ns, took.max_ns, took.total_ns)
    return tuple(duration(ns) for ns in shown)


def _bar_columns(
    header: str, rows: Iterable[Sequence[int | None]], show: Callable[[int], str], bars: str
) -> list[Column]:
    values = list(rows)
    most = [max((value for value in row if value is not None), default=None) for row in values]
    return [
        Column(header, cells(sparkline(row, bars) for row in values), left=True),
        Column("most", cells("" if value is None else show(value) for value in most), 1),
    ]


def _status(event: TraceEvent) -> Cell:
    return Cell(event.status, {"success": "", "error": "red", "blocked": "yellow"}[event.status])


def _heading(by: str) -> str:
    return by if by.startswith("@") else by.capitalize()
