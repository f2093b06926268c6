"""The memory layer of a session: its operations as methods, each of which asks its hook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dam_hrm.asking import ask
from dam_hrm.errors import HrmError
from dam_hrm.memory.addresses import address_of
from dam_hrm.memory.limits import Limits
from dam_hrm.memory.records import Records
from dam_hrm.memory.tiers import NEAR
from dam_hrm.memory.values import Address, Fault, Found, Shift, Shifted, Tier, WriteRequest, Written
from dam_hrm.names import name_of

if TYPE_CHECKING:
    from dam_hrm.session import Session


class Memory:
    """A session's memory. Sessions with the same folder share what is in warm and cold; hot is each one's own."""

    def __init__(self, session: Session, folder: Path | None, *, limits: Limits | None = None) -> None:
        """Keep records in this folder; `None`: in a temporary one that goes with the session."""
        self._session = session
        self.records = Records(folder, limits or Limits())
        """Where they are; for implementations of the hooks."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What was set aside in the cold file, as far as it has been read, in the order of finding."""
        return self.records.faults

    async def read(self, namespace: str, key: str) -> Found:
        """
        Read the newest record of an address, from the nearest tier that has it.

        Raises:
            BadAddress: There can be no such address.
            HookFailed: A hook failed; by default where the record is damaged or the folder cannot be used.
        """
        address = address_of(namespace, key)
        return await ask(self._session.hook.dam_hrm_memory_read, Found, session=self._session, address=address)

    async def write(
        self, namespace: str, key: str, value: Any, *, tier: Tier | str = Tier.WARM, summary_of: str | None = None
    ) -> Written:
        """
        Write a record in place of all others of its address, if the write approval gate allows it.

        Once this has returned, a record in warm or cold outlives any crash; one in hot is put down to warm when it
        has to leave, and when the session is closed.

        Args:
            namespace: Letters, digits, ``_`` and ``-``.
            key: Any text that prints.
            value: What JSON has: text, finite numbers, booleans, `None`, lists, and dicts with text as keys.
            tier: Where to.
            summary_of: The text that `value` is a summary of; only counted, not kept.

        Raises:
            BadAddress, NotJson, TooLarge, UnknownName: It cannot be kept. Nothing was written.
            HookFailed: A hook failed; by default where the folder cannot be used, and nothing was written.
        """
        address = address_of(namespace, key)
        self.records.encode(value)
        request = WriteRequest(address=address, value=value, tier=name_of(Tier, tier), summary_of=summary_of)
        return await ask(self._session.hook.dam_hrm_memory_write, Written, session=self._session, request=request)

    async def promote(self, namespace: str, key: str, to_tier: Tier | str | None = None) -> Shifted:
        """
        Bring a record nearer: by one tier if none is named.

        What comes to hot stays where it was, too, since hot goes with the process.

        Raises:
            BadAddress, UnknownName: There can be no such address, or tier.
            HookFailed: A hook failed; by default as for `read`. The record is where it was.
        """
        address = address_of(namespace, key)
        to = None if to_tier is None else name_of(Tier, to_tier)
        here = await self._where(address) or Tier.COLD
        shift = Shift(address=address, from_tier=here, to_tier=to or _next_to(here, -1))
        return await ask(self._session.hook.dam_hrm_memory_promote, Shifted, session=self._session, shift=shift)

    async def demote(self, namespace: str, key: str, to_tier: Tier | str | None = None) -> Shifted:
        """
        Put a record further away: by one tier if none is named.

        It is on the disk there before it leaves where it was.

        Raises:
            BadAddress, UnknownName: There can be no such address, or tier.
            HookFailed: A hook failed; by default as for `read`. The record is where it was.
        """
        address = address_of(namespace, key)
        to = None if to_tier is None else name_of(Tier, to_tier)
        here = await self._where(address) or Tier.HOT
        shift = Shift(address=address, from_tier=here, to_tier=to or _next_to(here, 1))
        return await ask(self._session.hook.dam_hrm_memory_demote, Shifted, session=self._session, shift=shift)

    async def _where(self, address: Address) -> Tier | None:
        try:
            return await self.records.where(address)
        except HrmError:  # the hook's implementation meets it again, and whoever watches the hook sees it
            return None

    async def close(self) -> None:
        """
        Wait for what is under way, put down to warm what only hot has, and let go of the files. Once is enough.

        Raises:
            FolderUnusable, MemoryBusy: What only hot has could not be put down; memory is open as before.
        """
        await self.records.close()


def _next_to(tier: Tier, step: int) -> Tier:
    return NEAR[min(max(NEAR.index(tier) + step, 0), len(NEAR) - 1)]
