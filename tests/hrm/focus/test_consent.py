"""Consent by operation and scope: the most specific answer holds, asked for once, and can be taken back."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from dam_hrm import hookimpl
from dam_hrm.focus.consent import covers, exactly
from dam_hrm.focus.values import Consent
from hypothesis import given
from hypothesis import strategies as st


class User:
    """Answers by a function of what is asked, at once or when told to."""

    def __init__(self, answer=lambda request: True):
        self.answer = answer
        self.asked = []
        self.gate = None

    @hookimpl
    async def dam_hrm_ask_user(self, request):
        self.asked.append(request.summary)
        if self.gate is not None:
            await self.gate.wait()
        return self.answer(request)


# -- patterns


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("altitude.session", "altitude.session", True),
        ("altitude.session", "altitude.other", False),
        ("altitude.*", "altitude.session", True),
        ("altitude.*", "altitude.a.b", True),
        ("altitude.*", "altitude", False),
        ("altitude.*", "altitudes.a", False),
        ("altitude.*", "altitude.*", True),
        ("altitude.session", "altitude.*", False),
        ("*", "altitude.a.b", True),
        ("*", "*", True),
        ("altitude.*", "*", False),
        ("*.write", "memory.write", True),
        ("*.write", "memory.deep.write", False),
        ("a.*.c", "a.b.c", True),
        ("a.*.c", "a.b", False),
        ("a.*.c", "a.*.c", True),
        ("a.*.c", "a.*", False),
        ("a.*", "a.*.c", True),
        ("alt*", "altitude", False),
        ("", "", True),
        ("*", "", True),
        ("a.*", "a.", True),
    ],
)
def test_a_pattern_covers_what_it_stands_for(wide, narrow, expected):
    """A star is one part, and at the end everything below as well."""
    assert covers(wide, narrow) is expected


PARTS = st.lists(st.sampled_from(["a", "b", "*"]), min_size=1, max_size=4).map(".".join)
NAMES = st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=5).map(".".join)


@given(PARTS, PARTS, NAMES)
def test_what_a_covered_pattern_covers_is_covered(wide, narrow, name):
    """So a more specific answer can only be about part of what the wider one is about."""
    if covers(wide, narrow) and covers(narrow, name):
        assert covers(wide, name)


@given(PARTS)
def test_every_pattern_covers_itself(pattern):
    assert covers(pattern, pattern)


@given(PARTS, PARTS)
def test_an_exact_name_stands_for_itself_alone(pattern, other):
    """Whatever stars the text has that it was made of."""
    assert covers(exactly(pattern), exactly(other)) == (pattern == other)


# -- which answer holds


@pytest.mark.parametrize(
    ("given_answers", "request_", "expected"),
    [
        ([], ("memory.write", "notes.a"), None),
        ([("memory.write", "notes.*", True)], ("memory.write", "notes.a"), True),
        ([("memory.write", "notes.*", True)], ("memory.read", "notes.a"), None),
        ([("memory.write", "*", True), ("memory.write", "notes.*", False)], ("memory.write", "notes.a"), False),
        ([("memory.write", "*", False), ("memory.write", "notes.*", True)], ("memory.write", "notes.a"), True),
        ([("memory.write", "notes.*", True), ("memory.write", "*", False)], ("memory.write", "notes.a"), True),
        ([("*", "notes.*", True), ("memory.*", "notes.*", False)], ("memory.write", "notes.a"), False),
        # Neither is more specific: no wins, whichever came first.
        ([("*", "notes.a", True), ("memory.write", "*", False)], ("memory.write", "notes.a"), False),
        ([("memory.write", "*", False), ("*", "notes.a", True)], ("memory.write", "notes.a"), False),
        # A newer answer to the same.
        ([("memory.write", "notes.a", False), ("memory.write", "notes.a", True)], ("memory.write", "notes.a"), True),
        # What was said of a part says nothing of the whole.
        ([("memory.write", "notes.a", True)], ("memory.write", "notes.*"), None),
    ],
)
def test_the_most_specific_answer_holds(play, given_answers, request_, expected):
    """An answer is overruled only by one to what it covers itself."""

    async def look(session):
        for operation, scope, allowed in given_answers:
            session.focus.grant(operation, scope, allowed=allowed)
        return session.focus.answered(*request_)

    found = play(look)

    assert (found and found.allowed) == expected


# -- asking


def test_the_user_is_asked_once(play):
    """The second time the first answer holds, and says so."""
    user = User()

    async def ask(session):
        return [await session.focus.consent("memory.write", "notes.a") for _ in range(2)]

    said = "the user said yes to memory.write on notes.a"
    assert play(ask, user) == [
        Consent(allowed=True, reason=said, asked=True),
        Consent(allowed=True, reason=said),
    ]
    assert user.asked == ["memory.write on notes.a"]


def test_a_no_is_kept_as_well(play):
    """Nobody is asked until the answer is another one."""
    user = User(lambda request: False)

    async def ask(session):
        return [(await session.focus.consent("memory.write", "notes.a")).allowed for _ in range(2)]

    assert play(ask, user) == [False, False]
    assert len(user.asked) == 1


def test_an_answer_to_a_pattern_holds_for_all_it_covers(play):
    user = User()

    async def ask(session):
        await session.focus.consent("memory.write", "altitude.*")
        return await session.focus.consent("memory.write", "altitude.session")

    assert play(ask, user) == Consent(allowed=True, reason="the user said yes to memory.write on altitude.*")
    assert user.asked == ["memory.write on altitude.*"]


def test_nobody_there_is_a_no_that_is_not_kept(play):
    """Once somebody is there, that one is asked."""

    async def ask(session):
        nobody = await session.focus.consent("memory.write", "notes.a")
        session.plugins.register(User())
        return nobody, await session.focus.consent("memory.write", "notes.a")

    nobody, somebody = play(ask)

    assert nobody == Consent(allowed=False, reason="nobody is there to ask for memory.write on notes.a")
    assert (somebody.allowed, somebody.asked) == (True, True)


def boom(request):
    raise OSError("the terminal is gone")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (boom, "asking for a on b failed: dam_hrm_ask_user: plugin User raised OSError: the terminal is gone"),
        (
            lambda request: "yes",
            "asking for a on b failed: dam_hrm_ask_user: plugin User answered with str where bool was due",
        ),
        (
            lambda request: 1,
            "asking for a on b failed: dam_hrm_ask_user: plugin User answered with int where bool was due",
        ),
        (lambda request: None, "nobody is there to ask for a on b"),
    ],
)
def test_asking_that_fails_is_a_no_that_is_not_kept(play, answer, reason):
    """Whatever is no clear yes is no; the next time is another one."""
    user = User(answer)

    async def ask(session):
        failed = await session.focus.consent("a", "b")
        user.answer = lambda request: True
        return failed, await session.focus.consent("a", "b")

    failed, again = play(ask, user)

    assert (failed.allowed, failed.asked) == (False, False)
    assert failed.reason.startswith(reason)
    assert again.allowed


@pytest.mark.parametrize("answer", ["yes", None, Consent])
def test_a_consent_check_that_answers_nonsense_is_a_no(play, answer):
    """The reason names the plugin."""

    class Crooked:
        @hookimpl
        async def dam_hrm_focus_consent_check(self):
            return answer

    async def ask(session):
        return await session.focus.consent("a", "b")

    consent = play(ask, Crooked())

    assert not consent.allowed
    assert consent.reason.startswith(
        "the consent check failed: dam_hrm_focus_consent_check: plugin Crooked answered with"
    )


def test_a_policy_of_a_plugin_is_not_the_users_answer(play):
    """What it decided without asking is not kept; the next time it is asked again."""

    class Policy:
        calls = 0

        @hookimpl
        def dam_hrm_focus_consent_check(self):
            self.calls += 1
            return Consent(allowed=True, reason="policy")

    policy = Policy()

    async def ask(session):
        await session.focus.consent("a", "b")
        await session.focus.consent("a", "b")
        return session.focus.answered("a", "b")

    assert play(ask, policy) is None
    assert policy.calls == 2


# -- taking back


@pytest.mark.parametrize("scope", ["notes.a", "notes.*", "*"])
def test_what_is_revoked_is_no_from_then_on(play, scope):
    """Also where a wider yes was given, and nobody is asked again; until the user allows it anew."""
    user = User()

    async def ask(session):
        await session.focus.consent("memory.write", "*")
        await session.focus.consent("memory.write", "notes.a")
        session.focus.revoke("memory.write", scope)
        revoked = await session.focus.consent("memory.write", "notes.a")
        session.focus.grant("memory.write", "notes.a")
        return revoked, (await session.focus.consent("memory.write", "notes.a")).allowed

    reason = f"consent to memory.write on {scope} was revoked"
    assert play(ask, user) == (Consent(allowed=False, reason=reason), True)
    assert user.asked == ["memory.write on *"]


def test_revoking_a_part_leaves_the_rest(play):
    async def ask(session):
        session.focus.grant("memory.write", "*")
        session.focus.revoke("memory.write", "notes.*")
        return [(await session.focus.consent("memory.write", scope)).allowed for scope in ("notes.a", "plans.a")]

    assert play(ask) == [False, True]


def test_revoking_takes_back_every_yes_below(play):
    """A more specific yes does not outlive the revocation of the whole."""

    async def ask(session):
        session.focus.grant("memory.write", "notes.a")
        session.focus.revoke("memory.*", "notes.*")
        return (await session.focus.consent("memory.write", "notes.a")).allowed

    assert play(ask) is False


# -- at the same time


def test_tasks_that_want_to_know_at_once_ask_once(play):
    """All get the one answer; other questions do not wait for it."""
    user = User()

    async def ask(session):
        user.gate = asyncio.Event()
        waiting = [asyncio.create_task(session.focus.consent("a", "b")) for _ in range(10)]
        other = asyncio.create_task(session.focus.consent("a", "c"))
        while len(user.asked) < 2:
            await asyncio.sleep(0)
        user.gate.set()
        return [(await each).asked for each in waiting], (await other).allowed

    asked, other = play(ask, user)

    assert (sorted(asked), other) == ([False] * 9 + [True], True)
    assert sorted(user.asked) == ["a on b", "a on c"]


def test_threads_that_want_to_know_at_once_ask_once(play):
    """Each with an event loop of its own."""

    class Slow:
        def __init__(self):
            self.asked = 0
            self.all_here = threading.Event()

        @hookimpl
        async def dam_hrm_ask_user(self):
            self.asked += 1
            await asyncio.to_thread(self.all_here.wait, 30)
            return True

    user, threads = Slow(), 4
    arrived = threading.Barrier(threads + 1)

    def in_thread(session):
        arrived.wait(30)
        return asyncio.run(session.focus.consent("a", "b")).allowed

    async def ask(session):
        with ThreadPoolExecutor(threads) as pool:
            futures = [pool.submit(in_thread, session) for _ in range(threads)]
            await asyncio.to_thread(arrived.wait, 30)
            user.all_here.set()
            return [await asyncio.wrap_future(future) for future in futures]

    assert play(ask, user) == [True] * threads
    assert user.asked == 1


def test_who_stops_waiting_harms_nobody(play):
    """Neither the one who asks nor the others who wait."""
    user = User()

    async def ask(session):
        user.gate = asyncio.Event()
        first = asyncio.create_task(session.focus.consent("a", "b"))
        impatient = asyncio.create_task(session.focus.consent("a", "b"))
        patient = asyncio.create_task(session.focus.consent("a", "b"))
        await asyncio.sleep(0.01)
        impatient.cancel()
        await asyncio.sleep(0.01)
        user.gate.set()
        return (await first).allowed, (await patient).allowed, impatient.cancelled()

    assert play(ask, user) == (True, True, True)
    assert user.asked == ["a on b"]


def test_where_the_asker_is_cancelled_the_next_one_asks(play):
    """There was no answer yet."""
    user = User()

    async def ask(session):
        user.gate = asyncio.Event()
        first = asyncio.create_task(session.focus.consent("a", "b"))
        second = asyncio.create_task(session.focus.consent("a", "b"))
        await asyncio.sleep(0.01)
        first.cancel()
        user.gate.set()
        return (await second).asked

    assert play(ask, user) is True
    assert user.asked == ["a on b", "a on b"]


def test_a_question_within_itself_is_a_no(play):
    """It would wait for its own answer."""

    class Recursive:
        inner = None

        @hookimpl
        async def dam_hrm_ask_user(self, session, request):
            self.inner = await session.focus.consent(request.operation, request.scope)
            return True

    user = Recursive()

    async def ask(session):
        return (await session.focus.consent("a", "b")).allowed

    assert play(ask, user) is True
    assert user.inner == Consent(allowed=False, reason="a on b is being asked for already")


def test_two_questions_never_wait_for_each_other(play):
    """Each needs the other one's answer: one of the two gets a no at once."""

    class Crossed:
        @hookimpl
        async def dam_hrm_ask_user(self, session, request):
            await asyncio.sleep(0.01)
            other = "c" if request.scope == "b" else "b"
            await session.focus.consent("a", other)
            return True

    async def ask(session):
        async with asyncio.timeout(30):
            answers = await asyncio.gather(session.focus.consent("a", "b"), session.focus.consent("a", "c"))
        return [each.allowed for each in answers]

    assert play(ask, Crossed()) == [True, True]
