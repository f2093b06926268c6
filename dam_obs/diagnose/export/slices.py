"""
Cut segments so that those of one thread lie inside each other or apart, as trace viewers want them.

What ran on a thread is nested by nature. But the ledger joins segments that nearly touch,
and so one may begin inside another and end after it. Such a one is cut in two where the
other ends; no time is lost or added.
"""

from __future__ import annotations

from array import array
from heapq import heapify, heappop, heappush


class ThreadSegments:
    """All segments of one thread, each with a number to know it by."""

    def __init__(self) -> None:
        self._starts = array("q")
        self._ends = array("q")
        self._numbers = array("q")

    def add(self, start: int, end: int, number: int) -> None:
        """Add a segment."""
        self._starts.append(start)
        self._ends.append(end)
        self._numbers.append(number)

    def cut(self) -> dict[int, list[tuple[int, int]]]:
        """Return the pieces of those that must be cut, by number; most need not be."""
        # Earlier ones first; of two that begin together the longer, which lies around the other.
        waiting = [
            (start, -end, number) for start, end, number in zip(self._starts, self._ends, self._numbers, strict=True)
        ]
        heapify(waiting)
        open_until: list[int] = []
        pieces: dict[int, list[tuple[int, int]]] = {}
        while waiting:
            start, minus_end, number = heappop(waiting)
            end = -minus_end
            while open_until and open_until[-1] <= start:
                open_until.pop()
            if open_until and end > open_until[-1]:
                edge = open_until[-1]
                pieces.setdefault(number, []).append((start, edge))
                heappush(waiting, (edge, -end, number))
                open_until.append(edge)
                continue
            if number in pieces:
                pieces[number].append((start, end))
            open_until.append(end)
        return pieces
