"""``dam-obs stats``: events by layer, and the slowest of them."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import click

from dam_obs.cli._base import console, echo_json, json_option, source_argument
from dam_obs.cli._filtering import filter_option
from dam_obs.cli._from import Reading, asking, from_options
from dam_obs.cli._reading import open_reading, tell_skipped
from dam_obs.cli._stats.seed import seed_lines, what
from dam_obs.cli._stats.sparks import bars_for
from dam_obs.cli._stats.tables import (
    BARS_SPARED,
    FEWEST_BARS,
    print_groups,
    print_layers,
    print_over_time,
    print_slowest,
)
from dam_obs.cli._units import counted
from dam_obs.store.figures import Groups, LayerFigures, OverTime, Sums
from dam_obs.store.timing import duration_ns
from dam_obs.text import printable
from dam_obs.trace.events import Status, TraceEvent

if TYPE_CHECKING:
    from dam_obs.store.filter import Filter
    from dam_obs.store.find import Source
    from dam_obs.store.grouping import Grouping
    from dam_obs.store.table import EventTable

SCHEMA_VERSION: Final = 2
"""Of what ``--json`` prints; raised when a field goes or changes its meaning."""

BUCKETS: Final = 24


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
    """The file that was read, its rotated siblings belong to it; or the backend."""
    filter: str
    """As it was given; empty for everything."""
    events_in_trace: int
    """Of a backend, those that it gave: it is not asked for what the filter leaves out, as far as it can tell."""
    events_fitting: int
    """Those that the filter lets through."""
    events: int
    """The newest of these, which were summed up."""
    skipped: dict[str, int]
    """Lines without an event, by reason."""
    layers: tuple[LayerFigures, ...]
    grouped: Groups | None
    """What ``--by`` asked for."""
    over_time: OverTime | None
    slowest: tuple[SlowEvent, ...]


def _grouping(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Any:
    if value is None:
        return None
    from dam_obs.store.grouping import grouping

    return grouping(value)


@click.command("stats")
@source_argument
@filter_option
@from_options
@click.option(
    "--last",
    type=click.IntRange(min=1),
    metavar="N",
    default=1000,
    show_default=True,
    help="Sum up the newest N events that fit.",
)
@click.option(
    "--slowest",
    type=click.IntRange(min=0),
    metavar="N",
    default=10,
    show_default=True,
    help="Name the N slowest operations.",
)
@click.option(
    "--by",
    metavar="WHAT",
    callback=_grouping,
    help="Sum up by component, operation, layer, status or a value among the data, such as @data.gate_type.",
)
@click.option(
    "--groups",
    type=click.IntRange(min=1),
    metavar="N",
    default=20,
    show_default=True,
    help="Show the N groups, and operations of a layer, that took the longest.",
)
@click.option(
    "--buckets",
    type=click.IntRange(min=1, max=1000),
    metavar="N",
    default=BUCKETS,
    show_default=True,
    help="Divide the time into N parts, or as many as fit the terminal.",
)
@json_option
def command(
    source: Source,
    reading: Reading,
    wanted: Filter,
    last: int,
    slowest: int,
    by: Grouping | None,
    groups: int,
    buckets: int,
    as_json: bool,
) -> None:
    """
    Sum up recorded events by layer, and name the slowest.

    \b
      dam-obs stats --from clickhouse://localhost:8123/otel --since 2h --service worker
    """  # noqa: D301 - click's mark for lines that are not to be joined is the character itself
    from dam_obs.store.filter import all_of
    from dam_obs.store.sums import sum_up

    reading.check(source)
    wanted = all_of(wanted, reading.wanted())
    query, exact = reading.query(wanted)
    source = asking(source, replace(query, newest=last) if exact else query)
    if not as_json:
        buckets = min(buckets, max(FEWEST_BARS, console().width - BARS_SPARED))
    with open_reading(source) as table:
        sums = sum_up(table, wanted=wanted, last=last, slowest=slowest, by=by, most_groups=groups, buckets=buckets)
        tell_skipped(table)
        if as_json:
            echo_json(_document(sums, source, wanted, table))
        elif sums.events:
            _print(sums, source, wanted)
        _tell_rest(sums, table.name, wanted, as_json, source.query.newest if source.query else None)


def _print(sums: Sums, source: Source, wanted: Filter) -> None:
    for line in seed_lines(sums, wanted.text):
        click.echo(line)
    out = console()
    if sums.slowest:
        click.echo()
        print_slowest(out, sums.slowest, _named(source))
    click.echo()
    print_layers(out, sums.layers)
    if sums.grouped is not None:
        click.echo()
        print_groups(out, sums.grouped)
    if sums.over_time is not None and sums.over_time.buckets > 1:
        click.echo()
        print_over_time(out, sums.over_time, bars_for(sys.stdout.encoding))


def _named(source: Source) -> str | None:
    """Return how to name the source to another command; nothing, where it was not named to this one either."""
    if source.standard_input:
        return None
    if source.uri is not None:
        return f"--from {shlex.quote(source.uri)}"
    given = click.get_current_context().get_parameter_source("source") is click.core.ParameterSource.COMMANDLINE
    return shlex.quote(source.name) if given else ""


def _tell_rest(sums: Sums, name: str, wanted: Filter, as_json: bool, newest: int | None) -> None:
    """Say what was not summed up, and why."""
    if as_json:
        return
    if not sums.read:
        click.echo(f"{name} holds no events yet.", err=True)
    elif not sums.events:
        click.echo(f"None of the {counted(sums.read, 'event')} in {name} fits {printable(wanted.text)}.", err=True)
    elif newest is not None and sums.events == newest:
        click.echo(f"{name} was asked for its newest {counted(newest, 'event')}; --last N sums up more.", err=True)
    elif sums.fitting > sums.events:
        older = counted(sums.fitting - sums.events, "older event")
        click.echo(f"Left out: {older}; --last {sums.fitting} sums up all.", err=True)


def _document(sums: Sums, source: Source, wanted: Filter, table: EventTable) -> StatsDocument:
    return StatsDocument(
        schema_version=SCHEMA_VERSION,
        trace=source.uri or str(source.trace),
        filter=wanted.text,
        events_in_trace=sums.read,
        events_fitting=sums.fitting,
        events=sums.events,
        skipped=table.skipped,
        layers=sums.layers,
        grouped=sums.grouped,
        over_time=sums.over_time,
        slowest=tuple(_slow(event) for event in sums.slowest),
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
