"""
The files that a trace lies in: a file together with its older ones, plain, compressed or packed.

``trace.jsonl`` brings ``trace.jsonl.1`` (the newest of the old ones), ``.2`` and on, also as
``.gz``, and in a measured run those in ``trace.closed``. A rotated file that is named itself is read
alone. Whether a file is compressed is told by what is in it, not by its name.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, cast

from dam_obs.store.closed import PACKED, closed_files, still_there
from dam_obs.store.errors import NotATrace, NoTraceFound
from dam_obs.store.lines import EVENT_START, MAX_LINE_BYTES, is_binary

GZIP_ERRORS: Final = (EOFError, zlib.error, gzip.BadGzipFile)
"""What a compressed file that is cut or damaged raises."""

GZIP_MAGIC: Final = b"\x1f\x8b"

_ROTATED = re.compile(r"\.(\d+)(\.gz)?")
_BEGINNING_BYTES: Final = 64 * 1024


def trace_set(path: Path) -> tuple[Path, ...]:
    """
    Return the files of the trace at `path`, oldest first.

    Raises:
        NoTraceFound: There is no such file.
        NotATrace: It is a folder.
    """
    if path.is_dir():
        raise NotATrace(path, "it is a folder without trace.jsonl")
    *rotated, newest = (*_rotated(path), None) if not path.exists() else _rotated(path)
    paths = (*rotated, *closed_files(path), *((newest,) if newest is not None else ()))
    if not paths:
        raise NoTraceFound(f"at {path}")
    return paths


def open_plain(path: Path) -> IO[bytes]:
    """
    Open a file as it is.

    Raises:
        NotATrace: It cannot be read.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise NotATrace(path, error.strerror or type(error).__name__) from error


def open_text(path: Path) -> IO[bytes]:
    """Open a file for what is in it, which may be compressed; one that is damaged raises one of `GZIP_ERRORS`."""
    file = open_plain(path)
    compressed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    file.seek(0)
    if not compressed:
        return file
    file.close()
    return cast("IO[bytes]", gzip.open(path, "rb"))


def is_packed(path: Path) -> bool:
    """Tell a closed file that was packed."""
    return path.suffix == PACKED


def lines_of(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """
    Yield the lines of a file of a trace with their numbers, whatever form it has; as `numbered_lines` does.

    Raises:
        NotATrace: It cannot be read.
    """
    path = still_there(path)
    if is_packed(path):
        from dam_obs.store.packed import packed_lines  # brings the database, which others need not wait for

        yield from enumerate(packed_lines(path), start=1)
        return
    with open_text(path) as file:
        yield from numbered_lines(file)


def numbered_lines(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """
    Yield a file's lines with their numbers, from 1.

    Of a line that is longer than any event only the beginning is given. `None` stands as the last one where a
    compressed file ends early.
    """
    number = 0
    while True:
        number += 1
        try:
            line = file.readline(MAX_LINE_BYTES)
            if not line:
                return
            rest = line
            while len(rest) == MAX_LINE_BYTES and not rest.endswith(b"\n"):
                rest = file.readline(MAX_LINE_BYTES)
        except GZIP_ERRORS:
            yield number, None
            return
        yield number, line


def refuse_binary(path: Path, file: IO[bytes]) -> None:
    """
    Refuse a file whose beginning is binary; `file` is read from where it stands.

    Raises:
        NotATrace: It is.
    """
    try:
        start = file.read(_BEGINNING_BYTES)
    except GZIP_ERRORS:
        return
    if start and is_binary(start) and EVENT_START not in start:
        raise NotATrace(path, "it is a binary file")


def _rotated(path: Path) -> tuple[Path, ...]:
    older: dict[int, Path] = {}
    for sibling in sorted(path.parent.glob(f"{_glob_literal(path.name)}.*"), reverse=True):
        suffix = _ROTATED.fullmatch(sibling.name.removeprefix(path.name))
        if suffix:
            older[int(suffix[1])] = sibling  # "x.1" comes after "x.1.gz" here: the plain one wins while both exist
    newest = (path,) if path.exists() else ()
    return (*(older[number] for number in sorted(older, reverse=True)), *newest)


def _glob_literal(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)
