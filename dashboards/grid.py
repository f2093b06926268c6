"""Where panels stand: 24 columns, from left to right and from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from dashboards.model import Panel, Row

COLUMNS: Final = 24


@dataclass(frozen=True, slots=True)
class Place:
    """In units of the grid; y grows downwards."""

    x: int
    y: int
    width: int
    height: int


def place(rows: Iterable[Row]) -> Iterator[tuple[Place, Row | Panel]]:
    """Give each row's heading and each of its panels a place, without overlap."""
    y = 0
    for row in rows:
        yield Place(0, y, COLUMNS, 1), row
        y += 1
        x = line_height = 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y, line_height = 0, y + line_height, 0
            yield Place(x, y, panel.width, panel.height), panel
            x += panel.width
            line_height = max(line_height, panel.height)
        y += line_height
