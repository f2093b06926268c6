"""
Read what is appended to a file, line by line, while it is rotated, truncated, moved away and made anew.

A file that was rotated is read to its end before the next one is begun, and if several rotations
passed between two looks, those between are read as well. A file that has shrunk, or whose
bytes before the place reached are others than they were, was begun anew in place and
is read from its start. What is there is asked for by looking; nothing waits here.

What a line means is for those who ask.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import count, takewhile
from pathlib import Path
from types import TracebackType
from typing import Final

from dam_obs.store.errors import NotATrace
from dam_obs.store.lines import MAX_LINE_BYTES

CHUNK_BYTES: Final = 1024 * 1024
_MARK_BYTES: Final = 256


class Tail:
    """The lines of one file from some place on, for as long as somebody asks."""

    ended = False
    """A file may always be appended to."""

    def __init__(self, path: Path, *, backlog_bytes: int) -> None:
        """
        Begin near the end of what is there; nothing needs to be there yet.

        Args:
            path: The file. Its rotated ones are ``<path>.1`` and so on, the newest first.
            backlog_bytes: How much of what is there already is read at most, from the start of a line on.
        """
        self._path = path
        self._backlog_bytes = backlog_bytes
        self._open: _Appended | None = None
        self._elsewhere = False
        self._begun = False
        self._old: list[_Appended] = []
        """Rotated files that were there before the first one of ours; open, so that no other gets their identity."""

    def __enter__(self) -> Tail:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        for each in (*self._old, *([self._open] if self._open is not None else [])):
            each.close()
        self._old, self._open = [], None

    def lines(self) -> Iterator[bytes]:
        """
        Yield what has come since the last time, without line ends; a line that is not ended yet comes later.

        Raises:
            NotATrace: There is something that cannot be read.
        """
        if not self._begun:
            self._begun = True
            yield from self._backlog()
        if self._open is None:
            yield from self._begin()
        if self._open is None:
            return
        yield from self._open.lines()
        if not self._is_elsewhere():
            self._elsewhere = False
        elif not self._elsewhere:
            self._elsewhere = True  # who was about to write to it may still do so: left at the next look
        else:
            self._elsewhere = False
            yield from self._go_on(self._open)

    # -- how

    def _backlog(self) -> Iterator[bytes]:
        self._open = _opened(self._path)
        if self._open is None:
            self._old = list(self._rotated())
            return
        size = self._open.size()
        before = _opened(_numbered(self._path, 1)) if size < self._backlog_bytes else None
        if before is not None:
            with closing(before):
                before.skip_to(before.size() - (self._backlog_bytes - size))
                yield from before.rest() if before.identity != self._open.identity else ()
        self._open.skip_to(size - self._backlog_bytes)

    def _begin(self) -> Iterator[bytes]:
        """Begin the file that has been made meanwhile, after those that were made before it and rotated already."""
        newest = _opened(self._path)
        if newest is None:
            return
        old = {each.identity for each in self._old}
        rotated = list(self._rotated(newest))
        yield from _rest_of(takewhile(lambda each: each.identity not in old, rotated), rotated)
        self.close()
        self._open = newest

    def _is_elsewhere(self) -> bool:
        try:
            return self._open is not None and not os.path.samestat(self._open.stat(), os.stat(self._path))
        except FileNotFoundError:
            return False  # it will be made again, or it will not

    def _go_on(self, last: _Appended) -> Iterator[bytes]:
        """Finish the file that the path has left, those that came between, and begin the one it leads to."""
        newest = _opened(self._path)
        rotated = list(self._rotated(newest))
        missed = list(takewhile(lambda one: one.identity != last.identity, rotated))
        if len(missed) == len(rotated):
            # It was deleted, by rotation or by hand, or moved to another name: what was written later is new.
            written = last.stat().st_mtime_ns if last.stat().st_nlink == 0 else None
            missed = [each for each in rotated if written is not None and each.stat().st_mtime_ns > written]
        yield from last.rest()
        yield from _rest_of(missed, rotated)
        self.close()
        self._open = newest
        if newest is not None:
            yield from newest.lines()

    def _rotated(self, newest: _Appended | None = None) -> Iterator[_Appended]:
        """
        Yield the rotated files, the newest first, each once.

        In this order, and after the newest was opened, so that a rotation meanwhile moves none past us.
        """
        seen = {newest.identity} if newest is not None else set()
        for number in count(1):
            each = _opened(_numbered(self._path, number))
            if each is None:
                return
            if each.identity in seen:
                each.close()
                continue
            seen.add(each.identity)
            yield each


class Piped:
    """The lines that another program writes into a pipe, until it closes it."""

    def __init__(self, file: int) -> None:
        """
        Begin with what comes next.

        Args:
            file: The descriptor of its end for reading; it stays the caller's.
        """
        self._file = file
        self._cutter = _Cutter()
        self.ended = False
        """Nothing will come any more."""

    def lines(self) -> Iterator[bytes]:
        """Yield what has come since the last time; without waiting for more."""
        while not self.ended and select.select([self._file], [], [], 0)[0]:
            chunk = os.read(self._file, CHUNK_BYTES)
            self.ended = not chunk
            yield from self._cutter.cut(chunk) if chunk else self._cutter.rest()


class _Cutter:
    """Cuts chunks into lines."""

    def __init__(self, *, within_line: bool = False) -> None:
        self._unfinished = b""
        self._skipping = within_line
        """What comes, up to the next line end, belongs to no line that is read."""

    def cut(self, chunk: bytes) -> Iterator[bytes]:
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            if not self._skipping:
                yield self._unfinished + line
            self._unfinished, self._skipping = b"", False
        if self._skipping:
            return
        self._unfinished += rest
        if len(self._unfinished) > MAX_LINE_BYTES:
            yield self._unfinished
            self._unfinished, self._skipping = b"", True

    def rest(self) -> Iterator[bytes]:
        """Yield the line that was never ended, if there is one."""
        if self._unfinished:
            yield self._unfinished
            self._unfinished = b""


class _Appended:
    """One open file, and how far it is read."""

    def __init__(self, file: int) -> None:
        self._file = file
        found = os.fstat(file)
        self.identity = (found.st_dev, found.st_ino)
        """No other file has it while this one is open."""
        self._position = 0
        self._cutter = _Cutter()
        self._head = b""
        """Its first bytes, as they were at the last look."""
        self._mark = b""
        """The last bytes before the position."""

    def stat(self) -> os.stat_result:
        return os.fstat(self._file)

    def size(self) -> int:
        return self.stat().st_size

    def close(self) -> None:
        os.close(self._file)

    def skip_to(self, position: int) -> None:
        """Go on from the first line that begins at `position` or after it."""
        if position > 0:
            self._position = position - 1
            self._cutter = _Cutter(within_line=True)

    def lines(self) -> Iterator[bytes]:
        """Yield the whole lines up to the present end."""
        if self._begun_anew():
            yield from self._cutter.rest()
            self._position, self._mark, self._cutter = 0, b"", _Cutter()
        while chunk := os.pread(self._file, CHUNK_BYTES, self._position):
            self._position += len(chunk)
            self._mark = (self._mark + chunk)[-_MARK_BYTES:]
            yield from self._cutter.cut(chunk)

    def rest(self) -> Iterator[bytes]:
        """Yield all that is left, a line that was never ended too."""
        yield from self.lines()
        yield from self._cutter.rest()

    def _begun_anew(self) -> bool:
        """Say whether it is another file than it was at the last look: shorter, or other before the place reached."""
        head, before = self._head, self._position - len(self._mark)
        self._head = os.pread(self._file, _MARK_BYTES, 0)
        if self.size() < self._position or not self._head.startswith(head):
            return True
        return os.pread(self._file, len(self._mark), before) != self._mark


def _rest_of(missed: Iterable[_Appended], opened: Iterable[_Appended]) -> Iterator[bytes]:
    """Yield what is in the first ones, the newest of which stands first, and close all that were opened."""
    with ExitStack() as closing_all:
        for each in opened:
            closing_all.callback(each.close)
        for each in reversed(list(missed)):
            yield from each.rest()


def _opened(path: Path) -> _Appended | None:
    """Open a file; `None` if there is none."""
    try:
        return _Appended(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotATrace(path, error.strerror or type(error).__name__) from error


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
