"""The gates' plain rules; and whatever a gate's plugin does wrong is a denial that says who and what."""

from __future__ import annotations

import asyncio

import pytest
from dam_hrm import UnknownName, hookimpl
from dam_hrm.focus.gates import HOOKS
from dam_hrm.focus.values import Consent, GateDecision, GateType, Stance

RULES = [
    ("framing", {"to_stance": "sensemaking"}, True, "there is something to make sense of"),
    ("framing", {"to_stance": "discovery"}, False, "it is not clear what to look for: give the reason"),
    ("framing", {"to_stance": "discovery", "reason": "two offers"}, True, "it is clear what matters: two offers"),
    ("framing", {"from_stance": "execution"}, False, "something is being done: give the reason to leave it"),
    ("framing", {"from_stance": "execution", "reason": "rain"}, True, "it is clear what matters: rain"),
    ("framing", {"reason": 7, "to_stance": "discovery"}, False, "it is not clear what to look for: give the reason"),
    ("commitment", {}, False, "there is no goal: open a lane with one, or give it"),
    ("commitment", {"goal": "  "}, False, "there is no goal: open a lane with one, or give it"),
    ("commitment", {"goal": "a book"}, True, "the goal is a book"),
    ("evaluation", {}, False, "there is nothing to look back at: nothing is being done, and no lane is active"),
    ("evaluation", {"from_stance": "execution"}, True, "there is what was being done to look back at"),
    ("evaluation", {"lane": "book"}, True, "there is lane book to look back at"),
    ("evaluation", {"lane": "book", "reason": "chapter 1"}, True, "there is chapter 1 to look back at"),
    ("emergency", {}, False, "an emergency needs a reason"),
    ("emergency", {"reason": "fire"}, True, "stopped: fire"),
    ("write approval", {"namespace": "notes"}, False, "a write needs a namespace and a key"),
    ("write approval", {"namespace": "notes", "key": "a"}, True, "notes is no personal namespace"),
    ("write approval", {"namespace": "users", "key": "a"}, True, "users is no personal namespace"),
    ("write approval", {"namespace": "user", "key": "a"}, False, "nobody is there to ask for memory.write on user.a"),
    ("agent approval", {}, False, "an agent needs a name"),
    ("agent approval", {"agent": "planner", "bundle": "work"}, True, "nobody said no to planner"),
]


@pytest.mark.parametrize(("gate", "context", "allowed", "reason"), RULES)
def test_the_built_in_gates_go_by_plain_rules(play, gate, context, allowed, reason):
    """The same for the same question."""

    async def check(session):
        return await session.focus.check(gate.replace(" ", "_"), **context)

    assert play(check) == GateDecision(allowed=allowed, reason=reason)


@pytest.mark.parametrize(
    ("refused", "gate", "context"),
    [
        (("memory.write", "notes.*"), "WriteApproval", {"namespace": "notes", "key": "a.b"}),
        (("memory.*", "*"), "WriteApproval", {"namespace": "altitude", "key": "session"}),
        (("agent.answer", "*.planner"), "AgentApproval", {"agent": "planner", "bundle": "work"}),
        (("agent.answer", "work.*"), "AgentApproval", {"agent": "planner", "bundle": "work"}),
    ],
)
def test_no_gate_goes_against_what_the_user_refused(play, refused, gate, context):
    """Also where it would let everybody through."""

    async def check(session):
        before = await session.focus.check(gate, **context)
        session.focus.grant(*refused, allowed=False)
        return before.allowed, await session.focus.check(gate, **context)

    reason = f"the user said no to {refused[0]} on {refused[1]}"
    assert play(check) == (True, GateDecision(allowed=False, reason=reason))


class Yes:
    """A user who allows all, and is noted."""

    def __init__(self):
        self.asked = []

    @hookimpl
    def dam_hrm_ask_user(self, request):
        self.asked.append(request.summary)
        return True


def test_who_is_written_about_is_asked(play):
    """A star in a key is a star there, and no pattern that would allow everything else."""
    user = Yes()

    async def check(session):
        await session.focus.check("WriteApproval", namespace="user", key="*")
        return [
            await session.focus.check("WriteApproval", namespace="user", key="name"),
            await session.focus.check("WriteApproval", namespace="user", key="name"),
        ]

    decision = GateDecision(allowed=True, reason="the user said yes to memory.write on user.name")
    assert play(check, user) == [decision, decision]
    assert user.asked == ["memory.write on user.\\*", "memory.write on user.name"]


def test_an_unknown_gate_is_an_error(play):
    """No plugin is to blame for it."""

    async def check(session):
        await session.focus.check("Pearly")

    with pytest.raises(UnknownName, match="unknown gatetype 'Pearly'"):
        play(check)


# -- plugins that do not behave


def raising():
    raise ValueError("boom")


