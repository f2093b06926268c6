"""
What of a source is on the screen: its newest traces, or the newest that have something which is wanted.

A source of any size stays open as a table, and only the events of some traces become rows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import duckdb
import numpy as np

from dam_obs.cli._reading import open_reading
from dam_obs.cli._tui.rows import TraceRow, rows_of
from dam_obs.store.errors import Unreadable
from dam_obs.store.filter import Filter
from dam_obs.store.find import Source
from dam_obs.store.kin import Positions
from dam_obs.store.select import select
from dam_obs.trace.events import TraceEvent

EVENTS: Final = 10_000
"""Of so many events the newest traces are shown, if nothing is said."""


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
    layers: Mapping[str, str | None] = field(default_factory=dict)
    """The layers that occur in the source, each with its code where that is known."""

    @property
    def is_whole(self) -> bool:
        """Tell whether everything is at hand."""
        return self.events == self.events_in_source


class OpenSource:
    """A source that can be asked for traces, by one thread at a time; close it, or use it as a context manager."""

    def __init__(self, source: Source, last: int = EVENTS) -> None:
        """
        Read a source.

        Args:
            source: Where the events are.
            last: So many events are loaded at most, in whole traces, and one trace at least.
        """
        self._table = open_reading(source)
        self._last = last
        self._one_at_a_time = threading.Lock()
        self._closed = False

    def __enter__(self) -> OpenSource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what is being looked for, and let go of the source."""
        if self._closed:
            return
        self._closed = True
        self._table.connection.interrupt()
        with self._one_at_a_time:
            self._table.close()

    def newest(self) -> Loaded:
        """Return the newest traces."""
        with self._one_at_a_time:
            return self._loaded(select(self._table, last=self._last).events)

    def fitting(self, wanted: Filter) -> Loaded | None:
        """
        Return the newest traces with an event that is wanted, out of all; `None` if the source was closed meanwhile.

        Raises:
            TraceChanged: The files are others than they were.
            Unreadable: The database cannot read them to their end.
        """
        with self._one_at_a_time:
            try:
                return self._loaded(self._table.fetch(self._traces_of(wanted)))
            except (duckdb.InterruptException, duckdb.ConnectionException):
                return None
            except duckdb.Error as error:
                raise Unreadable(self._table.name, str(error)) from error

    def _traces_of(self, wanted: Filter) -> Positions:
        """Return the positions of all events of the newest traces with an event that is wanted."""
        condition = wanted.condition()
        found = self._table.connection.execute(
            f"select position from events where {condition.sql} order by position desc limit ?",  # noqa: S608
            [*condition.parameters, self._last],
        ).fetchnumpy()
        newest_first = np.asarray(found["position"], dtype=np.int64)
        if not len(newest_first):
            return newest_first
        family = self._table.kin.family(np.sort(newest_first))
        root_of = family.roots()
        roots, first_at = np.unique(root_of[family.indices(newest_first)], return_index=True)
        ordered = roots[np.argsort(first_at)]
        sizes = np.bincount(root_of, minlength=len(root_of))[ordered]
        kept = max(1, int(np.searchsorted(np.cumsum(sizes), self._last, side="right")))
        return family.positions[np.isin(root_of, ordered[:kept])]

    def _loaded(self, events: Iterable[TraceEvent]) -> Loaded:
        table = self._table
        return loaded(
            table.name, events, in_source=len(table), skipped=sum(table.skipped.values()), layers=table.layers
        )


def loaded(
    name: str,
    events: Iterable[TraceEvent],
    *,
    in_source: int | None = None,
    skipped: int = 0,
    layers: Mapping[str, str | None] | None = None,
) -> Loaded:
    """Make traces of events that are at hand."""
    rows = rows_of(events)
    number = sum(len(row.nodes) for row in rows)
    seen = {node.event.hrm_layer: None for row in rows for node in row.nodes} if layers is None else layers
    return Loaded(
        name=name,
        rows=rows,
        events=number,
        events_in_source=number if in_source is None else in_source,
        skipped=skipped,
        layers=seen,
    )
