"""
The three tiers as one: which record of an address is the newest, and how records move.

Of an address' records in all tiers the one with the highest version counts; of equal ones, as a
move leaves them if it is cut short, the nearest. A write to any tier makes what the others have
of the address stale. What is in hot alone is gone with the process; what a write or a move has
put into warm or cold is on the disk when it returns. A copy in hot of what is in warm or cold
does not take it from there. What waits in hot counts until somebody puts something of its address
into the folder: it never takes the place of what was acknowledged after it.

All but `read_at_once` and `write_at_once` wait for the disk and are for one thread at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dam_hrm.errors import HrmError
from dam_hrm.memory.cold import Cold, Entry
from dam_hrm.memory.coldfile import Damage, Kind
from dam_hrm.memory.errors import FolderUnusable, MemoryBusy, RecordDamaged
from dam_hrm.memory.folder import FolderLock
from dam_hrm.memory.hot import Hot, HotRecord
from dam_hrm.memory.limits import Limits
from dam_hrm.memory.values import Address, Fault, Tier
from dam_hrm.memory.versions import Versions
from dam_hrm.memory.warm import FolderState, Warm, WarmRecord

WARM_FILE: Final = "warm.sqlite"
COLD_FILE: Final = "cold.records"

NEAR: Final = (Tier.HOT, Tier.WARM, Tier.COLD)
"""The nearest first."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a move."""

    moved: bool
    from_tier: Tier | None
    """Where the record was; `None` where there is none."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest record of an address."""

    version: int
    tier: Tier
    encoded: bytes | None = None
    """`None` for one in cold."""
    entry: Entry | None = None
    """Where it is in cold; `None` for one that should be there and cannot be found."""


