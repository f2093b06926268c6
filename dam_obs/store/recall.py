"""
Go back to some events of a trace that is too large to hold.

A question about a trace is asked in two steps: one pass over all events, which keeps
numbers about each, and then the few events that the answer consists of. The last ones are
still at hand; others are read a second time.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

from dam_obs.errors import DamObsError
from dam_obs.trace.events import TraceEvent

HELD_EVENTS: Final = 10_000
"""Events at the end of a trace that are kept at hand."""


class TraceChanged(DamObsError):
    """A trace was replaced while it was read."""

    def __init__(self) -> None:
        super().__init__("the trace was rotated or replaced while it was read: try again")


class Recall:
    """A trace that is iterated once, and then asked for events by their position in it."""

    def __init__(self, read: Callable[[], Iterable[TraceEvent]], held_events: int = HELD_EVENTS) -> None:
        """
        Make one that has read nothing yet.

        Args:
            read: Opens the trace at its beginning; called once, and again if older events are asked for.
            held_events: Events at the end that are kept at hand.
        """
        self._read = read
        self._held: deque[TraceEvent] = deque(maxlen=held_events)
        self._marks = array("q")
        """What must be found again at each position, lest the trace was replaced meanwhile."""

    def __len__(self) -> int:
        """Return how many events were read; whole after the pass."""
        return len(self._marks)

    def __iter__(self) -> Iterator[TraceEvent]:
        """Yield all events."""
        self._held.clear()
        self._marks = array("q")
        for event in self._read():
            self._marks.append(_mark(event))
            self._held.append(event)
            yield event

    def take(self, positions: Collection[int]) -> list[TraceEvent]:
        """
        Return the events at `positions`, in the order of the trace.

        Raises:
            TraceChanged: Other events stand there now.
        """
        wanted = sorted(set(positions))
        first_held = len(self) - len(self._held)
        if not wanted or wanted[0] >= first_held:
            return [self._held[position - first_held] for position in wanted]

        waiting = iter(wanted)
        next_wanted = next(waiting)
        found: list[TraceEvent] = []
        for position, event in enumerate(self._read()):
            if position != next_wanted:
                continue
            if _mark(event) != self._marks[position]:
                break
            found.append(event)
            if len(found) == len(wanted):
                return found
            next_wanted = next(waiting)
        raise TraceChanged


def _mark(event: TraceEvent) -> int:
    return hash((event.trace_id, event.timestamp))
