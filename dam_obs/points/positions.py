"""
Find the lines of a TOML document's keys, for messages.

The standard parser does not tell where a value stood. This reads the text again, after
the parser has accepted it, so it only has to know headers, keys, strings and brackets;
what is inside an inline table or array has the line of the key that it belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Place = tuple[str | int, ...]
"""Keys and positions from the top: ``("points", 0, "data", "call_id", "type")``."""

_NAME = r"(?:\"(?:\\.|[^\"\\])*\"|'[^']*'|[\w-]+)"
_DOTTED = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]\]?")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
_PART = re.compile(_NAME)
_TOKEN = re.compile(r"\"\"\"|'''|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'|#[^\n]*|[\[\]{}]")
_CLOSING = {'"""': re.compile(r'\\.|"""'), "'''": re.compile("'''")}


class Positions:
    """Where the keys of one document stand."""

    def __init__(self, text: str) -> None:
        """Take a document that the parser has accepted; it is read when a line is first asked for."""
        self._text: str | None = text
        self._lines: dict[Place, int] = {}
        self._arrays: dict[Place, int] = {}
        self._table: Place = ()

    def line_of(self, place: Place) -> int | None:
        """Return the line of a place, counted from 1, or of the nearest around it."""
        if self._text is not None:
            text, self._text = self._text, None
            for number, statement in _statements(text):
                self._read(number, statement)
        for length in range(len(place), 0, -1):
            line = self._lines.get(place[:length])
            if line is not None:
                return line
        return None

    def _read(self, number: int, line: str) -> None:
        if header := _HEADER.match(line):
            self._open(_names(header[2]), is_array=header[1] == "[[")
            self._lines.setdefault(self._table, number)
        elif key := _KEY.match(line):
            place = self._table
            for name in _names(key[1]):
                place = (*place, name)
                self._lines.setdefault(place, number)

    def _open(self, names: list[str], *, is_array: bool) -> None:
        place: Place = ()
        for position, name in enumerate(names, 1):
            place = (*place, name)
            if is_array and position == len(names):
                self._arrays[place] = self._arrays.get(place, -1) + 1
            if place in self._arrays:
                place = (*place, self._arrays[place])
        self._table = place


def _names(dotted: str) -> list[str]:
    return [name.strip("\"'") for name in _PART.findall(dotted)]


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines on which a header or a key stands, not those inside a value."""
    state = _State()
    for number, line in enumerate(text.splitlines(), 1):
        if state.between_statements:
            yield number, line
            header = _HEADER.match(line)
            line = line[header.end() :] if header else line
        state.read(line)


class _State:
    """Whether the reading stands inside a multi-line string or bracket."""

    def __init__(self) -> None:
        self._quotes = ""
        self._depth = 0

    @property
    def between_statements(self) -> bool:
        return not self._quotes and not self._depth

    def read(self, line: str) -> None:
        """Go on to the end of a line."""
        at = 0
        while token := (_CLOSING[self._quotes] if self._quotes else _TOKEN).search(line, at):
            at = token.end()
            self._take(token[0])

    def _take(self, token: str) -> None:
        if self._quotes:
            self._quotes = "" if token == self._quotes else self._quotes
        elif token in _CLOSING:
            self._quotes = token
        elif token in ("[", "{"):
            self._depth += 1
        elif token in ("]", "}"):
            self._depth -= 1
