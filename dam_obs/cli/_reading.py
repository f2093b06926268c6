"""Read a source for a command: with progress where that takes long, and a line about what was no event."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import click

from dam_obs.cli._base import console
from dam_obs.cli._units import counted
from dam_obs.store.backend import backend_events
from dam_obs.store.find import Source
from dam_obs.store.read import EventReader, read_events
from dam_obs.store.recall import Recall
from dam_obs.text import printable
from dam_obs.trace.events import TraceEvent

QUIET_SECONDS: Final = 1.0
"""Reading says nothing of itself for so long."""

_BETWEEN_LOOKS: Final = 4096


class Reading:
    """A source that is being read."""

    def __init__(self, source: Source) -> None:
        self.name = _shown(source.trace) if source.uri is None else printable(source.uri)
        """Its path, safe to print; relative where it is below the current folder."""
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
            return _with_progress(backend_events(self._source.uri), self.name)
        reader = read_events(self._source.trace)
        if self._first is None:
            self._first = reader
        return _with_progress(reader, self.name)


def _with_progress(events: Iterable[TraceEvent], name: str) -> Iterator[TraceEvent]:
    out = console(stderr=True)
    if not out.is_terminal:
        yield from events
        return
    status = out.status("")
    begin = time.monotonic()
    try:
        for number, event in enumerate(events, 1):
            if number % _BETWEEN_LOOKS == 0 and time.monotonic() - begin > QUIET_SECONDS:
                status.update(f"Reading {name}: {counted(number, 'event')}")
                status.start()
            yield event
    finally:
        status.stop()


def _shown(path: Path) -> str:
    here = Path.cwd()
    return printable(str(path.relative_to(here) if path.is_relative_to(here) else path))
