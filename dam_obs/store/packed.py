"""
A closed file of a trace as Parquet: a thirteenth of the size, and the same lines to the byte.

Each line is a row, with a column for each field of `TraceEvent`. A line that would not come back as
it was, for it is torn, foreign, or written by another hand, is kept as it is in the column ``raw``.
Before a file takes the place of another, it is read back and compared with it, line by line.

Which files of a trace are packed, and when, is for `trace_files` and for the observer of a run.
"""

from __future__ import annotations

import glob
import os
from base64 import b64encode
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from types import UnionType
from typing import IO, Any, Final, Literal, get_args, get_origin

import duckdb
import msgspec

from dam_obs.errors import DamObsError
from dam_obs.store.spool import spool
from dam_obs.trace.events import TraceEvent

MODE: Final = 0o600
"""For the owner alone, as the lines are."""

MEMORY_MB: Final = 128
"""What the database may take for packing or reading one file."""

LONGEST_LINE_BYTES: Final = 4 * 1024 * 1024
"""A file with a longer line stays as it is."""

_ROWS_IN_A_GROUP: Final = 20_480
_ROWS_AT_ONCE: Final = 2_048

_TEXT: Final = "VARCHAR"
_NUMBER: Final = "BIGINT"
_DATA: Final = "JSON"


def _type_of(field: msgspec.structs.FieldInfo) -> str:
    kinds = set(get_args(field.type)) - {type(None)} if isinstance(field.type, UnionType) else {field.type}
    if kinds == {int}:
        return _NUMBER
    return _TEXT if kinds == {str} or get_origin(field.type) is Literal else _DATA


FIELDS: Final = {field.name: _type_of(field) for field in msgspec.structs.fields(TraceEvent)}
"""The fields of a line in their order, each with its type in the file."""

_ALWAYS: Final = tuple(field.name for field in msgspec.structs.fields(TraceEvent) if field.required)


class Unpackable(DamObsError):
    """A file cannot be packed; it stays as it is."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} stays as it is, for {why}")
        self.path = path


@dataclass(frozen=True, slots=True)
class Packed:
    """What is in a packed file."""

    lines: int
    raw: int
    """Of these, lines that are kept as they were."""
    timed: int
    """Lines with a time line: where in time, and on which thread, each step ran."""


def pack(source: Path, target: Path) -> Packed:
    """
    Write the lines of `source`, without empty ones, to a new file `target`; it is on the disk when this returns.

    Raises:
        Unpackable: It has a line that is too long, or the database cannot do it.
        OSError: A file cannot be read or written.
    """
    with source.open("rb") as file:
        strange = frozenset(row for row, line in enumerate(_lines(source, file)) if not _is_ours(line))
        try:
            _write(source, file, target, strange)
            changed = _changed(source, file, target)
            if changed:
                _write(source, file, target, strange | changed)
                if _changed(source, file, target):
                    raise Unpackable(source, "its lines would not come back as they are")
            return measure(target)
        except duckdb.Error as error:
            raise Unpackable(source, f"the database cannot pack it ({error})") from error


def without_timelines(source: Path, target: Path) -> None:
    """Write a packed file anew as `target`, without the segments of executions."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE))
    with _database() as database:
        kept = sorted(_columns(database, source) - {"segments"})
        columns = ", ".join((*kept, "null::JSON as segments"))
        database.execute(_copy(f"select {columns} from {_parquet(source)}", target))  # noqa: S608
    _bring_to_disk(target)


def measure(path: Path | str) -> Packed:
    """Count what is in a packed file."""
    with _database() as database:
        row = database.execute(f"select count(*), count(raw), count(segments) from {_parquet(path)}").fetchone()  # noqa: S608
    lines, raw, timed = row or (0, 0, 0)
    return Packed(lines, raw, timed)


def packed_lines(path: Path | str, *, timelines: bool = True) -> Iterator[bytes]:
    """
    Yield the lines of a packed file, without line ends, some thousand in memory at a time.

    Args:
        path: The file.
        timelines: `False`: without the segments of executions.
    """
    with _database() as database:
        database.execute(f"select {_line(_columns(database, path) - _left_out(timelines))} from {_parquet(path)}")  # noqa: S608
        while rows := database.fetchmany(_ROWS_AT_ONCE):
            for (line,) in rows:
                yield line


def lines_at(path: Path | str, rows: Sequence[int]) -> list[bytes]:
    """Return some lines of a packed file, by their numbers from 0, in order."""
    with _database() as database:
        query = f"select {_line(_columns(database, path))} from {_parquet(path, 'file_row_number = true')}"  # noqa: S608
        numbers = ", ".join(str(int(row)) for row in rows)
        found = database.execute(f"{query} where file_row_number in ({numbers}) order by file_row_number").fetchall()
    return [line for (line,) in found]


# -- how


