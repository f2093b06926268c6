"""
``dam-obs view --tui``: traces in a full-screen terminal, to search and to walk through.

Imported for that option alone. `load` reads a source, `rows` makes what is to be shown
of it and `details` the text about one event; neither knows of a terminal. `lines`,
`panes` and `app` are what is on the screen.
"""

from __future__ import annotations

import sys

from dam_obs.cli._tui.app import TraceApp
from dam_obs.cli._tui.load import EVENTS, OpenSource
from dam_obs.errors import DamObsError
from dam_obs.store.find import Source

__all__ = ["EVENTS", "NoTerminal", "run"]


class NoTerminal(DamObsError):
    """There is no terminal to show anything on."""

    def __init__(self) -> None:
        super().__init__("--tui needs a terminal for its input and its output: leave it out for plain text")


def run(source: Source, filter_text: str, last: int | None = None) -> None:
    """
    Show the newest traces of a source until the user leaves.

    Args:
        source: Where the events are.
        filter_text: What stands in the filter's field at the beginning; it need not be a right one.
        last: So many of the newest events at most, in whole traces; `EVENTS` if `None`.

    Raises:
        NoTerminal: Input or output is something else than a terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoTerminal
    with OpenSource(source, EVENTS if last is None else last) as opened:
        TraceApp(opened.newest(), filter_text, opened).run()
