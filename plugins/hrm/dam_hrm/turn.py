"""One turn of a session: what came in, what went out, and how it got there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one turn came to."""

    number: int
    text: str
    reply: str
    status: Literal["success", "blocked", "error"]
    notes: tuple[str, ...] = ()
    """What the user is told beside the reply: what was skipped, denied, learned."""
