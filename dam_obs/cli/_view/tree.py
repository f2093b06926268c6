"""
Traces as trees of lines: in the seed's shape where a program reads them, with columns where a person does.

In a file or a pipe each event is one line and what else was asked for stands behind it in
square brackets. On a terminal the times stand in columns on the right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from dam_obs.cli._units import duration
from dam_obs.cli._view.picture import Picture, Row
from dam_obs.sinks.tree import indent, line_of

if TYPE_CHECKING:
    from rich.console import Console

CONTEXT = "context"
"""Marks an event that stands here for its descendants, where a colour cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What is told of each event beside its line."""

    times: bool = False
    """Own time, the longest gap and how many ran at once."""
    critical: bool = False
    """Its share of the critical path."""

    @property
    def any(self) -> bool:
        """Something is."""
        return self.times or self.critical


class TreePrinter:
    """Prints one trace after the other."""

    def __init__(self, columns: Columns, out: Console) -> None:
        """
        Make what has printed nothing yet.

        Args:
            columns: What is told beside each event.
            out: Decides by whether it is a terminal.
        """
        self._columns = columns
        self._show_on_terminal: Callable[[Picture], None] | None = None
        if out.is_terminal:
            from dam_obs.cli._view.terminal import TerminalPrinter

            self._show_on_terminal = TerminalPrinter(columns, out).show

    def show(self, picture: Picture) -> None:
        """Print one trace."""
        if self._show_on_terminal is not None:
            self._show_on_terminal(picture)
        else:
            click.echo("\n".join(plain_lines(picture, self._columns)))


def plain_lines(picture: Picture, columns: Columns) -> Iterator[str]:
    """Yield one line for each event: to the letter those of the seed, if nothing else was asked for."""
    for row in picture.rows:
        said = [*remarks(picture, row), *([CONTEXT] if row.context else []), *details(picture, row, columns)]
        yield indent(row.depth) + line_of(row.event) + "".join(f" [{each}]" for each in said)


def remarks(picture: Picture, row: Row) -> tuple[str, ...]:
    """Return what is to be said of a row beside its event."""
    return picture.remarks if row.depth == 0 else ()


def share(part_ns: int, picture: Picture) -> str:
    """Show how much of a trace's duration something is."""
    whole_ns = picture.anatomy.duration_ns if picture.anatomy else 0
    percent = 100 * part_ns / whole_ns if whole_ns else 0.0
    return "<1 %" if 0 < percent < 1 else f"{percent:.0f} %"


def details(picture: Picture, row: Row, columns: Columns) -> list[str]:
    """Return what was asked for beside an event's line, in words."""
    return [*_times(row, columns), *_critical(picture, row, columns)]


def _times(row: Row, columns: Columns) -> list[str]:
    part = row.part
    if not columns.times or part is None or part.duration_ns is None:
        return []
    said = [f"self {duration(part.self_ns)}"]
    if part.gap is not None:
        said.append(f"gap {duration(part.gap.length_ns)}")
    if part.beside > 1:
        said.append(f"∥{part.beside}")
    return [", ".join(said)]


def _critical(picture: Picture, row: Row, columns: Columns) -> list[str]:
    part = row.part
    if not columns.critical or part is None or not part.critical_ns:
        return []
    return [f"critical {duration(part.critical_ns)}, {share(part.critical_ns, picture)}"]
