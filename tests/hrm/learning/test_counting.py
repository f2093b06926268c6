"""What works a third time becomes a pattern."""

from __future__ import annotations

import pytest
from dam_hrm import HookFailed, hookimpl
from dam_hrm.learning.counting import LEARNED, MAX_COUNTS
from dam_hrm.learning.situations import code_of
from dam_hrm.learning.values import Pattern

WHEN = {"input_type": "question", "stakes": "low"}


class Watch:
    """Notes what is learned; fails as often as it is told to."""

    def __init__(self, failures=0):
        self.failures = failures
        self.learned = []

    @hookimpl(tryfirst=True)
    def dam_hrm_learning_pattern_add(self, pattern):
        if self.failures:
            self.failures -= 1
            raise OSError("no room")
        self.learned.append(pattern.pattern_code)


async def observed(session, *outcomes, when=None, then="answer"):
    given = [await session.learning.observe(when or WHEN, then, worked=worked) for worked in outcomes]
    return [each and each.pattern_code for each in given]


def test_the_third_success_becomes_a_pattern(play):
    """Through the hook, with where it was seen as its evidence."""
    watch = Watch()

    async def work(session):
        for turn in (1, 2, 3):
            session.turns = turn
            made = await session.learning.observe(WHEN, "answer", worked=True, evidence=f"talk:{turn}")
        return made, session.learning.patterns

    code = code_of("answer", WHEN)
    expected = Pattern(
        pattern_code=code,
        when=WHEN,
        then="answer",
        confidence=LEARNED,
        evidence=("talk:1", "talk:2", "talk:3"),
        hits=3,
        last_turn=3,
        source="observed",
    )
    assert play(work, watch) == (expected, (expected,))
    assert watch.learned == [code]


@pytest.mark.parametrize(
    ("outcomes", "learned_at"),
    [
        ([True, True], None),
        ([True, True, True], 3),
        ([True, True, False, True, True], None),
        ([True, True, False, True, True, True], 6),
        ([False, False, False], None),
    ],
)
def test_a_failure_begins_the_count_anew(play, outcomes, learned_at):
    async def work(session):
        return await observed(session, *outcomes)

    given = play(work)

    assert [n for n, code in enumerate(given, start=1) if code] == ([learned_at] if learned_at else [])


def test_what_is_different_is_counted_apart(play):
    """Another thing done, or another situation."""

    async def work(session):
        await observed(session, True, True)
        await observed(session, True, True, then="ask")
        await observed(session, True, True, when={**WHEN, "stakes": "high"})
        return session.learning.patterns

    assert play(work) == ()


def test_fractions_that_are_near_are_counted_together(play):
    """And match later."""

    async def work(session):
        for share in (0.28, 0.3, 0.33):
            await session.learning.observe({"uncertainty": share}, "answer", worked=True)
        return [(await session.learning.match({"uncertainty": share})).then for share in (0.25, 0.4, 0.6)]

    assert play(work) == ["answer", "answer", ""]


def test_the_evidence_is_the_session_and_its_turn_where_none_is_given(play):
    async def work(session):
        session.turns = 5
        await observed(session, True, True, True)
        return session.learning.patterns[0].evidence == (f"{session.name}:5",)

    assert play(work)


def test_where_learning_fails_the_next_success_tries_again(play):
    """No count is lost."""
    watch = Watch(failures=2)

    async def work(session):
        await observed(session, True, True)
        for _ in range(2):
            with pytest.raises(HookFailed, match="plugin Watch raised OSError: no room"):
                await observed(session, True)
        await observed(session, True)
        return [each.hits for each in session.learning.patterns]

    assert play(work, watch) == [3]


def test_what_was_trimmed_is_counted_from_the_start(play):
    async def work(session):
        await observed(session, True, True, True)
        code = session.learning.patterns[0].pattern_code
        session.turns = 1000
        await session.learning.trim(code)
        return [bool(each) for each in await observed(session, True, True, True)]

    assert play(work) == [False, False, True]


def test_so_many_counts_are_kept(play):
    """What was not seen for the longest time is let go."""

    async def work(session):
        await observed(session, True, True, then="old")
        await observed(session, True, True, then="seen again")
        for number in range(MAX_COUNTS - 2):
            await observed(session, True, then=f"other {number}")
        await observed(session, True, then="one more")
        return await observed(session, True, then="seen again"), await observed(session, True, then="old")

    seen_again, old = play(work)

    assert seen_again != [None]
    assert old == [None]
