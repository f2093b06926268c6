"""A strip of a few characters that shows when, within its trace, an event ran."""

from __future__ import annotations

from typing import Final

from dam_obs.cli._view.picture import Picture, Row
from dam_obs.store.timeline import Interval

RAN: Final = "━"
BESIDE_THE_PATH: Final = "╌"
"""It ran, and did not decide when the trace ended; drawn only where the critical path was asked for."""
MOMENT: Final = "◆"
LATER: Final = "›"
"""It ran after the root had ended."""


class Strips:
    """Draws the strips of one trace."""

    def __init__(self, picture: Picture, width: int, *, critical: bool) -> None:
        """
        Make what draws strips over the root's duration.

        Args:
            picture: A trace.
            width: Characters; 0 for none.
            critical: Tell the critical path from what ran beside it.
        """
        shape = picture.anatomy
        self._width = width if shape is not None and len(shape.parts) > 1 else 0  # one alone ran all the time
        self._total_ns = max(1, shape.duration_ns) if shape is not None else 1
        self._path: dict[int, list[Interval]] | None = None
        if critical and shape is not None:
            self._path = {}
            for each in shape.path:
                self._path.setdefault(id(each.node.event), []).append(Interval(each.start_ns, each.end_ns))

    def of(self, row: Row) -> str:
        """Return the strip of one event."""
        if not self._width or row.part is None:
            return ""
        place = row.part.place
        if row.part.duration_ns is None:
            return " " * self._cell(place.start_ns) + MOMENT
        if place.start_ns >= self._total_ns and row.depth:
            return " " * (self._width - 1) + LATER
        cells = [" "] * self._width
        first = self._cell(place.start_ns)
        last = min(self._width, max(first + 1, self._edge(place.end_ns)))  # what ran at all is seen
        cells[first:last] = (RAN if self._path is None else BESIDE_THE_PATH) * (last - first)
        for stretch in (self._path or {}).get(id(row.event), ()):
            # Within where it is seen to have run, and not at all if it is shorter than half a character.
            start = first if stretch.start_ns == place.start_ns else max(first, self._edge(stretch.start_ns))
            end = last if stretch.end_ns == place.end_ns else min(last, self._edge(stretch.end_ns))
            cells[start:end] = RAN * (end - start)
        if place.end_ns > self._total_ns:
            cells[-1] = LATER
        return "".join(cells).rstrip()

    def _cell(self, at_ns: int) -> int:
        return min(self._width - 1, at_ns * self._width // self._total_ns)

    def _edge(self, at_ns: int) -> int:
        """Return the border between two characters that is nearest to a time."""
        return min(self._width, (2 * at_ns * self._width + self._total_ns) // (2 * self._total_ns))
