"""
Parents where a list of open spans goes wrong: tasks that overlap, threads, executors, generators.

The claim of each test: what a session's operation asks for is below that operation, whatever runs beside it. Held by
comparing whole trees: a session's are, word for word, what they are when it runs alone.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest
from dam_hrm import Action, ActionResult, Answer, Level, Reducer, Signal, hookimpl
from opentelemetry.instrumentation.threading import ThreadingInstrumentor

from dam_obs.testing import recording

LINES = (
    "I value calm mornings",
    "Our goal is to publish the guide this year",
    "What is a chapter?",
    "Let's draft the first chapter",
    "note: the printer is booked",
)
SESSIONS = 6


class Slow:
    """Lets other tasks go on in the middle of every plan, gate and answer of an agent."""

    @hookimpl(wrapper=True)
    def dam_hrm_altitude_plan(self):
        return later((yield))

    @hookimpl(wrapper=True)
    def dam_hrm_gate_write_approval(self):
        return later((yield))

    @hookimpl(wrapper=True)
    def dam_hrm_memory_write(self):
        return later((yield))


async def later(answer):
    for _ in range(3):
        await asyncio.sleep(0)
    return await answer if asyncio.iscoroutine(answer) else answer


async def converse(session):
    """Say all lines."""
    async with session:
        for line in LINES:
            await session.turn(line)


def trees(events):
    """Return the tree below each root as nested tuples of words, by the session that its root names, in order."""
    below, roots = defaultdict(list), []
    handles = {event.trace_id for event in events}
    for event in sorted(events, key=lambda event: event.timestamp):
        assert event.parent_id is None or event.parent_id in handles
        (roots if event.parent_id is None else below[event.parent_id]).append(event)

    def words(event):
        inner = tuple(words(each) for each in below[event.trace_id])
        return (event.operation, event.input_summary, event.output_summary, event.status, inner)

    found = defaultdict(list)
    for root in roots:
        assert {event.otel_trace_id for event in family(root, below)} == {root.otel_trace_id}
        if root.operation == "turn":
            found[root.metadata["session"]].append(words(root))
    return dict(found)


def family(event, below):
    yield event
    for each in below[event.trace_id]:
        yield from family(each, below)


@pytest.fixture
def alone(new_session):
    """The trees of a session that runs alone."""
    with recording() as record:
        asyncio.run(converse(new_session(Slow(), name="alone")))
        (found,) = trees(record.events()).values()
    assert len(found) == len(LINES)
    return found


@pytest.fixture
def crowd(new_session):
    """Sessions that run beside each other."""
    return [new_session(Slow(), name=f"session-{number}") for number in range(SESSIONS)]


def same_for_all(alone):
    return {f"session-{number}": alone for number in range(SESSIONS)}


def test_sessions_in_tasks_that_overlap(alone, crowd, recorded):
    """All in one event loop, giving way to each other within their operations."""

    async def main():
        await asyncio.gather(*(converse(session) for session in crowd))

    asyncio.run(main())

    assert trees(recorded.events()) == same_for_all(alone)


def test_sessions_in_a_task_group_below_one_operation(alone, crowd, recorded, new_session):
    """Started within another session's operation, they are below it, and still each with its own."""

    class Host:
        @hookimpl
        def dam_hrm_agent(self, agent):
            return self.let_all_speak() if agent == "host" else None

        async def let_all_speak(self):
            async with asyncio.TaskGroup() as group:
                for session in crowd:
                    group.create_task(converse(session))
            return Answer(agent="host", text="all have spoken")

        @hookimpl
        def dam_hrm_bundles(self):
            return {"crowd": ["host"]}

        @hookimpl
        def dam_hrm_reducer(self):
            return Reducer.PASS_THROUGH

    async def main():
        outer = new_session(Host(), name="outer")
        async with outer:
            await outer.focus.route(Signal(signal_type="crowd", text="speak"))

    asyncio.run(main())
    events = recorded.events()
    route = next(event for event in events if event.operation == "route" and event.parent_id is None)
    turns = [event for event in events if event.operation == "turn" and event.parent_id == route.trace_id]
    freed = [
        event if event not in turns else type(event)(**{**fields(event), "parent_id": None})
        for event in events
        if event.otel_trace_id == route.otel_trace_id
    ]

    assert len(turns) == SESSIONS * len(LINES)
    assert trees(freed) == same_for_all(alone)


def fields(event):
    return {name: getattr(event, name) for name in event.__struct_fields__}


