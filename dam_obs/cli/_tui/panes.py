"""The three panes: the list of traces, the tree of one, and the details of an event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from dam_obs.cli._tui.details import details_of
from dam_obs.cli._tui.lines import Lines, Piece, fitted
from dam_obs.cli._tui.rows import Found, NodeRow, TraceRow
from dam_obs.cli._units import duration

_TIME: Final = 8
"""Columns of a duration: ``1,234 s``."""

_FULL_DATE: Final = 72
"""From so many columns on a trace's date is shown beside the time."""

_WITH_BARS: Final = 72
"""From so many columns on each event has a bar that says when it ran."""


class TraceList(Lines):
    """All traces that have something that is wanted, the newest first."""

    def __init__(self) -> None:
        super().__init__(id="traces", nothing="no trace fits")
        self.found: Sequence[Found] = ()
        self._count_width = 0
        self._trouble_width = 0

    @property
    def chosen(self) -> Found | None:
        """Return the trace that is chosen."""
        return self.found[self.cursor] if self.found else None

    def show(self, found: Sequence[Found]) -> None:
        """Show other traces; the chosen one stays so if it is among them."""
        before = self.chosen
        kept = next((number for number, each in enumerate(found) if before and each.row is before.row), 0)
        self.found = found
        self._count_width = max((len(f"{len(each.row.nodes):,}") for each in found), default=0)
        self._trouble_width = max((_width(_trouble(each.row)) for each in found), default=0)
        self.show_lines(len(found), kept)

    def pieces(self, number: int, width: int) -> Sequence[Piece]:
        """Return when it began, its root, how long it took, how many events it has, and how they ended."""
        row = self.found[number].row
        when = row.when if width >= _FULL_DATE else row.when[11:]
        took = row.root.duration_ns
        trouble = _trouble(row)
        end: list[Piece] = [
            (f" {_short(took):>{_TIME}}", "time"),
            (f"  {len(row.nodes):>{self._count_width},}", "dim"),
            *trouble,
            (" " * (self._trouble_width - _width(trouble) + 1), ""),
        ]
        room = width - len(when) - 2 - _width(end)
        label = ("… " if row.partial else "") + row.root.label
        return [(f" {when} ", "dim"), (fitted(label, room), _look(row.root)), *end]


class TraceTree(Lines):
    """The events of one trace, each below the one that it ran in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "fold", "Fold", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="tree", nothing="")
        self._found: Found | None = None
        self._folded: set[int] = set()
        self._visible: list[int] = []

    @property
    def chosen(self) -> NodeRow | None:
        """Return the event that is chosen."""
        number = self.chosen_number
        return None if number is None or self._found is None else self._found.row.nodes[number]

    @property
    def chosen_number(self) -> int | None:
        """Return the number of the chosen event among the trace's rows."""
        return self._visible[self.cursor] if self._visible else None

    def show(self, found: Found | None) -> None:
        """Show another trace, or the same with other events wanted; then the chosen one stays so, if it is wanted."""
        same = found is not None and self._found is not None and found.row is self._found.row
        number = self.chosen_number if same else 0
        self._found = found
        if not same:
            self._folded.clear()
        if found is not None and number not in found.matching:
            number = min(found.matching)
        self._lay_out(number or 0)

    def choose(self, number: int) -> None:
        """Choose an event; what it was folded into is opened."""
        if self._found is None:
            return
        nodes = self._found.row.nodes
        above = nodes[number].parent
        hidden = False
        while above is not None:
            hidden |= above in self._folded
            self._folded.discard(above)
            above = nodes[above].parent
        if hidden:
            self._lay_out(number)
        else:
            self.cursor = self._visible.index(number)

    def action_fold(self) -> None:
        """Hide what is below the chosen event, or show it again."""
        number = self.chosen_number
        if number is None or self._found is None or self._found.row.nodes[number].end == number + 1:
            return
        self._folded ^= {number}
        self._lay_out(number)

    def pieces(self, number: int, width: int) -> Sequence[Piece]:
        """Return the event in its place, how long it took, and a bar for when it ran where there is room."""
        if self._found is None:
            return []
        at = self._visible[number]
        node = self._found.row.nodes[at]
        bar = width // 4 if width >= _WITH_BARS else 0
        room = width - _TIME - 2 - (bar + 1 if bar else 0)
        before = _indent(node.depth, room // 2)
        hidden = node.end - at - 1
        sign = f" ▸ {hidden:,} more" if at in self._folded else ""
        partial = " [its parent is not here]" if at == 0 and self._found.row.partial else ""
        text_room = room - cell_len(before) - len(sign) - len(partial)
        look = _look(node) if at in self._found.matching else "dim"
        line: list[Piece] = [
            (before, "guide"),
            (fitted(node.label, text_room), look),
            (partial + sign, "dim"),
            (f" {_short(node.duration_ns):>{_TIME}} ", "time" if at in self._found.matching else "dim"),
        ]
        if bar:
            line += [(_bar(node, self._found.row.extent_ns, bar), "error" if look == "error" else "bar"), (" ", "")]
        return line

    def _lay_out(self, chosen: int) -> None:
        nodes = self._found.row.nodes if self._found is not None else ()
        self._visible = []
        number = 0
        while number < len(nodes):
            self._visible.append(number)
            number = nodes[number].end if number in self._folded else number + 1
        self.show_lines(len(self._visible), self._visible.index(chosen) if self._visible else 0)


class Details(VerticalScroll, can_focus=True):
    """All that is known of an event."""

    ALLOW_MAXIMIZE = True

    def __init__(self) -> None:
        super().__init__(Static(id="details-text"), id="details")

    def show(self, node: NodeRow | None) -> None:
        """Show another event, from its beginning."""
        self.query_one(Static).update(Text("") if node is None else details_of(node.event))
        self.scroll_home(animate=False)


def _trouble(row: TraceRow) -> list[Piece]:
    """Return how many events of a trace failed, and how many were blocked."""
    pieces: list[Piece] = []
    if row.errors:
        pieces.append((f" {_few(row.errors)}✗", "error"))
    if row.blocked:
        pieces.append((f" {_few(row.blocked)}⊘", "blocked"))
    return pieces


def _width(pieces: Sequence[Piece]) -> int:
    return sum(cell_len(text) for text, _ in pieces)


def _few(number: int) -> str:
    return str(number) if number < 100 else "99+"


def _look(node: NodeRow) -> str:
    return "" if node.event.status == "success" else node.event.status


def _short(ns: int | None) -> str:
    return "" if ns is None else duration(ns)


def _indent(depth: int, room: int) -> str:
    """Return what stands before an event's text; a depth that leaves no room for it is written as a number."""
    if depth == 0:
        return " "
    if 2 * depth > room:
        return f" {depth}‥ └ "
    return " " * (2 * depth - 1) + "└ "


def _bar(node: NodeRow, whole_ns: int, width: int) -> str:
    """Draw when an event ran within the trace, to half a column at its end."""
    if whole_ns <= 0:
        return " " * width
    begin = min(int(width * node.start_ns / whole_ns), width - 1)
    if not node.duration_ns:
        return fitted(" " * begin + "·", width)
    halves = max(1, round(2 * width * (node.start_ns + node.duration_ns) / whole_ns) - 2 * begin)
    return fitted(" " * begin + "━" * (halves // 2) + "╸" * (halves % 2), width)
