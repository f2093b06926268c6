"""
`ExecutionRecord`: what was seen of one execution, and who is told of it.

Nothing here keeps or sums records up: profiles do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Status = Literal["success", "error", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRecord:
    """One run of one system for one command, after its end."""

    system: str
    """The system's name, ``package.module:Qualname``."""

    version: str
    """Of the system's code: it changes when its body does."""

    command: str
    """The name of the command's class, ``package.module:Qualname``."""

    status: Status
    """``cancelled``: its consumer left, or its task was cancelled."""

    duration_ns: int
    """From its start to its end, on a monotonic clock; without what it waited for pools."""

    wait_ns: int = 0
    """How long it waited for its pools before."""

    started_unix_s: float
    """Wall clock at its start."""

    size: float | None = None
    """How large the command's work is, in the command's own unit; `None`: it does not say."""

    cpu_ns: int | None = None
    """Time on the CPU; `None`: not measured."""

    predicted_ms: int | None = None
    """What the scheduler reckoned with; `None`: nothing was known."""

    results: int = 0
    """How many results it gave."""

    error: str | None = None
    """The name of the exception's class, where it raised."""


class ExecutionObserver(Protocol):
    """Whoever wants to know of every execution. Called on the event loop, right after its end: be quick."""

    def observe(self, record: ExecutionRecord) -> None:
        """Take one record. What this raises is logged once for each observer, counted, and goes no further."""
