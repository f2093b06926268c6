"""
Read events back from files, one at a time.

A file may have been written by us, by a collector, or by anything that writes the eleven fields
of the seed's `TraceEvent`. It may be one of a rotated set, be compressed, and end in the middle of
a line because its writer was killed. What is not an event is skipped, counted by reason, and
never passed over in silence.

For questions about many events there is `table`, which is much faster. Where the files are is
`find`'s business, what a line means is for `lines`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from dam_obs.store.errors import NotATrace
from dam_obs.store.lines import MAX_LINE_BYTES, SkipReason, read_line
from dam_obs.store.trace_files import is_packed, lines_of, open_text, refuse_binary, trace_set
from dam_obs.trace.events import TraceEvent

__all__ = ["MAX_LINE_BYTES", "EventReader", "SkipReason", "read_events", "started"]


class EventReader:
    """
    The events of one file or rotated set, oldest first; read while it is iterated.

    Iterate it once. `skipped` and `first_skipped` grow meanwhile and are whole at the end.
    """

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self.paths = paths
        """The files, in the order in which they are read."""
        self.skipped: Counter[SkipReason] = Counter()
        """Lines that gave no event, by reason."""
        self.first_skipped: str | None = None
        """``file:line: reason (what)`` of the first line that was skipped."""
        self.events = 0
        """Events given so far."""

    def __iter__(self) -> Iterator[TraceEvent]:
        for path in self.paths:
            yield from self._read(path)
        if self.events == 0 and self.skipped and not self.skipped["torn"]:
            raise NotATrace(self.paths[-1], f"none of its lines is an event, the first is {self.first_skipped}")

    def _read(self, path: Path) -> Iterator[TraceEvent]:
        for number, line in lines_of(path):
            if line is None:
                self._skip(path, number, "torn", "the compressed file ends early")
                return
            found = read_line(line)
            if found.skipped is not None:
                self._skip(path, number, found.skipped, found.why)
            self.events += len(found.events)
            yield from found.events

    def _skip(self, path: Path, number: int, reason: SkipReason, why: str) -> None:
        self.skipped[reason] += 1
        if self.first_skipped is None:
            self.first_skipped = f"{path}:{number}: {reason} ({why})"


def read_events(path: Path) -> EventReader:
    """
    Read the events of the file at `path` together with its older, rotated ones.

    Raises:
        NoTraceFound: there is no such file.
        NotATrace: it is a folder, cannot be read, or its beginning is binary. While iterating: no line was an event.
    """
    paths = trace_set(path)
    if not is_packed(paths[-1]):
        with open_text(paths[-1]) as file:
            refuse_binary(paths[-1], file)
    return EventReader(paths)


def started(event: TraceEvent) -> datetime:
    """Return when `event` started, with an offset; a time without one, as the seed writes it, is local time."""
    return datetime.fromisoformat(event.timestamp).astimezone()
