"""
Trees on a terminal: a line that is too long goes on below itself, and times stand in columns on the right.

Where there is room, a strip shows when each event ran. Colours say how an event ended; what
was not asked for is dim, the critical path bold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.text import Text

from dam_obs.cli._units import duration
from dam_obs.cli._view.picture import Picture, Row
from dam_obs.cli._view.strip import Strips
from dam_obs.cli._view.tree import CONTEXT, Columns, details, remarks, share
from dam_obs.sinks.tree import indent, line_of
from dam_obs.store.timing import duration_ns
from dam_obs.trace.events import Status

if TYPE_CHECKING:
    from rich.console import Console

STYLES: Final[dict[Status, str]] = {"success": "", "error": "red", "blocked": "yellow"}

NARROWEST_TREE: Final = 40
"""Columns that a tree has at least: where there are fewer, times follow the text."""

TREE_COLUMNS: Final = 50
"""A tree has so many before there is a strip too."""

_NARROWEST_STRIP: Final = 16
_WIDEST_STRIP: Final = 40
_HANG: Final = len("[alt] ")
_NARROWEST: Final = 16
"""Columns below which a text is not wrapped beside its indentation."""

_BESIDE: Final = len("∥99")
_TIME: Final = len("45.6 ms")
_SHARE: Final = len("100 %")
_APART: Final = "  "
_NAMES: Final = {"beside": "∥", "time": "time", "own": "self", "gap": "gap", "critical": "crit"}


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the width is shared out."""

    tree: int
    strip: int
    """0: none."""
    cells: bool
    """Times stand in columns."""
    columns: Columns
    coloured: bool

    @property
    def names(self) -> bool:
        """The columns need to be named."""
        return self.cells and (self.columns.times or self.columns.critical)


class TerminalPrinter:
    """Prints one trace after the other; first what the columns are called, if there are several."""

    def __init__(self, columns: Columns, out: Console) -> None:
        """
        Make what has printed nothing yet.

        Args:
            columns: What is told beside each event.
            out: The terminal; it is asked for its width each time, for a user may change it.
        """
        self._columns = columns
        self._out = out
        self._named: _Layout | None = None

    def show(self, picture: Picture) -> None:
        """Print one trace."""
        layout = _layout(self._out, self._columns)
        if layout.names and layout != self._named:
            self._out.print(Text(" " * layout.tree + _cells(layout, **_NAMES), "dim"), soft_wrap=True)
            self._named = layout
        strips = Strips(picture, layout.strip, critical=self._columns.critical)
        for row in picture.rows:
            for line in _lines(picture, row, strips, layout, self._out):
                self._out.print(line, soft_wrap=True)


def _layout(out: Console, columns: Columns) -> _Layout:
    coloured = out.color_system is not None and not out.no_color
    room = out.width - len(_cells(_Layout(0, 0, True, columns, coloured)))
    if room < NARROWEST_TREE:
        return _Layout(out.width, 0, False, columns, coloured)
    strip = min(_WIDEST_STRIP, room // 3, room - len(_APART) - TREE_COLUMNS)
    if strip < _NARROWEST_STRIP:
        return _Layout(room, 0, True, columns, coloured)
    return _Layout(room - len(_APART) - strip, strip, True, columns, coloured)


def _cells(
    layout: _Layout, *, strip: str = "", beside: str = "", time: str = "", own: str = "", gap: str = "",
    critical: str = "",
) -> str:  # fmt: skip
    cells = [strip.ljust(layout.strip)] if layout.strip else []
    cells.append(f"{beside:>{_BESIDE}} {time:>{_TIME}}")
    if layout.columns.times:
        cells += [f"{own:>{_TIME}}", f"{gap:>{_TIME}}"]
    if layout.columns.critical:
        cells.append(f"{critical:>{_SHARE}}")
    return "".join(_APART + cell for cell in cells)


def _cells_of(picture: Picture, row: Row, strips: Strips, layout: _Layout) -> str:
    taken_ns, part = duration_ns(row.event), row.part
    time = "" if taken_ns is None else duration(taken_ns)
    if part is None:
        return _cells(layout, time=time)
    return _cells(
        layout,
        strip=strips.of(row),
        beside=f"∥{part.beside}" if part.beside > 1 else "",
        time=time,
        own="" if taken_ns is None else duration(part.self_ns),
        gap="" if part.gap is None else duration(part.gap.length_ns),
        critical=share(part.critical_ns, picture) if part.critical_ns else "",
    )


def _lines(picture: Picture, row: Row, strips: Strips, layout: _Layout, out: Console) -> Iterable[Text]:
    """Yield the lines of one event; the first has the columns."""
    said = list(remarks(picture, row))
    if row.context and not layout.coloured:
        said.append(CONTEXT)
    if not layout.cells:
        said += details(picture, row, layout.columns)
    text = line_of(row.event, timed=not layout.cells) + "".join(f" [{each}]" for each in said)
    before = _indent(row.depth, layout.tree)
    first, *others = _wrapped(out, Text(text, _style(row, layout)), layout.tree - len(before) - _HANG)
    line = Text().append(before, "dim").append_text(first)
    if layout.cells:
        line.append(" " * max(0, layout.tree - line.cell_len))
        line.append(_cells_of(picture, row, strips, layout), "dim" if row.context else "")
        line.rstrip()
    yield line
    for other in others:
        yield Text(" " * (len(before) + _HANG)).append_text(other)


def _style(row: Row, layout: _Layout) -> str:
    style = "dim" if row.context else STYLES[row.event.status]
    if layout.columns.critical and row.part is not None and row.part.critical_ns:
        return f"bold {style}".strip()
    return style


def _indent(depth: int, width: int) -> str:
    """Return what stands before a line; where that would leave too little for the text, the depth as a number."""
    whole = indent(depth)
    most = max(_HANG, min(width // 2, width - _HANG - _NARROWEST))
    if len(whole) <= most:
        return whole
    return f"⋯{depth}└─".rjust(most)


def _wrapped(out: Console, text: Text, room: int) -> Sequence[Text]:
    """Return a text in lines; those after the first have `room` columns, the first those of its hanging start too."""
    if text.cell_len <= room + _HANG or room < _NARROWEST:
        return [text]
    first = text.wrap(out, room + _HANG)[0]
    first.rstrip()
    skipped = len(text.plain) - len(text.plain[len(first.plain) :].lstrip())
    lines = [first, *text[skipped:].wrap(out, room)]
    for line in lines:
        line.rstrip()
    return lines
