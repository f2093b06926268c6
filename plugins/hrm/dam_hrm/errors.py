"""What dam_hrm raises: one base, each error with its facts and the way out. A denied gate is no error."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class HrmError(Exception):
    """Base of all errors of dam_hrm."""


class UnknownName(HrmError, ValueError):
    """A level, stance, gate, tier or the like was named that there is not."""

    def __init__(self, kind: str, name: object, known: Iterable[str]) -> None:
        known = list(known)
        nearest = get_close_matches(str(name), known, n=1)
        hint = f"did you mean {nearest[0]}? " if nearest else ""
        super().__init__(f"unknown {kind} {str(name)[:80]!r}: {hint}there are {', '.join(known)}")
        self.kind = kind
        self.name = name


class SessionClosed(HrmError):
    """A session was used after it was closed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is closed: begin another session (the same folder gives it what this one remembered)")
        self.name = name
