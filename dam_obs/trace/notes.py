"""
The process's own note in a run folder: ``processes/<pid>.json``, rewritten about once a second.

Written on the drain thread, whole each time and by rename, so that a killed process
leaves the last one.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from dam_obs.trace import faults
from dam_obs.trace.process import ProcessNote
from dam_obs.trace.span import queue

EVERY_NS = 1_000_000_000

_GUARD = faults.guard("notes")


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
        self._next_ns = 0
        self.points_attached: list[str] = []
        self.points_missing: list[str] = []
        self.references_escaped: list[str] = []
        self.before_write: Callable[[NoteKeeper, bool], None] | None = None
        """Fills in what others know, right before the note is written; told whether it is the last time."""

    def start_afresh(self) -> None:
        """In a forked child: the note is another process's."""
        self._started_ns = time.time_ns()
        self._next_ns = 0

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
        note = self._note(ended)
        path = self._folder / f"{note.pid}.json"
        beside = path.with_suffix(".part")
        self._folder.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(msgspec.json.encode(note))
        beside.replace(path)

    def _note(self, ended: bool) -> ProcessNote:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        read_bytes, write_bytes = _block_bytes()
        return ProcessNote(
            pid=os.getpid(),
            parent_pid=os.getppid(),
            program=os.path.basename(sys.argv[0] if sys.argv and sys.argv[0] else sys.executable or "python"),
            started_ns=self._started_ns,
            executions=self._recorded(),
            dropped=queue.dropped,
            faults=faults.counts(),
            cpu_ns=time.process_time_ns(),
            max_rss_bytes=usage.ru_maxrss * 1024,
            read_bytes=read_bytes,
            write_bytes=write_bytes,
            points_attached=self.points_attached,
            points_missing=self.points_missing,
            references_escaped=self.references_escaped,
            ended=ended,
        )


def _block_bytes() -> tuple[int | None, int | None]:
    """Return what this process read from and wrote to block devices; `None` where the kernel does not say."""
    try:
        text = Path("/proc/self/io").read_text(encoding="ascii")
    except OSError:
        return None, None
    counts = dict(line.split(": ") for line in text.splitlines())
    return int(counts["read_bytes"]), int(counts["write_bytes"])