class Tiers:
    """A session's records in all tiers."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        """
        Open a folder, or make it.

        Raises:
            FolderUnusable, MemoryBusy, NewerFormat, NotOurs: It cannot be.
        """
        self._limits = limits
        self._cold_path = folder / COLD_FILE
        self._hot = Hot(limits.hot_entries, limits.hot_bytes)
        self._versions = Versions(0)
        self._watching = threading.Lock()
        self._seen_state: int | None = None
        """The state of the folder whose versions have all been seen."""
        self._lock = FolderLock(folder)
        try:
            with self._lock.held(limits.busy_timeout_s):
                self._warm = Warm(folder / WARM_FILE, busy_timeout_s=limits.busy_timeout_s)
                self._cold = self._open_cold()
        except BaseException:
            self._lock.close()
            raise
        try:
            self._versions = Versions(self._begin())
        except BaseException:
            self.close()
            raise

    # -- at once

    def read_at_once(self, address: Address) -> bytes | None:
        """Give what hot has, if nothing can be newer; `None`: ask `read`."""
        record = self._hot.get(address)
        if record is None or record.checked is None or record.checked != self._state():
            return None
        return record.encoded

    def write_at_once(self, address: Address, encoded: bytes) -> bool:
        """Write to hot, if there is room and all versions are known; if not, ask `write`."""
        state = self._state()
        if state is None or state != self._seen_state or not self._hot.could_hold(address, encoded):
            return False
        version = self._versions.for_hot()
        return version is not None and self._hot.put(address, HotRecord(encoded, version, False, state))

    def to_leave(self, address: Address, encoded: bytes) -> list[Address]:
        """Name what would have to leave hot before this had room in it."""
        return self._hot.to_leave(address, encoded) if self._hot.could_hold(address, encoded) else []

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What was set aside so far, in the order of finding."""
        return tuple(self._cold.faults)

    # -- reading and writing

    def where(self, address: Address) -> Tier | None:
        """Say in which tier the newest record is."""
        newest = self._find(address)
        return None if newest is None else newest.tier

    def read(self, address: Address) -> tuple[Tier, bytes] | None:
        """
        Give the newest record.

        Raises:
            RecordDamaged: It cannot be read.
            FolderUnusable, MemoryBusy: The folder cannot.
        """
        newest = self._find(address)
        return None if newest is None else (newest.tier, self._encoded(address, newest))

    def write(self, address: Address, encoded: bytes, tier: Tier) -> Tier:
        """
        Write a record, in place of all others of its address.

        Returns:
            Where it is; it is in warm where hot is too small for it.

        Raises:
            FolderUnusable, MemoryBusy: Nothing was written.
        """
        if tier is Tier.HOT and self._hot.could_hold(address, encoded):
            self._write_hot(address, encoded)
            return Tier.HOT
        tier = Tier.WARM if tier is Tier.HOT else tier
        with self._writing() as version:
            self._put(address, version, encoded, tier)
        self._hot.drop(address, version)
        return tier

    # -- moving

    def promote(self, address: Address, to_tier: Tier) -> Moved:
        """
        Bring the newest record nearer.

        Raises:
            RecordDamaged: It cannot be read.
            FolderUnusable, MemoryBusy: It is where it was.
        """
        if to_tier is Tier.HOT:
            return self._copy_to_hot(address)
        with self._writing():
            newest = self._newest(address)
            if newest is None or NEAR.index(newest.tier) <= NEAR.index(to_tier):
                return _stays(newest, to_tier)
            self._put(address, newest.version, self._encoded(address, newest), to_tier)
        return Moved(True, newest.tier, self._clear_cold(address))

    def demote(self, address: Address, to_tier: Tier) -> Moved:
        """
        Put the newest record further away.

        Raises:
            RecordDamaged: It cannot be read.
            FolderUnusable, MemoryBusy: It is where it was.
        """
        with self._writing() as version:
            newest = self._newest(address)
            if newest is None or NEAR.index(newest.tier) >= NEAR.index(to_tier):
                return _stays(newest, to_tier)
            if newest.tier is Tier.HOT:
                self._put_down(address, newest.version, self._encoded(address, newest), to_tier, version)
            else:
                self._put(address, newest.version, self._encoded(address, newest), to_tier)
        self._hot.drop(address, newest.version)
        return Moved(True, newest.tier, self._clear_cold(address))

    def flush(self) -> None:
        """
        Put down to warm what only hot has.

        Raises:
            FolderUnusable, MemoryBusy: It is in hot still.
        """
        self._leave(self._hot.only_here())

    def close(self) -> None:
        """Let go of the folder; what only hot has is gone."""
        self._cold.close()
        with self._watching:
            self._warm.close()
        self._lock.close()

    # -- within

    def _open_cold(self) -> Cold:
        try:
            return Cold(self._cold_path)
        except BaseException:
            self._warm.close()
            raise

    def _begin(self) -> int:
        """Make the index, most of it while others may write, and take a number."""
        with self._warm.reading() as folder:
            self._know(folder)
        with self._writing():
            return self._warm.next_session_number()

    def _state(self) -> int | None:
        with self._watching:
            try:
                return self._warm.state()
            except HrmError:  # whoever goes the long way then meets it again, and says so
                return None

    def _see(self) -> int | None:
        """Know of all versions in the folder; gives the state in which they are all."""
        state = self._state()
        with self._warm.reading() as folder:
            self._know(folder)
        self._seen_state = state
        return state

    def _know(self, folder: FolderState) -> None:
        self._cold.catch_up(folder.cold_bytes)
        self._versions.see(max(folder.latest_version, self._cold.latest_version))

    def _find(self, address: Address) -> _Newest | None:
        state = self._state()
        with self._warm.reading() as folder:
            self._know(folder)
            newest = self._newest(address)
        self._seen_state = state
        if newest is not None and newest.tier is Tier.HOT:
            self._hot.check(address, newest.version, state)
        return newest

    def _newest(self, address: Address) -> _Newest | None:
        """Find the newest record; within one of warm's transactions."""
        below = self._newest_below(address)
        record = self._hot.get(address)
        if record is None:
            return below
        if below is None or record.version >= below.version:
            return _Newest(record.version, Tier.HOT, record.encoded)
        self._hot.drop(address, record.version)
        return below

    def _newest_below(self, address: Address) -> _Newest | None:
        row = self._warm.get(address)
        entry = self._cold.get(address)
        if entry is not None and (row is None or entry.version > row.version):
            return _Newest(entry.version, Tier.COLD, entry=entry)
        if row is None:
            return None
        if row.tier is Tier.COLD:
            found = entry if entry is not None and entry.version == row.version else None
            return _Newest(row.version, Tier.COLD, entry=found)
        return _Newest(row.version, Tier.WARM, row.encoded)

    def _encoded(self, address: Address, newest: _Newest) -> bytes:
        if newest.encoded is not None:
            return newest.encoded
        if newest.entry is None:
            raise RecordDamaged(address.summary, self._cold_path)
        try:
            return self._cold.read(address, newest.entry)
        except Damage:
            raise RecordDamaged(address.summary, self._cold_path) from None

    @contextmanager
    def _writing(self) -> Iterator[int]:
        """
        Be the only one who changes the folder, and know all that is in it; all of it happens, or nothing.

        Yields:
            The version of what is written.
        """
        with self._lock.held(self._limits.busy_timeout_s):
            self._warm.check_there()
            self._cold.check_there()
            cold_bytes: int | None = None
            try:
                with self._warm.writing() as folder:
                    self._know(folder)
                    cold_bytes = self._cold.settle(folder.cold_bytes)
                    self._versions.see(self._cold.latest_version)
                    if cold_bytes != folder.cold_bytes:
                        self._warm.acknowledge_cold(cold_bytes)
                    yield self._versions.for_folder()
            except BaseException:
                if cold_bytes is not None:
                    self._cold.take_back(cold_bytes)
                raise

    def _write_hot(self, address: Address, encoded: bytes) -> None:
        state = self._see()
        version = self._versions.for_hot()
        while version is None:
            with self._writing() as newer:
                self._warm.advance(newer)
            state = self._see()
            version = self._versions.for_hot()
        self._put_hot(address, HotRecord(encoded, version, kept_below=False, checked=state))

    def _put(self, address: Address, version: int, encoded: bytes, tier: Tier) -> None:
        if tier is Tier.COLD:
            self._warm.acknowledge_cold(self._cold.append(Kind.VALUE, address, version, encoded))
            self._warm.put(address, WarmRecord(version, Tier.COLD, None))
        else:
            self._warm.put(address, WarmRecord(version, Tier.WARM, encoded))

    def _put_down(self, address: Address, version: int, encoded: bytes, tier: Tier, as_version: int) -> None:
        """
        Write what is to leave hot, unless the folder has it there, or something newer.

        What is new to the folder is now as new as anything written to it now: what others have in hot is older.
        """
        below = self._newest_below(address)
        if below is None or below.version < version:
            self._put(address, as_version, encoded, tier)
        elif below.version == version and below.tier is not tier:
            self._put(address, version, encoded, tier)

    def _copy_to_hot(self, address: Address) -> Moved:
        newest = self._find(address)
        if newest is None or newest.tier is Tier.HOT:
            return _stays(newest, Tier.HOT)
        encoded = self._encoded(address, newest)
        if not self._hot.could_hold(address, encoded):
            return Moved(False, newest.tier, "it is larger than the hot tier may be")
        self._put_hot(address, HotRecord(encoded, newest.version, kept_below=True, checked=None))
        return Moved(True, newest.tier)

    def _clear_cold(self, address: Address) -> str:
        """Take out of cold what has come to warm; gives what is to be said if that failed, which loses nothing."""
        if self._cold.get(address) is None:
            return ""
        try:
            with self._writing():
                row, entry = self._warm.get(address), self._cold.get(address)
                if row is not None and entry is not None and row.tier is Tier.WARM and row.version >= entry.version:
                    self._warm.acknowledge_cold(self._cold.append(Kind.GONE, address, entry.version))
        except (FolderUnusable, MemoryBusy) as error:
            return f"its copy in cold stays for now: {error}"
        return ""

    def _put_hot(self, address: Address, record: HotRecord) -> None:
        while not self._hot.put(address, record):
            self._leave(self._hot.to_leave(address, record.encoded))

    def _leave(self, addresses: list[Address]) -> None:
        """Have records leave hot, those first on the disk that are nowhere else."""
        leaving = [(address, record) for address in addresses if (record := self._hot.get(address)) is not None]
        if any(not record.kept_below for _, record in leaving):
            with self._writing() as version:
                for address, record in leaving:
                    if not record.kept_below:
                        self._put_down(address, record.version, record.encoded, Tier.WARM, version)
        for address, record in leaving:
            self._hot.drop(address, record.version)


def _stays(newest: _Newest | None, to_tier: Tier) -> Moved:
    if newest is None:
        return Moved(False, None, "there is no such record")
    if newest.tier is to_tier:
        return Moved(False, newest.tier, f"it is in {to_tier.value} already")
    side = "nearer" if NEAR.index(newest.tier) < NEAR.index(to_tier) else "further away"
    return Moved(False, newest.tier, f"it is in {newest.tier.value}, which is {side}")
