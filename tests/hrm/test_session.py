"""A session is one conversation's own: turns in order, nothing mixed, closed cleanly, gone on with."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from dam_hrm import ActionResult, HookFailed, Session, SessionClosed, WithinItself, hookimpl, plugin_manager
from dam_hrm.session import HISTORY_TURNS

SESSIONS = 100


class Slow:
    """Answers in a few steps, and looks whether anybody else is answering for the same session."""

    def __init__(self):
        self.inside: dict[str, int] = {}
        self.most = 0
        self.order = []

    @hookimpl
    def dam_hrm_act(self, session, action):
        return self.answer(session, action)

    async def answer(self, session, action):
        text = action.arguments["text"]
        self.inside[session.name] = self.inside.get(session.name, 0) + 1
        self.most = max(self.most, self.inside[session.name])
        for _ in range(3):
            await asyncio.sleep(0)
        self.inside[session.name] -= 1
        self.order.append(text)
        return ActionResult(allowed=True, output=f"{session.name} heard {text}")


def session_with(*plugins, **known):
    return Session(plugins=plugin_manager(*plugins, installed=False), **known)


# -- turns at the same time


def test_turns_of_tasks_come_one_after_the_other():
    """In the order in which they were asked for; none sees half of another."""
    slow = Slow()

    async def main():
        async with session_with(slow, name="it") as session:
            turns = await asyncio.gather(*(session.turn(f"hello {number}") for number in range(10)))
            return [(turn.number, turn.reply) for turn in turns]

    assert asyncio.run(main()) == [(number + 1, f"it heard hello {number}") for number in range(10)]
    assert (slow.most, slow.order) == (1, [f"hello {number}" for number in range(10)])


def test_turns_of_threads_come_one_after_the_other():
    """Each thread has its own loop; every turn is there once."""
    slow = Slow()
    session = session_with(slow, name="it")

    async def turns(thread):
        return [await session.turn(f"hello {thread} {number}") for number in range(5)]

    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(asyncio.run, turns(thread)) for thread in range(6)]
        heard = [turn for each in done for turn in each.result(timeout=60)]
    asyncio.run(session.aclose())

    assert slow.most == 1
    assert sorted(turn.number for turn in heard) == list(range(1, 31))
    assert all(turn.reply == f"it heard {turn.text}" for turn in heard)
    assert [turn.number for turn in session.history] == list(range(1, 31))


def test_a_turn_within_a_turn_is_an_error_of_who_asked_for_it():
    """It would wait for itself."""

    class Nested:
        @hookimpl
        async def dam_hrm_act(self, session, action):
            await session.turn("and you?")

    async def main():
        async with session_with(Nested(), name="it") as session:
            return await session.turn("hello")

    turn = asyncio.run(main())
    assert turn.status == "error"
    assert isinstance(turn.failure.__cause__.__cause__, WithinItself)
    assert "plugin Nested raised WithinItself: a turn of it was asked for within itself" in turn.reply


def test_another_sessions_turn_within_a_turn_is_fine():
    """One session may ask another one."""

    async def main():
        async with session_with(Slow(), name="other") as other:

            class Asking:
                @hookimpl
                async def dam_hrm_act(self, session, action):
                    turn = await other.turn(action.arguments["text"])
                    return ActionResult(allowed=True, output=turn.reply)

            async with session_with(Asking()) as session:
                return (await session.turn("hello")).reply

    assert asyncio.run(main()) == "other heard hello"


def test_a_cancelled_turn_leaves_the_session_usable():
    """It is counted, and not in the history."""
    entered = []

    class Hanging:
        @hookimpl
        def dam_hrm_act(self, session, action):
            return self.hang() if action.arguments["text"] == "hang" else None

        async def hang(self):
            entered.append(True)
            await asyncio.Event().wait()

    async def main():
        async with session_with(Hanging()) as session:
            hanging = asyncio.create_task(session.turn("hang"))
            waiting = asyncio.create_task(session.turn("hello"))
            while not entered:
                await asyncio.sleep(0.001)
            hanging.cancel()
            turn = await waiting
            with pytest.raises(asyncio.CancelledError):
                await hanging
            return turn.number, turn.status, [each.number for each in session.history]

    assert asyncio.run(main()) == (2, "success", [2])


@pytest.mark.parametrize("text", [None, 7, b"hello"])
def test_a_turn_takes_text(text):
    """And nothing else."""
    with pytest.raises(TypeError, match="a turn needs a text, not"):
        asyncio.run(session_with().turn(text))


# -- sessions at the same time


async def a_conversation(session, number):
    """Say what is this session's alone, and give all that should be."""
    async with session:
        session.focus.grant("memory.write", "notes.*")
        for text in (f"I value {number}", f"Our goal is {number}", f"note: the secret is {number}"):
            await session.turn(text)
        if number % 2:
            await session.turn(f"Let's count to {number}")
        turn = await session.turn("What is the secret?")
        lane = session.focus.lane
        return turn.reply, turn.number, session.altitude.level.value, lane and lane.goal


def expected(number):
    odd = number % 2
    return f"the secret is {number}", 4 + odd, "L3", f"count to {number}" if odd else None


