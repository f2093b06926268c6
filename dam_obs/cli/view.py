"""``dam-obs view``: recorded events as trees, or in a form for other programs, an issue or a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, get_args

import click

from dam_obs.cli._base import console, given_source
from dam_obs.cli._from import Reading, asking, from_options
from dam_obs.cli._reading import open_reading, tell_skipped
from dam_obs.cli._units import counted
from dam_obs.cli._view.forms import FOLLOWED, Form, live_printer, print_whole
from dam_obs.cli._view.tree import Columns
from dam_obs.errors import DamObsError
from dam_obs.store.errors import NoTraceFound
from dam_obs.store.filter import Filter, all_of, of_layers, parse_filter, with_statuses
from dam_obs.store.find import Source
from dam_obs.store.select import Selection, check_layer, select
from dam_obs.text import printable
from dam_obs.trace.events import Status

LAST: Final = 100
"""Events that are shown if nothing is said."""

LAST_ON_SCREEN: Final = 10_000
"""The same of a backend's that ``--tui`` asks for."""

LAST_BEFORE_FOLLOWING: Final = 10
"""The same of those that are there when a file begins to be followed."""

PARTIAL_AFTER_SECONDS: Final = 30.0

TAKEN_APART: Final = 20_000
"""Events in the traces of what is shown, beyond which nothing is said of these traces' shape."""


