"""A turn goes through all layers; what is refused, or fails, on the way ends it in words for the user."""

from __future__ import annotations

import asyncio

import pytest
from dam_hrm import (
    ActionResult,
    Evaluation,
    Footing,
    Found,
    HookFailed,
    Pattern,
    Plan,
    Session,
    Stance,
    Turn,
    Written,
    hookimpl,
    plugin_manager,
)
from hypothesis import given, settings
from hypothesis import strategies as st


class Shelf:
    """A memory that is a dictionary."""

    def __init__(self):
        self.records = {}

    @hookimpl
    def dam_hrm_memory_write(self, request):
        self.records[request.address.summary] = request.value
        return Written(address=request.address, tier=request.tier, allowed=True)

    @hookimpl
    def dam_hrm_memory_read(self, address):
        there = address.summary in self.records
        return Found(address=address, tier="warm" if there else None, value=self.records.get(address.summary))


def session_with(*plugins, established="L4 L3 L2"):
    session = Session(plugins=plugin_manager(Shelf(), *plugins, installed=False), name="it")
    for level in established.split():
        session.altitude.establish(level)
    return session


def talk(session, *texts):
    """Have several turns; give the last one."""

    async def main():
        return [await session.turn(text) for text in texts][-1]

    return asyncio.run(main())


def calls_of(session):
    """Collect the hooks that are asked from now on, as the layers' operations."""
    names = []
    session.plugins.add_hookcall_monitoring(lambda name, *_: names.append(name), lambda *_: None)
    return names


# -- the course


def test_a_turn_goes_through_all_layers():
    """Reasoning, altitude, focus, execution, learning; memory is read and written all along."""
    session = session_with()
    names = calls_of(session)

    turn = talk(session, "Plan what I do next week: review the draft")

    assert turn == Turn(
        number=1,
        text="Plan what I do next week: review the draft",
        reply=turn.reply,
        status="success",
        notes=turn.notes,
    )
    moves = ["dam_hrm_altitude_transition", "dam_hrm_memory_write"] * 2
    assert [name for name in names if name not in ("dam_hrm_bundles", "dam_hrm_reducer", "dam_hrm_agent")] == [
        "dam_hrm_turn",
        "dam_hrm_memory_read",  # altitude.session
        "dam_hrm_memory_read",  # what was learned
        "dam_hrm_reasoning_classify",
        "dam_hrm_learning_pattern_match",
        "dam_hrm_reasoning_route",
        *moves,
        "dam_hrm_altitude_plan",
        "dam_hrm_altitude_evaluate",
        "dam_hrm_signal",
        "dam_hrm_focus_route",
        "dam_hrm_focus_gate_check",
        "dam_hrm_gate_agent_approval",
        "dam_hrm_focus_gate_check",
        "dam_hrm_gate_agent_approval",
        "dam_hrm_altitude_execute",
        "dam_hrm_act",
        "dam_hrm_memory_read",  # notes
        "dam_hrm_memory_write",  # session.last
    ]


def test_turns_are_numbered_and_looked_back_at():
    """The conversation has what was said on both sides."""
    session = session_with()
    talk(session, "I value calm", "What is it?")
    assert [(turn.number, turn.text, turn.status) for turn in session.history] == [
        (1, "I value calm", "success"),
        (2, "What is it?", "success"),
    ]
    assert session.turns == 2
    assert session.conversation == (
        "I value calm\nL4 (identity) is established.\nWhat is it?\nNothing is noted about that."
    )


# -- altitude


def test_from_nothing_to_the_moment_one_level_after_the_other():
    """Each level is established by a statement at it, and then gone down from."""
    session = session_with(established="")
    said = ["I value calm", "Our goal is to publish", "The plan is a chapter a week", "L1: begin"]
    levels = [(talk(session, text).status, session.altitude.level) for text in said]
    assert levels == [("success", "L4"), ("success", "L3"), ("success", "L2"), ("success", "L1")]


def test_what_stands_on_nothing_is_blocked():
    """With what would help."""
    session = session_with(established="")
    turn = talk(session, "Plan the launch")
    assert (turn.status, session.altitude.level) == ("blocked", "L4")
    assert turn.reply.startswith("L4 (identity) is not established: say what matters to you")


