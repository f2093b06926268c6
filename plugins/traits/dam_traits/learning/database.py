"""
The SQLite file that profiles are kept in, shared by runs and by processes at the same time.

What is written are sums to add to those in the file, in one transaction, so what several
processes write adds up. A file that cannot be read is set aside under another name and a
fresh one begins. When to write, and what to do if it fails, is `store`'s business.
"""

from __future__ import annotations

import fcntl
import math
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import astuple
from pathlib import Path

from dam_traits.learning.law import SizeLaw
from dam_traits.learning.profile import ALL_SIZES, Tally
from dam_traits.learning.sizes import SIZE_CLASSES
from dam_traits.learning.sketch import BINS, Decay

Identity = tuple[int, int]
"""Tells a file from others that have, had or will have the same name: its device and inode."""

SCHEMA_VERSION = 1
"""In the file's ``user_version``. A file of another version is set aside."""

APPLICATION_ID = 0x64616D74
"""In the file's header, "damt": tells a file of profiles from another program's database."""

VERSIONS_KEPT = 8
"""Of one system: the profiles of the versions seen last."""

HALF_LIVES_KEPT = 20
"""A profile not seen for so long is deleted: by then a record weighs a millionth of a new one."""

_SCHEMA = """
CREATE TABLE profile (
    id INTEGER PRIMARY KEY,
    system TEXT NOT NULL,
    version TEXT NOT NULL,
    half_life_s REAL NOT NULL,
    window INTEGER NOT NULL,
    success INTEGER NOT NULL,
    error INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    cpu_ns REAL NOT NULL,
    wall_ns REAL NOT NULL,
    law_weight REAL NOT NULL,
    law_x REAL NOT NULL,
    law_y REAL NOT NULL,
    law_xx REAL NOT NULL,
    law_xy REAL NOT NULL,
    law_yy REAL NOT NULL,
    last_seen_unix_s REAL NOT NULL,
    UNIQUE (system, version)
) STRICT;
CREATE TABLE duration (
    profile INTEGER NOT NULL REFERENCES profile ON DELETE CASCADE,
    size_class INTEGER NOT NULL,
    bin INTEGER NOT NULL,
    weight REAL NOT NULL,
    PRIMARY KEY (profile, size_class, bin)
) STRICT, WITHOUT ROWID;
"""

_SELECT = """
SELECT id, half_life_s, window, success, error, cancelled, last_seen_unix_s,
    cpu_ns, wall_ns, law_weight, law_x, law_y, law_xx, law_xy, law_yy
FROM profile WHERE system = ? AND version = ?
"""

_INSERT = """
INSERT INTO profile (system, version, half_life_s, window, success, error, cancelled, last_seen_unix_s,
    cpu_ns, wall_ns, law_weight, law_x, law_y, law_xx, law_xy, law_yy)
VALUES (?, ?, ?, ?, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""

_ADD = """
UPDATE profile SET success = success + ?, error = error + ?, cancelled = cancelled + ?,
    last_seen_unix_s = max(last_seen_unix_s, ?),
    cpu_ns = cpu_ns + ?, wall_ns = wall_ns + ?, law_weight = law_weight + ?,
    law_x = law_x + ?, law_y = law_y + ?, law_xx = law_xx + ?, law_xy = law_xy + ?, law_yy = law_yy + ?
WHERE id = ?
"""

_MOVE = """
UPDATE profile SET half_life_s = :half_life_s, window = :window,
    cpu_ns = cpu_ns * :factor, wall_ns = wall_ns * :factor, law_weight = law_weight * :factor,
    law_x = law_x * :factor, law_y = law_y * :factor,
    law_xx = law_xx * :factor, law_xy = law_xy * :factor, law_yy = law_yy * :factor
WHERE id = :id
"""

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH})


class Damaged(Exception):
    """What is in the file is no profiles, or none of this schema."""


class NotOurs(Exception):
    """The file is a database of another program: it is left as it is."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is another program's database, so no profiles are kept there: name another file")


def is_damage(error: Exception) -> bool:
    """Tell whether the file's content is at fault, and not its surroundings: a lock, a full disk, a permission."""
    if isinstance(error, sqlite3.Error):
        return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGED
    return isinstance(error, Damaged)


