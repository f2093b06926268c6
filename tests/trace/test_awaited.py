"""What an execution was suspended for is told by name: kinds of awaits, who awaited, and hosts that are odd."""

import asyncio
import sys
import threading
import time
import types
from contextlib import asynccontextmanager

import pytest

from dam_obs import traced
from dam_obs.testing import Clock, recording
from dam_obs.trace import awaited, faults
from dam_obs.trace.site import LONGEST_PERIOD, NAMING_ALLOWANCE_NS, Pace

LONG = awaited.NAMED_NS * 20 / 1e9
"""Seconds: a wait that is named."""

HERE = __name__


def measured(function, *args):
    """Run a coroutine function, traced and measured; return its event."""
    with recording(measure=True) as record:
        asyncio.run(traced("system.work", component="it")(function)(*args))
        return record.event(component="it")


def longest(event):
    """Return what was awaited the longest, in short."""
    row = event.awaited[0]
    return row.kind, row.what, row.by


def later(function, *args):
    """Call `function` when the caller has been suspended for a while, however busy the machine is."""
    loop = asyncio.get_running_loop()
    loop.call_soon(loop.call_later, LONG, function, *args)


async def sleeps():
    await asyncio.sleep(LONG)


async def sleeps_further_in():
    async def inner():
        await asyncio.sleep(LONG)

    await inner()


async def waits_for_lock():
    lock = asyncio.Lock()
    await lock.acquire()
    later(lock.release)
    async with lock:
        pass


async def waits_for_semaphore():
    room = asyncio.Semaphore(0)
    later(room.release)
    await room.acquire()


async def waits_for_event():
    happened = asyncio.Event()
    later(happened.set)
    await happened.wait()


async def waits_for_condition():
    condition = asyncio.Condition()

    def tell():
        for waiter in condition._waiters:
            waiter.set_result(False)

    async with condition:
        later(tell)
        await condition.wait()


async def gets_from_queue():
    queue = asyncio.Queue()
    later(queue.put_nowait, 1)
    await queue.get()


async def puts_into_queue():
    queue = asyncio.Queue(1)
    await queue.put(1)
    later(queue.get_nowait)
    await queue.put(2)


