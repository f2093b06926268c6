"""Say how far a report is, while it is made: reading events takes most of the time, judging systems the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias, TypeVar

Tell: TypeAlias = Callable[[float], None]

READING: Final = 0.8
"""Share of the time that goes into reading, in a long run."""

EVENTS_BETWEEN: Final = 4_096

Item = TypeVar("Item")


class HowFar:
    """Tells somebody, or nobody, how far it is."""

    def __init__(self, tell: Tell | None, expected: int) -> None:
        """
        Begin at nothing.

        Args:
            tell: Is called with the share that is done, from 0 to 1.
            expected: Events that there are, about; 0 if nobody knows.
        """
        self._tell = tell
        self._expected = expected

    def reading(self, events: Iterable[Item]) -> Iterable[Item]:
        """Pass events on, and tell of them now and then."""
        return events if self._tell is None or not self._expected else self._counted(events, self._tell)

    def judging(self, systems: Sequence[Item]) -> Iterator[Item]:
        """Pass systems on, and tell of each."""
        for number, system in enumerate(systems):
            if self._tell is not None:
                self._tell(READING + (1 - READING) * number / len(systems))
            yield system

    def _counted(self, events: Iterable[Item], tell: Tell) -> Iterator[Item]:
        for number, event in enumerate(events):
            if number % EVENTS_BETWEEN == 0:
                tell(READING * min(1.0, number / self._expected))
            yield event
