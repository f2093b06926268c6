"""One stance at a time, changed only through a gate that leads there."""

from __future__ import annotations

from itertools import product

import pytest
from dam_hrm import UnknownName, hookimpl
from dam_hrm.focus.stances import LEADS_TO, gate_to
from dam_hrm.focus.values import GateDecision, GateType, Stance, StanceChange

YES = GateDecision(allowed=True, reason="yes")
NO = GateDecision(allowed=False, reason="no")


class Gates:
    """Every gate answers the same, and is noted."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    @hookimpl
    def dam_hrm_focus_gate_check(self, request):
        self.asked.append((request.gate_type, dict(request.context)))
        return self.answer


def in_stance(stance, then):
    """Bring a session into a stance, and go on."""

    async def work(session):
        await session.focus.change_stance(stance)
        assert session.focus.stance is stance
        return await then(session)

    return work


@pytest.mark.parametrize(("before", "after"), [pair for pair in product(Stance, Stance) if len(set(pair)) == 2])
def test_every_stance_is_reached_from_every_other_through_its_gate(play, before, after):
    """The gate is asked about the very change."""
    gates = Gates(YES)

    async def change(session):
        gates.asked.clear()
        decision = await session.focus.change_stance(after.value, reason="so it is")
        return decision, session.focus.stance

    assert play(in_stance(before, change), gates) == (YES, after)
    expected = {"from_stance": before.value, "to_stance": after.value, "reason": "so it is", "lane": "", "goal": ""}
    assert gates.asked == [(gate_to(after), expected)]


@pytest.mark.parametrize(("gate", "after"), list(product(GateType, [Stance.DISCOVERY, Stance.EXECUTION])))
def test_a_gate_leads_only_where_it_leads(play, gate, after):
    """Another one is not even asked, and the answer names the right one."""
    gates = Gates(YES)

    async def change(session):
        return await session.focus.change_stance(after, gate=gate), session.focus.stance

    decision, stance = play(change, gates)

    if after in LEADS_TO.get(gate, ()):
        assert (decision, stance) == (YES, after)
    else:
        assert (decision.allowed, stance, gates.asked) == (False, Stance.SENSEMAKING, [])
        assert decision.reason == f"the {gate} gate does not lead to {after}: {gate_to(after)} does"


def test_a_denied_gate_leaves_the_stance(play):
    """And its reason is the answer."""
    gates = Gates(YES)

    async def change(session):
        gates.answer = NO
        decision = await session.focus.change_stance("sensemaking", gate="emergency", reason="fire")
        return decision, session.focus.stance

    assert play(in_stance(Stance.EXECUTION, change), gates) == (NO, Stance.EXECUTION)


def test_the_stance_that_holds_asks_nobody(play):
    """Nothing changes."""
    gates = Gates(NO)

    async def change(session):
        return await session.focus.change_stance("Sensemaking")

    assert play(change, gates) == GateDecision(allowed=True, reason="the stance is sensemaking already")
    assert gates.asked == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"to": "excution"}, r"unknown stance 'excution': did you mean execution\?"),
        ({"to": "discovery", "gate": "Fraiming"}, r"unknown gatetype 'Fraiming': did you mean Framing\?"),
    ],
)
def test_a_name_that_there_is_not_is_an_error(play, arguments, message):
    """With the nearest one."""

    async def change(session):
        await session.focus.change_stance(**arguments)

    with pytest.raises(UnknownName, match=message):
        play(change)


class Lenient:
    """Allows every change without asking any gate."""

    @hookimpl
    def dam_hrm_focus_stance_change(self):
        return YES


def test_a_plugin_that_decides_on_changes_cannot_use_a_gate_that_leads_elsewhere(play):
    """What it allows is held against the table of the gates."""

    async def change(session):
        through_wrong = await session.focus.change_stance("execution", gate="evaluation")
        return through_wrong.allowed, session.focus.stance, await session.focus.change_stance("execution")

    assert play(change, Lenient()) == (False, Stance.SENSEMAKING, YES)


class Overtaking:
    """While the gate to execution is asked, the session goes to discovery."""

    @hookimpl
    async def dam_hrm_gate_commitment(self, session):
        await session.focus.change_stance("discovery", reason="look first")
        return YES


def test_a_decision_about_another_stance_is_not_applied(play):
    """Who was asked about leaving sensemaking did not allow to leave discovery."""

    async def change(session):
        return await session.focus.change_stance("execution"), session.focus.stance

    decision, stance = play(change, Overtaking())

    assert decision == GateDecision(allowed=False, reason="the stance is discovery by now, no longer sensemaking")
    assert stance is Stance.DISCOVERY


def test_a_change_says_itself_in_short():
    """For the trace."""
    change = StanceChange(from_stance=Stance.SENSEMAKING, to_stance=Stance.EXECUTION, gate=GateType.COMMITMENT)

    assert change.summary == "sensemaking→execution"
