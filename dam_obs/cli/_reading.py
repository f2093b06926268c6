"""Read a source for a command: with progress where that takes long, and a line about what was no event."""

from __future__ import annotations

import threading
from collections.abc import Iterator
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
    """Say on standard error how many lines were no events, if any."""
    if not table.skipped:
        return
    kinds = ", ".join(f"{number:,} {reason}" for reason, number in table.skipped.items())
    lines = counted(sum(table.skipped.values()), "line")
    click.echo(printable(f"Skipped {lines} without an event ({kinds}), first {table.first_skipped}"), err=True)


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Show on a terminal what is being done, from some time on."""
    out = console(stderr=True)
    if not out.is_terminal:
        yield
        return
    status = out.status(what)
    later = threading.Timer(QUIET_SECONDS, status.start)
    later.daemon = True
    later.start()
    try:
        yield
    finally:
        later.cancel()
        later.join()
        status.stop()
