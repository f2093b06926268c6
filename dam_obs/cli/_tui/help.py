"""What the keys do."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

_KEYS: Final = (
    ("↑ ↓  k j", "the line above, the line below"),
    ("PgUp PgDn  g G", "a page; the first line, the last line"),
    ("Tab  Enter", "the next pane; into the tree, into the event"),
    ("/", "filter; Enter looks in the whole source, Escape leaves"),
    ("p", "the event in which this one ran"),
    ("e  E", "the next failed event, the one before; across traces"),
    ("Space", "hide what ran within an event, or show it"),
    ("c", "copy the event's handle"),
    ("z", "this pane on the whole screen, and back"),
    ("t", "dark or light"),
    ("q", "quit"),
)

_FILTERS: Final = (
    ("gate cache", "both words, anywhere in names and summaries"),
    ('"two words"', "just so"),
    ("layer:focus status:error", "a layer and a status"),
    ("duration:>100ms", "what took longer"),
    ("@data.tier:cold", "by an event's data"),
    ("-component:cache.py", "all but these"),
    ("since:10m", "what began in the last ten minutes"),
)


class Help(ModalScreen[None]):
    """Lies over the panes until any of its keys is pressed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss", "Close"),
    ]

    def compose(self) -> ComposeResult:
        """Yield the page."""
        with VerticalScroll(id="help"):
            yield Static(_page())


def _page() -> Text:
    page = Text()
    for title, entries in (("Keys", _KEYS), ("Filters", _FILTERS)):
        page.append(f"{title}\n", "bold")
        width = max(len(name) for name, _ in entries)
        for name, meaning in entries:
            page.append(f"{name:<{width}}  ").append(f"{meaning}\n", "dim")
    page.rstrip()
    return page
