"""
The text about one event: every field that it has, its data laid out for reading.

Text from a trace becomes plain text here, with control characters as escapes: nothing in it is taken
as markup or can move the cursor. A line break in it is kept, so that messages and stacks can be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from rich.text import Text

from dam_obs.cli._units import counted, duration
from dam_obs.text import printable
from dam_obs.trace.events import TraceEvent

LONGEST_TEXT: Final = 20_000
"""Characters that are shown of one text; how many more there are is said."""

MOST_LINES: Final = 2_000
MOST_CHARACTERS: Final = 200_000
"""About one event; that there is more is said."""

DEEPEST: Final = 20
"""Levels of data that are laid out; what is deeper stands on one line."""

_DATA: Final = ("metadata", "awaited", "io", "touched", "features", "code")
_DIM: Final = "dim"
_STATUS: Final = {"success": "green", "error": "red", "blocked": "yellow"}


def details_of(event: TraceEvent) -> Text:
    """Return the text about an event."""
    text = Text(no_wrap=False, overflow="fold")
    for number, line in enumerate(_lines(event)):
        if number == MOST_LINES or len(text) > MOST_CHARACTERS:
            text.append("… and more: dam-obs view --jsonl shows all", _DIM)
            break
        text.append_text(line).append("\n")
    text.rstrip()
    return text


def _lines(event: TraceEvent) -> Iterator[Text]:
    yield _title(event)
    fields = {field: getattr(event, field) for field in event.__struct_fields__}
    yield from _laid_out(event.metadata, 1)
    width = max(map(len, fields))
    for name, value in fields.items():
        if name not in _DATA and value is not None:
            yield from _field(f"{name:<{width}}  ", _shown(name, value))
    for name in _DATA[1:]:
        if fields[name]:
            yield Text(name, _DIM)
            yield from _laid_out(msgspec.to_builtins(fields[name]), 1)


def _title(event: TraceEvent) -> Text:
    title = Text(printable(f"{event.hrm_layer}.{event.operation}"), "bold")
    title.append(f"  {event.status}", _STATUS.get(event.status, ""))
    if event.duration_ns is not None:
        title.append(f"  {duration(event.duration_ns)}")
    return title


def _shown(name: str, value: Any) -> str:
    if name.endswith("_ns") and isinstance(value, int) and name != "start_mono_ns":
        return f"{value:,} ({duration(value)})"
    return value if isinstance(value, str) else _json(value)


def _field(before: str, value: str) -> Iterator[Text]:
    for number, line in enumerate(_cut(value).split("\n")):
        yield Text(before if number == 0 else " " * len(before), _DIM).append(printable(line), "not dim")


def _laid_out(value: Any, depth: int) -> Iterator[Text]:
    """Yield the lines of a piece of data, one for each thing in it."""
    for name, inner in _entries(value):
        before = Text("  " * depth).append(f"{printable(_cut(name))}: ", _DIM)
        if isinstance(inner, (dict, list)) and inner and depth < DEEPEST:
            yield before
            yield from _laid_out(inner, depth + 1)
        elif isinstance(inner, str) and "\n" in inner:
            yield before
            yield from _field("  " * (depth + 1), inner)
        else:
            yield before.append(printable(_cut(_json(inner))), "" if isinstance(inner, str) else "cyan")


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((str(name), inner) for name, inner in value.items())
    else:
        yield from ((str(number), inner) for number, inner in enumerate(value))


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):  # data of a plugin's own, which need not be JSON
        return msgspec.json.encode(value, enc_hook=str).decode(errors="replace")


def _cut(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]} … {counted(len(text) - LONGEST_TEXT, 'more character')}"
