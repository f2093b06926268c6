"""
A trace as a table: questions about all its events in SQL, and the events themselves where they are shown.

    with open_table(source) as table:
        table.connection.execute("select status, count(*) from events group by status").fetchall()
        table.fetch([0, 17])

The relation ``events`` has one row an event, in the order of the trace:

    position BIGINT (from 0), trace_id, parent_id, timestamp (as written), start_ns BIGINT (since the epoch),
    layer (full name), operation, component, input_summary, output_summary, status,
    duration_ns BIGINT (NULL for a moment), kind, metadata JSON,
    otel_trace_id, otel_span_id, otel_parent_id, pid BIGINT, thread_id BIGINT, cpu_ns BIGINT, wait_ns BIGINT

It is a view over the files: each query reads them again, and only the columns that it names. Whoever
asks several times makes a temporary table of the columns needed first. What a user wrote goes in
as a parameter.

What a line is, is said in `lines`; what the database does with it, in `scan`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from functools import cached_property
from types import TracebackType

import duckdb
import numpy as np
import numpy.typing as npt

from dam_obs.store.backend import backend_events
from dam_obs.store.errors import NotATrace, TraceChanged, Unreadable
from dam_obs.store.find import Source
from dam_obs.store.interrupts import interrupting
from dam_obs.store.kin import Kin
from dam_obs.store.lines import event_of
from dam_obs.store.parts import Part, Skipped, copied_part, open_parts, part_of, still
from dam_obs.store.raw_lines import fetch_lines
from dam_obs.store.remote.events import BackendEvents
from dam_obs.store.repair import count_bad, encoded, repaired
from dam_obs.store.row_events import COLUMNS, event_of_row
from dam_obs.store.scan import NO_LAYER, Scan
from dam_obs.store.spool import spool
from dam_obs.store.trace_files import trace_set
from dam_obs.text import printable
from dam_obs.trace.events import TraceEvent
from dam_obs.trace.handles import code_of


class EventTable:
    """The events of a trace; close it, or use it as a context manager, and its files are gone."""

    def __init__(
        self, name: str, parts: Sequence[Part], skipped: Skipped, closing: ExitStack, notes: Sequence[str] = ()
    ) -> None:
        """
        Read a trace; `open_table` and `table_of` are the doors to this.

        Args:
            name: For messages.
            parts: The files.
            skipped: Lines that are known to be no events already.
            closing: What is to be let go of at the end; taken over.
            notes: What else is to be known of it.

        Raises:
            Unreadable: The database cannot read it.
            NoRoom: It has to be copied and does not fit.
        """
        self.name = name
        """For messages, safe to print."""
        self.notes = tuple(notes)
        """What else is to be known of how it was read, for a person."""
        with closing:
            folder = closing.enter_context(tempfile.TemporaryDirectory(prefix="dam-obs-", ignore_cleanup_errors=True))
            opening = _Opening(folder, closing)
            closing.enter_context(interrupting(opening.interrupt))
            try:
                self._scan, self._parts, self._bad = opening.read(parts, skipped)
                self._events = self._scan.finish(clean=not len(self._bad))
            except duckdb.Error as error:
                raise Unreadable(name, str(error)) from error
            self._skipped = skipped
            self._closing = closing.pop_all()

    def __enter__(self) -> EventTable:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.__exit__(kind, error, trace)

    def __len__(self) -> int:
        """Return how many events there are."""
        return self._events

    def close(self) -> None:
        """Let go of the files, and of the temporary ones for good."""
        self._closing.close()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The database, with the relation ``events``."""
        return self._scan.connection

    @property
    def skipped(self) -> dict[str, int]:
        """Lines without an event, by reason (``torn``, ``foreign``, ``binary``), the most frequent first."""
        return dict(self._skipped.reasons.most_common())

    @property
    def first_skipped(self) -> str | None:
        """``file:line: reason (what)`` of the first of these."""
        return self._skipped.first

    @cached_property
    def layers(self) -> dict[str, str | None]:
        """The layers that occur, each with its code; of one that is not registered here, the code in its handles."""
        found: dict[str, str | None] = {}
        numbers = self.connection.execute("select layer from _lineage group by layer order by min(rowid)").fetchall()
        for (number,) in numbers:
            registered = self._scan.registered(number)
            if registered is not None:
                found[registered.name] = registered.code
        if (NO_LAYER,) in numbers:
            names = list(found)
            strange = self.connection.execute(
                "select layer, arg_min(trace_id, position) from events where not list_contains(?, layer)"
                " group by layer order by min(position)",
                [names],
            ).fetchall()
            found |= {name: code_of(handle) for name, handle in strange}
        return found

    @cached_property
    def kin(self) -> Kin:
        """Who is whose parent."""
        return Kin(self.connection)

    def fetch(self, positions: Sequence[int] | npt.NDArray[np.int64]) -> list[TraceEvent]:
        """
        Return whole events, in the order of the trace, each once.

        Raises:
            TraceChanged: The files are others than they were.
        """
        wanted = np.unique(np.asarray(positions, dtype=np.int64))
        bad_before = np.searchsorted(self._bad - np.arange(len(self._bad)), wanted, side="right")
        events = [_event_or_none(line) for line in fetch_lines(self._parts, wanted + bad_before, self._scan.rows)]
        strange = [position for position, event in zip(wanted.tolist(), events, strict=False) if event is None]
        as_rows = iter(self._rows(strange))
        found = [next(as_rows) if event is None else event for event in events]
        self._check(wanted, found)
        return found

    def _check(self, wanted: npt.NDArray[np.int64], found: Sequence[TraceEvent]) -> None:
        """Look whether these are the events at the positions that were wanted."""
        row = self.connection.execute(
            "select count(*) from (select unnest(?) as position, unnest(?::varchar[]) as trace_id) found"
            " join _lineage on _lineage.rowid = found.position and _lineage.handle = hash(found.trace_id)",
            [wanted, [event.trace_id for event in found]],
        ).fetchone()
        if row != (len(wanted),):
            raise TraceChanged

    def _rows(self, wanted: Sequence[int]) -> list[TraceEvent]:
        """Return events as the database has them: it takes some lines that we would not."""
        if not wanted:
            return []
        rows = self.connection.execute(
            f"select {COLUMNS} from events where position in (select unnest(?)) order by position",  # noqa: S608
            [wanted],
        ).fetchall()
        return [event_of_row(row) for row in rows]


