"""Which entities a call read, forked and created: what its event tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

MOST: int = 1_000
"""Entities of each kind that are told of one call; all are counted."""

SHOWN: int = 20
"""Of those, as many are named in a summary."""


@dataclass(frozen=True, slots=True)
class Known:
    """An entity at a place in the input or the result of a call."""

    ecs_id: UUID
    path: str
    """``student.grades.0`` or ``result.1``"""

    def __str__(self) -> str:
        """Path and id."""
        return f"{self.path}={self.ecs_id}"


@dataclass(slots=True)
class Touched:
    """What one call did with entities, filled as it goes on."""

    read: list[Known] = field(default_factory=list)
    """The outermost entities in its input, as the versions that they were when it began."""
    forked: list[Known] = field(default_factory=list)
    """The new versions of entities that had changed, before it or by it."""
    created: list[Known] = field(default_factory=list)
    """Entities that were not known before."""
    counts: dict[str, int] = field(default_factory=lambda: {"read": 0, "forked": 0, "created": 0})

    @property
    def read_summary(self) -> str:
        """What was read, ``path=id`` each."""
        return summary_of(self.read)

    @property
    def forked_summary(self) -> str:
        """What was forked, ``path=id`` each."""
        return summary_of(self.forked)

    @property
    def created_summary(self) -> str:
        """What was created, ``path=id`` each."""
        return summary_of(self.created)

    def add(self, kind: str, known: Known) -> None:
        """Note one of ``read``, ``forked`` or ``created``."""
        self.counts[kind] += 1
        noted: list[Known] = getattr(self, kind)
        if len(noted) < MOST:
            noted.append(known)


def summary_of(known: Sequence[Known]) -> str:
    """Name entities with their places, the first of them."""
    shown = ", ".join(map(str, known[:SHOWN]))
    return shown + (f" and {len(known) - SHOWN} more" if len(known) > SHOWN else "")
