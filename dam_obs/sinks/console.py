"""
Print the trace tree to standard error while the program runs.

A child ends before its parent, so what has ended waits until its root has, and is then
printed as one tree. What cannot wait longer (too much of it, or the end of the process)
is printed as it is and marked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final, TextIO

from dam_obs.sinks.tree import TreeLine, tree
from dam_obs.trace import faults
from dam_obs.trace.events import FinishedSpan, TraceEvent

HELD_EVENTS: Final = 10_000
"""Events that may wait for their roots."""

APART: Final = " [its parent is not shown with it]"
"""Marks a line that stands apart from its parent."""

_PLACE: Final = "sinks.console"
_COLOURS: Final = {"error": "\x1b[31m", "blocked": "\x1b[33m"}
_PLAIN: Final = "\x1b[0m"

_Key = tuple[int, str]


class ConsoleSink:
    """Prints trees to whatever `sys.stderr` is at the time."""

    def __init__(self, *, hold: bool = True, held_events: int = HELD_EVENTS) -> None:
        """
        Make a sink that has printed nothing yet.

        Args:
            hold: Wait for roots. Where only some events are recorded, roots may never come: then not.
            held_events: How many may wait.
        """
        self._hold = hold
        self._held_events = held_events
        self._children: dict[_Key, list[TraceEvent]] = {}
        self._held = 0

    def __call__(self, batch: Sequence[FinishedSpan]) -> None:
        """Print the trees whose roots are in the batch."""
        lines: list[str] = []
        for span in batch:
            event = span.event
            if event.parent_id is None or span.parent_is_remote or not self._hold:
                lines += self._shown(self._family(span.trace_id, event))
                continue
            self._children.setdefault((span.trace_id, event.parent_id), []).append(event)
            self._held += 1
            if self._held > self._held_events:
                lines += self._rest()
        _print(lines)

    def flush(self, timeout: float) -> None:
        """Print what still waits for its root."""
        _print(self._rest())

    def close(self, timeout: float) -> None:
        """Print what still waits for its root."""
        self.flush(timeout)

    # -- how

    def _family(self, trace_id: int, root: TraceEvent) -> list[TraceEvent]:
        """Take out a root's descendants."""
        family = [root]
        for member in family:
            found = self._children.pop((trace_id, member.trace_id), [])
            self._held -= len(found)
            family += found
        return family

    def _rest(self) -> list[str]:
        held = [event for events in self._children.values() for event in events]
        self._children.clear()
        self._held = 0
        return self._shown(held)

    def _shown(self, events: Sequence[TraceEvent]) -> list[str]:
        coloured = _has_colours()
        return [_line(line, coloured, self._hold) for line in tree(events)]


def _line(line: TreeLine, coloured: bool, marks: bool) -> str:
    text = line.text
    if marks and line.depth == 0 and line.event.parent_id is not None:
        text += APART
    colour = _COLOURS.get(line.event.status) if coloured else None
    return f"{colour}{text}{_PLAIN}" if colour else text


def _has_colours() -> bool:
    stream: TextIO | None = sys.stderr
    if stream is None or os.environ.get("NO_COLOR"):
        return False
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def _print(lines: Sequence[str]) -> None:
    stream: TextIO | None = sys.stderr
    if not lines or stream is None:
        return
    try:
        stream.write("\n".join(lines) + "\n")
        stream.flush()
    except (OSError, ValueError) as error:  # broken or closed
        faults.report(_PLACE, error)