async def raising_later():
    await asyncio.sleep(0)
    raise KeyError("later")


async def nothing():
    return None


async def cancelled_within():
    raise asyncio.CancelledError


def unsound():
    return GateDecision(allowed="no", reason="")


def unreasoned():
    return GateDecision(allowed=True, reason=None)


def stopping():
    raise StopIteration("odd")


class NoDecision:
    """Has all that a decision has, and is none."""

    allowed = True
    reason = "trust me"


class Wordless(Exception):
    def __str__(self):
        raise RuntimeError


def wordless():
    raise Wordless


class BadAwaitable:
    def __await__(self):
        return 7


NONSENSE = {
    "raises": (raising, "raised ValueError: boom"),
    "raises later": (raising_later, "raised KeyError: 'later'"),
    "raises without words": (wordless, "raised Wordless"),
    "gives up": (cancelled_within, "raised CancelledError"),
    "wrong type": (lambda: True, "answered with bool where GateDecision was due"),
    "looks like it": (NoDecision, "answered with NoDecision where GateDecision was due"),
    "a consent": (lambda: Consent(allowed=True, reason=""), "answered with Consent where GateDecision was due"),
    "awaits nothing": (nothing, "answered with NoneType where GateDecision was due"),
    "awaits badly": (BadAwaitable, "raised TypeError"),
    "text for a bool": (unsound, "raised TypeError: a gate answers allowed=True or False, not 'no'"),
    "no reason": (unreasoned, "raised TypeError: the reason of a gate is a str, not NoneType"),
    "stops an iteration": (stopping, "raised StopIteration: odd"),
}


def plugin_at(hook, answer):
    """Make a plugin named Crooked with one hook."""
    return type("Crooked", (), {hook: hookimpl(lambda self: answer(), specname=hook)})()


@pytest.mark.parametrize("gate", list(GateType))
@pytest.mark.parametrize("nonsense", list(NONSENSE))
def test_a_gate_that_answers_nonsense_is_denied(play, gate, nonsense):
    """The reason names the plugin, the hook and what it did; there is no exception."""
    answer, said = NONSENSE[nonsense]

    async def check(session):
        return await session.focus.check(gate, reason="r", goal="g", namespace="n", key="k", agent="a")

    decision = play(check, plugin_at(HOOKS[gate], answer))

    assert not decision.allowed
    assert decision.reason.startswith(f"the gate failed: {HOOKS[gate]}: plugin Crooked {said}")


@pytest.mark.parametrize("hook", ["dam_hrm_focus_stance_change", "dam_hrm_focus_gate_check", "dam_hrm_gate_framing"])
@pytest.mark.parametrize("nonsense", list(NONSENSE))
def test_wherever_a_change_of_stance_fails_the_stance_stays(play, hook, nonsense):
    """Whichever of the three hooks it is that fails."""
    answer, said = NONSENSE[nonsense]

    async def change(session):
        return await session.focus.change_stance("discovery", reason="r"), session.focus.stance

    decision, stance = play(change, plugin_at(hook, answer))

    assert stance is Stance.SENSEMAKING
    assert (decision.allowed, decision.reason.startswith(f"the gate failed: {hook}: plugin Crooked {said}")) == (
        False,
        True,
    )


@pytest.mark.parametrize("nonsense", list(NONSENSE))
def test_a_lane_switch_that_answers_nonsense_is_denied(play, nonsense):
    """And there is no lane."""
    answer, said = NONSENSE[nonsense]

    async def switch(session):
        return await session.focus.open_lane("book", "write it"), session.focus.lanes

    decision, lanes = play(switch, plugin_at("dam_hrm_focus_lane_switch", answer))

    assert lanes == ()
    assert not decision.allowed
    assert f"plugin Crooked {said}" in decision.reason


def test_being_cancelled_is_no_denial(play):
    """Who waits for a gate can stop waiting."""

    async def forever():
        await asyncio.Event().wait()

    async def change(session):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await session.focus.change_stance("discovery", reason="r")
        return session.focus.stance

    assert play(change, plugin_at("dam_hrm_gate_framing", forever)) is Stance.SENSEMAKING


class Third:
    """Has no opinion."""

    @hookimpl
    def dam_hrm_gate_framing(self):
        return None


def test_of_several_plugins_the_one_that_answered_is_named(play):
    """One without an opinion, and one that was not asked any more, are not."""

    class Asked:
        @hookimpl
        def dam_hrm_gate_framing(self):
            return "fine"

    class NotAsked:
        @hookimpl
        def dam_hrm_gate_framing(self):
            return GateDecision(allowed=True, reason="")

    async def check(session):
        return await session.focus.check("Framing")

    reason = play(check, NotAsked(), Asked(), Third()).reason

    assert reason == (
        "the gate failed: dam_hrm_gate_framing: plugin Asked answered with str where GateDecision was due"
    )
