"""Read a source for a command: with progress where that takes long, and a line about what was no event."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from dam_obs.cli._base import console
from dam_obs.cli._units import counted
from dam_obs.store.backend import backend_events
from dam_obs.store.read import EventReader, read_events
from dam_obs.store.recall import Recall
from dam_obs.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dam_obs.store.find import Source
    from dam_obs.store.table import EventTable
    from dam_obs.trace.events import TraceEvent

QUIET_SECONDS: Final = 1.0
"""Reading says nothing of itself for so long."""


def open_reading(source: Source) -> EventTable:
    """Read a source, as `open_table` does; on a terminal say so if it takes long."""
    from dam_obs.store.table import open_table

    with _said(f"Reading {printable(source.name)}"):
        return open_table(source)


def tell_skipped(table: EventTable) -> None:
    """Say on standard error how many lines were no events, if any."""
    if not table.skipped:
        return
    kinds = ", ".join(f"{number:,} {reason}" for reason, number in table.skipped.items())
    lines = counted(sum(table.skipped.values()), "line")
    click.echo(printable(f"Skipped {lines} without an event ({kinds}), first {table.first_skipped}"), err=True)


class Reading:
    """A source that is being read event by event: for stats, until it asks the table."""

    def __init__(self, source: Source) -> None:
        self.name = printable(source.name)
        self.trace = Recall(self._open)
        self._source = source
        self._first: EventReader | None = None

    @property
    def skipped(self) -> dict[str, int]:
        """Lines without an event so far, by reason, the most frequent first."""
        return dict(self._first.skipped.most_common()) if self._first else {}

    def tell_skipped(self) -> None:
        """Say on standard error how many lines were no events, if any."""
        if self._first is None or not self.skipped:
            return
        kinds = ", ".join(f"{number:,} {reason}" for reason, number in self.skipped.items())
        lines = counted(sum(self.skipped.values()), "line")
        click.echo(
            printable(f"Skipped {lines} without an event ({kinds}), first {self._first.first_skipped}"), err=True
        )

    def _open(self) -> Iterable[TraceEvent]:
        if self._source.uri is not None:
            return backend_events(self._source.uri)
        reader = read_events(self._source.trace)
        if self._first is None:
            self._first = reader
        return reader


@contextmanager
def _said(what: str) -> Iterator[None]:
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
