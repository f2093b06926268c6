"""Where a value came from, and what was wrong with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dam_obs.errors import DamObsError

Source = Literal["default", "settings.yaml", "pyproject.toml", "dam-obs.toml", "environment", "argument"]


@dataclass(frozen=True, slots=True)
class Origin:
    """The place that gave a setting its value."""

    source: Source

    name: str = ""
    """As it is written there: ``tool.dam-obs.output``, ``DAM_OBS_OUTPUT``, ``--output``; empty for a default."""

    path: Path | None = None
    """For files."""

    line: int | None = None
    """For files: counted from 1, where it could be found."""

    def __str__(self) -> str:
        if self.path is None:
            return self.name or self.source
        place = str(self.path) if self.line is None else f"{self.path}:{self.line}"
        return f"{place} {self.name}".rstrip()


DEFAULT = Origin("default")


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """A key that is unknown, a value that does not fit, a file that cannot be read."""

    origin: Origin
    says: str
    """What is wrong and what would be right, without the place."""

    def __str__(self) -> str:
        return f"{self.origin}: {self.says}"


class ConfigError(DamObsError):
    """The configuration holds something that dam-obs does not know or cannot use."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        more = f" ({len(problems) - 1} more: see `dam-obs doctor`)" if len(problems) > 1 else ""
        super().__init__(f"{problems[0]}{more}")
        self.problems = tuple(problems)
