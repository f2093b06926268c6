"""What an intent asks for, the steps of its strategy, and what is thought of the plan: tables of cases."""

from __future__ import annotations

import pytest
from dam_hrm import Evaluation, Level, Plan, Strategy, StrategyChoice
from dam_hrm.altitude import planning


@pytest.mark.parametrize(
    ("text", "action", "arguments"),
    [
        ("note: the wifi password is 1234", "note", {"text": "the wifi password is 1234", "key": "wifi-password"}),
        ("Remember that Anna likes tea", "note", {"text": "Anna likes tea", "key": "anna-likes-tea"}),
        ("write down 7", "note", {"text": "7", "key": "7"}),
        ("note", "note", {"text": "", "key": ""}),
        ("recall the wifi password?", "recall", {"about": "the wifi password", "key": "wifi-password"}),
        ("What did I note about Anna?", "recall", {"about": "Anna", "key": "anna"}),
        ("Decide between tea and coffee", "decide", {"options": ("tea", "coffee")}),
        ("choose tea, coffee or water!", "decide", {"options": ("tea", "coffee", "water")}),
        ("Should I stay or go?", "decide", {"options": ("stay", "go")}),
        ("Should I stay?", "answer", {}),
        ("decide", "decide", {"options": ()}),
        (
            "Let's write the first chapter.",
            "commit",
            {"goal": "write the first chapter", "lane": "write-first-chapter"},
        ),
        ("I'll call Anna", "commit", {"goal": "call Anna", "lane": "call-anna"}),
        ("go on with the Chapter", "switch", {"lane": "chapter"}),
        ("pause at page 3", "pause", {"bookmark": "at page 3"}),
        ("review", "review", {}),
        ("How did it go?", "review", {}),
        ("STOP everything!", "halt", {}),
        ("stop it", "answer", {}),
        ("I value calm", "settle", {"level": "L4"}),
        ("What matters to me is calm", "settle", {"level": "L4"}),
        ("What matters most at home is calm", "settle", {"level": "L4"}),
        ("Our goal is to publish", "settle", {"level": "L3"}),
        ("The plan is a chapter a week", "settle", {"level": "L2"}),
        ("What is the plan?", "answer", {}),
        ("remembering is hard", "answer", {}),
        ("hello", "answer", {}),
        ("", "answer", {}),
    ],
)
def test_an_intent_asks_for_an_action(text, action, arguments):
    """By the table of patterns; what matches none is answered."""
    assert planning.action_of(text) == (action, arguments)


@pytest.mark.parametrize(
    ("text", "strategy", "steps"),
    [
        ("hello", Strategy.QUICK_ANSWER, ()),
        ("pack, book a room; then tell Anna.", Strategy.DECOMPOSITION, ("pack", "book a room", "tell Anna")),
        ("move", Strategy.DECOMPOSITION, ("name the parts", "put them in order", "do the first one")),
        ("a, b", Strategy.VERIFICATION, ("say what must hold", "check it", "act only then")),
        ("a", Strategy.EXPLORATION, ("list what is possible", "weigh it", "try the best one in the small")),
        ("a", Strategy.DIALOGUE, ("ask what is meant",)),
    ],
)
def test_a_strategy_has_steps(text, strategy, steps):
    """Decomposition takes the intent's own parts where there are several."""
    assert planning.steps_of(text, strategy) == steps


def test_a_plan_is_made():
    """With all that its action needs; the level that the intent says is no part of what is to be done."""
    choice = StrategyChoice(strategy=Strategy.VERIFICATION, reason="why not")
    assert planning.make_plan(Level.MOMENT, "L1: sell the house", choice) == Plan(
        altitude=Level.MOMENT,
        intent="L1: sell the house",
        plan_summary="answer: sell the house",
        steps=("say what must hold", "check it", "act only then"),
        action_type="answer",
        arguments={
            "text": "sell the house",
            "strategy": "verification",
            "steps": ("say what must hold", "check it", "act only then"),
        },
    )


def test_a_plan_needs_no_strategy():
    """Without one it is the quick answer; and a summary is one short line."""
    plan = planning.make_plan(Level.MOMENT, "x" * 200, None)
    assert (plan.steps, plan.arguments["strategy"], len(plan.plan_summary)) == ((), "quick_answer", 80)


def verdict(text, level=0):
    return planning.judge_plan(planning.make_plan(Level.OPERATIONS, text, None), level)


@pytest.mark.parametrize(
    ("text", "result", "reason"),
    [
        ("hello", "approved", "it can be done"),
        ("note: milk", "approved", "it can be done"),
        ("  ", "refused", "there is nothing to do"),
        ("note", "revise", "what should be noted?"),
        ("recall", "revise", "what should be recalled?"),
        ("let's ", "approved", "it can be done"),  # no goal follows: nothing but an answer is asked for
        ("let's ?", "revise", "what is the goal?"),
        ("go on with", "revise", "which lane of work?"),
        ("decide between tea", "revise", "what is there to choose between?"),
    ],
)
def test_a_plan_is_judged_by_what_it_lacks(text, result, reason):
    """What is lacking is asked for."""
    judged = verdict(text)
    assert (judged.verdict, judged.reason) == (result, reason)


def test_care_and_many_steps_make_less_sure():
    """0.9, less 0.1 for each escalation level, and 0.2 for more than seven steps."""
    assert [verdict("hello", level).confidence for level in (0, 1, 3)] == [0.9, 0.8, 0.6]
    long = Plan(altitude=Level.MOMENT, intent="x", plan_summary="x", steps=tuple("abcdefgh"))
    assert planning.judge_plan(long, 0) == Evaluation(
        altitude=Level.MOMENT, verdict="approved", confidence=0.7, reason="it can be done"
    )


@pytest.mark.parametrize(
    "text", ["skip " * 100_000, "either " * 50_000, "a, " * 100_000, "decide a" + " or a" * 50_000]
)
def test_a_long_intent_makes_a_plan_of_limits(text):
    """Only its beginning is looked at; and nobody reads a plan of a hundred steps."""
    plan = planning.make_plan(Level.MOMENT, text, StrategyChoice(strategy=Strategy.DECOMPOSITION, reason=""))
    assert len(plan.steps) <= planning.MAX_STEPS
    assert len(plan.arguments.get("options", ())) <= planning.MAX_OPTIONS


def test_a_long_note_is_kept_whole():
    """What is not looked at is no less a part of it."""
    text = "the list is\n" + "milk, " * 50_000
    action, arguments = planning.action_of(f"note: {text}")
    assert (action, arguments) == ("note", {"text": text.strip(), "key": "list"})
