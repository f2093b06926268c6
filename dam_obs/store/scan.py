"""
Let DuckDB read the lines of a trace: the relation ``events``, and a narrow table of who is whose parent.

``events`` is a view: each question about it reads the files again, at some million events in half a
second, and takes only the columns that it needs. What must be known of all events to find their
trees is kept instead, as numbers: some fifty bytes for each.

The database sees nothing but these files: no network, no extension, no other path, and a bound on
memory beyond which it uses a temporary folder. No text of a user or of a trace is in any SQL here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final, get_args

import duckdb
import numpy as np
import numpy.typing as npt

from dam_obs.store.lines import MAX_LINE_BYTES
from dam_obs.store.parts import Part
from dam_obs.store.timing import LONGEST_NS
from dam_obs.trace.events import Kind, Status
from dam_obs.trace.layers import Layer, layers

MEMORY_MB: Final = 192
"""What the database holds in memory; the rest of it goes to its temporary folder."""

MOST_THREADS: Final = 4
"""More would each want buffers of their own."""

NO_LAYER: Final = 255
"""Stands for a layer that is not registered here."""

_TEXTS: Final = (
    "trace_id", "parent_id", "timestamp", "hrm_layer", "operation", "component", "input_summary", "output_summary",
    "status", "otel_trace_id", "otel_span_id", "otel_parent_id", "kind",
)  # fmt: skip
_NUMBERS: Final = ("duration_ms", "duration_ns", "pid", "thread_id", "cpu_ns", "wait_ns")
_QUARTER_US: Final = 15 * 60 * 1_000_000
_LATEST_US: Final = LONGEST_NS // 1000
_LONGEST_MS: Final = LONGEST_NS // 1_000_000
_MOST_OFFSETS: Final = 500

_TIME: Final = "try_cast(timestamp as timestamptz)"
_LOCAL: Final = (
    "(case when substring(timestamp, -6, 1) in ('+', '-') and substring(timestamp, -3, 1) = ':' then false "
    "else not (contains(substring(timestamp, 11), '+') or contains(substring(timestamp, 11), '-') "
    "or ends_with(upper(timestamp), 'Z')) end)"
)
"""A time without an offset; the database takes it for UTC, which it is not."""


class Scan:
    """Files that the database reads."""

    def __init__(self, parts: Sequence[Part], folder: str) -> None:
        """
        Make a database that can read `parts` and nothing else.

        Args:
            parts: In the order of the trace.
            folder: Where it may put what memory does not hold.
        """
        self._layers = layers()
        self._parts = parts
        self.connection = _connect(parts, folder)
        self.rows = 0
        """Lines that are not empty."""

    def read(self) -> None:
        """
        Read the files from the first to the last byte.

        Raises:
            duckdb.Error: It cannot; a line may be too long for it.
        """
        self.connection.execute(f"create temp view _lines as {_reader(self._parts)}")
        self.connection.execute(_read_lineage(self._layers))
        self.rows = self._number("select count(*) from _lineage")

    def bad_rows(self) -> npt.NDArray[np.int64]:
        """Return which lines are no events to the database, counted from 0 and without the empty ones."""
        found = self.connection.execute("select rowid from _lineage where not ok order by rowid").fetchnumpy()
        return np.asarray(found["rowid"], dtype=np.int64)

    def finish(self, *, clean: bool) -> int:
        """
        Make the relation ``events``, and let the row ids of ``_lineage`` be its positions.

        Args:
            clean: There are no bad rows.

        Returns:
            The number of events.
        """
        if not clean:
            self.connection.execute("create temp table _whole as select * from _lineage where ok")
            self.connection.execute("drop table _lineage")
            self.connection.execute("alter table _whole rename to _lineage")
        self.connection.execute(_events_view(self._layers, self._offsets(), clean=clean))
        self.connection.execute("set lock_configuration = true")
        return self._number("select count(*) from _lineage")

    def registered(self, number: int) -> Layer | None:
        """Return the layer that a number in ``_lineage`` stands for."""
        return None if number == NO_LAYER else self._layers[number]

    def _offsets(self) -> list[tuple[int, int]]:
        """Return how far local time was from UTC: from which microsecond of local time on, and how far."""
        if not self._number("select count(*) from _lineage where local"):
            return []
        quarters = self.connection.execute(
            f"select distinct epoch_us({_TIME}) // {_QUARTER_US} from _lines where {_OK} and {_LOCAL} order by 1"  # noqa: S608
        ).fetchall()
        offsets: list[tuple[int, int]] = []
        for (quarter,) in quarters:
            offset = _offset_us(quarter * _QUARTER_US)
            if not offsets or offsets[-1][1] != offset:
                offsets.append((quarter * _QUARTER_US, offset))
        return offsets[:_MOST_OFFSETS]

    def _number(self, query: str) -> int:
        row = self.connection.execute(query).fetchone()
        return 0 if row is None else int(row[0])


def _connect(parts: Sequence[Part], folder: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{MEMORY_MB}MB",
            "threads": min(os.cpu_count() or 1, MOST_THREADS),
            "temp_directory": folder,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
        },
    )
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")  # it is drawn in the midst of what a command prints
    connection.execute(f"set allowed_paths = [{_paths(parts)}]")
    connection.execute("set enable_external_access = false")
    return connection


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(map(_literal, words))


def _paths(parts: Sequence[Part]) -> str:
    return _listed([part.path for part in parts])


def _reader(parts: Sequence[Part]) -> str:
    """Return the query for all lines in the order of the trace, whichever form the files have that they are in."""
    runs = groupby(parts, key=lambda part: part.rows is not None)
    return " union all ".join((_packed if packed else _text)(list(group)) for packed, group in runs)


def _text(parts: Sequence[Part]) -> str:
    columns = [f"{name}: 'VARCHAR'" for name in _TEXTS] + [f"{name}: 'BIGINT'" for name in _NUMBERS]
    return (
        f"select * from read_json([{_paths(parts)}], format = 'newline_delimited', compression = 'uncompressed', "  # noqa: S608
        f"hive_partitioning = false, ignore_errors = true, maximum_object_size = {MAX_LINE_BYTES}, "
        f"columns = {{{', '.join(columns)}, metadata: 'JSON'}})"
    )


def _packed(parts: Sequence[Part]) -> str:
    return (
        f"select {', '.join((*_TEXTS, *_NUMBERS))}, metadata::JSON as metadata "  # noqa: S608
        f"from read_parquet([{_paths(parts)}], hive_partitioning = false)"
    )


_REQUIRED: Final = ("trace_id", "hrm_layer", "operation", "component", "input_summary", "output_summary", "duration_ms")
_OK: Final = (
    f"coalesce(status in ({_listed(get_args(Status))}) and coalesce(kind in ({_listed(get_args(Kind))}), true) "
    f"and isfinite({_TIME}) and {' and '.join(f'{name} is not null' for name in _REQUIRED)}, false)"
)
"""
What the database takes for an event.

