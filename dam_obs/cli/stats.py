"""``dam-obs stats``: events by layer, and the slowest of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import click

from dam_obs.cli._base import console, echo_json, json_option, source_argument
from dam_obs.cli._reading import Reading
from dam_obs.cli._units import counted, duration
from dam_obs.sinks.tree import layer_code
from dam_obs.store.find import Source
from dam_obs.store.summary import LayerSummary, TraceSummary, duration_ns, summarise
from dam_obs.text import printable
from dam_obs.trace.events import Status, TraceEvent

SCHEMA_VERSION: Final = 1
"""Of what ``--json`` prints; raised when a field goes or changes its meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowEvent:
    """One of the slowest spans, as ``--json`` prints it."""

    trace_id: str
    """Its handle, for ``dam-obs view --trace-id``."""
    otel_span_id: str | None
    timestamp: str
    layer: str
    operation: str
    component: str
    status: Status
    duration_ns: int
    what: str
    """What stands in parentheses behind it in the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsDocument:
    """What ``--json`` prints."""

    schema_version: int
    trace: str
    """The file that was read; its rotated siblings belong to it."""
    events_in_trace: int
    events: int
    """The newest of them, which were summed up."""
    skipped: dict[str, int]
    """Lines without an event, by reason."""
    layers: tuple[LayerSummary, ...]
    slowest: tuple[SlowEvent, ...]


@click.command("stats")
@source_argument
@click.option(
    "--last",
    type=click.IntRange(min=1),
    metavar="N",
    default=1000,
    show_default=True,
    help="Sum up the newest N events.",
)
@click.option(
    "--slowest",
    type=click.IntRange(min=0),
    metavar="N",
    default=10,
    show_default=True,
    help="Name the N slowest operations.",
)
@json_option
def command(source: Source, last: int, slowest: int, as_json: bool) -> None:
    """Sum up recorded events by layer, and name the slowest."""
    reading = Reading(source)
    summary = summarise(reading.trace, last=last, slowest=slowest)
    reading.tell_skipped()
    if as_json:
        echo_json(_document(summary, source, reading))
        return
    if not summary.events:
        click.echo(f"{reading.name} holds no events yet.", err=True)
        return
    for line in _text(summary):
        click.echo(line)
    click.echo()
    _print_table(summary.layers)
    if summary.read > summary.events:
        older = counted(summary.read - summary.events, "older event")
        click.echo(f"Left out: {older}; --last {summary.read} sums up all.", err=True)


def _text(summary: TraceSummary) -> Iterator[str]:
    """Yield the lines that the seed shows."""
    yield f"HRM Layer Stats (last {_plain(summary.events, 'event')}):"
    for layer in summary.layers:
        average = _milliseconds(layer.durations.mean_ns if layer.durations else 0)
        errors = _plain(layer.by_status["error"], "error")
        yield f"- {printable(layer.layer)}: {_plain(layer.operations, 'op')}, avg {average}ms, {errors}"
    if not summary.slowest:
        return
    yield ""
    yield "Slowest operations:"
    for rank, event in enumerate(summary.slowest, 1):
        name = f"{layer_code(event)}_{event.operation}"
        yield printable(f"{rank}. {name}: {_milliseconds(duration_ns(event) or 0)}ms ({what(event)})")


def what(event: TraceEvent) -> str:
    """Say what an operation was about: its input and the reason it gave, else the component that ran it."""
    reason = event.metadata.get("reason")
    parts = [event.input_summary, reason if isinstance(reason, str) else ""]
    return " ".join(part for part in parts if part) or event.component


def _plain(number: int, noun: str) -> str:
    """Count as the seed does, without separators."""
    return counted(number, noun).replace(",", "")


def _milliseconds(ns: int) -> int:
    return (ns + 500_000) // 1_000_000


def _print_table(layers: tuple[LayerSummary, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Layer", overflow="fold")
    for name in ("Blocked", "p50", "p95", "Slowest"):
        table.add_column(name, justify="right", no_wrap=True)
    for layer in layers:
        took = layer.durations
        times = (took.p50_ns, took.p95_ns, took.max_ns) if took else ()
        cells = [duration(ns) for ns in times] or ["", "", ""]
        table.add_row(Text(printable(layer.layer)), f"{layer.by_status['blocked']:,}", *cells)
    console().print(table)


def _document(summary: TraceSummary, source: Source, reading: Reading) -> StatsDocument:
    return StatsDocument(
        schema_version=SCHEMA_VERSION,
        trace=source.uri or str(source.trace),
        events_in_trace=summary.read,
        events=summary.events,
        skipped=reading.skipped,
        layers=summary.layers,
        slowest=tuple(_slow(event) for event in summary.slowest),
    )


def _slow(event: TraceEvent) -> SlowEvent:
    return SlowEvent(
        trace_id=event.trace_id,
        otel_span_id=event.otel_span_id,
        timestamp=event.timestamp,
        layer=event.hrm_layer,
        operation=event.operation,
        component=event.component,
        status=event.status,
        duration_ns=duration_ns(event) or 0,
        what=what(event),
    )
