"""
The cold tier: a file of compressed records with checksums that is only appended to.

Where the last record of each address is, an index tells that is made from the file when it is
opened and kept up with what is appended. It is a private database of SQLite's, which keeps a
bounded part of it in memory. The file's bytes count up to where the warm tier's database says
that they were acknowledged, and the owner of the folder's lock alone appends. So half a record at
the file's end, as a crash leaves it, is never seen as one. It stays where it is, as damaged
records do: each such stretch is skipped and listed among the faults. Nothing is ever taken out,
so the file grows with all that was ever written to cold.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal

from dam_hrm.memory.coldfile import (
    FORMAT_VERSION,
    HEAD_BYTES,
    MARK_BYTES,
    ColdRecord,
    Damage,
    Kind,
    NoHead,
    Place,
    pack_head,
    pack_record,
    read_head,
    read_record,
    scan,
)
from dam_hrm.memory.errors import FolderUnusable, NewerFormat, NotOurs
from dam_hrm.memory.folder import check_same, identity
from dam_hrm.memory.values import Address, Fault, Tier

MOST_FAULTS_KEPT: Final = 1000
"""A file with more of them is no file of records."""

_INDEX: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -16384;
CREATE TABLE entry (
    address BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    length_bytes INTEGER NOT NULL,
    kind INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where the newest record of an address is."""

    version: int
    place: Place


