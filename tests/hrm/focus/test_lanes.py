"""Lanes: at most one active, leased for turns, left with a bookmark and the stance, and taken up again."""

from __future__ import annotations

import pytest
from dam_hrm import hookimpl
from dam_hrm.focus.lanes import MAX_LANES
from dam_hrm.focus.values import GateDecision, Lane, LaneSwitch, Stance

BOOK = Lane(lane_id="book", goal="write it", status="active", turns_left=10, stance=Stance.SENSEMAKING)


class Switches:
    """Notes every switch that is asked about."""

    def __init__(self):
        self.asked = []

    @hookimpl(tryfirst=True)
    def dam_hrm_focus_lane_switch(self, switch):
        self.asked.append((switch.summary, switch.reason, switch.leaves_as))


def lanes_of(session):
    return {
        lane.lane_id: (lane.status, lane.turns_left, lane.stance.value, lane.bookmark) for lane in session.focus.lanes
    }


def test_an_opened_lane_is_the_active_one(play):
    """With its goal and its lease."""

    async def work(session):
        decision = await session.focus.open_lane("book", "write it")
        return decision, session.focus.lane, session.focus.lanes

    assert play(work) == (GateDecision(allowed=True, reason="lane book is open for 10 turns"), BOOK, (BOOK,))


def test_a_second_lane_pauses_the_first(play):
    """Which keeps its turns and its bookmark, and can be gone on with."""

    async def work(session):
        await session.focus.open_lane("book", "write it", turns=3)
        await session.focus.tick()
        await session.focus.open_lane("taxes", "pay them", bookmark="page 7")
        await session.focus.tick()
        left = lanes_of(session)
        decision = await session.focus.switch_lane("book", bookmark="form B", reason="lunch is over")
        return left, decision, lanes_of(session)

    left, decision, back = play(work)

    assert left == {
        "book": ("paused", 2, "sensemaking", "page 7"),
        "taxes": ("active", 9, "sensemaking", ""),
    }
    assert decision == GateDecision(allowed=True, reason="lane book goes on at page 7")
    assert back == {
        "taxes": ("paused", 9, "sensemaking", "form B"),
        "book": ("active", 2, "sensemaking", "page 7"),
    }


def test_a_lane_goes_on_in_the_stance_it_was_left_in(play):
    """Through the gate that leads there, which knows the lane's goal."""

    async def work(session):
        await session.focus.open_lane("book", "write it")
        await session.focus.change_stance("execution")
        paused = await session.focus.pause_lane(bookmark="page 7")
        await session.focus.change_stance("discovery", reason="what else is there")
        resumed = await session.focus.resume_lane()
        return paused, resumed, session.focus.stance, lanes_of(session)

    assert play(work) == (
        GateDecision(allowed=True, reason="lane book is paused"),
        GateDecision(allowed=True, reason="lane book goes on at page 7"),
        Stance.EXECUTION,
        {"book": ("active", 10, "execution", "page 7")},
    )


def test_without_a_name_the_lane_paused_last_goes_on(play):
    """Not the one opened last."""

    async def work(session):
        for lane in ("a", "b", "c"):
            await session.focus.open_lane(lane, "goal")
        for lane in ("b", "a"):
            await session.focus.switch_lane(lane)
        await session.focus.pause_lane()
        resumed = []
        while (await session.focus.resume_lane()).allowed:
            resumed.append(session.focus.lane.lane_id)
            await session.focus.complete_lane()
        return resumed

    assert play(work) == ["a", "b", "c"]


class NoWayBack:
    @hookimpl
    def dam_hrm_gate_commitment(self, request):
        if request.context["reason"] == "lane book goes on":
            return GateDecision(allowed=False, reason="not today")
        return None


