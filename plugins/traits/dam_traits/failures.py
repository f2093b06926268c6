"""
What went wrong in others' code without being anybody's error: counted always, logged once for each culprit.

For hooks and systems whose failure must not become the failure of what was asked: those that
only predict or watch.
"""

from __future__ import annotations

import logging
from collections import Counter

_log = logging.getLogger("dam_traits.scheduling")


class Failures(Counter[str]):
    """How often each kind of failure was met."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[tuple[str, str]] = set()

    def note(self, kind: str, culprit: str, error: Exception, consequence: str) -> None:
        """Count a failure; log it with its traceback if it is the first of this kind of this culprit."""
        self[kind] += 1
        if (kind, culprit) in self._told:
            return
        self._told.add((kind, culprit))
        _log.warning("%s failed in %s: %s", culprit, kind, consequence, exc_info=error)
