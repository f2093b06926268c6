"""The notes on the processes of a run, one ``processes/<pid>-<start>.json`` each, and who had a pid when."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from dam_obs.store.runs import RunFolder
from dam_obs.trace.process import ProcessNote

_decoder = msgspec.json.Decoder(ProcessNote)


def read_processes(run: RunFolder) -> list[ProcessNote]:
    """
    Return the notes of all processes of `run`, by when they started.

    A note that is half-written or gone meanwhile is left out: the process may still run.
    """
    notes = []
    for path in sorted(run.processes.glob("*.json")):
        try:
            notes.append(_decoder.decode(path.read_bytes()))
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            continue
    return sorted(notes, key=lambda note: (note.started_ns, note.pid))


class Process(NamedTuple):
    """One process of a run, though its pid may have had others before and after it."""

    pid: int
    started_ns: int | None
    """As in its note; `None`: it left none."""


class Processes:
    """Says which process had a pid at some time: their lives do not overlap, so the last one started is it."""

    def __init__(self, notes: Iterable[ProcessNote] = ()) -> None:
        self._starts: dict[int, list[int]] = {}
        for note in notes:
            self._starts.setdefault(note.pid, []).append(note.started_ns)
        for starts in self._starts.values():
            starts.sort()

    def of(self, pid: int, at_ns: int) -> Process:
        """Return the process that had `pid` at a time, by the wall clock in nanoseconds since the epoch."""
        starts = self._starts.get(pid)
        if not starts:
            return Process(pid, None)
        # What it did before its note says that it started, it did all the same: the note is made a moment later.
        return Process(pid, starts[max(0, bisect_right(starts, at_ns) - 1)])

    def only(self, pid: int) -> Process | None:
        """Return the one process that had `pid`; `None` if several had it."""
        starts = self._starts.get(pid, ())
        return None if len(starts) > 1 else Process(pid, starts[0] if starts else None)