`lines` is stricter: it wants the data too, and text where there should be text. To look at that would take the
database a quarter longer, for lines that nobody has ever written.
"""


def _read_lineage(known: Sequence[Layer]) -> str:
    numbers = " ".join(
        f"when {_literal(word)} then {number}"
        for words in ([each.name for each in known], [each.code for each in known])
        for number, word in enumerate(words)
    )
    return f"""
        create temp table _lineage as select
            {_OK} as ok,
            {_LOCAL} as local,
            (case hrm_layer {numbers} else {NO_LAYER} end)::utinyint as layer,
            case when otel_trace_id <> '' then hash(otel_trace_id) end as trace,
            case when otel_span_id <> '' then hash(otel_span_id) end as span,
            case when otel_parent_id <> '' then hash(otel_parent_id) end as parent_span,
            hash(trace_id) as handle,
            case when parent_id is not null then hash(parent_id) end as parent_handle,
            pid
        from _lines"""  # noqa: S608 - made of what stands in this file and of checked names


def _events_view(known: Sequence[Layer], offsets: Sequence[tuple[int, int]], *, clean: bool) -> str:
    names = " ".join(f"when {_literal(each.code)} then {_literal(each.name)}" for each in known)
    return f"""
        create temp view events as select
            row_number() over () - 1 as position,
            trace_id, parent_id, timestamp,
            greatest(least(epoch_us({_TIME}) - {_local_offset(offsets)}, {_LATEST_US}), -{_LATEST_US}) * 1000
                as start_ns,
            case hrm_layer {names} else hrm_layer end as layer,
            operation, component, input_summary, output_summary, status,
            case when kind = 'event' then null
                else greatest(coalesce(duration_ns, least(greatest(duration_ms, 0), {_LONGEST_MS}) * 1000000), 0)
            end as duration_ns,
            coalesce(kind, 'span') as kind,
            metadata, otel_trace_id, otel_span_id, otel_parent_id, pid, thread_id, cpu_ns, wait_ns
        from _lines {"" if clean else f"where {_OK}"}"""  # noqa: S608 - made of what stands in this file and of checked names


def _local_offset(offsets: Sequence[tuple[int, int]]) -> str:
    if not offsets:
        return "0"
    since = " ".join(f"when epoch_us({_TIME}) >= {begin} then {offset}" for begin, offset in reversed(offsets))
    return f"(case when not {_LOCAL} then 0 {since} else 0 end)"


def _offset_us(local_us: int) -> int:
    """Return how far local time is ahead of UTC, in microseconds."""
    try:
        local = datetime(1970, 1, 1) + timedelta(microseconds=local_us)
        return (local.replace(tzinfo=UTC) - local.astimezone()) // timedelta(microseconds=1)
    except (OverflowError, ValueError, OSError):  # in no year that a clock here could show
        return 0