def open_table(source: Source) -> EventTable:
    """
    Read the trace that `source` names.

    Raises:
        NoTraceFound: There is no such file.
        NotATrace: It is no trace.
        NoBackend: No plugin knows the URI.
        NoRoom: It has to be copied and does not fit.
        Unreadable: The database cannot read it.
    """
    if source.uri is not None:
        return table_of(backend_events(source.uri, source.query), source.uri)
    with ExitStack() as closing:
        skipped = Skipped()
        if source.standard_input:
            parts = [copied_part(source.name, sys.stdin.buffer, closing, skipped)]
        else:
            parts = open_parts(trace_set(source.trace), closing, skipped)
        table = EventTable(printable(source.name), parts, skipped, closing.pop_all())
    if not len(table) and table.skipped and "torn" not in table.skipped:
        table.close()
        raise NotATrace(source.trace, f"none of its lines is an event, the first is {table.first_skipped}")
    return table


def table_of(events: Iterable[TraceEvent], name: str) -> EventTable:
    """
    Make a table of events, which are read once.

    Args:
        events: In the order of the trace.
        name: Where they are from.

    Raises:
        NoRoom: They do not fit on the disk.
        Unreadable: The database cannot read them.
    """
    with ExitStack() as closing:
        part = part_of(name, spool(map(encoded, events), name), closing)
        if isinstance(events, BackendEvents):
            account = events.account
            return EventTable(printable(name), [part], account.skipped, closing.pop_all(), account.notes)
        return EventTable(printable(name), [part], Skipped(), closing.pop_all())


class _Opening:
    """Reads files, and copies of them where they grow meanwhile or a line must be repaired."""

    def __init__(self, folder: str, closing: ExitStack) -> None:
        self._folder = folder
        self._closing = closing
        self._scan: Scan | None = None

    def interrupt(self) -> None:
        """End what the database is at; on another thread than the one that asked."""
        if self._scan is not None:
            self._scan.connection.interrupt()

    def read(self, parts: Sequence[Part], skipped: Skipped) -> tuple[Scan, Sequence[Part], npt.NDArray[np.int64]]:
        """Return what was read, from which files, and which of their lines are still no events."""
        try:
            scan = self._read(parts)
        except duckdb.InvalidInputException:  # a line is longer than it takes
            parts = repaired(parts, None, 0, skipped, self._closing)
            scan = self._read(parts)
        if any(part.grew() for part in parts):
            parts = [still(part, self._closing) for part in parts]
            scan = self._read(parts)
        bad = scan.bad_rows()
        if not len(bad) or count_bad(parts, bad, scan.rows, skipped):
            return scan, parts, bad
        parts = repaired(parts, bad, scan.rows, skipped, self._closing)
        scan = self._read(parts)
        bad = scan.bad_rows()
        for row in bad.tolist():
            skipped.add(parts[-1].name, row + 1, "foreign", "the database cannot take it")
        return scan, parts, bad

    def _read(self, parts: Sequence[Part]) -> Scan:
        if self._scan is not None:
            self._scan.connection.execute("drop table if exists _lineage")  # what is not needed any more takes memory
        self._scan = Scan(parts, self._folder)
        self._closing.callback(self._scan.connection.close)
        self._scan.read()
        return self._scan


def _event_or_none(line: bytes) -> TraceEvent | None:
    try:
        return event_of(line)
    except ValueError:
        return None