def test_sessions_in_threads_with_event_loops_of_their_own(alone, crowd, recorded):
    """One thread each."""
    threads = [threading.Thread(target=lambda session=session: asyncio.run(converse(session))) for session in crowd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert trees(recorded.events()) == same_for_all(alone)


def test_sessions_in_an_executor_of_few_threads(alone, crowd, recorded):
    """Threads that are used again keep nothing of who had them before."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda session: asyncio.run(converse(session)), crowd))

    assert trees(recorded.events()) == same_for_all(alone)


def test_one_session_asked_from_many_tasks(alone, recorded, new_session):
    """Its turns wait for each other, its other operations do not; each has its own below it."""

    async def main():
        session = new_session(Slow())
        async with session:
            await asyncio.gather(*(session.memory.write("space", f"key-{number}", number) for number in range(8)))

    asyncio.run(main())
    events = recorded.events()
    writes = {
        event.trace_id: event
        for event in events
        if event.operation == "write" and event.metadata["namespace"] == "space"
    }
    gates = [event for event in events if event.operation == "gate_check" and event.parent_id in writes]

    assert sorted(event.metadata["key"] for event in writes.values()) == [f"key-{number}" for number in range(8)]
    assert sorted(gate.parent_id for gate in gates) == sorted(writes)


@pytest.mark.parametrize("way", ["to_thread", "run_in_executor"])
def test_what_an_action_has_a_thread_do(recorded, new_session, way):
    """A plugin that works in a thread, with a session of its own there: what that does is below the action."""
    other = new_session(name="other")

    class Tool:
        @hookimpl
        def dam_hrm_act(self, action):
            return self.run() if action.action_type == "tool" else None

        async def run(self):
            if way == "to_thread":
                await asyncio.to_thread(self.work)
            else:  # carries no context by itself; `dam-obs run` instruments threads as it is done here
                await asyncio.get_running_loop().run_in_executor(None, self.work)
            return ActionResult(allowed=True, output="done")

        def work(self):
            asyncio.run(other.memory.write("space", "from-a-thread", 1))

    async def main():
        session = new_session(Tool())
        await session.focus.open_lane("lane", "a goal")
        await session.focus.change_stance("execution")
        await session.altitude.execute(Action(altitude=Level.MOMENT, action_type="tool"))

    instrumentor = ThreadingInstrumentor()
    instrumentor.instrument()
    try:
        asyncio.run(main())
    finally:
        instrumentor.uninstrument()
    events = recorded.events()
    (execute,) = [event for event in events if event.operation == "execute"]
    (write,) = [event for event in events if event.input_summary == "space.from-a-thread"]

    assert execute.output_summary == "done"
    assert write.parent_id == execute.trace_id
    assert write.thread_id != execute.thread_id


def test_generators_that_take_turns(recorded, new_session):
    """Async generators that hold an operation's results open across `yield` lend their parent to nobody."""

    async def moves(session):
        session.altitude.establish("L4")
        session.altitude.establish("L3")
        for level in ("L3", "L2", "L4"):
            yield await session.altitude.transition(level, reason="on")

    async def main():
        sessions = [new_session(Slow(), name=f"generator-{number}") for number in range(3)]
        generators = [moves(session) for session in sessions]
        for _ in range(3):
            for each in generators:
                await anext(each)
        await generators[0].aclose()
        for session in sessions:
            await session.aclose()

    asyncio.run(main())
    events = recorded.events()
    moves_made = [event for event in events if event.operation == "transition"]
    writes = [event for event in events if event.input_summary == "altitude.session" and event.operation == "write"]

    assert [event.parent_id for event in moves_made] == [None] * 9
    assert sorted(write.parent_id for write in writes) == sorted(event.trace_id for event in moves_made)


def test_a_turn_that_is_cancelled_leaves_nothing_behind(recorded, new_session):
    """Its spans end, and what comes after has no part in them."""

    class Stuck:
        @hookimpl
        def dam_hrm_reasoning_classify(self, text):
            return self.stay() if "stuck" in text else None

        async def stay(self):
            self.reached.set()
            await asyncio.Event().wait()

    async def main():
        plugin = Stuck()
        plugin.reached = asyncio.Event()
        async with new_session(plugin) as session:
            task = asyncio.create_task(session.turn("this is stuck"))
            await plugin.reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await session.memory.write("space", "after", 1)

    asyncio.run(main())
    events = recorded.events()
    (turn,) = [event for event in events if event.operation == "turn"]
    (after,) = [event for event in events if event.input_summary == "space.after"]

    assert (turn.status, turn.metadata["error.type"]) == ("error", "asyncio.exceptions.CancelledError")
    assert after.parent_id is None


def test_no_trace_of_a_context_that_went_wrong(crowd, recorded, capfd):
    """OpenTelemetry has nothing to complain of."""

    async def main():
        await asyncio.gather(*(converse(session) for session in crowd))

    asyncio.run(main())

    assert re.search("detach|context", capfd.readouterr().err, re.IGNORECASE) is None
    assert recorded.events()