def test_a_lane_goes_on_in_another_stance_where_its_gate_is_shut(play):
    """The stance changes through gates only; the answer says what became of it."""

    async def work(session):
        await session.focus.open_lane("book", "write it")
        await session.focus.change_stance("execution")
        await session.focus.pause_lane()
        await session.focus.change_stance("discovery", reason="what else is there")
        return await session.focus.resume_lane("book"), session.focus.stance, lanes_of(session)

    reason = "lane book goes on; the stance stays discovery: not today"
    assert play(work, NoWayBack()) == (
        GateDecision(allowed=True, reason=reason),
        Stance.DISCOVERY,
        {"book": ("active", 10, "discovery", "")},
    )


def test_a_lane_opens_in_the_stance_that_holds_then(play):
    """Not in the one that held when its opening was asked about; and it brings no stance back."""

    class Slow:
        @hookimpl
        async def dam_hrm_focus_lane_switch(self, session):
            await session.focus.change_stance("discovery", reason="meanwhile")
            return GateDecision(allowed=True, reason="fine")

    async def work(session):
        decision = await session.focus.open_lane("book", "write it")
        return decision.reason, session.focus.stance, lanes_of(session)

    assert play(work, Slow()) == ("fine", Stance.DISCOVERY, {"book": ("active", 10, "discovery", "")})


def test_a_lease_ends_after_its_turns(play):
    """The lane is over, and the hook of the switch hears of it."""
    switches = Switches()

    async def work(session):
        await session.focus.open_lane("book", "write it", turns=2)
        return await session.focus.tick(), await session.focus.tick(), await session.focus.tick(), session.focus.lane

    first, second, third, active = play(work, switches)

    ended = Lane(lane_id="book", goal="write it", status="expired", turns_left=0, stance=Stance.SENSEMAKING)
    assert (first, second, third, active) == ((), (ended,), (), None)
    assert switches.asked == [
        ("-→book", "to write it", "paused"),
        ("book→-", "its lease is over", "expired"),
    ]


@pytest.mark.parametrize("answer", [GateDecision(allowed=False, reason="stay"), "nonsense"])
def test_no_plugin_keeps_a_lane_whose_lease_is_over(play, answer):
    """Nor can it make the turn fail."""

    class Clinging:
        @hookimpl
        def dam_hrm_focus_lane_switch(self, switch):
            return answer if switch.leaves_as == "expired" else None

    async def work(session):
        await session.focus.open_lane("book", "write it", turns=1)
        return await session.focus.tick(), session.focus.lanes

    ended, lanes = play(work, Clinging())

    assert ended == lanes
    assert [lane.status for lane in lanes] == ["expired"]


def test_a_paused_lane_keeps_its_turns(play):
    """Time passes for the active one."""

    async def work(session):
        await session.focus.open_lane("book", "write it", turns=2)
        await session.focus.pause_lane()
        for _ in range(5):
            await session.focus.tick()
        return lanes_of(session)

    assert play(work) == {"book": ("paused", 2, "sensemaking", "")}


def test_a_renewed_lane_has_its_turns_again(play):
    """One that had expired waits to be gone on with."""

    async def work(session):
        await session.focus.open_lane("book", "write it", turns=1)
        await session.focus.tick()
        shut = await session.focus.resume_lane("book")
        renewed = await session.focus.renew_lane("book", turns=4)
        after = lanes_of(session)
        await session.focus.resume_lane("book")
        await session.focus.renew_lane(turns=6)
        return shut, renewed, after, lanes_of(session)

    assert play(work) == (
        GateDecision(allowed=False, reason="lane book is expired: renew it"),
        GateDecision(allowed=True, reason="lane book has 4 turns"),
        {"book": ("paused", 4, "sensemaking", "")},
        {"book": ("active", 6, "sensemaking", "")},
    )


def test_a_completed_lane_may_be_opened_anew(play):
    """Under the same name, with another goal."""

    async def work(session):
        await session.focus.open_lane("book", "write it")
        done = await session.focus.complete_lane(reason="it is written")
        shut = await session.focus.switch_lane("book")
        await session.focus.open_lane("book", "sell it", turns=3)
        return done, shut, session.focus.lanes

    assert play(work) == (
        GateDecision(allowed=True, reason="lane book is completed"),
        GateDecision(allowed=False, reason="lane book is completed: open it anew"),
        (Lane(lane_id="book", goal="sell it", status="active", turns_left=3, stance=Stance.SENSEMAKING),),
    )