class ProfileDatabase:
    """
    One connection to the file; opened when first used. For one thread at a time.

    Its methods raise `sqlite3.Error` and `OSError` as they come, and `Damaged`.
    """

    def __init__(self, path: Path, decay: Decay, *, busy_timeout_s: float) -> None:
        self._path = path
        self._decay = decay
        self._busy_timeout_s = busy_timeout_s
        self._connection: sqlite3.Connection | None = None
        self.opened: Identity | None = None
        """Which file it was that was opened last, or was to be."""

    def read(self, system: str, version: str, now_unix_s: float) -> Tally | None:
        """Read one profile; `None`: the file has none of it."""
        with _transaction(self._open(), "DEFERRED") as connection:
            return self._read(connection, system, version, now_unix_s)

    def _read(self, connection: sqlite3.Connection, system: str, version: str, now_unix_s: float) -> Tally | None:
        row = connection.execute(_SELECT, (system, version)).fetchone()
        if row is None:
            return None
        id_, half_life_s, window, success, error, cancelled, last_seen_unix_s, cpu_ns, wall_ns, *law = row
        bins = connection.execute("SELECT size_class, bin, weight FROM duration WHERE profile = ?", (id_,))
        tally = Tally(
            window=window,
            success=success,
            error=error,
            cancelled=cancelled,
            cpu_ns=cpu_ns,
            wall_ns=wall_ns,
            last_seen_unix_s=last_seen_unix_s,
            law=SizeLaw(*law),
            bins={(size_class, bin_): weight for size_class, bin_, weight in bins},
        )
        _check(tally, half_life_s)
        self._to_own_half_life(tally, half_life_s, now_unix_s)
        return tally

    def add(self, tallies: Mapping[tuple[str, str], Tally], now_unix_s: float) -> None:
        """Add sums to the profiles of these systems and versions, all or none."""
        with _transaction(self._open()) as connection:
            is_new = [self._add_one(connection, key, tally, now_unix_s) for key, tally in tallies.items()]
            if any(is_new):
                self._prune(connection, {system for system, _ in tallies}, now_unix_s)

    def records(self) -> dict[tuple[str, str], int]:
        """Tell how many records each profile in the file has come from."""
        rows = self._open().execute("SELECT system, version, success + error + cancelled FROM profile")
        return {(system, version): records for system, version, records in rows}

    def changes_by_others(self) -> int:
        """Give a number that changes when somebody else's connection has written to the file."""
        row = self._open().execute("PRAGMA data_version").fetchone()
        return int(row[0])

    def size_bytes(self) -> int:
        """How much the content takes; it is less than the files on disk, which are shortened now and then."""
        connection = self._open()
        pages, free, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _PAGES)
        return int((pages - free) * size)

    def close(self) -> None:
        """Let go of the file; it is opened again when it is next used."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with suppress(sqlite3.Error):  # what could not be written has been reported by then
                connection.close()

    def set_aside(self, damaged: Identity | None) -> Path | None:
        """
        Rename a file that was found to be damaged so that a fresh one can begin.

        Whoever still has it open lets go of it with the next use.

        Returns:
            Its new path; `None`: another file has its name already.
        """
        self.close()
        with _only_process(self._path):
            return _rename(self._path) if damaged is not None and _identity(self._path) == damaged else None

    def _open(self) -> sqlite3.Connection:
        """Connect to the file that has the name now: the one before may have been set aside, or deleted."""
        if self._connection is not None and _identity(self._path) != self.opened:
            self.close()
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with _only_process(self._path):
                self.opened = _identity(self._path)
                self._connection = self._connect()
                self.opened = _identity(self._path)
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, self._path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _add_one(self, connection: sqlite3.Connection, key: tuple[str, str], tally: Tally, now_unix_s: float) -> bool:
        row = connection.execute(
            "SELECT id, half_life_s, window FROM profile WHERE system = ? AND version = ?", key
        ).fetchone()
        if row is None:
            id_ = _insert(connection, key, self._decay.half_life_s, tally.window)
        else:
            id_ = row[0]
            self._same_window(connection, id_, row[1], row[2], tally, now_unix_s)
        counts = (tally.success, tally.error, tally.cancelled, tally.last_seen_unix_s)
        connection.execute(_ADD, (*counts, *_sums(tally), id_))
        connection.executemany(
            "INSERT INTO duration (profile, size_class, bin, weight) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET weight = weight + excluded.weight",
            ((id_, size_class, bin_, weight) for (size_class, bin_), weight in tally.bins.items()),
        )
        return row is None

    def _same_window(
        self,
        connection: sqlite3.Connection,
        id_: int,
        half_life_s: float,
        window: int,
        tally: Tally,
        now_unix_s: float,
    ) -> None:
        """Bring what is in the file and what is added to it to one half-life and one window."""
        if half_life_s != self._decay.half_life_s:
            factor = self._decay.from_other(Decay(half_life_s), window, tally.window, now_unix_s)
        elif window > tally.window:
            tally.move(self._decay.between(tally.window, window), window)
            return
        elif window < tally.window:
            factor = self._decay.between(window, tally.window)
        else:
            return
        parameters = {"half_life_s": self._decay.half_life_s, "window": tally.window, "factor": factor, "id": id_}
        connection.execute(_MOVE, parameters)
        connection.execute("UPDATE duration SET weight = weight * ? WHERE profile = ?", (factor, id_))

    def _to_own_half_life(self, tally: Tally, half_life_s: float, now_unix_s: float) -> None:
        if half_life_s != self._decay.half_life_s:
            window = self._decay.window(now_unix_s)
            tally.move(self._decay.from_other(Decay(half_life_s), tally.window, window, now_unix_s), window)

    def _prune(self, connection: sqlite3.Connection, systems: Iterable[str], now_unix_s: float) -> None:
        """Delete what has not been seen for long, and all but the last versions of a system."""
        oldest = now_unix_s - HALF_LIVES_KEPT * self._decay.half_life_s
        connection.execute("DELETE FROM profile WHERE last_seen_unix_s < ?", (oldest,))
        connection.executemany(
            "DELETE FROM profile WHERE system = :system AND id NOT IN ("
            "SELECT id FROM profile WHERE system = :system ORDER BY last_seen_unix_s DESC, id DESC LIMIT :kept)",
            ({"system": system, "kept": VERSIONS_KEPT} for system in systems),
        )


_PAGES = ("page_count", "freelist_count", "page_size")


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make a new file's tables; make sure that an old one is ours."""
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    application, schema = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not tables and application in (0, APPLICATION_ID):
        _create(connection)
    elif application != APPLICATION_ID:
        raise NotOurs(path)
    elif schema != SCHEMA_VERSION:
        raise Damaged(f"its schema is version {schema}, and this is version {SCHEMA_VERSION}")
    elif not {"profile", "duration"} <= tables:
        raise Damaged("its tables are missing")


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    with _transaction(connection):
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _insert(connection: sqlite3.Connection, key: tuple[str, str], half_life_s: float, window: int) -> int:
    cursor = connection.execute(_INSERT, (*key, half_life_s, window))
    return cursor.lastrowid or 0


def _sums(tally: Tally) -> tuple[float, ...]:
    """Give the weighted sums in the order of their columns."""
    return (tally.cpu_ns, tally.wall_ns, *astuple(tally.law))


def _check(tally: Tally, half_life_s: float) -> None:
    numbers = (*_sums(tally), *tally.bins.values())
    if not half_life_s > 0 or not all(0.0 <= number < math.inf for number in numbers):
        raise Damaged("a number in it is not one that can have been written")
    if not all(ALL_SIZES <= of_size < SIZE_CLASSES and 0 <= bin_ < BINS for of_size, bin_ in tally.bins):
        raise Damaged("it has bins that do not exist")


@contextmanager
def _transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):  # the first error is the one that says what was wrong
                connection.execute("ROLLBACK")
        raise


@contextmanager
def _only_process(path: Path) -> Iterator[None]:
    """Keep other processes from opening, making or renaming the file meanwhile, by a lock on its folder."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _rename(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(f"{aside}{suffix}")
    path.rename(aside)
    return aside
