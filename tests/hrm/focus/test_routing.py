"""A signal goes to the agents of its bundle: each through the gate, together, in the bundle's order."""

from __future__ import annotations

import asyncio

import pytest
from dam_hrm import HookFailed, hookimpl
from dam_hrm.focus.values import Answer, GateDecision, Reducer, Routed, Signal

HUNGER = Signal(signal_type="hunger", text="I am hungry")


class Kitchen:
    """A bundle of agents, each a function from a signal to an answer or something else."""

    def __init__(self, reducer=Reducer.MERGE, **agents):
        self.reducer = reducer
        self.agents = agents

    @hookimpl
    def dam_hrm_bundles(self):
        return {"hunger": list(self.agents)}

    @hookimpl
    def dam_hrm_reducer(self, bundle):
        return self.reducer if bundle == "hunger" else None

    @hookimpl
    def dam_hrm_agent(self, agent, signal):
        return self.agents[agent](signal) if agent in self.agents else None


def says(text, confidence=1.0):
    return lambda signal: Answer(agent="?", text=text, confidence=confidence)


def says_later(text, turns):
    async def answer(signal):
        for _ in range(turns):
            await asyncio.sleep(0)
        return Answer(agent="?", text=text)

    return answer


def fails(signal):
    raise OSError("the stove is cold")


async def gives_up(signal):
    raise asyncio.CancelledError


async def route(session, signal=HUNGER):
    return await session.focus.route(signal)


def test_the_answers_come_in_the_bundles_order(play):
    """Whoever was the first to be done; each is signed with the agent's name."""
    kitchen = Kitchen(cook=says_later("soup", 5), baker=says("bread"), waiter=says_later("water", 2))

    expected = (
        Answer(agent="cook", text="soup"),
        Answer(agent="baker", text="bread"),
        Answer(agent="waiter", text="water"),
    )
    assert play(route, kitchen) == Routed(
        signal_type="hunger",
        bundle="hunger",
        agents=("cook", "baker", "waiter"),
        reducer=Reducer.MERGE,
        text="soup\n\nbread\n\nwater",
        answers=expected,
    )


def test_agents_answer_at_the_same_time(play):
    """Here each waits for all others to have begun."""
    together = asyncio.Barrier(3)

    async def answer(signal):
        await together.wait()
        return Answer(agent="?", text="done")

    async def in_time(session):
        async with asyncio.timeout(30):
            return await route(session)

    assert play(in_time, Kitchen(a=answer, b=answer, c=answer)).agents == ("a", "b", "c")


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        (fails, "baker failed: dam_hrm_agent: plugin Kitchen raised OSError: the stove is cold"),
        (gives_up, "baker failed: dam_hrm_agent: plugin Kitchen raised CancelledError"),
        (lambda signal: "bread", "baker failed: dam_hrm_agent: plugin Kitchen answered with str where Answer was due"),
        (lambda signal: Answer(agent="baker", text=7), "baker failed: dam_hrm_agent: plugin Kitchen raised TypeError"),
        (says("", 3.0), "baker failed: dam_hrm_agent: plugin Kitchen raised ValueError"),
        (lambda signal: None, "baker failed: dam_hrm_agent: nobody answered with a Answer"),
    ],
)
def test_an_agent_that_fails_is_left_out_and_said_so(play, agent, why):
    """The others answer as if it were not there."""
    routed = play(route, Kitchen(cook=says("soup"), baker=agent, waiter=says("water")))

    assert (routed.agents, routed.text, routed.allowed) == (("cook", "waiter"), "soup\n\nwater", True)
    assert routed.reason.startswith(why)


def test_where_all_agents_fail_there_is_no_text(play):
    """And every one is accounted for."""
    routed = play(route, Kitchen(cook=fails, baker=fails))

    assert (routed.agents, routed.text, routed.allowed, routed.outcome) == ((), "", True, "nobody")
    assert [each.split()[0] for each in routed.reason.split("; ")] == ["cook", "baker"]


class Doorkeeper:
    def __init__(self, *shut):
        self.shut = shut
        self.asked = []

    @hookimpl
    def dam_hrm_gate_agent_approval(self, request):
        self.asked.append(dict(request.context))
        agent = request.context["agent"]
        if agent == "baker" and "crash" in self.shut:
            raise RuntimeError("stuck")
        return GateDecision(allowed=agent not in self.shut, reason="by the list")