REFUSED = [
    (lambda focus: focus.pause_lane(), "no lane is active"),
    (lambda focus: focus.complete_lane(), "no lane is active"),
    (lambda focus: focus.resume_lane(), "no lane is paused"),
    (lambda focus: focus.renew_lane(), "no lane is active"),
    (lambda focus: focus.renew_lane("book"), "there is no lane book: open are none"),
    (lambda focus: focus.switch_lane("book"), "there is no lane book: open are none"),
    (lambda focus: focus.open_lane(" ", "x"), "a lane needs a name"),
    (lambda focus: focus.open_lane("book", "x", turns=0), "lane book needs a lease of one turn at least, not 0"),
]


@pytest.mark.parametrize(("operation", "reason"), REFUSED)
def test_what_cannot_be_is_refused_with_the_reason(play, operation, reason):
    """Never by an exception."""

    async def work(session):
        return await operation(session.focus), session.focus.lanes

    assert play(work) == (GateDecision(allowed=False, reason=reason), ())


REFUSED_BESIDE_A_LANE = [
    (lambda focus: focus.open_lane("book", "x"), "lane book is active: switch to it, or complete it first"),
    (lambda focus: focus.switch_lane("bok"), "there is no lane bok: did you mean book? open are book"),
    (lambda focus: focus.renew_lane(turns=-1), "lane book needs a lease of one turn at least, not -1"),
]


@pytest.mark.parametrize(("operation", "reason"), REFUSED_BESIDE_A_LANE)
def test_what_cannot_be_changes_nothing(play, operation, reason):
    """The lane that is active stays as it was."""

    async def work(session):
        await session.focus.open_lane("book", "write it")
        return await operation(session.focus), session.focus.lanes

    assert play(work) == (GateDecision(allowed=False, reason=reason), (BOOK,))


class Lenient:
    @hookimpl
    def dam_hrm_focus_lane_switch(self):
        return GateDecision(allowed=True, reason="why not")


@pytest.mark.parametrize(("operation", "reason"), [case for case in REFUSED if "renew" not in case[1]])
def test_no_plugin_can_allow_what_cannot_be(play, operation, reason):
    """It decides on what there is."""

    async def work(session):
        return await operation(session.focus), session.focus.lanes

    assert play(work, Lenient()) == (GateDecision(allowed=False, reason=reason), ())


def test_the_active_lane_is_switched_to_without_asking(play):
    """Nothing changes."""
    switches = Switches()

    async def work(session):
        await session.focus.open_lane("book", "write it")
        switches.asked.clear()
        return await session.focus.switch_lane("book")

    assert play(work, switches) == GateDecision(allowed=True, reason="lane book is active already")
    assert switches.asked == []


def test_so_many_lanes_are_kept(play):
    """The ones that ended first are forgotten first; open ones never are."""

    async def work(session):
        for number in range(MAX_LANES + 3):
            await session.focus.open_lane(f"done-{number}", "x")
            await session.focus.complete_lane()
        kept = [lane.lane_id for lane in session.focus.lanes]
        for number in range(MAX_LANES):
            await session.focus.open_lane(f"open-{number}", "x")
        return kept, await session.focus.open_lane("more", "x"), len(session.focus.lanes)

    kept, more, count = play(work)

    assert kept == [f"done-{number}" for number in range(3, MAX_LANES + 3)]
    assert more == GateDecision(allowed=False, reason=f"{MAX_LANES} lanes are open: complete one first")
    assert count == MAX_LANES


def test_a_switch_says_itself_in_short():
    """For the trace."""
    assert LaneSwitch(from_lane=None, to_lane="book").summary == "-→book"
    assert LaneSwitch(from_lane="book", to_lane=None).summary == "book→-"
