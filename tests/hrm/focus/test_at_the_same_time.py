"""Tasks and threads share one focus: nothing is decided on what has changed, and no hook waits on the lock."""

from __future__ import annotations

import asyncio
from collections import Counter

from dam_hrm import hookimpl
from dam_hrm.focus.values import GateDecision, Stance


class AllAtOnce:
    """A gate that answers only when so many wait at it."""

    def __init__(self, parties):
        self.barrier = asyncio.Barrier(parties)

    @hookimpl
    async def dam_hrm_gate_framing(self):
        await self.barrier.wait()
        return GateDecision(allowed=True, reason="yes")


def test_of_changes_decided_at_once_one_is_made(play):
    """The others were decided about a stance that no longer holds."""

    async def work(session):
        changes = [session.focus.change_stance("discovery", reason="r") for _ in range(8)]
        return Counter(decision.reason for decision in await asyncio.gather(*changes)), session.focus.stance

    assert play(work, AllAtOnce(8)) == (
        {"yes": 1, "the stance is discovery by now, no longer sensemaking": 7},
        Stance.DISCOVERY,
    )


def test_threads_do_not_lose_turns_of_a_lease(play):
    """Every tick counts once."""

    async def work(session):
        await session.focus.open_lane("book", "write it", turns=1000)

        def ticks():
            async def many():
                for _ in range(100):
                    await session.focus.tick()

            asyncio.run(many())

        await asyncio.gather(*(asyncio.to_thread(ticks) for _ in range(4)))
        return session.focus.lane.turns_left

    assert play(work) == 600


def test_a_lease_ends_once(play):
    """For one of those who let its last turn pass."""

    async def work(session):
        await session.focus.open_lane("book", "write it", turns=1)
        ended = await asyncio.gather(*(asyncio.to_thread(asyncio.run, session.focus.tick()) for _ in range(4)))
        return sum(len(lanes) for lanes in ended)

    assert play(work) == 1


def test_lanes_opened_by_threads_leave_one_active(play):
    """Each that was opened is there."""

    async def work(session):
        def open_lanes(name):
            async def many():
                return [await session.focus.open_lane(f"{name}-{n}", "goal") for n in range(5)]

            return asyncio.run(many())

        decisions = await asyncio.gather(*(asyncio.to_thread(open_lanes, name) for name in "abcd"))
        opened = sum(decision.allowed for each in decisions for decision in each)
        statuses = Counter(lane.status for lane in session.focus.lanes)
        return opened == sum(statuses.values()), statuses["active"]

    assert play(work) == (True, 1)


HOOKS = [
    "dam_hrm_focus_stance_change", "dam_hrm_focus_gate_check", "dam_hrm_focus_lane_switch",
    "dam_hrm_focus_consent_check", "dam_hrm_focus_route", "dam_hrm_gate_framing", "dam_hrm_gate_commitment",
    "dam_hrm_gate_evaluation", "dam_hrm_gate_emergency", "dam_hrm_gate_write_approval", "dam_hrm_gate_agent_approval",
    "dam_hrm_ask_user", "dam_hrm_signal", "dam_hrm_reducer", "dam_hrm_agent",
]  # fmt: skip


def test_no_hook_is_asked_while_the_lock_is_held(play, lock_watch):
    """Not one of them, so a plugin may do with the session what it likes."""
    watch = lock_watch(HOOKS)

    async def work(session):
        focus = session.focus
        await focus.open_lane("book", "write it", turns=1)
        for stance in ("execution", "evaluation", "discovery"):
            await focus.change_stance(stance, reason="r")
        await focus.change_stance("sensemaking", gate="emergency", reason="r")
        await focus.pause_lane()
        await focus.resume_lane()
        await focus.tick()
        await focus.check("WriteApproval", namespace="user", key="a")
        await focus.route(await focus.signal("write"))

    play(work, watch)

    assert watch.asked == set(HOOKS)
    assert watch.held == []
