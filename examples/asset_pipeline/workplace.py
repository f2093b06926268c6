"""What systems have besides commands: where they work, where the catalogue is, how much there is of what they share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

CAPACITIES: Final = {
    # What computes, here or in another process: one at a time, so that even on two cores none waits for a core.
    "heavy": 1,
    "disk": 1,
    # One writer: entries must not overlap.
    "journal": 1,
}
"""Pools, and how many systems may have each at a time."""


@dataclass(frozen=True)
class Workplace:
    """Where results go."""

    output: Path
    journal: Path


@dataclass(frozen=True)
class Catalogue:
    """The address of the catalogue."""

    host: str
    port: int
