"""
The process's own note in a run folder: ``processes/<pid>-<start>.json``, rewritten about once a second.

Written on the drain thread, whole each time and by rename, so that a killed process
leaves the last one. A program that took the place of another by ``exec`` is the same
process: it goes on with the other's counts.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from dam_obs.trace import faults
from dam_obs.trace.identity import own_name, parse_name
from dam_obs.trace.process import ProcessNote
from dam_obs.trace.span import queue

EVERY_NS = 1_000_000_000

_GUARD = faults.guard("notes")
_written: set[str] = set()
"""Notes that this program has begun; what stands there is its own."""


class NoteKeeper:
    """Keeps this process's note up to date."""

    def __init__(self, folder: Path, recorded: Callable[[], int]) -> None:
        """
        Make a keeper.

        Args:
            folder: The run's folder for process notes.
            recorded: Says how many spans have gone to the sinks.
        """
        self._folder = folder
        self._recorded = recorded
        self._started_ns = time.time_ns()
        self._parent_pid = os.getppid()  # now: a parent that ends leaves its children to another
        self._next_ns = 0
        self._path: Path | None = None
        self._before: ProcessNote | None = None
        """What the program noted that this one has taken the place of."""
        self.points_attached: list[str] = []
        self.points_missing: list[str] = []
        self.references_escaped: list[str] = []
        self.before_write: Callable[[NoteKeeper, bool], None] | None = None
        """Fills in what others know, right before the note is written; told whether it is the last time."""

    def start_afresh(self) -> None:
        """In a forked child: the note is another process's."""
        self._started_ns = time.time_ns()
        self._parent_pid = os.getppid()
        self._next_ns = 0
        self._path = self._before = None

    def __call__(self) -> None:
        """Write the note if it is time."""
        now = time.monotonic_ns()
        if now >= self._next_ns:
            self._next_ns = now + EVERY_NS
            self.write()

    def write(self, *, ended: bool = False) -> None:
        """Write the note now."""
        if self.before_write is not None:
            with _GUARD:
                self.before_write(self, ended)
        path = self._path or self._begin()
        beside = path.with_suffix(".part")
        self._folder.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(msgspec.json.encode(self._note(ended)))
        beside.replace(path)

    def _begin(self) -> Path:
        """Find the place of the note, and who wrote there before."""
        path = self._folder / f"{own_name()}.json"
        if str(path) not in _written:
            _written.add(str(path))
            self._before = _read(path)
        self._path = path
        return path

    def _note(self, ended: bool) -> ProcessNote:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        before = self._before
        read_bytes, write_bytes = _block_bytes()
        return ProcessNote(
            pid=os.getpid(),
            parent_pid=before.parent_pid if before else self._parent_pid,
            program=os.path.basename(sys.argv[0] if sys.argv and sys.argv[0] else sys.executable or "python"),
            started_ns=before.started_ns if before else self._started_ns,
            start_ticks=parse_name(self._path.stem)[1] if self._path else None,
            observed=True,
            executions=self._recorded() + (before.executions if before else 0),
            dropped=queue.dropped + (before.dropped if before else 0),
            faults=dict(Counter(faults.counts()) + Counter(before.faults)) if before else faults.counts(),
            cpu_ns=time.process_time_ns(),
            max_rss_bytes=usage.ru_maxrss * 1024,
            read_bytes=read_bytes,
            write_bytes=write_bytes,
            points_attached=self.points_attached,
            points_missing=self.points_missing,
            references_escaped=self.references_escaped,
            ended=ended,
        )


def _read(path: Path) -> ProcessNote | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=ProcessNote)
    except (OSError, ValueError):
        return None  # there is none, or it is torn: then nothing is known of before


def _block_bytes() -> tuple[int | None, int | None]:
    """Return what this process read from and wrote to block devices; `None` where the kernel does not say."""
    try:
        text = Path("/proc/self/io").read_text(encoding="ascii")
    except OSError:
        return None, None
    counts = dict(line.split(": ") for line in text.splitlines())
    return int(counts["read_bytes"]), int(counts["write_bytes"])
