"""
Sum up what the executions of each system awaited, by name.

Names are there for some executions only: the shares that they have of those executions' waiting
are taken for the shares that they have of all. What was awaited for less than a millisecond
at a time has no name, and is `SHORT`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from dam_obs.diagnose.report_where import AwaitedPlace, WaitKind
from dam_obs.trace.events import Awaited, AwaitedKind, TraceEvent

SHORT: Final = "short"
MOST_PLACES: Final = 500
"""Places of one system that are told apart."""

MOST_THINGS: Final = 50
"""Peers, programs or files that are counted for one place."""

PLACES_SHOWN: Final = 20
THINGS_SHOWN: Final = 3
"""Peers, programs or files that are named for one place."""

_TOUCHED: Final[dict[AwaitedKind, tuple[str, ...]]] = {
    "network": ("peers",),
    "process": ("processes",),
    "thread": ("files_read", "files_written", "peers"),
    "future": ("files_read", "files_written", "peers"),
}
"""What of all that an execution touched may have been waited for, by kind."""


class _Place(NamedTuple):
    kind: AwaitedKind
    what: str
    by: str | None
    file: str | None
    line: int | None


@dataclass(slots=True)
class _Sum:
    wait_ns: int = 0
    times: int = 0
    executions: int = 0
    about: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class AwaitedSums:
    """What the executions of one system awaited."""

    executions: int = 0
    """Those whose waits have names."""
    wait_ns: int = 0
    """Theirs in all, named or not."""
    places: dict[_Place, _Sum] = field(default_factory=dict)

    def add(self, event: TraceEvent) -> None:
        """Add an execution, if its waits have names."""
        if event.awaited is None or event.wait_ns is None:
            return
        self.executions += 1
        left = event.wait_ns
        self.wait_ns += left
        for each in event.awaited:
            taken = max(0, min(each.wait_ns, left))
            left -= taken
            self._add(each, taken, event)

    def _add(self, awaited: Awaited, wait_ns: int, event: TraceEvent) -> None:
        place = _Place(awaited.kind, awaited.what, awaited.by, awaited.file, awaited.line)
        if place not in self.places and len(self.places) >= MOST_PLACES:
            place = _Place(awaited.kind, "", None, None, None)
        found = self.places.setdefault(place, _Sum())
        found.wait_ns += wait_ns
        found.times += awaited.times
        found.executions += 1
        thing = _only_thing(awaited.kind, event)
        if thing is not None and (thing in found.about or len(found.about) < MOST_THINGS):
            found.about[thing] += 1

    def by_kind(self, awaiting_ns: int | None) -> dict[WaitKind, int] | None:
        """
        Share `awaiting_ns` out among kinds of waits; the parts add up to it.

        Args:
            awaiting_ns: Of all executions.

        Returns:
            The longest first; `None` where no wait has a name.
        """
        if awaiting_ns is None or not self.executions or (awaiting_ns and not self.wait_ns):
            return None
        sums: Counter[AwaitedKind] = Counter()
        for place, found in self.places.items():
            sums[place.kind] += found.wait_ns
        parts: dict[WaitKind, int] = {}
        for kind, nanoseconds in sums.most_common():
            if part := nanoseconds * awaiting_ns // max(self.wait_ns, 1):
                parts[kind] = part
        short = awaiting_ns - sum(parts.values())
        if short:
            parts["short"] = short
        return parts

    def shown(self) -> list[AwaitedPlace]:
        """Return the places at which most was waited, the longest first."""
        ordered = sorted(
            self.places.items(), key=lambda item: (-item[1].wait_ns, item[0].kind, item[0].what, str(item[0]))
        )
        return [
            AwaitedPlace(
                kind=place.kind,
                what=place.what,
                by=place.by,
                file=place.file,
                line=place.line,
                wait_ns=found.wait_ns,
                share=found.wait_ns / self.wait_ns if self.wait_ns else 0.0,
                times=found.times,
                executions=found.executions,
                about=[thing for thing, _ in sorted(found.about.items(), key=lambda item: (-item[1], item[0]))][
                    :THINGS_SHOWN
                ],
            )
            for place, found in ordered[:PLACES_SHOWN]
        ]


def _only_thing(kind: AwaitedKind, event: TraceEvent) -> str | None:
    """Return the one thing that an execution touched and may have waited for; of several none is guessed."""
    touched = event.touched or {}
    things = {name for kinds in _TOUCHED.get(kind, ()) for name in touched.get(kinds, ())}
    return things.pop() if len(things) == 1 else None