def test_it_goes_down_as_far_as_it_can():
    """One level at a time; the first that is missing stops it."""
    session = session_with(established="L4")
    turn = talk(session, "Plan the launch")
    assert (turn.status, session.altitude.level) == ("blocked", "L3")
    assert turn.reply.startswith("L3 (strategy) is not established: say what the goal is")


def test_an_atomic_request_takes_the_fast_lane_and_comes_back():
    """With a note of what is missing above."""
    session = session_with(established="L4")
    moves = []

    class Watching:
        @hookimpl
        def dam_hrm_altitude_transition(self, move):
            moves.append((move.summary, move.atomic))

    session.plugins.register(Watching())
    turn = talk(session, "What time is it?")

    assert turn.status == "success"
    assert turn.notes == ("L3 (strategy), L2 (operations) are not established yet",)
    assert moves == [("L4→L1", True), ("L1→L4", False)]
    assert session.altitude.level == "L4"


def test_a_level_is_skipped_with_a_reason():
    """Which the user is told again."""
    session = session_with(established="L4")
    turn = talk(session, "L2: skip the strategy because the printer waits")
    assert (turn.status, session.altitude.level, session.altitude.footing) == ("success", "L2", "skip")
    assert "the printer waits (passed over L3)" in turn.notes


@pytest.mark.parametrize("text", ["stop everything", "pause", "review", "go on with that"])
def test_what_is_about_the_session_needs_no_level(text):
    """Nobody has to go down first to stop."""
    session = session_with(established="")
    talk(session, text)
    assert session.altitude.level == "L4"
    assert "not established" not in session.history[-1].reply


SAID = [
    "I value calm",
    "Our goal is to rest",
    "The plan is to sleep",
    "Plan the launch",
    "L1: begin",
    "L2: skip it because it is late",
    "skip all of it since I say so, now",
    "What is the time?",
    "note: tea is green",
    "Let's rest",
    "stop everything",
    "review",
    "Should I sell the house?",
    "",
    "hm",
    "\ud800",
]


@given(st.lists(st.sampled_from(SAID) | st.text(), max_size=8))
@settings(max_examples=60, deadline=None)
def test_whatever_is_said_the_altitude_law_holds(texts):
    """A turn always comes back, on a level that stands on something unless one was skipped for a reason."""
    session = session_with(established="")
    skipped = False
    for text in texts:
        turn = talk(session, text)
        assert turn.status in ("success", "blocked")
        skipped = skipped or any("(passed over" in note for note in turn.notes)
        above = session.altitude.level.above
        assert above is None or above in session.altitude.established or skipped
        assert session.altitude.footing is not Footing.FAST_LANE


# -- refusals


def test_a_note_needs_consent():
    """Asked once, for all notes; without anybody to ask it is refused."""
    session = session_with()
    assert talk(session, "note: milk") == Turn(
        number=1,
        text="note: milk",
        reply="nobody is there to ask for memory.write on notes.*",
        status="blocked",
    )
    session.focus.grant("memory.write", "notes.*")
    assert talk(session, "note: milk is white").reply == "Noted as milk."
    assert talk(session, "What is milk?").reply == "milk is white"
    assert talk(session, "recall the milk").reply == "milk is white"


def test_a_stance_has_to_allow_the_action():
    """The turn takes it through its gate; where that is denied, the reply says why."""

    class NoLookingBack:
        @hookimpl
        def dam_hrm_gate_evaluation(self, request):
            from dam_hrm import GateDecision

            return GateDecision(allowed=False, reason="it is too early to look back")

    assert talk(session := session_with(), "review").status == "success"
    assert session.focus.stance is Stance.EVALUATION

    turn = talk(session := session_with(NoLookingBack()), "review")
    assert (turn.status, turn.reply) == ("blocked", "it is too early to look back")
    assert session.focus.stance is Stance.SENSEMAKING


class Tool:
    """Plans and does something of its own."""

    @hookimpl
    def dam_hrm_altitude_plan(self, altitude, intent):
        return (
            Plan(altitude=altitude, intent=intent, plan_summary="dig", action_type="dig") if "dig" in intent else None
        )

    @hookimpl
    def dam_hrm_act(self, action):
        return ActionResult(allowed=True, output="Dug.") if action.action_type == "dig" else None


def test_a_plugins_action_is_done_in_execution():
    """Which takes a goal to be committed to."""
    session = session_with(Tool())
    turn = talk(session, "dig here")
    assert (turn.status, turn.reply) == ("blocked", "there is no goal: open a lane with one, or give it")
    assert talk(session, "Let's plant a tree", "dig here").reply == "Dug."


