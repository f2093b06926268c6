"""The layer applies what was decided, keeps it in memory, and holds its law whatever is asked of it."""

from __future__ import annotations

import asyncio

import pytest
from dam_hrm import (
    Action,
    ActionResult,
    Evaluation,
    Footing,
    Found,
    HookFailed,
    Level,
    Moved,
    Plan,
    Session,
    UnknownName,
    WriteRequest,
    Written,
    hookimpl,
    plugin_manager,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

L4, L3, L2, L1 = Level.IDENTITY, Level.STRATEGY, Level.OPERATIONS, Level.MOMENT


class Paper:
    """A memory that only notes what is asked of it."""

    def __init__(self):
        self.requests: list[WriteRequest] = []

    @hookimpl
    def dam_hrm_memory_write(self, request):
        self.requests.append(request)
        return Written(address=request.address, tier=request.tier, allowed=True)

    @hookimpl
    def dam_hrm_memory_read(self, address):
        return Found(address=address, tier=None)


def session_with(*plugins, name="it"):
    return Session(plugins=plugin_manager(*plugins, installed=False), name=name)


def run(coroutine):
    return asyncio.run(coroutine)


def test_a_session_starts_at_the_top_with_nothing_established():
    """On firm ground all the same: there is nothing above."""
    altitude = session_with().altitude
    assert (altitude.level, altitude.established, altitude.footing) == (L4, frozenset(), Footing.ESTABLISHED)


@pytest.mark.parametrize("word", ["L3", "l3", "strategy", Level.STRATEGY])
def test_levels_are_named_by_text_too(word):
    """In any case."""
    altitude = session_with(Paper()).altitude
    altitude.establish(L4)
    assert run(altitude.transition(word)).allowed
    altitude.establish(word)
    assert (altitude.level, altitude.established) == (L3, {L4, L3})


@pytest.mark.parametrize("use", ["transition", "establish"])
def test_an_unknown_level_is_an_error(use):
    """That says which there are; nothing changes."""
    altitude = session_with(Paper()).altitude

    async def main():
        result = getattr(altitude, use)("mars")
        await result

    with pytest.raises(UnknownName, match="unknown level 'mars': there are L4, L3, L2, L1"):
        run(main())
    assert altitude.level is L4


def test_a_refused_move_changes_nothing_and_is_not_kept():
    """It is an answer, no error."""
    paper = Paper()
    altitude = session_with(paper).altitude
    assert run(altitude.transition("L3")).allowed is False
    assert (altitude.level, paper.requests) == (L4, [])


def test_an_allowed_move_is_kept_in_memory():
    """With a summary of the conversation instead of its text, and as it is once the move is made."""
    paper = Paper()
    session = session_with(paper, name="mine")
    session.altitude.establish(L4)
    run(session.altitude.transition("L3"))

    (request,) = paper.requests
    assert (request.address.summary, request.tier) == ("altitude.session", "warm")
    assert request.value == {"session": "mine", "turn": 0, "level": "L3", "established": ["L4"], "summary": ""}
    assert request.summary_of == ""


def test_a_move_to_the_same_level_is_not_kept():
    """There is nothing new."""
    paper = Paper()
    assert run(session_with(paper).altitude.transition("L4")).allowed
    assert paper.requests == []


@pytest.mark.parametrize(
    ("moves", "footing"),
    [
        ([("L1", "", True)], Footing.FAST_LANE),
        ([("L1", "", True), ("L2", "", False)], Footing.FAST_LANE),
        ([("L1", "", True), ("L4", "", False)], Footing.ESTABLISHED),
        ([("L2", "late", False)], Footing.SKIP),
        ([("L2", "late", False), ("L3", "", False)], Footing.ESTABLISHED),
        ([("L1", "late", False), ("establish", "L2", False), ("L2", "", False)], Footing.RISEN),
        ([("L3", "", False)], Footing.ESTABLISHED),
    ],
)
def test_an_exception_is_remembered_as_long_as_it_is_one(moves, footing):
    """Until the level above is established, or it is left for one that needs none."""
    altitude = session_with(Paper()).altitude
    altitude.establish(L4)
    for level, reason, atomic in moves:
        if level == "establish":
            altitude.establish(reason)
            continue
        assert run(altitude.transition(level, reason=reason, atomic=atomic)).allowed
    assert altitude.footing is footing

    for level in Level:
        altitude.establish(level)
    assert altitude.footing is Footing.ESTABLISHED


class Generous:
    """Allows every move."""

    @hookimpl
    async def dam_hrm_altitude_transition(self, move):
        await asyncio.sleep(0)
        return Moved(allowed=True, reason="be my guest")


def test_a_plugin_can_decide_otherwise():
    """Its move is kept as any other, and known to be granted."""
    paper = Paper()
    altitude = session_with(paper, Generous()).altitude
    assert run(altitude.transition("L1")) == Moved(allowed=True, reason="be my guest")
    assert (altitude.level, altitude.footing, len(paper.requests)) == (L1, Footing.GRANTED, 1)


class Broken:
    @hookimpl
    def dam_hrm_altitude_transition(self, move):
        raise OSError("no stairs")


def test_a_plugin_that_fails_changes_nothing():
    """It is named."""
    paper = Paper()
    altitude = session_with(paper, Broken()).altitude
    with pytest.raises(HookFailed, match=r"^dam_hrm_altitude_transition: plugin Broken raised OSError: no stairs$"):
        run(altitude.transition("L3"))
    assert (altitude.level, paper.requests) == (L4, [])


class Meanwhile:
    """Has the level change while a move is decided, so many times."""

    def __init__(self, times):
        self._times = times
        self.seen = []

    @hookimpl
    async def dam_hrm_altitude_transition(self, session, move):
        self.seen.append(move.from_level)
        if move.reason == "mine" and self._times:
            self._times -= 1
            away = L3 if session.altitude.level is L4 else L4
            await session.altitude.transition(away, reason="another one's")
        return Moved(allowed=True, reason=move.reason)


def test_a_move_is_decided_anew_where_the_level_has_changed_meanwhile():
    """So what is applied was decided for the level that is left."""
    plugin = Meanwhile(1)
    altitude = session_with(Paper(), plugin).altitude
    assert run(altitude.transition("L2", reason="mine")).allowed
    assert (plugin.seen, altitude.level) == ([L4, L4, L3], L2)


def test_a_move_is_not_decided_for_ever():
    """It is refused in the end."""
    altitude = session_with(Paper(), Meanwhile(100)).altitude
    moved = run(altitude.transition("L2", reason="mine"))
    assert moved == Moved(allowed=False, reason="the level changed 8 times while this was decided: try again")


def test_the_other_operations_ask_their_hooks():
    """With the present level, and give the very answer."""
    plan = Plan(altitude=L1, intent="x", plan_summary="x")
    evaluation = Evaluation(altitude=L1, verdict="approved", confidence=1.0)
    result = ActionResult(allowed=True, output="x")
    asked = []

    class Answering:
        @hookimpl
        def dam_hrm_altitude_plan(self, altitude, intent, choice):
            asked.append((altitude, intent, choice))
            return plan

        @hookimpl
        def dam_hrm_altitude_evaluate(self, plan):
            asked.append(plan)
            return evaluation

        @hookimpl
        def dam_hrm_altitude_execute(self, action):
            asked.append(action)
            return result

    altitude = session_with(Answering()).altitude
    action = Action(altitude=L1, action_type="x")

    assert run(altitude.plan("x")) is plan
    assert run(altitude.evaluate(plan)) is evaluation
    assert run(altitude.execute(action)) is result
    assert asked == [(L4, "x", None), plan, action]


KEPT = {"session": "it", "turn": 3, "level": "L2", "established": ["L3", "L4"], "summary": ""}


def test_what_memory_kept_is_gone_on_from():
    """By a session of the same name."""
    altitude = session_with().altitude
    assert altitude.resume(KEPT)
    assert (altitude.level, altitude.established, altitude.footing) == (L2, {L3, L4}, Footing.ESTABLISHED)


@pytest.mark.parametrize(
    "kept",
    [
        None,
        "L2",
        [],
        {},
        KEPT | {"session": "another"},
        KEPT | {"level": "L9"},
        KEPT | {"level": ["L2"]},
        KEPT | {"established": None},
        KEPT | {"established": ["L3", "L9"]},
        KEPT | {"established": [["L3"]]},
    ],
)
def test_what_makes_no_sense_is_left(kept):
    """The session starts as a new one does."""
    altitude = session_with().altitude
    assert altitude.resume(kept) is False
    assert (altitude.level, altitude.established) == (L4, frozenset())


class AltitudeLaw(RuleBasedStateMachine):
    """Whatever is done: no level whose parent is not established, except by the fast lane or a reasoned skip."""

    def __init__(self):
        super().__init__()
        self.paper = Paper()
        self.altitude = session_with(self.paper).altitude
        self.exceptions = False

    @rule(level=st.sampled_from(Level))
    def establish(self, level):
        self.altitude.establish(level)

    @rule(to=st.sampled_from(Level), reason=st.sampled_from(["", " ", "late"]), atomic=st.booleans())
    def move(self, to, reason, atomic):
        here, before = self.altitude.level, len(self.paper.requests)
        moved = run(self.altitude.transition(to, reason=reason, atomic=atomic))

        assert self.altitude.level is (to if moved.allowed else here)
        assert len(self.paper.requests) - before == (moved.allowed and to is not here)
        assert moved.allowed or to.height < here.height  # up is always allowed
        if moved.allowed and to.height < here.height:
            assert len(moved.skipped) == here.height - to.height - 1
            assert atomic or here in self.altitude.established
            assert atomic or not moved.skipped or (reason.strip() and reason in moved.reason)
            self.exceptions = self.exceptions or atomic or bool(moved.skipped)

    @invariant()
    def stands_on_something(self):
        above = self.altitude.level.above
        stands = above is None or above in self.altitude.established
        assert stands or self.exceptions
        assert (self.altitude.footing is Footing.ESTABLISHED) is stands


AltitudeLaw.TestCase.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)
TestAltitudeLaw = AltitudeLaw.TestCase
