"""
Keep the trace of a run small while it grows: pack what the program has closed, and hold the bound on disk.

Closed files are packed one at a time, on a thread of low priority, and the lines are removed when
the packed file is on the disk under its name. Whatever dies in between, each event is there once: a
file that is not whole has another name, and of two with the same name the packed one counts. A file is
taken on only when nobody can be adding to it any more, see `dam_obs.sinks.jsonl`.

When a run has come to its bound, its oldest time lines go first, then its oldest events. What is
lost is written down before it is done, and the report says it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict

import msgspec

from dam_obs.config import Settings
from dam_obs.errors import DamObsError
from dam_obs.store.closed import LINES, PACKED, Lost, closed_files, closed_folder, read_lost, write_lost
from dam_obs.store.manifest import TraceOnDisk
from dam_obs.store.runs import RunFolder

if TYPE_CHECKING:
    from dam_obs.store.packed import Packed

MAX_DISK_BYTES: Final = 4 * 1024**3
"""What the trace of a run may take on the disk, unless it is told otherwise: a day of 1,000 executions a second."""

TIMELINES_GIVEN: Final = 0.75
"""Share of the files, the older ones, whose time lines go before any event goes."""

LOOK_EVERY_S: Final = 1.0
NICENESS: Final = 10
FILES_IN_BOUND: Final = 16
"""Files, as the program writes them, that fit into the bound at least."""

SMALLEST_BYTES: Final = 64 * 1024
MOST_FILES: Final = 10_000
"""Closed files that a program keeps at most, as the setting `rotate_keep` has it."""

_UNFINISHED: Final = ".unfinished"

_logger = logging.getLogger(__name__)


def rotation(settings: Settings, max_bytes: int) -> Rotation:
    """Return how a program is to close files, so that there is something to pack, and no more than the bound."""
    size = min(settings.rotate_bytes, max(max_bytes // FILES_IN_BOUND, SMALLEST_BYTES))
    return {
        "rotate_bytes": size,
        "rotate_keep": min(max(max_bytes // size, 1), MOST_FILES) if size else settings.rotate_keep,
    }


class Rotation(TypedDict):
    """Settings by name."""

    rotate_bytes: int
    rotate_keep: int


class Spill:
    """Packs the closed files of one run while it goes on."""

    def __init__(self, run: RunFolder, max_bytes: int = MAX_DISK_BYTES) -> None:
        """
        Make a packer that has nothing to do yet.

        Args:
            run: The run's folder.
            max_bytes: What its trace may take on the disk.
        """
        self._trace = run.trace
        self._folder = closed_folder(run.trace)
        self._max_bytes = max_bytes
        self._thread: threading.Thread | None = None
        self._next_look = 0.0
        self._left: set[str] = set()
        """Files that cannot be packed."""

    def tick(self) -> None:
        """Begin to pack what was closed, if there is something, on a thread of its own."""
        now = time.monotonic()
        if now < self._next_look or (self._thread is not None and self._thread.is_alive()):
            return
        self._next_look = now + LOOK_EVERY_S
        if not self._waiting():
            return
        self._thread = threading.Thread(target=self._work_in_background, name="dam-obs-pack", daemon=True)
        self._thread.start()

    def end(self) -> TraceOnDisk | None:
        """Pack what is still to be packed, and say what there is; `None` if nothing was ever closed."""
        if self._thread is not None:
            self._thread.join()
        if not self._folder.is_dir():
            return None
        self._work()
        lost = read_lost(self._folder)
        return TraceOnDisk(
            bytes=_size(self._files()) + _size([self._trace]),
            max_bytes=self._max_bytes,
            packed_files=sum(path.suffix == PACKED for path in self._files()),
            events_lost=lost.events,
            timelines_lost=lost.timelines,
        )

    # -- how

    def _work_in_background(self) -> None:
        with suppress(OSError):  # for this thread alone, on Linux
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        self._work()

    def _work(self) -> None:
        for path in self._waiting():
            try:
                self._pack(path)
            except (OSError, DamObsError) as error:
                self._left.add(path.name)
                _logger.warning("dam-obs: %s is not packed: %s", path, error)
            self._try_to_hold_bound()
        self._try_to_hold_bound()

    def _waiting(self) -> list[Path]:
        """Return the files that are to be packed, or removed since they are packed already."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return []  # removed by hand, or not ours to read any more
        waiting = sorted(name for name in names if name.endswith(LINES) and not name.startswith("."))
        return [self._folder / name for name in waiting if name not in self._left]

    def _pack(self, path: Path) -> None:
        """Put a packed file in the place of lines, if nobody can be writing to them any more."""
        from dam_obs.store.packed import pack  # brings the database, which a short run need not wait for

        with _alone(path) as alone:
            if not alone:
                return
            packed = path.with_suffix(PACKED)
            if not packed.exists():
                unfinished = path.with_suffix(_UNFINISHED)
                try:
                    pack(path, unfinished)
                    os.replace(unfinished, packed)
                    _bring_to_disk(self._folder)
                finally:
                    unfinished.unlink(missing_ok=True)
            path.unlink(missing_ok=True)

    def _try_to_hold_bound(self) -> None:
        try:
            self._hold_bound()
        except (OSError, DamObsError) as error:  # what is to go must be written down first; a disk may be full
            _logger.warning("dam-obs: the bound on disk of %s is not held: %s", self._folder, error)

    def _hold_bound(self) -> None:
        """Let the oldest go until the trace is within its bound."""
        while _size(self._files()) + _size([self._trace]) > self._max_bytes:
            lost = read_lost(self._folder)
            files = [path for path in closed_files(self._trace) if path.suffix == PACKED or path.name in self._left]
            older = files[: int(len(files) * TIMELINES_GIVEN)]
            timed = next((path for path in older if path.stem > lost.timelines_through), None)
            if timed is not None:
                self._drop_timelines(timed, lost)
            elif files:
                self._drop(files[0], lost)
            else:
                return

    def _drop_timelines(self, path: Path, lost: Lost) -> None:
        from dam_obs.store.packed import without_timelines

        timed = 0 if path.name in self._left else _measure(path).timed
        timelines = lost.timelines + timed
        write_lost(self._folder, msgspec.structs.replace(lost, timelines=timelines, timelines_through=path.stem))
        if not timed:
            return
        unfinished = path.with_suffix(_UNFINISHED)
        try:
            without_timelines(path, unfinished)
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)

    def _drop(self, path: Path, lost: Lost) -> None:
        events = lost.events + (_count_lines(path) if path.name in self._left else _measure(path).lines)
        write_lost(self._folder, msgspec.structs.replace(lost, events=events, events_through=path.stem))
        path.unlink()

    def _files(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if path.suffix in (LINES, PACKED, _UNFINISHED)]


def _measure(path: Path) -> Packed:
    from dam_obs.store.packed import measure

    return measure(path)


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Hold the lock on a closed file, if it can be had: then nobody writes to it, and nobody will."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(file)


def _size(paths: list[Path]) -> int:
    total = 0
    for path in paths:
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _bring_to_disk(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
