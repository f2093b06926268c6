"""Tables that fit the terminal: what matters least is left out first, and long names are shortened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dam_obs.text import printable

if TYPE_CHECKING:
    from rich.console import Console

_GAP: Final = 2
_SHORTEST: Final = 20
"""Columns of the terminal that a name is left at least."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A text and how it looks."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its cells from top to bottom."""

    header: str
    cells: Sequence[Cell]
    rank: int = 0
    """Of columns that do not fit, those with the highest go first; those with 0 stay."""
    left: bool = False
    """Its cells begin below each other; those of figures end so."""
    shrinks: bool = False
    """Its cells may be shortened."""

    @property
    def width(self) -> int:
        """How many columns of the terminal it takes."""
        from rich.cells import cell_len

        return max(cell_len(text) for text in (self.header, *(cell.text for cell in self.cells)))

    @property
    def least(self) -> int:
        """How many it must have."""
        return min(self.width, _SHORTEST) if self.shrinks else self.width


def cells(texts: Iterable[str], style: str = "") -> list[Cell]:
    """Make cells that look alike, safe to print."""
    return [Cell(printable(text), style) for text in texts]


def fitting(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """Return the columns that fit, and how wide each may be."""
    kept = list(columns)
    while _least(kept) > width and any(column.rank for column in kept):
        kept.remove(max(kept, key=lambda column: column.rank))
    spare = max(0, width - _least(kept))
    fitted = []
    for column in kept:
        more = min(spare, column.width - column.least)
        spare -= more
        fitted.append((column, column.least + more))
    return fitted


def print_columns(out: Console, columns: Sequence[Column]) -> None:
    """Print a table as wide as fits."""
    from rich.table import Table
    from rich.text import Text

    fitted = fitting(columns, out.width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, width in fitted:
        header = shortened(column.header, width)
        table.add_column(header, justify="left" if column.left else "right", no_wrap=True, width=width)
    for row in zip(*(column.cells for column, _ in fitted), strict=True):
        texts = (shortened(cell.text, width) for cell, (_, width) in zip(row, fitted, strict=True))
        table.add_row(*(Text(text, cell.style) for text, cell in zip(texts, row, strict=True)))
    out.print(table, crop=False)


def shortened(text: str, room: int) -> str:
    """Return a text with its middle left out where it does not fit: both ends of a path or a name tell most."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= room:
        return text
    head = set_cell_size(text, max(0, room - 1) // 2)
    tail = text
    while tail and cell_len(tail) > room - 1 - cell_len(head):
        tail = tail[1:]
    return f"{head}…{tail}"


def _least(columns: Sequence[Column]) -> int:
    return sum(column.least for column in columns) + _GAP * (len(columns) - 1)
