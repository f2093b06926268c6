"""
The files of a trace, opened: plain text that can be read any number of times.

They are held open, so that a rotation meanwhile takes none of them away, and known by their
descriptors: ``/proc/<pid>/fd/<n>`` is the only name of a file that the database ever sees.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from dam_obs.store.lines import SkipReason
from dam_obs.store.spool import chunks_of, spool
from dam_obs.store.trace_files import GZIP_MAGIC, numbered_lines, open_plain, open_text, refuse_binary


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a trace."""

    name: str
    """For messages."""
    file: IO[bytes]
    size: int
    """Bytes in it that belong to the trace: what a program appends later does not."""

    @property
    def path(self) -> str:
        """Under what name it can be opened again."""
        return f"/proc/{os.getpid()}/fd/{self.file.fileno()}"

    def grew(self) -> bool:
        """Tell whether something was appended since it was opened."""
        return os.fstat(self.file.fileno()).st_size != self.size


@dataclass(slots=True)
class Skipped:
    """Lines that gave no event."""

    reasons: Counter[SkipReason] = field(default_factory=Counter)
    first: str | None = None
    """``file:line: reason (what)`` of the first one."""

    def add(self, name: str, number: int, reason: SkipReason, why: str) -> None:
        """Count a line."""
        self.reasons[reason] += 1
        if self.first is None:
            self.first = f"{name}:{number}: {reason} ({why})"

    def copy(self) -> Skipped:
        """Return what is counted so far."""
        return Skipped(self.reasons.copy(), self.first)

    def restore(self, before: Skipped) -> None:
        """Go back to a copy."""
        self.reasons, self.first = before.reasons.copy(), before.first


def open_parts(paths: Sequence[Path], closing: ExitStack, skipped: Skipped) -> list[Part]:
    """
    Open files, oldest first; what is compressed or no regular file is copied.

    Raises:
        NotATrace: One cannot be read, or the newest is binary.
        NoRoom: A copy does not fit.
    """
    parts = [_open(path, closing, skipped) for path in paths]
    parts[-1].file.seek(0)
    refuse_binary(paths[-1], parts[-1].file)
    return parts


def part_of(name: str, file: IO[bytes], closing: ExitStack) -> Part:
    """Make a part of a file that is open already; `closing` closes it."""
    closing.callback(file.close)
    return Part(name, file, os.fstat(file.fileno()).st_size)


def copied_part(name: str, stream: IO[bytes], closing: ExitStack, skipped: Skipped) -> Part:
    """
    Make a part of what can be read only once.

    Raises:
        NoRoom: The copy does not fit.
    """
    return _uncompressed(part_of(name, spool(chunks_of(stream), name), closing), closing, skipped)


def still(part: Part, closing: ExitStack) -> Part:
    """Return a part as it was when it was opened: a copy, if it grew."""
    if not part.grew():
        return part
    part.file.seek(0)
    return part_of(part.name, spool(chunks_of(part.file, part.size), part.name), closing)


def filled_lines(part: Part) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not empty, with their numbers in the file."""
    part.file.seek(0)
    left = part.size
    for number, line in numbered_lines(part.file):
        if line is None or left <= 0:
            return
        line = line[:left]
        left -= len(line)
        if line.strip():
            yield number, line


def _open(path: Path, closing: ExitStack, skipped: Skipped) -> Part:
    file = open_plain(path)
    name = str(path)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        with file:
            return copied_part(name, file, closing, skipped)
    return _uncompressed(part_of(name, file, closing), closing, skipped)


def _uncompressed(part: Part, closing: ExitStack, skipped: Skipped) -> Part:
    part.file.seek(0)
    if part.file.read(len(GZIP_MAGIC)) != GZIP_MAGIC:
        return part
    with open_text(Path(part.path)) as compressed:
        return part_of(part.name, spool(_whole_lines(compressed, part.name, skipped), part.name), closing)


def _whole_lines(compressed: IO[bytes], name: str, skipped: Skipped) -> Iterator[bytes]:
    for number, line in numbered_lines(compressed):
        if line is None:
            skipped.add(name, number, "torn", "the compressed file ends early")
            return
        yield line if line.endswith(b"\n") else line + b"\n"
