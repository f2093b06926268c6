"""
Fetch lines of a trace by their number, without reading the ones between.

The newest are mostly wanted, and are found from the end. For older ones the line ends before them
are counted, which is much quicker than to look at what is between them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from dam_obs.store.lines import MAX_LINE_BYTES
from dam_obs.store.parts import Part, filled_lines

Rows = npt.NDArray[np.int64]

_BLOCK_BYTES = 4 * 1024 * 1024


def fetch_lines(parts: Sequence[Part], wanted: Rows, rows: int) -> list[bytes]:
    """
    Return lines of a trace.

    Args:
        parts: The trace.
        wanted: Which lines, in order, counted from 0 and without the empty ones.
        rows: How many lines there are.
    """
    if not len(wanted):
        return []
    found = _from_end(parts[-1], wanted, rows) if parts[-1].rows is None else None
    if found is not None:
        return found
    counted = numbered_rows(parts, wanted, rows)
    return _by_looking(parts, wanted) if counted is None else [line for _, _, line in counted]


def _from_end(part: Part, wanted: Rows, rows: int) -> list[bytes] | None:
    """Look for lines in the last block; `None` if they are not all there."""
    start = max(0, part.size - _BLOCK_BYTES)
    block = os.pread(part.file.fileno(), part.size - start, start)
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    if start:
        del lines[:1]  # its beginning is in another block
    first = rows - len(lines)
    if first > wanted[0] or first < 0 or not all(map(bytes.strip, lines)):
        return None
    return [lines[row - first] for row in wanted.tolist()]


def _by_looking(parts: Sequence[Part], wanted: Rows) -> list[bytes]:
    """Look at each line, whether it is an empty one."""
    looked_for = set(wanted.tolist())
    lines = (line for part in parts for _, line in filled_lines(part))
    return [line for row, line in enumerate(lines) if row in looked_for]


def numbered_rows(parts: Sequence[Part], wanted: Rows, rows: int) -> list[tuple[Part, int, bytes]] | None:
    """
    Return lines, as `fetch_lines` does, with the file that each is in and its number there, from 1.

    Of a line that is longer than any event only the beginning is given. `None` where there are empty lines, so
    that counting leads astray.
    """
    found: list[tuple[Part, int, bytes]] = []
    first = 0
    for part in parts:
        below, above = np.searchsorted(wanted, [first, rows if part.rows is None else first + part.rows])
        here = wanted[below:above] - first
        if part.rows is not None:
            found += _packed_rows(part, here)
            first += part.rows
        else:
            places, lines = _places(part, here)
            found += [(part, number, _line_at(part, offset)) for number, offset in places]
            first += lines
    return found if first == rows else None


def _packed_rows(part: Part, wanted: Rows) -> list[tuple[Part, int, bytes]]:
    if not len(wanted):
        return []
    from dam_obs.store.packed import lines_at

    lines = lines_at(part.path, wanted.tolist())
    return [(part, row + 1, line) for row, line in zip(wanted.tolist(), lines, strict=True)]


def _places(part: Part, wanted: Rows) -> tuple[list[tuple[int, int]], int]:
    """Return the number and the beginning of each wanted line that is in `part`, and how many lines it has."""
    places: list[tuple[int, int]] = []
    if part.size and 0 in wanted:
        places.append((1, 0))
    ends = 0
    for offset, block in _blocks(part):
        lines = block.count(b"\n")
        below, above = np.searchsorted(wanted, [ends, ends + lines], side="right")
        here = wanted[below:above]  # those that begin behind a line end in this block
        if len(here):
            begins = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == 10) + offset + 1
            for row, begin in zip(here.tolist(), begins[here - ends - 1].tolist(), strict=True):
                if begin < part.size:
                    places.append((row + 1, begin))
        ends += lines
    return places, ends + (0 if _ends_whole(part) else 1)


def _blocks(part: Part) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset < part.size:
        block = os.pread(part.file.fileno(), min(_BLOCK_BYTES, part.size - offset), offset)
        if not block:
            return
        yield offset, block
        offset += len(block)


def _ends_whole(part: Part) -> bool:
    return part.size == 0 or os.pread(part.file.fileno(), 1, part.size - 1) == b"\n"


def _line_at(part: Part, offset: int) -> bytes:
    part.file.seek(offset)
    return part.file.readline(min(part.size - offset, MAX_LINE_BYTES)).removesuffix(b"\n")
