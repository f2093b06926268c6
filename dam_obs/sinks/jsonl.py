"""
Append events to a JSONL file: whole lines, by one write for each batch.

Several processes may append to one file, rotate it, delete it or move it away; each
looks, before it writes, whether the path still leads to the file that it has open. A line
that was torn (a full disk, a kill) is left alone: whoever writes next begins a new line,
and readers skip the torn one.

In a measured run an observer packs what is closed. There a full file is moved into a folder of closed ones,
whose names put them in order and never change, and everyone who writes holds a shared lock on the file
meanwhile: once the observer has the lock to itself, nothing will be added any more.

What cannot be written is dropped and counted, and the next batch tries again.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from dam_obs.trace import faults
from dam_obs.trace.events import FinishedSpan

MODE: Final = 0o600
"""For the owner alone: redaction knows many secrets, not all."""

DROPPED: Final = "sinks.jsonl.dropped"

CLOSED_SUFFIX: Final = ".jsonl"

LOCK_TRIES: Final = 100
LOCK_PAUSE_S: Final = 0.01
_COUNTED_AT_ONCE: Final = 1024 * 1024

_ENCODE = faults.guard("sinks.jsonl.encode")
_PLACE: Final = "sinks.jsonl"


class JsonlSink:
    """Appends to one file."""

    def __init__(self, path: Path, *, rotate_bytes: int = 0, rotate_keep: int = 5, closed: Path | None = None) -> None:
        """
        Make a sink that opens nothing yet.

        Args:
            path: The file; it and its folder are made when there is something to write.
            rotate_bytes: Size at which the file becomes ``<path>.1``, and that ``<path>.2``; 0 never.
            rotate_keep: Rotated files to keep.
            closed: Folder that full files are moved into, rather than to ``<path>.1``, for an observer to take on.
        """
        self._path = Path(os.path.abspath(path))
        self._rotate_bytes = rotate_bytes
        self._rotate_keep = rotate_keep
        self._closed = closed
        self._encoder = msgspec.json.Encoder()
        self._file: int | None = None
        self._opened: os.stat_result | None = None

    def __call__(self, batch: Sequence[FinishedSpan]) -> None:
        """Append a batch, or drop and count what cannot be written."""
        lines = self._lines(batch)
        if not lines:
            return
        try:
            written = self._append(lines)
        except OSError as error:
            self._let_go()
            faults.report(_PLACE, error)
            written = 0
        lost = len(batch) - written
        if lost > 0:
            faults.count(DROPPED, lost)

    def flush(self, timeout: float) -> None:
        """Do nothing: nothing is held back."""

    def close(self, timeout: float) -> None:
        """Let go of the file."""
        self._let_go()

    # -- how

    def _lines(self, batch: Sequence[FinishedSpan]) -> bytes:
        events = [span.event for span in batch]
        with _ENCODE:
            return self._encoder.encode_lines(events)
        return self._encodable(events)

    def _encodable(self, events: Iterable[object]) -> bytes:
        """Encode what can be, when something in a batch cannot."""
        lines = bytearray()
        for event in events:
            with _ENCODE:
                lines += self._encoder.encode(event) + b"\n"
        return bytes(lines)

    def _append(self, lines: bytes) -> int:
        """Write whole lines at the end; return how many got there."""
        file, size, regular = self._current()
        if regular and self._rotate_bytes and size and size + len(lines) > self._rotate_bytes:
            file, size, regular = self._rotated(file)
        if self._closed is None or not regular:
            return _write_lines(file, size if regular else 0, lines)
        file, size = self._held()
        try:
            return _write_lines(file, size, lines)
        finally:
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_UN)

    def _held(self) -> tuple[int, int]:
        """
        Return the open file, locked against being taken away, and its size.

        Raises:
            OSError: Another process keeps the lock.
        """
        for _ in range(LOCK_TRIES):
            file, size, _ = self._current()
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(LOCK_PAUSE_S)  # it is being closed: the path leads elsewhere at once
                continue
            except OSError:
                return file, size  # no locks on this file system: no observer gets one either, and takes nothing away
            if not self._is_elsewhere(os.fstat(file)):
                return file, size
            fcntl.flock(file, fcntl.LOCK_UN)
        raise BlockingIOError(errno.EWOULDBLOCK, "another process keeps the lock on the trace", str(self._path))

    def _current(self) -> tuple[int, int, bool]:
        """Return the open file, its size and whether it is a regular one; opens it (again) where needed."""
        mine = self._still_mine()
        if self._file is not None and mine is not None and not self._is_elsewhere(mine):
            return self._file, mine.st_size, stat.S_ISREG(mine.st_mode)
        self._let_go()
        self._file = _above_standard_streams(_open(self._path))
        found = self._opened = os.fstat(self._file)
        return self._file, found.st_size, stat.S_ISREG(found.st_mode)

    def _still_mine(self) -> os.stat_result | None:
        """
        Look at what our descriptor leads to; `None` if that is not what we opened.

        A program that becomes a daemon closes all descriptors, and may then open a file of its own under our number.
        """
        if self._file is None or self._opened is None:
            return None
        try:
            found = os.fstat(self._file)
        except OSError:
            return None
        return found if os.path.samestat(found, self._opened) else None

    def _is_elsewhere(self, mine: os.stat_result) -> bool:
        """Say whether the path leads to another file by now."""
        try:
            return not os.path.samestat(mine, os.stat(self._path))
        except FileNotFoundError:
            return True
        except OSError:
            return False  # a program that has given up its rights may not look any more, but may write

    def _rotated(self, file: int) -> tuple[int, int, bool]:
        """Rotate, unless another process has done so meanwhile; where it cannot be done, go on in the same file."""
        try:
            # The lock is on the file that is rotated away: who gets it later finds that the path leads elsewhere.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file), os.stat(self._path)):
                self._give_way()
            fcntl.flock(file, fcntl.LOCK_UN)  # closing it would not do: a forked process may have it, too
        except BlockingIOError:
            return file, os.fstat(file).st_size, True  # another process is at it
        except FileNotFoundError:
            pass  # moved away by somebody else, which comes to the same
        except OSError as error:
            faults.report(f"{_PLACE}.rotate", error)
            with suppress(OSError):  # it may be that there are no locks here
                fcntl.flock(file, fcntl.LOCK_UN)
            return file, os.fstat(file).st_size, True
        self._let_go()
        return self._current()

    def _give_way(self) -> None:
        """Move the full file to where older ones are."""
        if self._closed is None:
            _shift(self._path, self._rotate_keep)
            return
        self._closed.mkdir(exist_ok=True)
        # All processes of a machine share the clock, and the lock lets one at a time come here: names are in order.
        os.replace(self._path, self._closed / f"{time.monotonic_ns():020d}{CLOSED_SUFFIX}")
        _drop_oldest(self._closed, self._rotate_keep)

    def _let_go(self) -> None:
        file = self._file if self._still_mine() is not None else None
        self._file = None
        if file is not None:
            os.close(file)


def _open(path: Path) -> int:
    # Readable too, so that the last byte can be looked at, and so that a FIFO without a reader does not block.
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    try:
        return os.open(path, flags, MODE)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, MODE)
    except PermissionError:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)


def _above_standard_streams(file: int) -> int:
    """Return another number for a file that got 0, 1 or 2: a program that has closed those means something by it."""
    if file > 2:
        return file
    try:
        return fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(file)


def _last_byte(file: int, size: int) -> bytes:
    try:
        return os.pread(file, 1, size - 1)
    except OSError as error:
        if error.errno == errno.EBADF:  # open for writing alone
            return b""
        raise


def _write(file: int, lines: bytes) -> int:
    """Write it all, as far as it goes; return how many newlines got there."""
    written = 0
    try:
        while written < len(lines):
            written += os.write(file, lines[written:] if written else lines)
    except OSError as error:
        faults.report(_PLACE, error)
    return lines.count(b"\n", 0, written)


def _write_lines(file: int, size: int, lines: bytes) -> int:
    """Write whole lines behind what is there, which may end within one; return how many got there."""
    torn = size > 0 and _last_byte(file, size) not in (b"\n", b"")
    newlines = _write(file, b"\n" + lines if torn else lines)
    return max(0, newlines - torn)


def _drop_oldest(folder: Path, keep: int) -> None:
    """Keep so many closed files: more are there only where no observer takes them on. Count what goes."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(CLOSED_SUFFIX) and not name.startswith("."))
    for name in names[: max(0, len(names) - keep)]:
        try:
            file = os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue  # taken on meanwhile
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lost = _count_lines(file)
            os.unlink(folder / name)
        except (BlockingIOError, FileNotFoundError):
            continue  # the observer is at it
        finally:
            os.close(file)
        faults.count(DROPPED, lost)


def _count_lines(file: int) -> int:
    count = 0
    while chunk := os.read(file, _COUNTED_AT_ONCE):
        count += chunk.count(b"\n")
    return count


def _shift(path: Path, keep: int) -> None:
    """Move ``path`` to ``path.1``, ``path.1`` to ``path.2`` and so on; the last one is lost."""
    if keep <= 0:
        path.unlink()
        return
    for number in range(keep - 1, 0, -1):
        try:
            os.replace(f"{path}.{number}", f"{path}.{number + 1}")
        except FileNotFoundError:
            continue
    os.replace(path, f"{path}.1")
