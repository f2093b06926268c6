"""
The files of a trace, opened: plain text that can be read any number of times.

They are held open, so that a rotation meanwhile takes none of them away, and known by their
descriptors: ``/proc/<pid>/fd/<n>`` is the only name of a file that the database ever sees.
"""

from __future__ import annotations

import os
import resource
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Final

from dam_obs.store.closed import still_there
from dam_obs.store.lines import SkipReason
from dam_obs.store.spool import chunks_of, spool
from dam_obs.store.trace_files import GZIP_MAGIC, is_packed, numbered_lines, open_plain, open_text, refuse_binary

_MANY_FILES: Final = 256


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a trace."""

    name: str
    """For messages."""
    file: IO[bytes]
    size: int
    """Bytes in it that belong to the trace: what a program appends later does not."""
    rows: int | None = None
    """Lines, where it is a packed file, each a row; `None`: it is text."""

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
    if len(paths) > _MANY_FILES:
        _let_open(len(paths))
    parts = [_open(still_there(path), closing, skipped) for path in paths]
    if parts[-1].rows is None:
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
    if part.rows is not None:
        from dam_obs.store.packed import packed_lines

        yield from enumerate(packed_lines(part.path), start=1)
        return
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
    if is_packed(path):
        return _packed(part_of(name, file, closing), closing)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        with file:
            return copied_part(name, file, closing, skipped)
    return _uncompressed(part_of(name, file, closing), closing, skipped)


def _packed(part: Part, closing: ExitStack) -> Part:
    """Take a packed file as it is; where it has lines that the database could not take apart, copy its lines."""
    from dam_obs.store.packed import measure, packed_lines

    found = measure(part.path)
    if not found.raw:
        return replace(part, rows=found.lines)
    return part_of(part.name, spool((line + b"\n" for line in packed_lines(part.path)), part.name), closing)


def _let_open(files: int) -> None:
    """Let this process have so many more files open, as far as it may."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files + 512
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


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
