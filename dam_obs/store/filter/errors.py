"""What is wrong with a filter, and where in its text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from dam_obs.errors import DamObsError
from dam_obs.text import printable

_SHOWN: Final = 72
"""Characters of a long text that are shown around what is wrong."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the text of a filter."""

    text: str
    """The whole text."""
    column: int
    """Characters before it."""
    length: int


class BadFilter(DamObsError):
    """A filter cannot be understood."""

    def __init__(self, problem: str, mark: Mark) -> None:
        super().__init__(f"{problem} (column {mark.column + 1} of the filter)")
        self.problem = problem
        """What is wrong and what to write instead, in one sentence without the place."""
        self.mark = mark
        self.excerpt = _pointed_at(mark)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``"did you mean X? "``, or nothing where no known word is near."""
    found = get_close_matches(word.lower(), sorted(known), n=1)
    return f"did you mean {found[0]}? " if found else ""


def _pointed_at(mark: Mark) -> tuple[str, ...]:
    """Return the text, cut to what is around the mark, and below it a line that points there."""
    begin = max(0, min(mark.column - _SHOWN // 2, len(mark.text) - _SHOWN))
    end = begin + _SHOWN
    before, marked = mark.text[begin : mark.column], mark.text[mark.column : min(mark.column + mark.length, end)]
    left, right = ("…" if begin else ""), ("…" if end < len(mark.text) else "")
    shown = left + mark.text[begin:end] + right
    carets = "^" * max(1, _cells(printable(marked)))
    return printable(shown), " " * _cells(left + printable(before)) + carets


def _cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else not unicodedata.combining(each) for each in text)
