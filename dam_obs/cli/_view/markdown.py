"""
Traces as nested lists in Markdown, for a pull request or an issue.

What comes from a trace stands in code spans, where it is neither markup nor a link nor
somebody's name, whatever it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dam_obs.cli._units import duration
from dam_obs.cli._view.picture import Picture, Row
from dam_obs.cli._view.tree import CONTEXT, Columns, details, remarks
from dam_obs.sinks.tree import line_of
from dam_obs.store.timing import duration_ns
from dam_obs.text import printable

_BACKTICKS = re.compile("`+")


def markdown_lines(pictures: Iterable[Picture], columns: Columns) -> Iterator[str]:
    """Yield one list item for each event, nested as the events are."""
    for picture in pictures:
        for row in picture.rows:
            said = ", ".join(_said(picture, row, columns))
            yield f"{'  ' * row.depth}- {code_span(line_of(row.event, timed=False))} {said}".rstrip()


def _said(picture: Picture, row: Row, columns: Columns) -> Iterator[str]:
    if row.event.status != "success":
        yield f"**{row.event.status}**"
    taken_ns = duration_ns(row.event)
    if taken_ns is not None:
        yield duration(taken_ns)
    yield from details(picture, row, columns)
    yield from remarks(picture, row)
    if row.context:
        yield CONTEXT


def code_span(text: str) -> str:
    """Return `text` so that Markdown shows it as it is, on one line."""
    text = printable(text)
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    padded = f" {text} " if longest or text != text.strip() or not text else text
    return f"{fence}{padded}{fence}"


def in_table(text: str) -> str:
    """Return a code span that may stand in a table, where a bar ends a cell even in code."""
    return code_span(text).replace("|", "\\|")
