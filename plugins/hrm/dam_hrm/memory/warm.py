"""
The warm tier: an SQLite file, which is also what all who share a folder agree by.

It knows of each address which version is the newest and whether warm or cold has it, and up to
where the cold file has been acknowledged. So its transactions are what all of memory's are: what
one has committed is on the disk when it returns, and what it has not is as if it had not been.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dam_hrm.errors import HrmError
from dam_hrm.memory.errors import FolderUnusable, MemoryBusy, NewerFormat, NotOurs, WarmDamaged
from dam_hrm.memory.folder import check_same, identity
from dam_hrm.memory.values import Address, Tier

SCHEMA_VERSION: Final = 1
"""In the file's ``user_version``."""

APPLICATION_ID: Final = 0x64616D68
"""In the file's header, "damh": tells a memory from another program's database."""

_SCHEMA: Final = """
CREATE TABLE record (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    tier TEXT NOT NULL CHECK (tier IN ('warm', 'cold')),
    value BLOB CHECK ((tier = 'warm') = (value IS NOT NULL)),
    PRIMARY KEY (namespace, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE folder (
    sessions INTEGER NOT NULL,
    latest_version INTEGER NOT NULL,
    cold_bytes INTEGER NOT NULL
) STRICT;
INSERT INTO folder VALUES (0, 0, 0);
"""

_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


@dataclass(frozen=True, slots=True)
class WarmRecord:
    """What is known of an address."""

    version: int
    tier: Tier
    """Where this version is."""
    encoded: bytes | None
    """`None` where it is in cold."""


@dataclass(frozen=True, slots=True)
class FolderState:
    """What all who share a folder agree on."""

    latest_version: int
    cold_bytes: int
    """Up to where the cold file has been acknowledged."""


class Warm:
    """One connection that reads and writes, for one thread at a time, and one that only notices changes."""

    def __init__(self, path: Path, *, busy_timeout_s: float) -> None:
        """
        Open the file, or make it, while nobody else does.

        Raises:
            FolderUnusable, MemoryBusy, NewerFormat, NotOurs: It cannot be.
        """
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        with _understood(path, busy_timeout_s):
            self._connection = self._connect(busy_timeout_s)
            try:
                self._identity = identity(path)
                self._watch = self._connect(0)
            except BaseException:
                self._connection.close()
                raise

    def check_there(self) -> None:
        """
        Make sure that the file is still the one of its name.

        Raises:
            FolderUnusable: It is not.
        """
        check_same(self._path, self._identity)

    def state(self) -> int:
        """
        Give a number that changes when anybody, this connection too, has committed something.

        Reads shared memory and no disk; for one thread at a time, which need not be the one that does the rest.
        """
        with _understood(self._path, self._busy_timeout_s):
            return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    @contextmanager
    def reading(self) -> Iterator[FolderState]:
        """See the file as it is now, whatever is written meanwhile."""
        with self._transaction("DEFERRED"):
            yield self._folder()

    @contextmanager
    def writing(self) -> Iterator[FolderState]:
        """
        Write; all is committed at the end, or nothing.

        Raises:
            MemoryBusy: Others were writing all the time.
            FolderUnusable: The disk is full, or the file cannot be written.
        """
        with self._transaction("IMMEDIATE"):
            yield self._folder()

    def next_session_number(self) -> int:
        """Count a session; within `writing`."""
        row = self._connection.execute("UPDATE folder SET sessions = sessions + 1 RETURNING sessions").fetchone()
        return int(row[0])

    def get(self, address: Address) -> WarmRecord | None:
        """Say what is known of an address; within `reading` or `writing`."""
        row = self._connection.execute(
            "SELECT version, tier, value FROM record WHERE namespace = ? AND key = ?", _row_key(address)
        ).fetchone()
        return None if row is None else WarmRecord(row[0], Tier(row[1]), row[2])

    def put(self, address: Address, record: WarmRecord) -> None:
        """Take down a record, or that it is in cold; within `writing`."""
        self._connection.execute(
            "INSERT INTO record (namespace, key, version, tier, value) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET version = excluded.version, tier = excluded.tier, value = excluded.value",
            (*_row_key(address), record.version, record.tier.value, record.encoded),
        )
        self.advance(record.version)

    def advance(self, version: int) -> None:
        """Take down that this version has been given; within `writing`."""
        self._connection.execute("UPDATE folder SET latest_version = max(latest_version, ?)", (version,))

    def acknowledge_cold(self, cold_bytes: int) -> None:
        """Take down up to where the cold file holds; within `writing`."""
        self._connection.execute("UPDATE folder SET cold_bytes = ?", (cold_bytes,))

    def close(self) -> None:
        """Let go of the file."""
        for connection in (self._watch, self._connection):
            with suppress(sqlite3.Error):  # all that was acknowledged is on the disk
                connection.close()

    def _folder(self) -> FolderState:
        return FolderState(*self._connection.execute("SELECT latest_version, cold_bytes FROM folder").fetchone())

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[None]:
        with _understood(self._path, self._busy_timeout_s):
            self._connection.execute(f"BEGIN {kind}")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    with suppress(sqlite3.Error):  # the first error says what was wrong
                        self._connection.execute("ROLLBACK")
                raise

    def _connect(self, busy_timeout_s: float) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA trusted_schema = OFF")
            _prepare(connection, self._path)
        except BaseException:
            connection.close()
            raise
        return connection


def _row_key(address: Address) -> tuple[str, str]:
    return address.namespace, address.key


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make a new file's tables; make sure that an old one is ours."""
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    if application == APPLICATION_ID:
        if version > SCHEMA_VERSION:
            raise NewerFormat(path, version, SCHEMA_VERSION)
        return
    if application != 0 or connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise NotOurs(path, "another program's database")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(
        f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
        f" PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    )


@contextmanager
def _understood(path: Path, waited_s: float) -> Iterator[None]:
    """Say in our words what SQLite and the system say in theirs."""
    try:
        yield
    except HrmError:
        raise
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _BUSY:
            raise MemoryBusy(path, waited_s) from error
        if code == sqlite3.SQLITE_NOTADB:
            raise NotOurs(path, error) from error
        if code == sqlite3.SQLITE_CORRUPT:
            raise WarmDamaged(path, error) from error
        raise FolderUnusable(path, error) from error
    except OSError as error:
        raise FolderUnusable(path, error.strerror or error) from error
