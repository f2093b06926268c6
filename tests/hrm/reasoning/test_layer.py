"""The layer asks its hooks and applies an escalation that was decided for the level that holds."""

from __future__ import annotations

import asyncio

import pytest
from dam_hrm import (
    Classification,
    Escalated,
    HookFailed,
    Session,
    Strategy,
    StrategyChoice,
    UnknownName,
    hookimpl,
    plugin_manager,
)
from dam_hrm.reasoning.rules import LOWERING, RAISING
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule


def reasoning_with(*plugins):
    return Session(plugins=plugin_manager(*plugins, installed=False)).reasoning


def run(coroutine):
    return asyncio.run(coroutine)


def test_an_input_is_classified_and_sent_its_way():
    """By the built-in rules."""
    reasoning = reasoning_with()
    found = run(reasoning.classify("Should I sell the house?"))
    choice = run(reasoning.route(found))
    assert (found.input_type, found.stakes, choice.strategy) == ("decision", "high", Strategy.VERIFICATION)


def test_the_level_counts_for_the_strategy():
    """More care leaves no quick answer."""
    reasoning = reasoning_with()
    found = run(reasoning.classify("the sky is blue"))
    run(reasoning.escalate(2, trigger="override"))
    assert run(reasoning.route(found)).strategy is Strategy.VERIFICATION


def test_an_escalation_and_its_way_back():
    """What is refused changes nothing."""
    reasoning = reasoning_with()
    assert reasoning.level == 0
    assert run(reasoning.escalate(1, trigger="conflict")) == Escalated(allowed=True, level=1, reason="conflict")
    assert run(reasoning.escalate(3, trigger="conflict")).allowed is False
    assert reasoning.level == 1
    assert run(reasoning.escalate(0, trigger="pattern_match", reason="p7")) == Escalated(
        allowed=True, level=0, reason="p7"
    )
    assert reasoning.level == 0


def test_an_unknown_trigger_is_an_error():
    """That says which there are."""
    with pytest.raises(UnknownName, match="unknown trigger 'conflicts': did you mean conflict"):
        run(reasoning_with().escalate(1, trigger="conflicts"))


def test_plugins_decide_otherwise():
    """A classifier of one's own, a strategy of one's own, a level of one's own."""
    found = Classification(
        input_type="song",
        complexity="simple",
        uncertainty=0.0,
        conflict="none",
        stakes="low",
        horizon="near",
        confidence=1.0,
    )
    choice = StrategyChoice(strategy=Strategy.DIALOGUE, reason="it is a song")

    class Musical:
        @hookimpl
        async def dam_hrm_reasoning_classify(self, text):
            return found

        @hookimpl
        def dam_hrm_reasoning_route(self, classification):
            return choice

        @hookimpl
        def dam_hrm_reasoning_escalate(self, escalation):
            return Escalated(allowed=True, level=2, reason="with feeling")

    reasoning = reasoning_with(Musical())
    assert run(reasoning.classify("la")) is found
    assert run(reasoning.route(found)) is choice
    assert run(reasoning.escalate(3, trigger="conflict")).level == 2
    assert reasoning.level == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda: 3, "answered with int where Escalated was due"),
        (
            lambda: Escalated(allowed=True, level=7, reason=""),
            "raised ValueError: an escalation level is 0 to 3, not 7",
        ),
    ],
)
def test_a_plugin_that_answers_nonsense_fails(answer, said):
    """And nothing changes."""

    class Broken:
        @hookimpl
        def dam_hrm_reasoning_escalate(self, escalation):
            return answer()

    reasoning = reasoning_with(Broken())
    with pytest.raises(HookFailed, match=f"plugin Broken {said}"):
        run(reasoning.escalate(1, trigger="conflict"))
    assert reasoning.level == 0


def test_an_escalation_is_decided_anew_where_the_level_has_changed_meanwhile():
    """So one level at a time it is."""

    class Meanwhile:
        times = 1

        @hookimpl
        async def dam_hrm_reasoning_escalate(self, session, escalation):
            if self.times:
                self.times -= 1
                await session.reasoning.escalate(3, trigger="override")
            return Escalated(allowed=escalation.trigger == "override", level=escalation.to_level, reason="so")

    reasoning = reasoning_with(Meanwhile())
    assert run(reasoning.escalate(1, trigger="conflict")).allowed is False
    assert reasoning.level == 3


class Escalations(RuleBasedStateMachine):
    """Whatever is asked for, the level stays within 0 to 3 and goes the way of its trigger."""

    def __init__(self):
        super().__init__()
        self.reasoning = reasoning_with()

    @rule(to=st.integers(-2, 5), trigger=st.sampled_from([*RAISING, *LOWERING, "override"]))
    def escalate(self, to, trigger):
        before = self.reasoning.level
        escalated = run(self.reasoning.escalate(to, trigger=trigger))

        assert self.reasoning.level == escalated.level == (to if escalated.allowed else before)
        assert 0 <= self.reasoning.level <= 3
        change = self.reasoning.level - before
        assert escalated.allowed is (change != 0)
        assert trigger == "override" or change in ((0, 1) if trigger in RAISING else range(-3, 1))


Escalations.TestCase.settings = settings(max_examples=50, stateful_step_count=15, deadline=None)
TestEscalations = Escalations.TestCase