async def reads_a_stream():
    asked = asyncio.Event()

    async def serve(reader, writer):
        await asked.wait()
        writer.write(b"line\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        later(asked.set)
        assert await reader.readline() == b"line\n"
        writer.close()


async def waits_for_a_program():
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    later(process.stdin.write, b"\n")
    await process.wait()


async def in_a_thread():
    asked = threading.Event()
    later(asked.set)
    await asyncio.to_thread(asked.wait)


async def awaits_an_executor():
    asked = threading.Event()
    later(asked.set)
    await asyncio.get_running_loop().run_in_executor(None, asked.wait)


async def awaits_a_task():
    await asyncio.ensure_future(sleeps())


async def gathers():
    await asyncio.gather(sleeps(), sleeps())


async def groups():
    async with asyncio.TaskGroup() as group:
        group.create_task(sleeps())


async def waits_for_some():
    await asyncio.wait([asyncio.ensure_future(sleeps())])


async def awaits_a_future():
    future = asyncio.get_running_loop().create_future()
    later(future.set_result, None)
    await future


async def waits_its_turn():
    loop = asyncio.get_running_loop()
    loop.call_soon(time.sleep, LONG)
    await asyncio.sleep(0)


async def items():
    for number in range(2):
        await asyncio.sleep(LONG)
        yield number


async def iterates():
    async for _ in items():
        pass


@asynccontextmanager
async def opened():
    await asyncio.sleep(LONG)
    yield


async def enters():
    async with opened():
        pass


KINDS = {
    sleeps: ("sleep", "asyncio.tasks:sleep", f"{HERE}:sleeps"),
    sleeps_further_in: ("sleep", "asyncio.tasks:sleep", f"{HERE}:sleeps_further_in.<locals>.inner"),
    waits_for_lock: ("lock", "asyncio.locks:Lock.acquire", f"{HERE}:waits_for_lock"),
    waits_for_semaphore: ("lock", "asyncio.locks:Semaphore.acquire", f"{HERE}:waits_for_semaphore"),
    waits_for_event: ("lock", "asyncio.locks:Event.wait", f"{HERE}:waits_for_event"),
    waits_for_condition: ("lock", "asyncio.locks:Condition.wait", f"{HERE}:waits_for_condition"),
    gets_from_queue: ("queue", "asyncio.queues:Queue.get", f"{HERE}:gets_from_queue"),
    puts_into_queue: ("queue", "asyncio.queues:Queue.put", f"{HERE}:puts_into_queue"),
    reads_a_stream: ("network", "asyncio.streams:StreamReader.readline", f"{HERE}:reads_a_stream"),
    waits_for_a_program: ("process", "asyncio.subprocess:Process.wait", f"{HERE}:waits_for_a_program"),
    in_a_thread: ("thread", "asyncio.threads:to_thread", f"{HERE}:in_a_thread"),
    awaits_an_executor: ("thread", "_asyncio:Future", f"{HERE}:awaits_an_executor"),
    awaits_a_task: ("task", "sleeps", f"{HERE}:awaits_a_task"),
    gathers: ("task", "asyncio.tasks:_GatheringFuture", f"{HERE}:gathers"),
    groups: ("task", "asyncio.taskgroups:TaskGroup.__aexit__", f"{HERE}:groups"),
    waits_for_some: ("task", "asyncio.tasks:wait", f"{HERE}:waits_for_some"),
    awaits_a_future: ("future", "_asyncio:Future", f"{HERE}:awaits_a_future"),
    waits_its_turn: ("turn", "asyncio.tasks:sleep", f"{HERE}:waits_its_turn"),
    iterates: ("sleep", "asyncio.tasks:sleep", f"{HERE}:items"),
    enters: ("sleep", "asyncio.tasks:sleep", f"{HERE}:opened"),
}


@pytest.mark.parametrize(("function", "expected"), KINDS.items(), ids=[each.__name__ for each in KINDS])
def test_awaits_are_named(function, expected):
    """The kind of a wait, the machinery's function that was called, and who called it."""
    assert longest(measured(function)) == expected


def test_line_is_that_of_the_await():
    """File and line lead to the `await`, not to the function's head."""
    row = measured(sleeps).awaited[0]

    assert (row.file, row.line) == (__file__, sleeps.__code__.co_firstlineno + 1)


def test_place_is_told_once_with_its_sum():
    """Waits at one place are added up; those at different lines of one function are told apart."""

    async def work():
        for _ in range(3):
            await asyncio.sleep(LONG)
        await asyncio.sleep(LONG)

    event = measured(work)

    assert [row.times for row in event.awaited] == [3, 1]
    assert 4 * LONG * 1e9 <= sum(row.wait_ns for row in event.awaited) <= event.wait_ns


def test_short_waits_have_no_name():
    """What was awaited for less than a millisecond at a time is not named; its time is still a wait."""

    async def work(clock):
        for _ in range(3):
            await Elapsing(clock, awaited.NAMED_NS - 1)

    with recording(measure=True, clock=(clock := Clock())) as record:
        asyncio.run(traced("system.work")(work)(clock))
        event = record.event()

    assert (event.awaited, event.wait_ns) == ([], 3 * (awaited.NAMED_NS - 1))


class Elapsing:
    """An awaitable of the test's own: suspended once, and meanwhile time passes."""

    def __init__(self, clock, nanoseconds):
        self.clock, self.nanoseconds = clock, nanoseconds

    def __await__(self):
        asyncio.get_running_loop().call_soon(lambda: self.clock.advance(nanoseconds=self.nanoseconds))
        return (yield)


def test_consumer_of_items_is_waited_for():
    """An async generator that stands at a `yield` waits for whoever takes its items."""

    @traced("system.work")
    async def produce():
        yield 1
        yield 2

    async def consume():
        async for _ in produce():
            await asyncio.sleep(LONG)

    with recording(measure=True) as record:
        asyncio.run(consume())
        event = record.event()

    assert longest(event)[::2] == ("consumer", f"{HERE}:{produce.__qualname__}")
    assert len(event.awaited) == 2  # two places


def test_plain_generator_waits_for_its_consumer():
    """So does a plain generator, also where it yields from another."""

    def inner():
        yield 1

    @traced("system.work")
    def produce():
        yield from inner()

    with recording(measure=True) as record:
        for _ in produce():
            time.sleep(LONG)
        assert longest(record.event()) == ("consumer", "", f"{HERE}:{inner.__qualname__}")


def test_execution_in_between_is_seen_through():
    """Who awaits another traced function is told what that one waits for; none of our frames shows."""

    @traced("system.inner")
    async def inner():
        await asyncio.sleep(LONG)

    @traced("system.items")
    async def items():
        await inner()
        yield 1

    async def outer():
        async for _ in items():
            pass

    with recording(measure=True) as record:
        asyncio.run(traced("system.outer")(outer)())
        events = record.events()

    assert {event.operation: longest(event) for event in events} == dict.fromkeys(
        ("outer", "items", "inner"), ("sleep", "asyncio.tasks:sleep", f"{HERE}:{inner.__qualname__}")
    )


def test_what_is_beyond_the_eighth_place_is_put_together():
    """Names are few for one execution, however many places it waits at, and nothing of its waits is lost."""
    source = "import asyncio\nasync def work():\n" + f"    await asyncio.sleep({LONG})\n" * (awaited.MOST_LEAVES + 3)
    host = {"__name__": "many"}
    exec(source, host)

    event = measured(host["work"])

    assert len(event.awaited) == awaited.MOST_LEAVES + 1
    assert (event.awaited[-1].what, event.awaited[-1].by, event.awaited[-1].times) == ("", None, 3)


def test_equal_code_of_two_modules_is_told_apart():
    """Twin modules with the same lines have code objects that compare equal; each goes by its own name."""
    source = "import asyncio\nasync def work(seconds):\n    await asyncio.sleep(seconds)\n"
    names = []
    for name in ("twin_a", "twin_b"):
        host = {"__name__": name}
        exec(compile(source, "twin.py", "exec"), host)
        names.append(longest(measured(host["work"], LONG))[2])

    assert names == ["twin_a:work", "twin_b:work"]


def test_secret_in_a_name_stays_here():
    """Names are redacted as all else is."""
    source = "import asyncio\nasync def work(seconds):\n    await asyncio.sleep(seconds)\n"
    host = {"__name__": "host"}
    exec(compile(source, "/tmp/password=hunter2secret/x.py", "exec"), host)

    assert "hunter2secret" not in str(measured(host["work"], LONG).awaited)


class Raising:
    """Awaitable whose look-alike attributes raise: they belong to the host and are not asked."""

    asked = False

    def __init__(self, future):
        self.future = future

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        if self.future is None:
            raise StopIteration("done")
        future, self.future = self.future, None
        future._asyncio_future_blocking = True
        return future

    def __getattribute__(self, name):
        if name in ("future", "__class__"):
            return object.__getattribute__(self, name)
        Raising.asked = True
        raise RuntimeError(name)


class Strange(type):
    """A metaclass that answers nothing."""

    def __getattribute__(cls, name):
        Raising.asked = True
        raise RuntimeError(name)

    def __hash__(cls):
        Raising.asked = True
        raise RuntimeError("no hash")

    __eq__ = None


def test_type_of_a_strange_kind_is_named_and_not_asked():
    """Neither are metaclasses: the name is the interpreter's."""

    async def work():
        future = asyncio.get_running_loop().create_future()
        later(future.set_result, None)
        strange = types.new_class("Odd", (Raising,), {"metaclass": Strange})
        awaitable = object.__new__(strange)
        object.__setattr__(awaitable, "future", future)
        Raising.asked = False
        await awaitable
        return Raising.asked

    assert measured(work).awaited[0].what.endswith(":Odd")
    assert not Raising.asked


def test_odd_awaitable_is_named_by_its_type_and_not_asked():
    """An awaitable of the host's own is where the chain ends: no attribute of its is read."""
    Raising.asked = False

    async def work():
        future = asyncio.get_running_loop().create_future()
        later(future.set_result, None)
        return await Raising(future)

    assert longest(measured(work)) == ("unknown", f"{HERE}:Raising", f"{HERE}:{work.__qualname__}")
    assert not Raising.asked


class Compiled:
    """What Cython makes of a coroutine, as far as a chain goes: attributes that are the interpreter's descriptors."""

    __slots__ = ("cr_await",)

    def __init__(self, coroutine):
        self.cr_await = coroutine

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        return self.cr_await.send(value)

    def throw(self, *error):
        return self.cr_await.throw(*error)


class Pretending(Compiled):
    """The same with a property in its place."""

    __slots__ = ("_inner",)

    def __init__(self, coroutine):
        self._inner = coroutine

    @property
    def cr_await(self):
        frame = sys._getframe(1)
        if frame.f_code.co_name in ("send", "throw"):
            return self._inner
        raise RuntimeError("asked")


@pytest.mark.parametrize(("kind", "by"), [(Compiled, "sleeps"), (Pretending, "work")], ids=["compiled", "pretending"])
def test_compiled_coroutines_are_seen_through(monkeypatch, kind, by):
    """By descriptors of the interpreter's alone; a property of the program's is not asked."""
    monkeypatch.setattr(kind, "__module__", "_cython_3_0_11")

    async def work():
        await kind(sleeps())

    assert measured(work).awaited[0].by.rpartition(".")[2].rpartition(":")[2] == by


def test_trap_of_another_scheduler_is_unknown():
    """A bare `yield` below an await, as other schedulers than asyncio use it, is told as what is not known."""

    @types.coroutine
    def trap():
        yield

    @traced("system.work")
    async def work():
        await trap()

    with recording(measure=True) as record:
        running = work()
        running.send(None)
        time.sleep(LONG)
        with pytest.raises(StopIteration):
            running.send(None)
        assert longest(record.event()) == ("unknown", "", f"{HERE}:{trap.__qualname__}")


def test_chain_without_end_is_followed_only_so_far():
    """Deep recursion of awaits costs a bounded walk; it is named by where the walk ended."""

    async def dive(depth):
        if depth:
            await dive(depth - 1)
        else:
            await asyncio.sleep(LONG)

    event = measured(dive, 3 * awaited.DEEPEST)

    assert event.awaited[0].by == f"{HERE}:{dive.__qualname__}"


def test_fault_while_naming_is_ours_alone(monkeypatch):
    """If naming itself breaks, the program gets its result, and the wait stays without a name."""

    def broken(*_):
        raise LookupError

    async def work():
        await asyncio.sleep(LONG)
        return "result"

    monkeypatch.setattr(awaited, "leaf_of", broken)
    with recording(measure=True, let_faults_through=False) as record:
        result = asyncio.run(traced("system.work")(work)())
        event = record.event()

    assert (result, event.awaited, faults.counts()) == ("result", [], {"meter.awaited": 1})


def test_abandoned_work_is_not_kept():
    """A suspended coroutine that nobody holds any more is freed at once, with what it holds, and can clean up."""
    ends = []

    @types.coroutine
    def trap():
        yield

    @traced("system.work")
    async def work():
        try:
            await trap()
            await trap()
        finally:
            ends.append("cleaned up")

    with recording(measure=True):
        running = work()
        running.send(None)
        time.sleep(LONG)
        running.send(None)
        del running

        assert ends == ["cleaned up"]


def test_naming_costs_no_more_than_its_share():
    """Where waits are many and work is little, only some executions have their waits named; at least one in 256."""
    pace = Pace()
    pace.took(running_ns=0, reading_ns=0, naming_ns=NAMING_ALLOWANCE_NS)
    named = 0
    for _ in range(3 * LONGEST_PERIOD):
        is_named = pace.next_names()
        named += is_named
        pace.took(running_ns=1_000, reading_ns=0, naming_ns=10_000 if is_named else 0)

    assert 2 <= named <= 10
