"""What an input is like, which strategy fits that, and how much care it gets: tables of cases."""

from __future__ import annotations

import pytest
from dam_hrm import Classification, Escalated, Escalation, Strategy
from dam_hrm.reasoning import rules
from hypothesis import given
from hypothesis import strategies as st


def like(**known):
    plain = {
        "input_type": "statement",
        "complexity": "simple",
        "uncertainty": 0.1,
        "conflict": "none",
        "stakes": "low",
        "horizon": "near",
        "confidence": 0.6,
    }
    return Classification(**plain | known)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("the sky is blue", like()),
        ("What time is it?", like(input_type="question", uncertainty=0.2, confidence=0.9)),
        ("note the door is green", like(input_type="command", confidence=0.9)),
        ("Please stop now", like(input_type="command", confidence=0.9, horizon="immediate")),
        ("write a letter", like(input_type="task", confidence=0.9)),
        ("Let's publish the guide", like(input_type="task", confidence=0.9, stakes="medium")),
        ("choose a colour", like(input_type="decision", confidence=0.9)),
        # Several types fit: the first counts, and is less sure.
        ("Should I stay?", like(input_type="decision", uncertainty=0.2, confidence=0.7)),
        ("hm", like(confidence=0.3)),
        ("", like(confidence=0.3)),
        (
            "Should I quit my career now, or am I torn?",
            like(
                input_type="decision",
                complexity="moderate",
                uncertainty=0.2,
                conflict="internal",
                stakes="high",
                horizon="far",
                confidence=0.7,
            ),
        ),
    ],
)
def test_an_input_is_classified(text, known):
    """By all measures at once."""
    assert rules.classify(text) == known


@pytest.mark.parametrize(
    ("text", "complexity"),
    [
        ("one two three four five six seven eight nine ten eleven twelve", "simple"),
        ("one two three four five six seven eight nine ten eleven twelve thirteen", "moderate"),
        ("pack and go", "moderate"),
        ("pack, book, go", "moderate"),
        ("pack, book, go, come", "complex"),
        ("word " * 40, "moderate"),
        ("word " * 41, "complex"),
        ("our architecture", "moderate"),
        ("our architecture and yours", "complex"),
    ],
)
def test_complexity_goes_by_length_and_by_what_is_joined(text, complexity):
    """And by a few weighty words."""
    assert rules.complexity_of(text) == complexity


@pytest.mark.parametrize(
    ("text", "uncertainty"),
    [("it rains", 0.1), ("does it rain?", 0.2), ("maybe", 0.4), ("maybe? I am not sure", 0.8), ("maybe " * 9, 1.0)],
)
def test_uncertainty_is_counted(text, uncertainty):
    """In hedges and question marks."""
    assert rules.uncertainty_of(text) == uncertainty


@pytest.mark.parametrize(
    ("measure", "text", "found"),
    [
        (rules.conflict_of, "all is well", "none"),
        (rules.conflict_of, "I am torn", "internal"),
        (rules.conflict_of, "my boss disagrees", "external"),
        (rules.conflict_of, "I am torn, and my boss insists", "external"),
        (rules.stakes_of, "a walk", "low"),
        (rules.stakes_of, "the customers wait", "medium"),
        (rules.stakes_of, "delete what the customers have", "high"),
        (rules.stakes_of, "a firefly quits", "low"),
        (rules.horizon_of, "a walk", "near"),
        (rules.horizon_of, "a walk today", "immediate"),
        (rules.horizon_of, "today for the rest of my life", "far"),
    ],
)
def test_a_measure_goes_by_words(measure, text, found):
    """Whole ones; the graver one counts."""
    assert measure(text) == found


@given(st.text())
def test_any_input_has_a_class_a_strategy_and_perhaps_a_trigger(text):
    """The same each time, within the limits."""
    found = rules.classify(text)
    assert found == rules.classify(text)
    assert 0 <= found.uncertainty <= 1
    assert 0 <= found.confidence <= 1
    for level in range(4):
        assert rules.choose(found, level).strategy in set(Strategy)
    assert rules.trigger_of(found) in {*rules.RAISING, None}


