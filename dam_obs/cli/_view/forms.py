"""The forms in which a trace can be had, and which of them can be written while it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

import click
import msgspec

from dam_obs.cli._base import echo_json
from dam_obs.cli._view.document import document
from dam_obs.cli._view.markdown import markdown_lines
from dam_obs.cli._view.picture import Picture, pictures
from dam_obs.cli._view.summary import Summary
from dam_obs.cli._view.tree import Columns, TreePrinter, plain_lines
from dam_obs.store.select import Selection
from dam_obs.trace.events import TraceEvent

if TYPE_CHECKING:
    from rich.console import Console

Form = Literal["tree", "json", "jsonl", "otlp", "md", "summary"]

FOLLOWED: Final[frozenset[Form]] = frozenset({"tree", "jsonl", "otlp"})
"""Those that have no beginning and no end."""

_AT_ONCE: Final = 1_000


def live_printer(form: Form, columns: Columns, out: Console) -> Callable[[Picture], None]:
    """Return what prints one trace after the other, in a form of `FOLLOWED`."""
    if form == "jsonl":
        return lambda picture: _print_jsonl([row.event for row in picture.rows if not row.context])
    if form == "otlp":
        return lambda picture: _print_otlp([picture])
    return TreePrinter(columns, out).show


def print_whole(
    form: Form, columns: Columns, out: Console, selection: Selection, *, name: str, skipped: Mapping[str, int]
) -> None:
    """
    Print what was chosen of a trace.

    Args:
        form: How.
        columns: What is told beside each event.
        out: Where a tree goes.
        selection: What was chosen.
        name: Where it is from, safe to print.
        skipped: Lines there that were no events, by reason.
    """
    if form == "jsonl":  # in the order of the file
        _print_jsonl(selection.events)
        return
    shown = pictures(selection)
    if form == "json":
        echo_json(document(shown, selection, name, skipped))
    elif form == "otlp":
        _print_otlp(shown)
    elif form == "md":
        _print_lines(markdown_lines(shown, columns))
    elif form == "summary":
        click.echo(Summary(shown, name, selection.read).text(), nl=False)
    elif out.is_terminal:
        printer = TreePrinter(columns, out)
        for picture in shown:
            printer.show(picture)
    else:
        _print_lines(line for picture in shown for line in plain_lines(picture, columns))


def _print_jsonl(events: Sequence[TraceEvent]) -> None:
    encoder = msgspec.json.Encoder()
    for start in range(0, len(events), _AT_ONCE):
        click.echo(encoder.encode_lines(events[start : start + _AT_ONCE]), nl=False)


def _print_otlp(shown: Sequence[Picture]) -> None:
    from dam_obs.cli._view.otlp import otlp_lines  # protobuf and the SDK take long to import

    for line in otlp_lines(shown):
        click.echo(line)


def _print_lines(lines: Iterable[str]) -> None:
    found = list(lines)
    for start in range(0, len(found), _AT_ONCE):
        click.echo("\n".join(found[start : start + _AT_ONCE]))