def _line_type() -> type[msgspec.Struct]:
    """Make a struct of a line's fields; what is nested in it stays as it stands there."""
    types = {_TEXT: str | None, _NUMBER: int | None, _DATA: msgspec.Raw}
    made: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(TraceEvent):
        kind = types[FIELDS[field.name]]
        if field.required:
            made.append((field.name, kind))
        else:
            made.append((field.name, kind, msgspec.Raw() if kind is msgspec.Raw else field.default))
    return msgspec.defstruct("_Line", made, kw_only=True, omit_defaults=True)


_decoder = msgspec.json.Decoder(_line_type())
_encoder = msgspec.json.Encoder()


def _is_ours(line: bytes) -> bool:
    """Tell a line that has nothing but its fields, in their order and written as we write them."""
    try:
        return _encoder.encode(_decoder.decode(line)) == line
    except (ValueError, RecursionError):
        return False


def _lines(source: Path, file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines that are not empty, without line ends."""
    file.seek(0)
    while line := file.readline(LONGEST_LINE_BYTES):
        if len(line) == LONGEST_LINE_BYTES and not line.endswith(b"\n"):
            raise Unpackable(source, "one of its lines is longer than any event")
        line = line.removesuffix(b"\n")
        if line.strip():
            yield line


def _write(source: Path, file: IO[bytes], target: Path, raw: Collection[int]) -> None:
    """Write the lines of `file` as rows; those in `raw` as they are."""
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in FIELDS.items())
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE))
    with _rows(source, file, raw) as rows, _database() as database:
        made = ", ".join((*FIELDS, "from_base64(raw) as raw"))
        reading = (
            f"read_json('{_name_of(rows)}', format = 'newline_delimited', compression = 'uncompressed', "
            f"hive_partitioning = false, ignore_errors = true, maximum_object_size = {2 * LONGEST_LINE_BYTES}, "
            f"columns = {{{columns}, raw: 'VARCHAR'}})"
        )
        database.execute(_copy(f"select {made} from {reading}", target))  # noqa: S608
    _bring_to_disk(target)


def _rows(source: Path, file: IO[bytes], raw: Collection[int]) -> IO[bytes]:
    """Return a file of what the database is to read: the very file, if each of its lines is one of ours."""
    if not raw:
        return os.fdopen(os.dup(file.fileno()), "rb")
    rows = (
        b'{"raw":"%s"}\n' % b64encode(line) if row in raw else line + b"\n"
        for row, line in enumerate(_lines(source, file))
    )
    return spool(rows, str(source))


def _changed(source: Path, file: IO[bytes], target: Path) -> frozenset[int]:
    """Return which lines do not come back as they were."""
    pairs = zip_longest(_lines(source, file), packed_lines(target))
    return frozenset(row for row, (before, after) in enumerate(pairs) if before != after)


def _left_out(timelines: bool) -> set[str]:
    return set() if timelines else {"segments"}


def _columns(database: duckdb.DuckDBPyConnection, path: Path | str) -> set[str]:
    """Return what columns a file has: one of an earlier dam-obs may lack some."""
    return {row[0] for row in database.execute(f"describe select * from {_parquet(path)}").fetchall()}  # noqa: S608


def _line(columns: Collection[str]) -> str:
    """Return the expression that makes a line of a row."""
    parts = [_field(name, kind) for name, kind in FIELDS.items() if name in columns]
    return f"coalesce(raw, encode(concat('{{', {', '.join(parts)}, '}}')))"


def _field(name: str, kind: str) -> str:
    value = {_TEXT: f"to_json({name})::VARCHAR", _NUMBER: f"{name}::VARCHAR", _DATA: f"{name}::VARCHAR"}[kind]
    comma = "" if name == "trace_id" else ","
    if name in _ALWAYS:
        return f"""'{comma}"{name}":', coalesce({value}, 'null')"""
    return f"""case when {name} is null then '' else '{comma}"{name}":' || {value} end"""


def _copy(query: str, target: Path) -> str:
    path = str(target).replace("'", "''")
    return (
        f"copy ({query}) to '{path}' (format parquet, compression zstd, parquet_version v2, "
        f"row_group_size {_ROWS_IN_A_GROUP}, use_tmp_file false)"
    )


def _parquet(path: Path | str, options: str = "") -> str:
    """Return the table function that reads a file; its name is taken as it is, whatever is in it."""
    name = glob.escape(str(path)).replace("'", "''")
    return f"read_parquet('{name}'{', ' + options if options else ''})"


def _database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{MEMORY_MB}MB",
            "threads": 1,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
        },
    )
    connection.execute("set enable_progress_bar = false")  # it is drawn in the midst of what a command prints
    return connection


def _name_of(file: IO[bytes]) -> str:
    return f"/proc/{os.getpid()}/fd/{file.fileno()}"


def _bring_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