def test_every_agent_passes_the_agent_approval_gate(play):
    """One after the other, in the bundle's order."""
    door = Doorkeeper()

    play(route, Kitchen(cook=says("soup"), baker=says("bread")), door)

    context = {"bundle": "hunger", "signal_type": "hunger"}
    assert door.asked == [{"agent": "cook", **context}, {"agent": "baker", **context}]


def test_an_agent_that_is_not_let_through_is_not_asked(play):
    """The reason says so."""
    routed = play(route, Kitchen(cook=says("soup"), baker=lambda signal: pytest.fail("asked")), Doorkeeper("baker"))

    assert (routed.agents, routed.allowed) == (("cook",), True)
    assert routed.reason == "baker was not let through: by the list"


def test_a_gate_that_fails_lets_nobody_through(play):
    routed = play(route, Kitchen(cook=says("soup"), baker=says("bread")), Doorkeeper("crash"))

    assert routed.agents == ("cook",)
    assert "baker was not let through: the gate failed: dam_hrm_gate_agent_approval: plugin Doorkeeper" in routed.reason


def test_where_no_agent_is_let_through_the_route_is_blocked(play):
    routed = play(route, Kitchen(cook=says("soup"), baker=says("bread")), Doorkeeper("cook", "baker"))

    assert (routed.allowed, routed.agents, routed.text) == (False, (), "")


def test_a_signal_without_a_bundle_goes_to_the_listener(play):
    """The bundle of inputs that call for nothing."""
    routed = play(route)

    assert (routed.signal_type, routed.bundle, routed.agents) == ("hunger", "none", ("listener",))
    assert routed.text == "I hear: I am hungry"


def test_bundles_of_all_plugins_are_put_together(play):
    """The built-in agents first, then each plugin's in order of registration; each agent once."""

    class More:
        def __init__(self, *agents):
            self.agents = agents

        @hookimpl
        def dam_hrm_bundles(self):
            return {"none": self.agents, "hunger": self.agents}

        @hookimpl
        def dam_hrm_agent(self, agent):
            return Answer(agent=agent, text=agent) if agent in self.agents else None

    async def both(session):
        return (await route(session, Signal(signal_type="none", text="hi"))).agents, (await route(session)).agents

    assert play(both, More("b", "a"), More("a", "c", "listener")) == (
        ("listener", "b", "a", "c"),
        ("b", "a", "c", "listener"),
    )


def test_a_plugin_names_the_reducer(play):
    assert play(route, Kitchen(Reducer.VOTE, cook=says("soup"), baker=says("bread"))).reducer is Reducer.VOTE


def test_a_bundle_of_a_plugin_is_merged_where_nobody_says_how(play):
    assert play(route, Kitchen(None, cook=says("soup"))).reducer is Reducer.MERGE


class Crooked:
    """Answers both hooks about bundles as it is told to."""

    def __init__(self, bundles=None, reducer=None):
        self.bundles, self.reducer = bundles, reducer

    @hookimpl
    def dam_hrm_bundles(self):
        return self.bundles() if callable(self.bundles) else self.bundles

    @hookimpl
    def dam_hrm_reducer(self):
        return self.reducer


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        (Crooked(bundles=["cook"]), "dam_hrm_bundles: plugin Crooked answered with list where Mapping was due"),
        (
            Crooked(bundles={"none": "cook"}),
            "Crooked answered with 'cook' for bundle 'none' where a list of agents was due",
        ),
        (
            Crooked(bundles={"none": None}),
            "Crooked answered with None for bundle 'none' where a list of agents was due",
        ),
        (Crooked(bundles=lambda: 1 / 0), "dam_hrm_bundles: plugin Crooked raised ZeroDivisionError"),
        (Crooked(reducer="vote"), "dam_hrm_reducer: plugin Crooked answered with str where Reducer was due"),
        (Crooked(reducer=7), "dam_hrm_reducer: plugin Crooked answered with int where Reducer was due"),
    ],
)
def test_a_route_that_cannot_be_made_is_an_error_of_the_plugin(play, plugin, message):
    """Named, and with the way out."""
    with pytest.raises(HookFailed, match=message):
        play(route, plugin)


def test_a_cancelled_route_cancels_its_agents(play):
    """Nothing runs on after it."""
    ended = []

    async def forever(signal):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(signal.signal_type)

    async def impatient(session):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await route(session)

    play(impatient, Kitchen(a=forever, b=forever))

    assert ended == ["hunger", "hunger"]
