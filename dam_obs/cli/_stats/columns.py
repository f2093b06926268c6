"""Tables that fit the terminal: what matters least is left out first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dam_obs.text import printable

if TYPE_CHECKING:
    from rich.console import Console

_GAP: Final = 2
_NARROWEST_NAME: Final = 12


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
    right: bool = True

    @property
    def width(self) -> int:
        """How many columns of the terminal it takes."""
        from rich.cells import cell_len

        return max(cell_len(text) for text in (self.header, *(cell.text for cell in self.cells)))


def cells(texts: Iterable[str], style: str = "") -> list[Cell]:
    """Make cells that look alike, safe to print."""
    return [Cell(printable(text), style) for text in texts]


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Return the columns that fit beside the first one, which holds names and may be cut."""
    kept = list(columns)
    while _total(kept) > width and any(column.rank for column in kept):
        kept.remove(max(kept, key=lambda column: column.rank))
    return kept


def print_columns(out: Console, columns: Sequence[Column]) -> None:
    """Print a table as wide as fits."""
    from rich.table import Table
    from rich.text import Text

    kept = fitting(columns, out.width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(kept):
        table.add_column(
            column.header,
            justify="right" if column.right else "left",
            no_wrap=True,
            overflow="ellipsis" if number == 0 else "crop",
            min_width=min(column.width, _NARROWEST_NAME) if number == 0 else column.width,
        )
    for row in zip(*(column.cells for column in kept), strict=True):
        table.add_row(*(Text(cell.text, cell.style) for cell in row))
    out.print(table)


def _total(columns: Sequence[Column]) -> int:
    first, *others = columns
    return min(first.width, 2 * _NARROWEST_NAME) + sum(column.width + _GAP for column in others)
