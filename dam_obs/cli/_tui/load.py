"""Read a source's newest traces, which are what the screen shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dam_obs.cli._reading import open_reading
from dam_obs.cli._tui.rows import TraceRow, rows_of
from dam_obs.store.find import Source
from dam_obs.store.select import select
from dam_obs.trace.events import TraceEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What is at hand of a source."""

    name: str
    """Where it is from, safe to print."""
    rows: tuple[TraceRow, ...]
    """The newest trace first."""
    events: int
    """In these traces."""
    events_in_source: int
    skipped: int
    """Lines of it that were no events."""


def load(source: Source, last: int) -> Loaded:
    """Read a source; keep the newest whole traces that have no more than `last` events together, and one at least."""
    with open_reading(source) as table:
        selection = select(table, last=last)
        return loaded(table.name, selection.events, in_source=len(table), skipped=sum(table.skipped.values()))


def loaded(name: str, events: Iterable[TraceEvent], *, in_source: int | None = None, skipped: int = 0) -> Loaded:
    """Make traces of events that are at hand."""
    rows = rows_of(events)
    number = sum(len(row.nodes) for row in rows)
    return Loaded(
        name=name,
        rows=rows,
        events=number,
        events_in_source=number if in_source is None else in_source,
        skipped=skipped,
    )
