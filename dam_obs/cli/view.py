"""``dam-obs view``: recorded events as trees, or as JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, get_args

import click

from dam_obs.cli._base import console, source_argument
from dam_obs.cli._reading import open_reading, tell_skipped
from dam_obs.cli._units import counted
from dam_obs.errors import DamObsError
from dam_obs.sinks.tree import indent, line_of
from dam_obs.store.filter import all_of, of_layers, with_statuses
from dam_obs.store.find import Source
from dam_obs.store.select import Selection, check_layer, select
from dam_obs.store.tree import Trace, traces
from dam_obs.text import printable
from dam_obs.trace.events import Status, TraceEvent

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

LAST: Final = 100
"""Events that are shown if nothing is said."""

APART: Final = " [its parent is not in the trace]"
"""Marks the root of a tree that is not whole."""

CONTEXT: Final = " [context]"
"""Marks an event that stands here for its descendants, where a colour cannot tell."""

_STYLES: Final[dict[Status, str]] = {"success": "", "error": "red", "blocked": "yellow"}
_AT_ONCE: Final = 1000
_HANG: Final = len("[alt] ")
_NARROWEST: Final = 24
"""Columns below which a text is not wrapped beside its indentation."""


class NothingWithId(DamObsError):
    """An id was asked for that no event has."""

    def __init__(self, text: str, where: str, events: int) -> None:
        super().__init__(
            f"{where} ({counted(events, 'event')}) has nothing with the id {text!r}: give a handle such as "
            "alt_1705180800_a3f2, or an OpenTelemetry trace id (32 hex digits) or span id (16)"
        )
        self.text = text


@click.command("view")
@source_argument
@click.option(
    "--last",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"Show the newest N events at most, in whole traces. [default: {LAST}; all with --trace-id]",
)
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
@click.option("--json", "as_json", is_flag=True, help="Print the events as JSON lines, as they were recorded.")
def command(
    source: Source,
    last: int | None,
    layers: Sequence[str],
    statuses: Sequence[Status],
    named: str | None,
    as_json: bool,
) -> None:
    """
    Show recorded events as trees.

    Without options these are the newest traces. With --hrm or --status the newest events that
    fit are shown, each below the events that led to it.
    """
    layers = [word.strip().lower() for word in layers]
    with open_reading(source) as table:
        tell_skipped(table)
        selection = select(
            table,
            wanted=all_of(of_layers(layers), with_statuses(statuses)),
            request=None if named is None else named.strip(),
            last=LAST if last is None and named is None else last,
        )
    if selection.read and named is not None and not selection.in_request:
        raise NothingWithId(named, table.name, selection.read)
    if selection.read:
        for word in layers:
            check_layer(word, selection.layers)

    if as_json:
        _print_json(selection.events)
    else:
        shown = list(traces(selection.shown))
        _print_trees(shown, selection)
        _tell_ambiguity(shown, named)
    _tell_rest(selection, table.name, layers, statuses)


# -- printing


def _print_json(events: Sequence[TraceEvent]) -> None:
    import msgspec

    encoder = msgspec.json.Encoder()
    for start in range(0, len(events), _AT_ONCE):
        click.echo(encoder.encode_lines(events[start : start + _AT_ONCE]), nl=False)


def _print_trees(shown: Sequence[Trace], selection: Selection) -> None:
    out = console()
    coloured = out.color_system is not None and not out.no_color
    context = {id(event) for event in selection.ancestors}
    plain: list[str] = []
    for trace in shown:
        for depth, node in trace.root.walk():
            unasked = id(node.event) in context
            text = line_of(node.event)
            text += APART if trace.partial and depth == 0 else ""
            text += CONTEXT if unasked and not coloured else ""
            if out.is_terminal:
                _print_styled(out, depth, text, "dim" if unasked else _STYLES[node.event.status])
            else:
                plain.append(indent(depth) + text)
    if plain:
        click.echo("\n".join(plain))


def _print_styled(out: Console, depth: int, text: str, style: str) -> None:
    """Print on a terminal: a text that is too long goes on below itself, so that the tree's shape stays."""
    from rich.text import Text

    before = indent(depth)
    room = out.width - len(before) - _HANG
    for number, part in enumerate(_wrapped(out, Text(text, style), room)):
        line = Text().append(before, "dim") if number == 0 else Text(" " * (len(before) + _HANG))
        out.print(line.append_text(part), soft_wrap=True)


def _wrapped(out: Console, text: Text, room: int) -> Sequence[Text]:
    """Return a text in lines; those after the first have `room` columns, the first those of its hanging start too."""
    if text.cell_len <= room + _HANG or room < _NARROWEST:
        return [text]
    first = text.wrap(out, room + _HANG)[0]
    first.rstrip()
    skipped = len(text.plain) - len(text.plain[len(first.plain) :].lstrip())
    lines = [first, *text[skipped:].wrap(out, room)]
    for line in lines:
        line.rstrip()
    return lines


# -- what else there is to say


def _tell_ambiguity(shown: Sequence[Trace], named: str | None) -> None:
    """Say how to choose where several events have the handle that was given: each process issues its own."""
    found = [node.event for trace in shown for _, node in trace.root.walk() if node.event.trace_id == named]
    if len(found) < 2:
        return
    ids = ", ".join(f"{event.otel_span_id or 'none'} (process {event.pid or 'unknown'})" for event in found)
    click.echo(
        printable(f"{len(found)} events have the handle {named}; --trace-id with a span id shows one: {ids}"), err=True
    )


def _tell_rest(selection: Selection, where: str, layers: Sequence[str], statuses: Sequence[Status]) -> None:
    """Say what was not shown, and why."""
    if not selection.read:
        click.echo(f"{where} holds no events yet.", err=True)
    elif not selection.events:
        options = " ".join([f"--hrm {word}" for word in layers] + [f"--status {status}" for status in statuses])
        of_what = f"of the {counted(selection.in_request, 'event')} in"
        click.echo(printable(f"None {of_what} {where} fits {options}."), err=True)
    elif selection.left_out:
        events = counted(selection.left_out, "older event")
        if selection.left_out_traces:
            events = f"{counted(selection.left_out_traces, 'older trace')} with {counted(selection.left_out, 'event')}"
        everything = len(selection.events) + selection.left_out
        click.echo(f"Left out: {events}; --last {everything} shows all.", err=True)