@pytest.mark.parametrize(
    ("found", "strategy", "reason"),
    [
        (like(), "quick_answer", "it is a simple statement"),
        (like(complexity="moderate", input_type="task"), "quick_answer", "it is a moderate task"),
        (like(stakes="medium"), "quick_answer", "it is a simple statement"),
        (like(stakes="high", conflict="internal", complexity="complex"), "verification", "the stakes are high"),
        (like(conflict="external", complexity="complex"), "dialogue", "there is a conflict (external)"),
        (like(complexity="complex", uncertainty=0.9), "decomposition", "it has many parts"),
        (like(uncertainty=0.5), "exploration", "much is uncertain"),
        (like(uncertainty=0.4), "quick_answer", "it is a simple statement"),
        (like(input_type="decision"), "exploration", "there is something to decide"),
        (like(confidence=0.3), "dialogue", "it is not clear what is meant"),
    ],
)
def test_a_strategy_is_chosen(found, strategy, reason):
    """The first that applies, with its reason."""
    choice = rules.choose(found, 0)
    assert (choice.strategy, choice.reason) == (strategy, reason)


@pytest.mark.parametrize(
    ("level", "strategy"), [(0, "quick_answer"), (1, "quick_answer"), (2, "verification"), (3, "dialogue")]
)
def test_care_leaves_no_quick_answer(level, strategy):
    """From the second level on."""
    assert rules.choose(like(), level).strategy == strategy
    assert rules.choose(like(uncertainty=0.9), level).strategy == "exploration"


def test_every_strategy_falls_back_on_another_one_or_on_asking():
    """Dialogue is the last resort, from wherever."""
    for strategy in Strategy:
        seen = []
        while strategy is not None:
            seen.append(strategy)
            strategy = rules.FALLBACKS[strategy]
        assert seen[-1] is Strategy.DIALOGUE
        assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("found", "trigger"),
    [
        (like(), None),
        (like(stakes="medium", horizon="far"), None),
        (like(stakes="high", conflict="internal"), "cost_value"),
        (like(conflict="internal", uncertainty=1.0), "conflict"),
        (like(uncertainty=0.5), "uncertainty"),
        (like(horizon="far", complexity="complex"), "horizon"),
    ],
)
def test_an_input_may_ask_for_more_care(found, trigger):
    """By the first that applies."""
    assert rules.trigger_of(found) == trigger


@pytest.mark.parametrize(
    ("text", "level", "wish"),
    [
        ("just answer: when?", 2, 0),
        ("keep it simple", 0, 0),
        ("think hard about it", 0, 1),
        ("Double-check this", 2, 3),
        ("take your time", 3, 3),
        ("what is it?", 2, None),
    ],
)
def test_the_users_word_overrides(text, level, wish):
    """Down to nothing, or up by one."""
    assert rules.override_of(text, level) == wish


@pytest.mark.parametrize(
    ("here", "there", "trigger", "level", "reason"),
    [
        (0, 1, "uncertainty", 1, "uncertainty"),
        (2, 3, "conflict", 3, "conflict"),
        (0, 3, "override", 3, "override"),
        (3, 0, "override", 0, "override"),
        (3, 0, "simplified", 0, "simplified"),
        (2, 1, "pattern_match", 1, "pattern_match"),
        (0, 2, "horizon", None, "horizon leads up one level at a time, from 0 to 1"),
        (1, 0, "cost_value", None, "cost_value leads up: the way back is pattern_match, simplified or override"),
        (
            1,
            2,
            "simplified",
            None,
            "simplified leads back: the way up is uncertainty, conflict, cost_value, horizon or override",
        ),
        (1, 1, "override", None, "level 1 holds already"),
        (3, 4, "conflict", None, "there is no level 4: they go from 0 to 3"),
        (0, -1, "override", None, "there is no level -1: they go from 0 to 3"),
    ],
)
def test_an_escalation_is_judged(here, there, trigger, level, reason):
    """Within the levels, in its trigger's direction."""
    expected = Escalated(allowed=level is not None, level=here if level is None else level, reason=reason)
    assert rules.judge(Escalation(from_level=here, to_level=there, trigger=trigger)) == expected


def test_an_escalations_own_reason_is_kept():
    """Where it was allowed."""
    escalation = Escalation(from_level=0, to_level=1, trigger="conflict", reason="they disagree")
    assert rules.judge(escalation).reason == "they disagree"
