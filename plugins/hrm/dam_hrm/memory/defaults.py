"""What memory does by itself: records are kept in the session's own tiers, writes pass the write approval gate."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from dam_hrm.focus.values import GateType
from dam_hrm.hookspecs import hookimpl
from dam_hrm.memory.jsonvalue import as_text
from dam_hrm.memory.tokens import saved
from dam_hrm.memory.values import Address, Found, Shift, Shifted, Tier, WriteRequest, Written

if TYPE_CHECKING:
    from dam_hrm.session import Session


_COUNTED_AT_ONCE: Final = 20_000
"""Characters; longer texts take more than a few milliseconds and are counted in another thread."""


@hookimpl(trylast=True)
async def dam_hrm_memory_read(session: Session, address: Address) -> Found:
    """Read it."""
    return await session.memory.records.read(address)


@hookimpl(trylast=True)
async def dam_hrm_memory_write(session: Session, request: WriteRequest) -> Written:
    """Ask the gate; write. Where hot is full, what was not used for longest is demoted first."""
    address, tier = request.address, request.tier
    decision = await session.focus.check(
        GateType.WRITE_APPROVAL, namespace=address.namespace, key=address.key, tier=tier.value
    )
    if not decision.allowed:
        return Written(address=address, tier=tier, allowed=False, reason=decision.reason)
    records = session.memory.records
    if tier is Tier.HOT:
        await _make_room(session, address, request.value)
    there = await records.write(address, request.value, tier)
    tokens_saved = await _tokens_saved(request)
    reason = decision.reason if there is tier else f"{decision.reason}; too large for {tier.value}".removeprefix("; ")
    return Written(address=address, tier=there, allowed=True, reason=reason, tokens_saved=tokens_saved)


@hookimpl(trylast=True)
async def dam_hrm_memory_promote(session: Session, shift: Shift) -> Shifted:
    """Bring it nearer; where hot is full, what was not used for longest is demoted first."""
    if shift.to_tier is Tier.HOT and shift.from_tier is not Tier.HOT:
        found = await session.memory.records.read(shift.address)
        if found.tier is not None:
            await _make_room(session, shift.address, found.value)
    return await session.memory.records.promote(shift)


@hookimpl(trylast=True)
async def dam_hrm_memory_demote(session: Session, shift: Shift) -> Shifted:
    """Put it further away."""
    return await session.memory.records.demote(shift)


async def _tokens_saved(request: WriteRequest) -> int | None:
    if request.summary_of is None:
        return None
    summary = as_text(request.value)
    if len(request.summary_of) + len(summary) <= _COUNTED_AT_ONCE:
        return saved(request.summary_of, summary)
    return await asyncio.to_thread(saved, request.summary_of, summary)


async def _make_room(session: Session, address: Address, value: object) -> None:
    """Demote what has to leave hot, so that it is seen; what is kept from it leaves when the room is taken."""
    for leaving in await session.memory.records.to_leave_hot(address, value):
        await session.memory.demote(leaving.namespace, leaving.key)
