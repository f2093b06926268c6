"""What can be wrong with a trace-point file, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from dam_obs.errors import DamObsError
from dam_obs.points.positions import Place, Positions


@dataclass(frozen=True, slots=True)
class PointProblem:
    """One thing that is wrong in a trace-point file."""

    path: Path
    line: int | None
    """Counted from 1; `None` where the file as a whole is meant."""
    key: str
    """As it is written: ``points.data.call_id.type``; empty where the file as a whole is meant."""
    says: str

    def __str__(self) -> str:
        place = str(self.path) if self.line is None else f"{self.path}:{self.line}"
        return f"{place} {self.key}".rstrip() + f": {self.says}"


class PointFileError(DamObsError):
    """A trace-point file cannot be used."""

    def __init__(self, problems: Sequence[PointProblem]) -> None:
        more = len(problems) - 1
        also = f" (and {more} more: `dam-obs points check {problems[0].path}` lists all)" if more else ""
        super().__init__(f"{problems[0]}{also}")
        self.problems = tuple(problems)


class ProblemList:
    """Collects what is wrong with one file."""

    def __init__(self, path: Path, positions: Positions | None = None) -> None:
        self._path = path
        self._positions = positions
        self.problems: list[PointProblem] = []

    def add(self, place: Place, says: str) -> None:
        """Note what is wrong at a place."""
        line = self._positions.line_of(place) if self._positions else None
        key = ".".join(part for part in place if isinstance(part, str))
        self.problems.append(PointProblem(self._path, line, key, says))

    def in_order(self) -> tuple[PointProblem, ...]:
        """Return all problems from the top of the file to its end."""
        return tuple(sorted(self.problems, key=lambda each: each.line or 0))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint at what may have been meant."""
    names = list(known)
    close = get_close_matches(word, names, n=1)
    return f"did you mean {close[0]!r}?" if close else "there are " + ", ".join(names)
