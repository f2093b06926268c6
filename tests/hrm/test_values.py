"""Values of altitude, reasoning and turns are held to what they should be, where they are made."""

from __future__ import annotations

import pytest
from dam_hrm import (
    ActionResult,
    Classification,
    Escalated,
    Evaluation,
    Level,
    Moved,
    Plan,
    Strategy,
    StrategyChoice,
    Turn,
)

MADE = {
    Moved: {"allowed": True, "reason": "", "note": "", "skipped": (Level.STRATEGY,)},
    Plan: {
        "altitude": Level.MOMENT,
        "intent": "",
        "plan_summary": "",
        "steps": ("a",),
        "action_type": "x",
        "arguments": {},
    },
    Evaluation: {"altitude": Level.MOMENT, "verdict": "approved", "confidence": 1, "reason": ""},
    ActionResult: {"allowed": False, "output": "", "reason": ""},
    Classification: {
        "input_type": "x",
        "complexity": "simple",
        "uncertainty": 0.0,
        "conflict": "none",
        "stakes": "low",
        "horizon": "far",
        "confidence": 1.0,
    },
    StrategyChoice: {"strategy": Strategy.DIALOGUE, "reason": "", "fallback": Strategy.DIALOGUE},
    Escalated: {"allowed": True, "level": 3, "reason": ""},
    Turn: {"number": 1, "text": "", "reply": "", "status": "blocked", "notes": ("a",)},
}


@pytest.mark.parametrize("kind", MADE)
def test_what_is_right_is_taken(kind):
    """At the limits."""
    assert kind(**MADE[kind])


@pytest.mark.parametrize(
    ("kind", "part", "value", "said"),
    [
        (Moved, "allowed", "no", "whether a move is allowed is a bool, not 'no'"),
        (Moved, "reason", None, "a move's reason is a str, not None"),
        (Moved, "skipped", ["L3"], "the levels that were skipped is a tuple, not ['L3']"),
        (Moved, "skipped", ("L3",), "each of the levels that were skipped is a Level, not 'L3'"),
        (Plan, "altitude", "L3", "a plan's altitude is a Level, not 'L3'"),
        (Plan, "steps", "abc", "the steps is a tuple, not 'abc'"),
        (Plan, "action_type", None, "an action's type is a str, not None"),
        (Evaluation, "verdict", "maybe", "a verdict is one of approved, revise, refused, not 'maybe'"),
        (Evaluation, "confidence", 1.1, "the confidence in a verdict is a number from 0 to 1, not 1.1"),
        (ActionResult, "allowed", 1, "whether an action is allowed is a bool, not 1"),
        (ActionResult, "output", None, "an action's output is a str, not None"),
        (Classification, "stakes", "sky-high", "stakes is one of low, medium, high, not 'sky-high'"),
        (Classification, "uncertainty", True, "uncertainty is a number from 0 to 1, not True"),
        (Classification, "confidence", "1", "the confidence in a classification is a number from 0 to 1, not '1'"),
        (StrategyChoice, "strategy", "dialogue", "a strategy is a Strategy, not 'dialogue'"),
        (StrategyChoice, "fallback", "dialogue", "a fallback is a Strategy, not 'dialogue'"),
        (Escalated, "level", -1, "an escalation level is 0 to 3, not -1"),
        (Turn, "status", "done", "a turn's status is one of success, blocked, error, not 'done'"),
        (Turn, "reply", None, "a reply is a str, not None"),
        (Turn, "notes", ["a"], "a turn's notes is a tuple, not ['a']"),
    ],
)
def test_what_is_wrong_says_so(kind, part, value, said):
    """Which part, what it should be, and what it is."""
    with pytest.raises((TypeError, ValueError)) as caught:
        kind(**MADE[kind] | {part: value})
    assert str(caught.value) == said
