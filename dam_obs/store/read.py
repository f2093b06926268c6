"""
Read events back from JSONL files, one at a time.

A file may have been written by us or by anything that writes the eleven fields of the
seed's `TraceEvent` (layers by code or by name, times without an offset). It may be one of
a rotated set, be gzipped, and end in the middle of a line because its writer was killed.
What is not an event is skipped, counted by reason, and never passed over in silence.

Where the files are is `find`'s business, what the events mean is for those who ask.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Literal, cast

import msgspec

from dam_obs.store.errors import NotATrace, NoTraceFound
from dam_obs.trace.events import TraceEvent
from dam_obs.trace.layers import UnknownLayer, layer

SkipReason = Literal["torn", "foreign", "binary"]

MAX_LINE_BYTES = 16 * 1024 * 1024
"""A longer line is no event of ours; it is skipped without being held in memory."""

_EVENT_START = b'{"trace_id"'
_GZIP_MAGIC = b"\x1f\x8b"
_ROTATED = re.compile(r"\.(\d+)(\.gz)?")
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\b\x1b")

_decoder = msgspec.json.Decoder(TraceEvent)


class EventReader:
    """
    The events of one file or rotated set, oldest first; read while it is iterated.

    Iterate it once. `skipped` and `first_skipped` grow meanwhile and are whole at the end.
    """

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self.paths = paths
        """The files, in the order in which they are read."""
        self.skipped: Counter[SkipReason] = Counter()
        """
        Lines that gave no event, by reason.

        ``torn`` for the beginning of an event without its end, ``foreign`` for text that is something else,
        ``binary`` for bytes that are no text.
        """
        self.first_skipped: str | None = None
        """``file:line: reason (what)`` of the first line that was skipped."""
        self.events = 0
        """Events given so far."""

    def __iter__(self) -> Iterator[TraceEvent]:
        for path in self.paths:
            yield from self._read(path)
        if self.events == 0 and self.skipped and not self.skipped["torn"]:
            raise NotATrace(self.paths[-1], f"none of its lines is an event, the first is {self.first_skipped}")

    def _read(self, path: Path) -> Iterator[TraceEvent]:
        for number, line in _lines(path):
            if line is None:
                self._skip(path, number, "torn", "the compressed file ends early")
                return
            event = self._decode(line, path, number)
            if event is not None:
                self.events += 1
                yield event

    def _decode(self, line: bytes, path: Path, number: int) -> TraceEvent | None:
        try:
            return _event(line)
        except ValueError as error:  # of msgspec, of UTF-8, of the time
            why = str(error)
        if not line.strip():
            return None
        reason = _why_not(line)
        self._skip(path, number, reason, why)
        if reason == "foreign":
            return None
        return _glued(line)

    def _skip(self, path: Path, number: int, reason: SkipReason, why: str) -> None:
        self.skipped[reason] += 1
        if self.first_skipped is None:
            self.first_skipped = f"{path}:{number}: {reason} ({why})"


def read_events(path: Path) -> EventReader:
    """
    Read the events of the file at `path` together with its older, rotated ones.

    ``trace.jsonl`` brings ``trace.jsonl.1`` (the newest of the old ones), ``.2`` and on, also as
    ``.gz``. A rotated file that is named itself is read alone.

    Raises:
        NoTraceFound: there is no such file.
        NotATrace: it is a folder, cannot be read, or its beginning is binary. While iterating: no line was an event.
    """
    if path.is_dir():
        raise NotATrace(path, "it is a folder without trace.jsonl")
    paths = _rotated(path)
    if not paths:
        raise NoTraceFound(f"at {path}")
    _refuse_binary(paths[-1])
    return EventReader(paths)


def started(event: TraceEvent) -> datetime:
    """Return when `event` started, with an offset; a time without one, as the seed writes it, is local time."""
    return datetime.fromisoformat(event.timestamp).astimezone()


def _rotated(path: Path) -> tuple[Path, ...]:
    older: dict[int, Path] = {}
    for sibling in sorted(path.parent.glob(f"{_glob_literal(path.name)}.*"), reverse=True):
        suffix = _ROTATED.fullmatch(sibling.name.removeprefix(path.name))
        if suffix:
            older[int(suffix[1])] = sibling  # "x.1" comes after "x.1.gz" here: the plain one wins while both exist
    newest = (path,) if path.is_file() else ()
    return (*(older[number] for number in sorted(older, reverse=True)), *newest)


def _glob_literal(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _open(path: Path) -> IO[bytes]:
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == _GZIP_MAGIC
        return cast("IO[bytes]", gzip.open(path, "rb")) if compressed else path.open("rb")
    except OSError as error:
        raise NotATrace(path, error.strerror or type(error).__name__) from error


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield numbered lines; `None` as the last one where a compressed file ends early."""
    with _open(path) as file:
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
            except (EOFError, zlib.error, gzip.BadGzipFile):
                yield number, None
                return
            yield number, line


def _refuse_binary(path: Path) -> None:
    with _open(path) as file:
        try:
            start = file.read(64 * 1024)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return
    if start and _is_binary(start) and _EVENT_START not in start:
        raise NotATrace(path, "it is a binary file")


def _is_binary(data: bytes) -> bool:
    controls = sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in data)
    return b"\0" in data or controls * 20 > len(data)


def _why_not(line: bytes) -> SkipReason:
    if _is_binary(line):
        return "binary"
    try:
        msgspec.json.decode(line)
    except ValueError:
        return "torn" if line.lstrip().startswith((b"{", _EVENT_START)) else "foreign"
    return "foreign"


def _glued(line: bytes) -> TraceEvent | None:
    """Find the whole event behind a torn one: the next writer appended to a line that a kill had cut."""
    start = line.rfind(_EVENT_START, 1)
    if start < 0:
        return None
    try:
        return _event(line[start:])
    except ValueError:
        return None


def _event(line: bytes) -> TraceEvent:
    event = _decoder.decode(line)
    datetime.fromisoformat(event.timestamp)  # raises on what is no time, which would fail whoever sorts by it
    if len(event.hrm_layer) != 3:
        return event
    try:
        event.hrm_layer = layer(event.hrm_layer).name
    except UnknownLayer:
        return event  # a plugin's layer, and the plugin is not here: the code stands for it
    return event