class NothingWithId(DamObsError):
    """An id was asked for that no event has."""

    def __init__(self, text: str, where: str, events: int) -> None:
        super().__init__(
            f"{where} ({counted(events, 'event')}) has nothing with the id {text!r}: give a handle such as "
            "alt_1705180800_a3f2, or an OpenTelemetry trace id (32 hex digits) or span id (16)"
        )
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user asked for."""

    last: int | None
    named: str | None
    wanted: Filter
    layers: Sequence[str]
    words: str
    """The options that choose events, as they may be typed."""
    form: Form
    columns: Columns


def _source(context: click.Context, _parameter: click.Parameter, value: str | None) -> Source | None:
    try:
        return given_source(context, value)
    except NoTraceFound:
        if not context.params.get("follow"):
            raise
        path = Path.cwd() / (value or "")
        return Source(path / "trace.jsonl" if path.is_dir() else path, None)


@click.command("view")
@click.argument("source", required=False, metavar="[FILE|RUN|-]", callback=_source)
@from_options
@click.option(
    "--last",
    type=click.IntRange(min=1),
    metavar="N",
    help="Show the newest N events at most, in whole traces. "
    f"[default: {LAST}; all with --trace-id; {LAST_BEFORE_FOLLOWING} before --follow goes on]",
)
@click.option("--filter", "-f", "filter_text", default="", metavar="TEXT", help="Only events that fit this filter.")
@click.option(
    "--hrm",
    "layers",
    multiple=True,
    metavar="LAYER",
    help="Only events of this layer, by name or code; may be repeated.",
)
@click.option(
    "--status",
    "statuses",
    type=click.Choice(get_args(Status), case_sensitive=False),
    multiple=True,
    help="Only events that ended so; may be repeated.",
)
@click.option(
    "--trace-id",
    "named",
    metavar="ID",
    help="Only the request that this event belongs to, whole: a handle, or an OpenTelemetry trace or span id.",
)
@click.option("--critical", is_flag=True, help="Mark what decided when each trace ended, and how much of it.")
@click.option("--times", is_flag=True, help="Show own time, the longest gap nothing below covers, and concurrency.")
@click.option(
    "--follow", is_flag=True, is_eager=True, help="Go on showing traces as they end, until Ctrl-C; needs no file yet."
)
@click.option(
    "--partial-after",
    type=click.FloatRange(min=0.1),
    default=PARTIAL_AFTER_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="With --follow: show a trace without its root when nothing of it has come for so long.",
)
@click.option("--json", is_flag=True, help="Print one JSON document: trees, with what their shape says of each event.")
@click.option("--jsonl", is_flag=True, help="Print the events as JSON lines, as they were recorded.")
@click.option("--otlp", is_flag=True, help="Print the events as OTLP JSON lines, as collectors read them.")
@click.option("--md", is_flag=True, help="Print nested lists in Markdown, for a pull request.")
@click.option("--summary", is_flag=True, help="Print a page in Markdown, short enough for an issue.")
@click.option("--tui", is_flag=True, help="Open a full screen to search and walk through traces.")
def command(source: Source, reading: Reading, follow: bool, tui: bool, partial_after: float, **given: Any) -> None:
    """
    Show recorded events as trees.

    Without options these are the newest traces. With --filter, --hrm or --status the newest
    events that fit are shown, each below the events that led to it.

    \b
      dam-obs view --from jaeger://localhost:16686 --since 10m --status error
    """  # noqa: D301 - click's mark for lines that are not to be joined is the character itself
    reading.check(source)
    wish = _wish(reading, **given)
    if source.uri is not None:
        source = _narrowed(source, wish, reading, tui)
    if tui:
        _open_screen(source, wish, follow)
    elif follow:
        _follow(source, wish, partial_after)
    else:
        _view(source, wish)


def _narrowed(source: Source, wish: Wish, reading: Reading, on_screen: bool) -> Source:
    """Return a backend of which no more is wanted than is going to be shown."""
    wanted = (
        wish.wanted if wish.named is None else reading.wanted()
    )  # which of a trace's events are shown it all decides
    query, exact = reading.query(wanted, request=wish.named, whole_traces=True)
    if exact and wish.named is None:
        query = replace(query, newest=wish.last or (LAST_ON_SCREEN if on_screen else LAST))
    return asking(source, query)


def _wish(
    reading: Reading,
    *,
    last: int | None,
    filter_text: str,
    layers: Sequence[str],
    statuses: Sequence[Status],
    named: str | None,
    critical: bool,
    times: bool,
    **forms: bool,
) -> Wish:
    layers = [word.strip().lower() for word in layers]
    words = [f"--filter {filter_text!r}"] if filter_text.strip() else []
    words += [f"--since {reading.since}"] if reading.since else []
    words += [f"--until {reading.until}"] if reading.until else []
    words += [f"--hrm {word}" for word in layers] + [f"--status {status}" for status in statuses]
    chosen: list[Any] = [name for name, is_chosen in forms.items() if is_chosen]
    if len(chosen) > 1:
        raise click.UsageError(f"--{chosen[0]} and --{chosen[1]} are two forms: choose one")
    return Wish(
        last=last,
        named=named.strip() if named is not None else None,
        wanted=all_of(parse_filter(filter_text), reading.wanted(), of_layers(layers), with_statuses(statuses)),
        layers=layers,
        words=" ".join(words),
        form=chosen[0] if chosen else "tree",
        columns=Columns(times=times, critical=critical),
    )


def _view(source: Source, wish: Wish) -> None:
    out = console()
    shape_is_shown = wish.columns.any or out.is_terminal or wish.form in ("json", "md", "summary")
    with open_reading(source) as table:
        tell_skipped(table)
        selection = select(
            table,
            wanted=wish.wanted,
            request=wish.named,
            last=LAST if wish.last is None and wish.named is None else wish.last,
            whole_up_to=TAKEN_APART if shape_is_shown else 0,
        )
        name, skipped = table.name, table.skipped
    if selection.read and wish.named is not None and not selection.in_request:
        raise NothingWithId(wish.named, name, selection.read)
    if selection.read:
        for word in wish.layers:
            check_layer(word, selection.layers)
        wish.wanted.check_layers(selection.layers)
    print_whole(wish.form, wish.columns, out, selection, name=name, skipped=skipped)
    if wish.form == "tree" and wish.named is not None:
        _tell_ambiguity(selection, wish.named)
    _tell_rest(selection, name, wish.words, source.query.newest if source.query else None)


def _follow(source: Source, wish: Wish, partial_after_s: float) -> None:
    from dam_obs.cli._view.following import follow

    if wish.form not in FOLLOWED:
        raise click.UsageError(f"--{wish.form} needs the whole trace: with --follow there are --jsonl and --otlp")
    if source.uri is not None:
        raise click.UsageError("--follow reads a file, a run or a pipe, not what a plugin has")
    wish.wanted.check_layers({})  # nobody can tell which others will come
    follow(
        source,
        asked=None if wish.wanted.is_everything else wish.wanted.matches,
        named=wish.named,
        last=LAST_BEFORE_FOLLOWING if wish.last is None else wish.last,
        partial_after_s=partial_after_s,
        show=live_printer(wish.form, wish.columns, console()),
    )


def _open_screen(source: Source, wish: Wish, follow: bool) -> None:
    if follow or wish.named is not None or wish.form != "tree":
        raise click.UsageError("--tui goes with --filter, --hrm, --status and --last")
    from dam_obs.cli._tui import run

    run(source, wish.wanted.text, wish.last)


# -- what else there is to say


def _tell_ambiguity(selection: Selection, named: str) -> None:
    """Say how to choose where several events have the handle that was given: each process issues its own."""
    found = [event for event in selection.shown if event.trace_id == named]
    if len(found) < 2:
        return
    ids = ", ".join(f"{event.otel_span_id or 'none'} (process {event.pid or 'unknown'})" for event in found)
    click.echo(
        printable(f"{len(found)} events have the handle {named}; --trace-id with a span id shows one: {ids}"), err=True
    )


def _tell_rest(selection: Selection, where: str, words: str, newest: int | None) -> None:
    """Say what was not shown, and why."""
    if newest is not None and selection.read >= newest:
        click.echo(
            printable(f"{where} was asked for its newest {counted(newest, 'event')}; --last N asks for more."), err=True
        )
        return
    if not selection.read:
        click.echo(f"{where} holds no events yet.", err=True)
    elif not selection.events:
        of_what = f"of the {counted(selection.in_request, 'event')} in"
        click.echo(printable(f"None {of_what} {where} fits {words}."), err=True)
    elif selection.cut:
        everything = len(selection.events) + selection.left_out
        shown = f"its newest {counted(len(selection.events), 'event')} and what led to them"
        click.echo(
            f"Cut: the newest trace is too large to show, so here are {shown}; --last {everything} shows all.",
            err=True,
        )
    elif selection.left_out:
        events = counted(selection.left_out, "older event")
        if selection.left_out_traces:
            events = f"{counted(selection.left_out_traces, 'older trace')} with {counted(selection.left_out, 'event')}"
        everything = len(selection.events) + selection.left_out
        click.echo(f"Left out: {events}; --last {everything} shows all.", err=True)