def test_an_action_that_nobody_knows_is_refused():
    """With what would help."""
    session = session_with(Tool())

    class Forgetful:
        @hookimpl
        def dam_hrm_altitude_plan(self, altitude, intent):
            if "fly" in intent:
                return Plan(altitude=altitude, intent=intent, plan_summary="fly", action_type="fly")
            return None

    session.plugins.register(Forgetful())
    turn = talk(session, "Let's leave", "fly away")
    assert (turn.status, turn.reply) == ("blocked", "nothing here can fly: a plugin with dam_hrm_act for it would help")


def test_a_plan_that_lacks_something_asks_for_it():
    """After the fallback strategy was tried too."""
    tried = []

    class Strict:
        @hookimpl
        def dam_hrm_altitude_plan(self, choice):
            tried.append(choice.strategy)

        @hookimpl
        def dam_hrm_altitude_evaluate(self, plan):
            return Evaluation(altitude=plan.altitude, verdict="revise", confidence=1.0, reason="what exactly?")

    turn = talk(session_with(Strict()), "it is raining")
    assert (turn.status, turn.reply) == ("blocked", "what exactly?")
    assert tried == ["quick_answer", "exploration"]


# -- failures


def broken(hook):
    """Make a plugin that raises at one hook while it is switched on."""
    name = f"dam_hrm_{hook}"

    class Broken:
        on = True

    def fail(self):
        if self.on:
            raise OSError("out of order")

    setattr(Broken, name, hookimpl(fail))
    return Broken()


@pytest.mark.parametrize(
    ("hook", "who"),
    [
        ("turn", "turn"),
        ("reasoning_classify", "reasoning layer"),
        ("reasoning_route", "reasoning layer"),
        ("reasoning_escalate", "reasoning layer"),
        ("altitude_transition", "altitude layer"),
        ("altitude_plan", "altitude layer"),
        ("altitude_evaluate", "altitude layer"),
        ("altitude_execute", "altitude layer"),
        ("signal", "focus layer"),
        ("bundles", "focus layer"),
        ("act", "execution"),
        ("memory_read", "memory layer"),
        ("memory_write", "memory layer"),
        ("learning_pattern_match", "learning layer"),
    ],
)
def test_a_layer_that_fails_ends_the_turn(hook, who):
    """The reply says which and why; the session goes on."""
    plugin = broken(hook)
    session = session_with(plugin)
    turn = talk(session, "Plan to sell the house")

    why = f"dam_hrm_{hook}: plugin Broken raised OSError: out of order"
    assert turn.status == "error"
    assert turn.reply.startswith(f"The {who} failed ({why}). You can go on.")
    assert isinstance(turn.failure, HookFailed)
    assert (turn.failure.hook, turn.failure.plugin) == (f"dam_hrm_{hook}", "Broken")

    plugin.on = False
    assert talk(session, "Plan to sell the house").status == "success"
    assert [turn.number for turn in session.history] == [1, 2]


def test_what_was_done_before_a_failure_is_told():
    """The note was written, though nothing was learned from it."""

    class NoLearning:
        @hookimpl
        def dam_hrm_memory_write(self, request):
            if request.address.summary == "session.last":
                raise OSError("full")

    session = session_with(NoLearning())
    session.focus.grant("memory.write", "*")
    turn = talk(session, "note: milk is white")
    assert turn.reply == (
        "The memory layer failed (dam_hrm_memory_write: plugin NoLearning raised OSError: full). You can go on."
        " Before that: Noted as milk."
    )


def test_a_failure_on_the_fast_lane_comes_back_too():
    """The session does not stay below what is established."""
    session = session_with(broken("act"), established="")
    assert talk(session, "What time is it?").status == "error"
    assert session.altitude.level == "L4"


def test_a_failure_to_come_back_is_told_beside_the_first_one():
    """Neither hides the other."""

    class NoWayUp:
        @hookimpl
        def dam_hrm_altitude_transition(self, move):
            if not move.atomic:
                raise OSError("stuck")

    turn = talk(session_with(broken("act"), NoWayUp(), established=""), "What time is it?")
    assert turn.reply.startswith("The execution failed (dam_hrm_act: plugin Broken raised OSError: out of order)")
    assert turn.notes[-1] == "dam_hrm_altitude_transition: plugin NoWayUp raised OSError: stuck"


