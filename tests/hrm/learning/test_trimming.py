"""Patterns that are doubted or unused are forgotten; protected ones never."""

from __future__ import annotations

import pytest
from dam_hrm import HookFailed, hookimpl
from dam_hrm.learning.trimming import DOUBTED, UNUSED_TURNS, judge
from dam_hrm.learning.values import Trimmed


@pytest.mark.parametrize(
    ("confidence", "last_turn", "protected", "removed", "reason"),
    [
        (0.5, 100, False, False, "its confidence is 0.50, and it was used 0 turns ago"),
        (DOUBTED, 100, False, False, "its confidence is 0.20, and it was used 0 turns ago"),
        (0.19, 100, False, True, "its confidence of 0.19 is below 0.2"),
        (0.5, 100 - UNUSED_TURNS, False, False, "its confidence is 0.50, and it was used 50 turns ago"),
        (0.5, 99 - UNUSED_TURNS, False, True, "it was not used for 51 turns"),
        (0.0, 0, True, False, "it is protected"),
    ],
)
def test_a_pattern_goes_by_its_confidence_and_its_use(pattern, confidence, last_turn, protected, removed, reason):
    made = pattern(confidence=confidence, last_turn=last_turn, protected=protected)

    assert judge(made, 100) == Trimmed(pattern_code="p", removed=removed, reason=reason)


def test_all_are_asked_about_but_the_protected_ones(play, pattern):
    """Those that stay say why."""

    async def work(session):
        for code, fields in {
            "good": {},
            "bad": {"confidence": 0.1},
            "kept": {"protected": True, "confidence": 0},
        }.items():
            await session.learning.add(pattern(code, **fields))
        trimmed = await session.learning.trim()
        return [(each.pattern_code, each.outcome) for each in trimmed], [
            p.pattern_code for p in session.learning.patterns
        ]

    assert play(work) == ([("good", "kept"), ("bad", "removed")], ["good", "kept"])


class Trimmer:
    """Answers as it is told to."""

    def __init__(self, answer=lambda pattern: Trimmed(pattern_code=pattern.pattern_code, removed=True, reason="away")):
        self.answer = answer

    @hookimpl
    async def dam_hrm_learning_pattern_trim(self, session, pattern):
        return self.answer(pattern)


def test_a_protected_pattern_stays_whatever_a_plugin_says(play, pattern):
    """Asked for by name or not."""

    async def work(session):
        await session.learning.add(pattern(protected=True))
        return await session.learning.trim("p"), await session.learning.trim(), session.learning.patterns

    stays = Trimmed(pattern_code="p", removed=False, reason="it is protected")
    assert play(work, Trimmer()) == ([stays], [], (pattern(protected=True),))


def test_a_pattern_that_becomes_protected_meanwhile_stays(play, pattern):
    class Protecting:
        @hookimpl
        async def dam_hrm_learning_pattern_trim(self, session, pattern):
            session.learning.protect(pattern.pattern_code)
            return Trimmed(pattern_code=pattern.pattern_code, removed=True, reason="away")

    async def work(session):
        await session.learning.add(pattern())
        return await session.learning.trim()

    assert play(work, Protecting()) == [Trimmed(pattern_code="p", removed=False, reason="it is protected")]


def test_a_pattern_that_is_used_meanwhile_stays(play, pattern):
    class Using:
        @hookimpl
        async def dam_hrm_learning_pattern_trim(self, session, pattern):
            session.turns += 1
            await session.learning.match({"a": 1})
            return Trimmed(pattern_code=pattern.pattern_code, removed=True, reason="away")

    async def work(session):
        await session.learning.add(pattern())
        return await session.learning.trim()

    reason = "it was used or changed in the meantime"
    assert play(work, Using()) == [Trimmed(pattern_code="p", removed=False, reason=reason)]


def test_a_plugin_may_keep_what_would_go(play, pattern):
    """It is asked before the plain rule."""
    keeper = Trimmer(lambda pattern: Trimmed(pattern_code=pattern.pattern_code, removed=False, reason="dear"))

    async def work(session):
        await session.learning.add(pattern(confidence=0.0))
        return (await session.learning.trim())[0].reason, len(session.learning.patterns)

    assert play(work, keeper) == ("dear", 1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda pattern: True, "plugin Trimmer answered with bool where Trimmed was due"),
        (lambda pattern: Trimmed(pattern_code="p", removed="yes", reason=""), "plugin Trimmer raised BadPattern"),
        (
            lambda pattern: Trimmed(pattern_code="q", removed=True, reason=""),
            "plugin Trimmer answered about pattern q when p was asked",
        ),
    ],
)
def test_a_plugin_that_answers_nonsense_trims_nothing(play, pattern, answer, message):
    async def work(session):
        await session.learning.add(pattern())
        with pytest.raises(HookFailed, match=message):
            await session.learning.trim()
        return len(session.learning.patterns)

    assert play(work, Trimmer(answer)) == 1
