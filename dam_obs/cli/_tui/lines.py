"""A list of any number of lines, of which one is chosen; only those in sight are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

Piece: TypeAlias = tuple[str, str]
"""A text and what it is, which says how it looks: the name of a component class without its ``lines--``, or nothing."""


class Lines(ScrollView, can_focus=True):
    """The base of both lists: what is in a line is its subclass's."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "lines--cursor",
        "lines--dim",
        "lines--error",
        "lines--blocked",
        "lines--layer",
        "lines--time",
        "lines--bar",
        "lines--guide",
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "jump(0)", "First", show=False),
        Binding("end,G", "jump(-1)", "Last", show=False),
    ]

    cursor: reactive[int] = reactive(0, init=False)
    """The number of the chosen line."""

    class Chosen(Message):
        """Another line is the chosen one."""

        def __init__(self, lines: Lines) -> None:
            super().__init__()
            self.lines = lines

        @property
        def control(self) -> Lines:
            """Return the list."""
            return self.lines

    def __init__(self, *, id: str, nothing: str) -> None:
        """
        Make an empty list.

        Args:
            id: Its name for styles and queries.
            nothing: What it says while it is empty.
        """
        super().__init__(id=id)
        self._nothing = nothing
        self._count = 0

    def pieces(self, number: int, width: int) -> Sequence[Piece]:
        """Return what is in a line, `width` columns wide or less; what is over is cut."""
        raise NotImplementedError

    def show_lines(self, count: int, chosen: int = 0) -> None:
        """Show other lines."""
        self._count = count
        self.virtual_size = Size(0, max(count, 1))
        self.set_reactive(Lines.cursor, self._within(chosen))
        self.refresh()
        self.call_after_refresh(self._keep_in_sight)
        self.post_message(self.Chosen(self))

    def validate_cursor(self, number: int) -> int:
        """Keep the cursor within the lines."""
        return self._within(number)

    def watch_cursor(self) -> None:
        """Show the chosen line, and tell."""
        self._keep_in_sight()
        self.refresh()
        self.post_message(self.Chosen(self))

    def action_move(self, by: int) -> None:
        """Choose a line further down or up."""
        self.cursor += by

    def action_page(self, by: int) -> None:
        """Choose the line one page further down or up."""
        self.cursor += by * max(1, self.size.height - 1)

    def action_jump(self, to: int) -> None:
        """Choose the first line, or the last."""
        self.cursor = to if to >= 0 else self._count - 1

    def on_click(self, event: events.Click) -> None:
        """Choose the line under the pointer."""
        at = event.get_content_offset(self)
        if at is not None:
            self.cursor = at.y + self.scroll_offset.y

    def render_line(self, y: int) -> Strip:
        """Return a line as it is on the screen."""
        width, number = self.size.width, y + self.scroll_offset.y
        if self._count == 0 and y == 0:
            return self._strip([(f" {self._nothing}", "dim")], width, Style())
        if number >= self._count:
            return Strip.blank(width, self.rich_style)
        over = Style()
        if number == self.cursor:
            over = self.get_component_rich_style("lines--cursor", partial=True)
        return self._strip(self.pieces(number, width), width, over)

    def _strip(self, pieces: Sequence[Piece], width: int, over: Style) -> Strip:
        segments = [Segment(text, self._look(look) + over) for text, look in pieces]
        return Strip(segments).adjust_cell_length(width, self.rich_style + over)

    def _look(self, name: str) -> Style:
        return self.get_component_rich_style(f"lines--{name}") if name else self.rich_style

    def _within(self, number: int) -> int:
        return max(0, min(number, self._count - 1))

    def _keep_in_sight(self) -> None:
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)


def fitted(text: str, width: int) -> str:
    """Return a text in exactly `width` columns; one that is too long ends in an ellipsis."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"
