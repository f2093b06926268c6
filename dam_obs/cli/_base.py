"""What the commands share: options, where to read from, and how to print."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dam_obs.errors import DamObsError

if TYPE_CHECKING:
    from rich.console import Console

    from dam_obs.store.find import Source
    from dam_obs.store.runs import RunFolder

WIDTH_OF_A_PIPE = 160
"""Columns where there is no terminal to ask and COLUMNS does not say."""

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class NotOfARun(DamObsError):
    """A trace was given that lies outside a run folder, where a run is needed."""

    def __init__(self, trace: Path | str) -> None:
        super().__init__(
            f"{trace} is in no run folder: name a run, or make one with `dam-obs diagnose -- COMMAND`; "
            f"`dam-obs stats {trace}` sums up a trace alone"
        )
        self.trace = trace


def json_option(function: Decorated) -> Decorated:
    """Give a command ``--json``, as its parameter ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for other programs.")(function)


def source_argument(function: Decorated) -> Decorated:
    """
    Give a command the trace to read, as its parameter ``source``: a `dam_obs.store.find.Source`.

    The user names a file, a run folder, a run's id, a URI that a plugin reads or ``-`` for standard
    input; without it the newest at or below the current folder is taken.
    """
    return click.argument("source", required=False, metavar="[FILE|RUN]", callback=_find_source)(function)


def named_source(name: str | None) -> Source:
    """Return the source that the user names; without a name, the newest trace at or below the current folder."""
    from dam_obs.store.backend import backend_events, is_uri
    from dam_obs.store.find import Source, find_source

    if name is not None and is_uri(name) and not Path(name).exists():
        backend_events(name)  # raises, if nobody knows it
        return Source(Path(name), None, name)
    return find_source(name, Path.cwd())


def run_of(source: Source) -> RunFolder:
    """
    Return the run folder that `source` is in; a ``trace.jsonl`` by itself makes one of the folder it is in.

    Raises:
        NotOfARun: it is in none.
    """
    from dam_obs.store.runs import RunFolder

    if source.run is not None:
        return source.run
    if source.uri is not None:
        raise NotOfARun(source.uri)
    alone = RunFolder(source.trace.parent)
    if source.standard_input or alone.trace != source.trace:
        raise NotOfARun(source.trace)
    return alone


def given_source(context: click.Context, value: str | None) -> Source | None:
    """
    Return the source that is named as argument, or with ``--from`` where a command has that.

    Raises:
        click.UsageError: It is named twice.
    """
    if context.resilient_parsing:  # completion in the shell
        return None
    uri = context.params.get("from_")
    if uri is not None and value is not None:
        raise click.UsageError(f"--from says already what to read, so {value!r} cannot be it, too")
    return named_source(value if uri is None else uri)


def _find_source(context: click.Context, _parameter: click.Parameter, value: str | None) -> Source | None:
    return given_source(context, value)


def console(*, stderr: bool = False) -> Console:
    """
    Make what prints tables and trees.

    Coloured only on a terminal and without NO_COLOR. Square brackets mean nothing in what
    is printed; text from a trace must still go through `printable`.
    """
    from rich.console import Console

    made = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = WIDTH_OF_A_PIPE
    return made


def echo_json(value: object) -> None:
    """Print dataclasses, structs and plain data as JSON."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode())
