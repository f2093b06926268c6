"""The result of looking at one thing, and what all checks get to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["ok", "limited", "missing", "broken"]
"""
``ok``: works, or is off on purpose. ``limited``: works in part. ``missing``: not there, and
dam-obs does without it. ``broken``: somebody wants it, and it fails.
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that works here or does not."""

    name: str
    state: State

    says: str
    """What was found and what it means, in plain words."""

    remedy: str = ""
    """What to type or change; empty if there is nothing to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is looked at."""

    python: Path
    """The interpreter that runs the user's program."""

    folder: Path
    environ: Mapping[str, str]
    source: str | None = None
    """A backend that is to be read from, if one was named."""
    proc: Path = Path("/proc")
    sys: Path = Path("/sys")


def text_of(path: Path) -> str | None:
    """Return the text of a small file of the kernel, stripped; `None` if there is none or it may not be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
