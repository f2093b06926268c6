"""
Measuring on request: `dam-obs diagnose --pid` wants evidence from a process that already runs.

Looked for on the drain thread about once a second. The wish names a run folder, where
the process then keeps its note; its events go on going where they go.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from dam_obs.trace import faults, rendezvous

EVERY_NS = 1_000_000_000
_GUARD = faults.guard("attached")


class WishListener:
    """Looks whether a tracer wants this process measured, and says so when that changes."""

    def __init__(self, trace: Path, changed: Callable[[Path | None], None]) -> None:
        """
        Make a listener.

        Args:
            trace: Where this process's events go.
            changed: Called with the run folder of a tracer that wants measuring, or `None` when it wants no more.
        """
        self._trace = trace
        self._changed = changed
        self._wanted: Path | None = None
        self._next_ns = 0
        self._announced = False

    def __call__(self) -> None:
        """Look, if it is time."""
        now = time.monotonic_ns()
        if now < self._next_ns:
            return
        self._next_ns = now + EVERY_NS
        with _GUARD:
            self._look()

    def _look(self) -> None:
        if not self._announced:
            self._announced = True
            rendezvous.announce(self._trace)
        wanted = rendezvous.requested()
        if wanted != self._wanted:
            self._wanted = wanted
            self._changed(wanted)

    def start_afresh(self) -> None:
        """In a forked child: it has not announced itself yet."""
        self._announced = False
        self._next_ns = 0

    def end(self) -> None:
        """Take the announcement back."""
        if self._announced:
            with _GUARD:
                rendezvous.withdraw()