def test_a_turn_of_ones_own():
    """Instead of the default course."""

    class Parrot:
        @hookimpl
        async def dam_hrm_turn(self, session, text):
            return Turn(number=session.turns, text=text, reply=text, status="success")

    assert talk(session_with(Parrot()), "hello").reply == "hello"


# -- reasoning and learning


def test_care_is_given_and_taken_back():
    """By what an input asks for, by the user's word, and by how simple it is."""
    session = session_with()
    texts = ["Should I sell the house?", "I am torn about it", "it is raining", "think hard: why?", "just answer: why?"]
    levels = [(talk(session, text), session.reasoning.level)[1] for text in texts]
    assert levels == [1, 2, 0, 1, 0]


def test_what_worked_three_times_becomes_a_pattern():
    """The user is told, and from then on it is gone by once it is sure."""
    session = session_with()
    turns = [talk(session, text) for text in ("What is a?", "What is b?", "What is c?")]
    assert [bool(turn.notes) for turn in turns] == [False, False, True]
    (pattern,) = session.learning.patterns
    assert turns[-1].notes == (f"learned pattern {pattern.pattern_code}: quick_answer",)
    assert pattern.evidence == ("it:1", "it:2", "it:3")


def test_a_refusal_that_is_not_the_strategys_teaches_nothing():
    """Only a plan that was no good speaks against the strategy that made it."""
    session = session_with(established="")
    observed = []

    async def observe(situation, then, *, worked, evidence=""):
        observed.append((then, worked))

    session.learning.observe = observe
    talk(session, "Plan the launch", "note: milk", "note", "hello there")
    assert observed == [("dialogue", False), ("quick_answer", True)]


def test_a_sure_pattern_chooses_the_strategy_and_lowers_the_care():
    """Whatever the input would have asked for."""
    session = session_with()
    pattern = Pattern(
        pattern_code="calm", when={"stakes": "high"}, then="dialogue", confidence=0.9, source="the test", hits=9
    )
    asyncio.run(session.learning.add(pattern))
    asyncio.run(session.reasoning.escalate(2, trigger="override"))
    turn = talk(session, "it is about money")
    assert (turn.reply, session.reasoning.level) == ("1. ask what is meant", 1)


def test_leases_tick_with_the_turns():
    """Where one is over, the user is told once."""
    session = session_with()
    talk(session, "Let's write")
    assert session.focus.lane.turns_left == 10
    notes = [talk(session, "it is raining").notes for _ in range(11)]
    over = "the lease of lane write is over: renew it to go on"
    assert [over in each for each in notes] == [False] * 9 + [True, False]


# -- what can be done


@pytest.mark.parametrize(
    ("texts", "reply"),
    [
        (
            ["I value honest work", "decide between honest work and quick money"],
            "honest work: it fits what is established.",
        ),
        (
            ["decide between tea and coffee"],
            "Nothing established tells tea and coffee apart: say what matters most.",
        ),
        (["Let's write a book"], "Lane write-book is open: write a book."),
        (["Let's write", "Let's rest", "go on with write"], "In lane write."),
        (["Let's write", "pause at page 3", "go on with write"], "In lane write. You were at: at page 3"),
        (["pause"], "no lane is active"),
        (["Let's write", "review"], "1 turns so far, 0 blocked, 0 failed. The goal is write."),
        (["Let's write", "stop everything"], "Everything is stopped; what is going on?"),
        (["recall the moon"], "Nothing is noted about the moon."),
        (["  "], "there is nothing to do"),
        (
            ["L2: pack, then call Anna; tell Bob, and go; or stay"],
            "1. pack; 2. call Anna; 3. tell Bob; 4. go; 5. or stay",
        ),
    ],
)
def test_what_the_runtime_does_by_itself(texts, reply):
    """Plainly, from what was said and noted."""
    assert talk(session_with(), *texts).reply == reply


def test_to_stop_puts_the_lane_aside():
    """And goes back to sensemaking."""
    session = session_with()
    talk(session, "Let's write", "stop everything")
    assert (session.focus.stance, session.focus.lane) == (Stance.SENSEMAKING, None)


def test_an_unknown_lane_is_a_refusal():
    """In a turn nothing that the user says is an error."""
    turn = talk(session_with(), "go on with gardening")
    assert turn.status == "blocked"
    assert turn.reply.startswith("there is no lane gardening")
