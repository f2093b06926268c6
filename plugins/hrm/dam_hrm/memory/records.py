"""
Records for tasks of any event loop: one thread does what waits for a disk, in the order in which it was asked.

The folder is opened by the first operation. The hook implementations that come with dam_hrm keep
records here; a plugin's may keep them elsewhere.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from dam_hrm.memory.coldfile import MOST_VALUE_BYTES
from dam_hrm.memory.errors import FolderUnusable, MemoryClosed, RecordDamaged
from dam_hrm.memory.jsonvalue import decode, encode
from dam_hrm.memory.limits import Limits
from dam_hrm.memory.tiers import Moved, Tiers
from dam_hrm.memory.values import Address, Fault, Found, Shift, Shifted, Tier

_Answer = TypeVar("_Answer")


class Records:
    """A session's records, open from the first operation on."""

    def __init__(self, folder: Path | None, limits: Limits) -> None:
        """Keep them in this folder; `None`: in one of its own, which goes with it."""
        self._limits = limits
        self._opened = _Opened(folder)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dam_hrm-memory")
        self._lock = threading.Lock()
        self._ending: Future[None] | None = None
        weakref.finalize(self, self._opened.let_go)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What was set aside in the cold file, as far as it has been read."""
        return self._opened.faults()

    def encode(self, value: Any) -> bytes:
        """
        Give a value's bytes.

        Raises:
            NotJson, TooLarge: It cannot be kept.
        """
        return encode(value, min(self._limits.value_bytes, MOST_VALUE_BYTES))

    async def read(self, address: Address) -> Found:
        """
        Give the newest record from the nearest tier that has it.

        Raises:
            RecordDamaged: It cannot be read.
            FolderUnusable, MemoryBusy, MemoryClosed, NewerFormat, NotOurs: The folder cannot.
        """
        at_once = self._check().read_at_once(address)
        if at_once is not None:
            return Found(address=address, tier=Tier.HOT, value=decode(at_once))
        found = await self._do(lambda tiers: tiers.read(address))
        if found is None:
            return Found(address=address, tier=None)
        tier, encoded = found
        try:
            return Found(address=address, tier=tier, value=decode(encoded))
        except ValueError:
            raise RecordDamaged(address.summary, tier.value) from None

    async def write(self, address: Address, value: Any, tier: Tier) -> Tier:
        """
        Write a record; in warm or cold, it is on the disk when this returns.

        Returns:
            Where it is: in warm where hot is too small for it.

        Raises:
            NotJson, TooLarge: It cannot be kept.
            FolderUnusable, MemoryBusy, MemoryClosed, NewerFormat, NotOurs: It was not written.
        """
        encoded = self.encode(value)
        if tier is Tier.HOT and self._check().write_at_once(address, encoded):
            return Tier.HOT
        return await self._do(lambda tiers: tiers.write(address, encoded, tier))

    async def where(self, address: Address) -> Tier | None:
        """Say in which tier the newest record is; `None`: in none. Raises as `read`."""
        return await self._do(lambda tiers: tiers.where(address))

    async def to_leave_hot(self, address: Address, value: Any) -> list[Address]:
        """Name the records that have to leave hot, the least recently used first, before this one has room."""
        encoded = self.encode(value)
        return self._check().to_leave(address, encoded)

    async def promote(self, shift: Shift) -> Shifted:
        """Bring a record nearer, from wherever it is. Raises as `read`; it is where it was then."""
        return _shifted(shift, await self._do(lambda tiers: tiers.promote(shift.address, shift.to_tier)))

    async def demote(self, shift: Shift) -> Shifted:
        """Put a record further away, from wherever it is. Raises as `read`; it is where it was then."""
        return _shifted(shift, await self._do(lambda tiers: tiers.demote(shift.address, shift.to_tier)))

    async def close(self) -> None:
        """
        Wait for what is under way, put down to warm what only hot has, and let go of the folder.

        A second time it does nothing more.

        Raises:
            FolderUnusable, MemoryBusy: What only hot has could not be put down; all is as it was.
        """
        if self._opened.is_elsewhere():
            return
        with self._lock:
            if self._ending is None:
                self._ending = self._thread.submit(self._end)
            ending = self._ending
        await asyncio.shield(asyncio.wrap_future(ending))

    def _end(self) -> None:
        try:
            self._opened.flush()
        except BaseException:
            with self._lock:
                self._ending = None
            raise
        self._opened.let_go()
        self._thread.shutdown(wait=False)

    def _check(self) -> Tiers | _NoTiers:
        if self._opened.is_elsewhere():
            raise MemoryClosed("belongs to the process that began it, and this one was forked off")
        if self._ending is not None:
            raise MemoryClosed("is closed")
        return self._opened.tiers or _NO_TIERS

    async def _do(self, work: Callable[[Tiers], _Answer]) -> _Answer:
        context = contextvars.copy_context()
        with self._lock:
            self._check()
            done = self._thread.submit(context.run, self._work, work)
        return await asyncio.wrap_future(done)

    def _work(self, work: Callable[[Tiers], _Answer]) -> _Answer:
        return work(self._opened.open(self._limits))


class _NoTiers:
    """What hot knows before it has begun: nothing."""

    def read_at_once(self, address: Address) -> bytes | None:
        return None

    def write_at_once(self, address: Address, encoded: bytes) -> bool:
        return False

    def to_leave(self, address: Address, encoded: bytes) -> list[Address]:
        return []


_NO_TIERS = _NoTiers()


_FORKED_OFF: list[Tiers | None] = []
"""What came along with a fork: SQLite's connections must not even be closed in a process that did not open them."""


class _Opened:
    """What has to be let go of, also where nobody closes it."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None else Path(folder).absolute()
        self._own_folder: Path | None = None
        self._process = os.getpid()
        self._faults: tuple[Fault, ...] = ()
        self.tiers: Tiers | None = None

    def is_elsewhere(self) -> bool:
        """Tell whether this process is a fork of the one whose it is."""
        return self._process != os.getpid()

    def open(self, limits: Limits) -> Tiers:
        """Give the tiers; opens them if they are not."""
        if self.tiers is None:
            if self._folder is None and self._own_folder is None:
                self._own_folder = _temporary_folder()
            self.tiers = Tiers(self._folder or self._own_folder or Path(), limits)
        return self.tiers

    def faults(self) -> tuple[Fault, ...]:
        """Give what was found so far."""
        return self._faults if self.tiers is None else self.tiers.faults

    def flush(self) -> None:
        """Put down to warm what only hot has, where somebody may read it later."""
        if self.tiers is not None and self._folder is not None:
            self.tiers.flush()

    def let_go(self) -> None:
        """Close the files, and delete the folder if it is none that was given."""
        if self.is_elsewhere():
            _FORKED_OFF.append(self.tiers)
            return
        if self.tiers is not None:
            self._faults = self.tiers.faults
            tiers, self.tiers = self.tiers, None
            tiers.close()
        if self._own_folder is not None:
            shutil.rmtree(self._own_folder, ignore_errors=True)
            self._own_folder = None


def _temporary_folder() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="dam-hrm-"))
    except OSError as error:
        raise FolderUnusable(Path(tempfile.gettempdir()), error.strerror or error) from error


def _shifted(shift: Shift, moved: Moved) -> Shifted:
    if moved.from_tier is not None and moved.from_tier is not shift.from_tier:
        shift = Shift(address=shift.address, from_tier=moved.from_tier, to_tier=shift.to_tier)
    return Shifted(shift=shift, moved=moved.moved, reason=moved.reason)