def test_sessions_on_one_loop_do_not_mix():
    """A hundred, with the same plugins."""
    plugins = plugin_manager(installed=False)

    async def main():
        return await asyncio.gather(*(a_conversation(Session(plugins=plugins), number) for number in range(SESSIONS)))

    assert asyncio.run(main()) == [expected(number) for number in range(SESSIONS)]


def test_sessions_in_threads_do_not_mix():
    """A hundred, eight at a time."""
    plugins = plugin_manager(installed=False)

    def one(number):
        return asyncio.run(a_conversation(Session(plugins=plugins), number))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(SESSIONS))) == [expected(number) for number in range(SESSIONS)]


def test_sessions_have_names():
    """Each its own, if nobody names it."""
    first, second = session_with(), session_with()
    assert first.name != second.name
    assert first.name.startswith("session-")


def test_operations_of_threads_leave_a_state_that_one_of_them_made():
    """Moves past turns, many at once: the law holds at every moment."""
    session = session_with()
    session.altitude.establish("L4")
    session.altitude.establish("L3")
    wrong = []

    async def moves(level):
        for _ in range(20):
            moved = await session.altitude.transition(level)
            here = session.altitude.level
            if here.above not in (None, *session.altitude.established):
                wrong.append((level, moved, here))

    threads = [threading.Thread(target=asyncio.run, args=(moves(level),)) for level in ("L4", "L3", "L2", "L1")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert wrong == []


# -- the end


class Closing:
    def __init__(self, heard, error=None):
        self._heard, self._error = heard, error

    @hookimpl
    async def dam_hrm_closing(self, session):
        found = await session.memory.read("altitude", "identity")
        self._heard.append(found.value["text"])
        if self._error is not None:
            raise self._error


def test_closing_is_heard_of_before_memory_is_closed():
    """By every plugin; a second time does nothing."""
    heard = []

    async def main():
        session = session_with(Closing(heard), Closing(heard))
        await session.turn("I value calm")
        await session.aclose()
        await session.aclose()

    asyncio.run(main())
    assert heard == ["I value calm"] * 2


def test_a_plugin_that_fails_at_the_end_hinders_nothing():
    """It is told once everything is closed."""
    heard = []

    async def main():
        session = session_with(Closing(heard), Closing(heard, OSError("no")), Closing(heard))
        await session.turn("I value calm")
        with pytest.raises(HookFailed, match=r"^dam_hrm_closing: plugin Closing.* raised OSError: no$"):
            await session.aclose()
        with pytest.raises(SessionClosed):
            await session.turn("hello")

    asyncio.run(main())
    assert len(heard) == 3


def test_a_closed_session_takes_no_turns():
    """The error says what to do."""

    async def main():
        async with session_with(name="it") as session:
            pass
        with pytest.raises(SessionClosed, match=r"^it is closed: begin another session"):
            await session.turn("hello")

    asyncio.run(main())


def test_closing_waits_for_the_turn_that_runs():
    """And for those that wait before it."""
    slow = Slow()

    async def main():
        session = session_with(slow, name="it")
        turns = [asyncio.create_task(session.turn(f"hello {number}")) for number in range(3)]
        await asyncio.sleep(0)
        await session.aclose()
        return [turn.result().status for turn in turns]

    assert asyncio.run(main()) == ["success"] * 3


# -- what is left for the next session


def test_a_session_of_the_same_name_and_folder_goes_on(tmp_path):
    """Where the last one left off: level, what is established, notes and patterns."""

    async def first():
        async with session_with(folder=tmp_path, name="it") as session:
            session.focus.grant("memory.write", "notes.*")
            for text in ("I value calm", "Our goal is to rest", "What is a?", "What is b?", "note: tea is green"):
                await session.turn(text)
            return session.altitude.level, session.altitude.established, len(session.learning.patterns)

    async def second():
        async with session_with(folder=tmp_path, name="it") as session:
            turn = await session.turn("What is tea?")
            return turn, session.altitude.level, session.altitude.established, len(session.learning.patterns)

    left = asyncio.run(first())
    turn, *found = asyncio.run(second())

    assert turn.reply == "tea is green"
    assert "going on at L3, where it left off" in turn.notes
    assert tuple(found[:2]) == left[:2]
    assert found[2] >= left[2]


def test_a_session_of_another_name_starts_anew(tmp_path):
    """It shares the notes, not the level."""

    async def main():
        async with session_with(folder=tmp_path, name="one") as one:
            await one.turn("I value calm")
            await one.turn("Our goal is to rest")
        async with session_with(folder=tmp_path, name="two") as two:
            await two.turn("hello")
            return two.altitude.level.value, two.altitude.established

    assert asyncio.run(main()) == ("L4", frozenset())


def test_history_has_a_limit():
    """A long conversation does not grow for ever."""

    class Parrot:
        @hookimpl
        def dam_hrm_turn(self, session, text):
            from dam_hrm import Turn

            return Turn(number=session.turns, text=text, reply=text, status="success")

    async def main():
        async with session_with(Parrot()) as session:
            for _ in range(HISTORY_TURNS + 5):
                await session.turn("x" * 2000)
            return [turn.number for turn in session.history], len(session.conversation)

    numbers, characters = asyncio.run(main())
    assert numbers == list(range(6, HISTORY_TURNS + 6))
    assert characters == 100_000
