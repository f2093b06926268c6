"""
The file of profiles as a store sees it: it never fails, it only knows more or less.

Whatever goes wrong with the file is counted and warned of once, and what could not be
written is kept by the store for the next time. Reading has a connection of its own, so
that whoever asks never waits for a write.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from dam_traits.learning.database import Damaged, Identity, NotOurs, ProfileDatabase, is_damage
from dam_traits.learning.profile import Tally
from dam_traits.learning.sketch import Decay

Key = tuple[str, str]
"""A system's name and the version of its code."""

_READ_TIMEOUT_S = 0.05
_WRITE_TIMEOUT_S = 5.0
_FAILURES = (sqlite3.Error, OSError, Damaged, NotOurs)
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

_Answer = TypeVar("_Answer")
_log = logging.getLogger("dam_traits.learning")


class ProfileFile:
    """Reads profiles from a file and adds to it. `read` may be called while another thread does the rest."""

    def __init__(self, path: Path, decay: Decay, clock: Callable[[], float], failures: Counter[str]) -> None:
        self._path = path
        self._clock = clock
        self._failures = failures
        self._reader = ProfileDatabase(path, decay, busy_timeout_s=_READ_TIMEOUT_S)
        self._writer = ProfileDatabase(path, decay, busy_timeout_s=_WRITE_TIMEOUT_S)
        self._seen_changes: int | None = None
        self._damaged: Identity | None = None
        self._not_ours = False

    def read(self, key: Key) -> Tally | None:
        """Read one profile; `None`: the file has none of it, or cannot be read now."""
        return self._try(self._reader, lambda: self._reader.read(*key, self._clock()))

    def save(self, unsaved: Mapping[Key, Tally], everything: Callable[[], Mapping[Key, Tally]]) -> bool:
        """
        Add to the profiles in the file.

        Where the file turns out to be damaged, it is set aside, and `everything` is asked for
        what a fresh one begins with, in place of `unsaved`.

        Returns:
            Whether this, or what `everything` gave, is in the file now.
        """
        if self._damaged is None:
            if self._try(self._writer, lambda: self._add(unsaved)):
                return True
            if self._damaged is None:
                return False
        if self._try(self._writer, self._set_aside):
            unsaved = everything()
        return bool(self._try(self._writer, lambda: self._add(unsaved)))

    def changed_by_others(self) -> dict[Key, int]:
        """Tell how many records each profile has come from, if others have written since this was last asked."""
        changes = self._try(self._writer, self._writer.changes_by_others)
        if changes is None or changes == self._seen_changes:
            return {}
        self._seen_changes = changes
        return self._try(self._writer, self._writer.records) or {}

    def read_again(self, key: Key) -> Tally | None:
        """Read one profile, in the thread that writes."""
        return self._try(self._writer, lambda: self._writer.read(*key, self._clock()))

    def disconnect(self) -> None:
        """Let go of the file until it is next used."""
        self._reader.close()
        self._writer.close()

    def _add(self, unsaved: Mapping[Key, Tally]) -> bool:
        if unsaved:
            self._writer.add(unsaved, self._clock())
        return True

    def _set_aside(self) -> bool:
        damaged, self._damaged = self._damaged, None
        aside = self._writer.set_aside(damaged)
        if aside is None:
            return False
        _log.warning("%s was damaged: it is now %s, and a fresh file begins", self._path, aside.name)
        return True

    def _try(self, database: ProfileDatabase, action: Callable[[], _Answer]) -> _Answer | None:
        if self._not_ours:
            return None
        try:
            return action()
        except _FAILURES as error:
            self._take_note(database, error)
            return None

    def _take_note(self, database: ProfileDatabase, error: Exception) -> None:
        if is_damage(error):
            self._damaged = database.opened
            self._failures["damaged"] += 1
            return
        kind = _kind(error)
        self._not_ours = kind == "not ours"
        self._failures[kind] += 1
        if self._failures[kind] == 1:
            _log.warning("%s: what is learnt stays in memory for now (%s)", self._path, error)


def _kind(error: Exception) -> str:
    if isinstance(error, NotOurs):
        return "not ours"
    if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _BUSY:
        return "busy"
    return "unavailable"
