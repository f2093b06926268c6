"""
Look at the lines of a trace that the database could not take.

Most are no events and are counted. One may hold some all the same: an event behind a torn one, or
a request of OTLP. Then the trace is copied, with these events in the place of the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import structs

from dam_obs.store.lines import MAX_LINE_BYTES, Line, read_line
from dam_obs.store.parts import Part, Skipped, filled_lines, part_of
from dam_obs.store.raw_lines import numbered_rows
from dam_obs.store.spool import spool
from dam_obs.store.timing import LONGEST_NS
from dam_obs.trace.events import TraceEvent

Rows = npt.NDArray[np.int64]

_PLAIN_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?")

_FEW: Final = 1_000
"""Lines that are looked for one by one, rather than among all."""

_encoder = msgspec.json.Encoder(enc_hook=str)


def count_bad(parts: Sequence[Part], bad: Rows, rows: int, skipped: Skipped) -> bool:
    """
    Count lines that are no events.

    Args:
        parts: The trace.
        bad: Which of its lines, in order, counted from 0 and without the empty ones.
        rows: How many lines there are.
        skipped: Is added to.

    Returns:
        Whether that was all. If not, one of them holds events or the lines are others than was thought:
        `skipped` is then as it was, and the trace must be copied.
    """
    before = skipped.copy()
    few = numbered_rows(parts, bad, rows) if len(bad) <= _FEW else None
    for part, number, line in _bad_lines(parts, bad, rows) if few is None else few:
        found = read_line(line)
        if found.events or found.skipped is None:
            skipped.restore(before)
            return False
        skipped.add(part.name, number, found.skipped, found.why)
    return True


def _bad_lines(parts: Sequence[Part], bad: Rows, rows: int) -> Iterator[tuple[Part, int, bytes]]:
    """Go through all lines; where they are others than was thought, the last one given is an empty one."""
    waiting = iter(bad.tolist())
    next_bad = next(waiting, None)
    row = -1
    for part in parts:
        for number, line in filled_lines(part):
            row += 1
            if row == next_bad:
                next_bad = next(waiting, None)
                yield part, number, line
    if row + 1 != rows:
        yield parts[-1], 0, b""


def repaired(parts: Sequence[Part], bad: Rows | None, rows: int, skipped: Skipped, closing: ExitStack) -> list[Part]:
    """
    Copy a trace, with the events that are in bad lines in their place.

    Args:
        parts: The trace.
        bad: As above; `None` to look at each line.
        rows: As above.
        skipped: Is added to.
        closing: Closes the copy.

    Raises:
        NoRoom: It does not fit.
    """
    name = parts[-1].name
    before = skipped.copy()
    try:
        copy = spool(_repaired_lines(parts, bad, rows, skipped), name)
    except _OtherLines:
        skipped.restore(before)
        copy = spool(_repaired_lines(parts, None, rows, skipped), name)
    return [part_of(name, copy, closing)]


def encoded(event: TraceEvent) -> bytes:
    """Return an event as a line that the database takes for one."""
    if not _PLAIN_TIME.fullmatch(event.timestamp):
        event = structs.replace(event, timestamp=_plain_time(event.timestamp))
    if abs(event.duration_ms) > LONGEST_NS:
        event = structs.replace(event, duration_ms=LONGEST_NS if event.duration_ms > 0 else 0)
    return _encoder.encode(event) + b"\n"


def _plain_time(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        return text  # it is none, and the line will be counted


class _OtherLines(Exception):
    """The database counts lines in another way, so that nobody knows which ones it could not take."""


def _repaired_lines(parts: Sequence[Part], bad: Rows | None, rows: int, skipped: Skipped) -> Iterator[bytes]:
    waiting = None if bad is None else iter(bad.tolist())
    next_bad = None if waiting is None else next(waiting, None)
    row = -1
    for part in parts:
        for number, line in filled_lines(part):
            row += 1
            if waiting is not None and row != next_bad:
                yield line if line.endswith(b"\n") else line + b"\n"
                continue
            if waiting is not None:
                next_bad = next(waiting, None)
            found = read_line(line)
            if found.skipped is not None:
                skipped.add(part.name, number, found.skipped, found.why)
            yield from _encoded(found)
    if bad is not None and row + 1 != rows:
        raise _OtherLines


def _encoded(found: Line) -> Iterator[bytes]:
    for event in found.events:
        line = encoded(event)
        if len(line) <= MAX_LINE_BYTES:
            yield line
