"""Read a source for a command: with progress where that takes long, and a line about what was no event."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from dam_obs.cli._base import console
from dam_obs.cli._units import counted
from dam_obs.text import printable

if TYPE_CHECKING:
    from dam_obs.store.find import Source
    from dam_obs.store.table import EventTable

QUIET_SECONDS: Final = 1.0
"""Reading says nothing of itself for so long."""


def open_reading(source: Source) -> EventTable:
    """Read a source, as `open_table` does; on a terminal say so if it takes long."""
    from dam_obs.store.table import open_table

    with telling(f"Reading {printable(source.name)}"):
        return open_table(source)


def tell_skipped(table: EventTable) -> None:
    """Say on standard error how many lines were no events, if any, and what else is to be known of a backend."""
    for note in table.notes:
        click.echo(printable(note), err=True)
    if not table.skipped:
        return
    kinds = ", ".join(f"{number:,} {reason}" for reason, number in table.skipped.items())
    lines = counted(sum(table.skipped.values()), "line")
    click.echo(printable(f"Skipped {lines} without an event ({kinds}), first {table.first_skipped}"), err=True)


@contextmanager
def telling(what: str) -> Iterator[Callable[[float], None]]:
    """
    Show on a terminal what is being done, from some time on, as a bar.

    The work may say how far it is, by the function that it is given: from 0 to 1. Until it does, the bar moves
    to and fro. Nothing is left of it in the end, and where standard error is no terminal there is none.
    """
    out = console(stderr=True)
    if not out.is_terminal:
        yield _unheard
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    text = TextColumn("{task.description}", markup=False)
    bar = Progress(text, BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), console=out, transient=True)
    task = bar.add_task(what, total=None)
    later = threading.Timer(QUIET_SECONDS, bar.start)
    later.daemon = True
    later.start()
    try:
        yield lambda done: bar.update(task, total=1.0, completed=done)
    finally:
        later.cancel()
        later.join()
        if bar.live.is_started:
            bar.stop()


def _unheard(done: float) -> None:
    """Tell nobody how far a work is."""
