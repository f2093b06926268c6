"""
The hot tier: records in the process, bounded in number and bytes, the least recently used first to go.

It only keeps; whether a record is the newest of its address, and where one goes that has to
leave, is `tiers`' business. For any number of threads.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

from dam_hrm.memory.values import Address


@dataclass(frozen=True, slots=True)
class HotRecord:
    """A record in the hot tier."""

    encoded: bytes
    version: int
    kept_below: bool
    """The same version is in warm or cold, so it may be forgotten here."""
    checked: int | None
    """The folder's state in which it was known to be the newest; `None`: it may not be."""


class Hot:
    """The records, the least recently used one first."""

    def __init__(self, most_entries: int, most_bytes: int) -> None:
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._records: OrderedDict[Address, HotRecord] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, address: Address) -> HotRecord | None:
        """Give a record and make it the last that was used."""
        with self._lock:
            record = self._records.get(address)
            if record is not None:
                self._records.move_to_end(address)
            return record

    def could_hold(self, address: Address, encoded: bytes) -> bool:
        """Tell whether there would be room for a record if all others went."""
        return self._most_entries > 0 and _size(address, encoded) <= self._most_bytes

    def put(self, address: Address, record: HotRecord) -> bool:
        """
        Keep a record in place of an older one; a newer one stays.

        Returns:
            Whether there was room; if not, nothing has changed.
        """
        with self._lock:
            if self._leave_first(address, record.encoded):
                return False
            before = self._records.get(address)
            if before is None or before.version <= record.version:
                self._remove(address)
                self._records[address] = record
                self._bytes += _size(address, record.encoded)
            return True

    def to_leave(self, address: Address, encoded: bytes) -> list[Address]:
        """Name the records that have to leave, the least recently used first, before this one has room."""
        with self._lock:
            return self._leave_first(address, encoded)

    def check(self, address: Address, version: int, state: int | None) -> None:
        """Note that this version was the newest in a state of the folder; `None`: in one that is not known."""
        with self._lock:
            record = self._records.get(address)
            if record is not None and record.version == version:
                self._records[address] = replace(record, checked=state)

    def drop(self, address: Address, up_to_version: int) -> None:
        """Forget a record of this version or an older one."""
        with self._lock:
            record = self._records.get(address)
            if record is not None and record.version <= up_to_version:
                self._remove(address)

    def only_here(self) -> list[Address]:
        """Name the records that no other tier has."""
        with self._lock:
            return [address for address, record in self._records.items() if not record.kept_below]

    def _leave_first(self, address: Address, encoded: bytes) -> list[Address]:
        old = self._records.get(address)
        entries = len(self._records) + (old is None)
        size = self._bytes + _size(address, encoded) - (0 if old is None else _size(address, old.encoded))
        leaving = []
        for other, record in self._records.items():
            if entries <= self._most_entries and size <= self._most_bytes:
                break
            if other != address:
                leaving.append(other)
                entries -= 1
                size -= _size(other, record.encoded)
        return leaving

    def _remove(self, address: Address) -> None:
        record = self._records.pop(address, None)
        if record is not None:
            self._bytes -= _size(address, record.encoded)


def _size(address: Address, encoded: bytes) -> int:
    return len(address.namespace) + len(address.key) + len(encoded)