class Cold:
    """The file and its index. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        """
        Open the file, or make it, while nobody else does.

        Raises:
            FolderUnusable, NewerFormat, NotOurs: It cannot be.
        """
        self._path = path
        self.latest_version = 0
        """The highest version that was seen in the file."""
        self.faults: dict[Fault, None] = {}
        """What was set aside, in the order of finding, up to `MOST_FAULTS_KEPT`."""
        self._scanned_bytes = HEAD_BYTES
        self._at_end: Fault | None = None
        """What was set aside last, if it goes up to `_scanned_bytes`: more of the file may show what it is."""
        try:
            if not path.exists():
                _make(path)
            self._file = path.open("r+b", buffering=0)  # others write to it: nothing of it may be kept
        except OSError as error:
            raise FolderUnusable(path, error.strerror or error) from error
        try:
            self._identity = identity(path)
            self._mark = self._read_mark()
            self._index = _new_index()
        except BaseException:
            self._file.close()
            raise

    def check_there(self) -> None:
        """
        Make sure that the file is still the one of its name.

        Raises:
            FolderUnusable: It is not.
        """
        check_same(self._path, self._identity)

    def catch_up(self, acknowledged_bytes: int) -> None:
        """Take down what was appended up to here by anybody."""
        size = self._size()
        if size < self._scanned_bytes:
            self._begin_anew()
        if acknowledged_bytes > self._scanned_bytes:
            self._scan(min(acknowledged_bytes, size))
        if size < acknowledged_bytes:
            self._note("missing", Place(size, acknowledged_bytes - size))

    def settle(self, acknowledged_bytes: int) -> int:
        """
        Take down all that is in the file, by the owner of the folder's lock: nobody is appending.

        Returns:
            Up to where the file is acknowledged now. Whole records that a crash kept from being acknowledged are
            taken as they are: they are on the disk.
        """
        self.catch_up(acknowledged_bytes)
        size = self._size()
        if size > self._scanned_bytes:
            self._sync()
            self._scan(size)
        return size

    def get(self, address: Address) -> Entry | None:
        """Say where an address' newest record is, of those taken down; `None` where it has none, or has gone."""
        row = self._index.execute(
            "SELECT version, offset, length_bytes, kind FROM entry WHERE address = ?", (_row_key(address),)
        ).fetchone()
        if row is None or row[3] != Kind.VALUE:
            return None
        return Entry(row[0], Place(row[1], row[2]))

    def read(self, address: Address, entry: Entry) -> bytes:
        """
        Give a value's bytes.

        Raises:
            Damage: They are not what was written; noted among the faults.
        """
        try:
            record, _ = read_record(self._file, self._mark, entry.place.offset, _end(entry.place))
            if (record.address, record.version) != (address, entry.version):
                raise Damage("damaged", address)
            return record.unpack()
        except Damage as damage:
            self._note(damage.kind, entry.place, address)
            raise
        except OSError as error:
            raise FolderUnusable(self._path, error.strerror or error) from error

    def append(self, kind: Kind, address: Address, version: int, encoded: bytes = b"") -> int:
        """
        Add a record and bring it onto the disk, by the owner of the folder's lock, after `settle`.

        It is taken down by the next `catch_up`.

        Returns:
            Where the file ends now. Where the disk was full, it is as it was.

        Raises:
            FolderUnusable: It could not be written whole.
        """
        size = self._size()
        record = pack_record(self._mark, kind, address, version, encoded)
        try:
            self._file.seek(size)
            left = memoryview(record)
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            self.take_back(size)
            raise FolderUnusable(self._path, error.strerror or error) from error
        return size + len(record)

    def take_back(self, size_bytes: int) -> None:
        """Cut off what was appended after this and is not acknowledged, by the owner of the folder's lock."""
        with suppress(OSError):  # then it stays, torn or whole, and is dealt with as after a crash
            if self._size() > size_bytes:
                os.ftruncate(self._file.fileno(), size_bytes)

    def close(self) -> None:
        """Let go of the file."""
        self._index.close()
        with suppress(OSError):  # what was appended is on the disk
            self._file.close()

    def _scan(self, end: int) -> None:
        begin = self._scanned_bytes
        if self._at_end is not None:
            self.faults.pop(self._at_end, None)
            begin, self._at_end = self._at_end.offset, None
        try:
            rows = self._rows(scan(self._file, self._mark, begin, end), end)
            self._index.execute("BEGIN")
            # The last record of an address is the one that counts.
            self._index.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?)", rows)
            self._index.execute("COMMIT")
        except (OSError, sqlite3.Error) as error:
            self._begin_anew()
            raise FolderUnusable(self._path, error) from error
        self._scanned_bytes = end

    def _rows(
        self, found: Iterator[tuple[ColdRecord | Damage, Place]], end: int
    ) -> Iterator[tuple[bytes, int, int, int, int]]:
        for item, place in found:
            if isinstance(item, Damage):
                fault = self._note(item.kind, place, item.address)
                self._at_end = fault if _end(place) == end else None
            else:
                self.latest_version = max(self.latest_version, item.version)
                yield _row_key(item.address), item.version, place.offset, place.length_bytes, item.kind

    def _begin_anew(self) -> None:
        """Somebody has cut the file, or it could not be read: what is known of it is not so any more."""
        self._index.close()
        self._index = _new_index()
        self._scanned_bytes = HEAD_BYTES
        self._at_end = None

    def _note(self, kind: Literal["torn", "damaged", "missing"], place: Place, address: Address | None = None) -> Fault:
        fault = Fault(tier=Tier.COLD, kind=kind, offset=place.offset, length_bytes=place.length_bytes, address=address)
        if len(self.faults) < MOST_FAULTS_KEPT:
            self.faults[fault] = None
        return fault

    def _read_mark(self) -> bytes:
        try:
            return read_head(self._file.read(HEAD_BYTES))
        except NoHead as error:
            if error.version is not None and error.version > FORMAT_VERSION:
                raise NewerFormat(self._path, error.version, FORMAT_VERSION) from None
            raise NotOurs(self._path, error) from None
        except OSError as error:
            raise FolderUnusable(self._path, error.strerror or error) from error

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _sync(self) -> None:
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise FolderUnusable(self._path, error.strerror or error) from error


def _new_index() -> sqlite3.Connection:
    index = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    index.executescript(_INDEX)
    return index


def _make(path: Path) -> None:
    """Make an empty file, whole or not at all."""
    beginning = path.with_suffix(".new")
    with beginning.open("wb") as file:
        file.write(pack_head(os.urandom(MARK_BYTES)))
        file.flush()
        os.fsync(file.fileno())
    beginning.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _row_key(address: Address) -> bytes:
    """No two addresses that there are share it: a namespace has no NUL."""
    return blake2b(f"{address.namespace}\0{address.key}".encode(), digest_size=16).digest()


def _end(place: Place) -> int:
    return place.offset + place.length_bytes
