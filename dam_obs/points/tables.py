"""
Tables of a trace-point file, read one checked key at a time.

What does not fit becomes a problem with its place, and reads as not given, so that all
problems of a file are found at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from dam_obs.points.paths import ReadPath, first_of, parse_path
from dam_obs.points.positions import Place
from dam_obs.points.problems import ProblemList, nearest


class Table:
    """One table and its place in the file."""

    def __init__(self, values: Mapping[str, Any], place: Place, problems: ProblemList) -> None:
        self.values = values
        self.place = place
        self._problems = problems

    def wrong(self, key: str, says: str) -> None:
        """Note that a key's value does not fit; an empty key means the table."""
        self._problems.add((*self.place, key) if key else self.place, says)

    def check_keys(self, known: Collection[str]) -> None:
        """Note every key that is not one of `known`."""
        for key in self.values:
            if key not in known:
                self.wrong(key, f"unknown key; {nearest(key, known)}")

    def text(self, key: str, *, required: bool = False) -> str | None:
        """Return a non-empty string."""
        value = self.values.get(key)
        if value is None:
            if required:
                self.wrong(key, "is missing")
            return None
        if not isinstance(value, str) or not value.strip():
            self.wrong(key, f"must be a non-empty string, not {_shown(value)}")
            return None
        return value

    def choice(self, key: str, words: Collection[str], default: str | None = None) -> str | None:
        """Return one of `words`; without a default the key must be there."""
        value = self.text(key, required=default is None)
        if value is None:
            return default
        if value not in words:
            self.wrong(key, f"must be one of {', '.join(words)}, not {_shown(value)}; {nearest(value, words)}")
            return default
        return value

    def flag(self, key: str) -> bool:
        """Return true or false; false where the key is not there."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            self.wrong(key, f"must be true or false, not {_shown(value)}")
            return False
        return value

    def count(self, key: str) -> int:
        """Return a whole number, 0 or more; 0 where the key is not there."""
        value = self.values.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.wrong(key, f"must be a whole number, 0 or more, not {_shown(value)}")
            return 0
        return value

    def path(self, key: str) -> ReadPath | None:
        """Return a read path; a list of them is one with alternatives."""
        value = self.values.get(key)
        if isinstance(value, list):
            texts = [text for text in value if isinstance(text, str)]
            if not texts or len(texts) < len(value):
                self.wrong(key, f"must be a read path or several, not {_shown(value)}")
                return None
        else:
            text = self.text(key)
            if text is None:
                return None
            texts = [text]
        try:
            return first_of([parse_path(text) for text in texts])
        except ValueError as error:
            self.wrong(key, str(error))
            return None

    def table(self, key: str) -> Table | None:
        """Return a table below this one."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.wrong(key, f"must be a table, not {_shown(value)}")
            return None
        return Table(value, (*self.place, key), self._problems)

    def tables(self, key: str) -> Iterator[Table]:
        """Yield the tables of an array below this one."""
        value = self.values.get(key, [])
        if not isinstance(value, list):
            self.wrong(key, f"must be an array of tables: write [[{key}]]")
            return
        for number, each in enumerate(value):
            if isinstance(each, dict):
                yield Table(each, (*self.place, key, number), self._problems)
            else:
                self.wrong(key, f"must be an array of tables, but holds {_shown(each)}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "..."
