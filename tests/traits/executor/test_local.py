"""Systems on the event loop and in threads."""

import asyncio
import contextvars
import threading
import time

import pytest
from dam_traits import hookspecs
from dam_traits.commands import Command
from dam_traits.executor import LocalExecutor, UnknownExecutor, make_executor, thread_waits
from dam_traits.executor.threads import Threads

WHERE = contextvars.ContextVar("WHERE", default="nowhere")


class Ask(Command):
    """What every system here runs for."""


def run(coroutine):
    """Run a test's coroutine, but not for ever."""

    async def bounded():
        async with asyncio.timeout(30):
            return await coroutine

    return asyncio.run(bounded())


def test_coroutine_runs_in_the_task_of_the_reader(small_world):
    """No task and no thread stands between a coroutine and whoever reads its result."""
    seen = []

    async def system(command: Ask):
        seen.append((asyncio.current_task(), threading.current_thread()))
        return command

    async def check():
        command = Ask()
        async with small_world() as world:
            assert await world.results(system, command) == [command]
        assert seen == [(asyncio.current_task(), threading.current_thread())]

    run(check())


def test_items_of_an_async_generator_pass_through_as_they_are(small_world):
    """The reader has the very objects, each before the next one is made."""
    steps = []
    items = [object(), object()]

    async def system(command: Ask):
        for number, item in enumerate(items):
            steps.append(f"gives {number}")
            yield item

    async def check():
        async for item in small_world().run(system, Ask()):
            number = items.index(item)
            steps.append(f"reads {number}")

    run(check())
    assert steps == ["gives 0", "reads 0", "gives 1", "reads 1"]


def test_closing_closes_an_async_generator_in_the_same_task(small_world):
    """A reader that leaves early has the system's own cleanup done, in its task, when `aclose` returns."""
    closed_in = []

    async def system(command: Ask):
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            closed_in.append(asyncio.current_task())

    async def check():
        results = small_world().run(system, Ask())
        assert await anext(results) == 1
        await results.aclose()
        assert closed_in == [asyncio.current_task()]

    run(check())


def test_what_is_thrown_in_reaches_an_async_generator(small_world):
    """`athrow` goes on to the system, which may answer with another item; so does `asend`."""

    async def system(command: Ask):
        try:
            got = yield "first"
            yield got
        except KeyError as error:
            yield error

    async def check():
        thrown = KeyError("k")
        results = small_world().run(system, Ask())
        assert await anext(results) == "first"
        assert await results.asend("sent") == "sent"
        assert await results.athrow(thrown) is thrown
        with pytest.raises(StopAsyncIteration):
            await anext(results)

    run(check())


def test_function_runs_in_a_thread_of_the_executor(small_world):
    """A function is off the loop's thread, in one that says whose it is."""

    def system(command: Ask):
        return threading.current_thread().name

    async def check():
        async with small_world() as world:
            assert await world.results(system, Ask()) == ["dam-traits_0"]

    run(check())
    assert not [each.name for each in threading.enumerate() if each.name.startswith("dam-traits")]


@pytest.mark.parametrize("run_in", ["thread", "loop"])
def test_context_variables_are_those_of_the_first_read(small_world, run_in):
    """Functions and generators see what was set where the results are read; what they set stays with them."""

    def function(command: Ask):
        WHERE.set("lost")
        return seen

    def generator(command: Ask):
        yield WHERE.get()
        WHERE.set("kept")
        yield WHERE.get()

    seen = "unused"

    async def check():
        async with small_world() as world:
            made_before = world.run(generator, Ask(), run_in=run_in)
            WHERE.set("reader")
            assert [each async for each in made_before] == ["reader", "kept"]
            if run_in == "thread":
                await world.results(function, Ask(), run_in=run_in)
                assert WHERE.get() == "reader"

    run(check())


def test_generator_in_a_thread_runs_no_further_than_it_was_read(small_world):
    """Whoever reads one item has one made; later ones are made ahead, but no more than were read before."""
    made = []

    def system(command: Ask):
        for number in range(1000):
            made.append(number)
            yield number

    async def check():
        async with small_world() as world:
            results = world.run(system, Ask())
            assert await anext(results) == 0
            await asyncio.sleep(0.05)
            assert made == [0]
            assert [await anext(results) for _ in range(9)] == list(range(1, 10))
            await results.aclose()
            assert len(made) <= 20

    run(check())


def test_item_is_given_while_the_generator_works_on(small_world):
    """A slow item keeps back none of those before it, read ahead or not."""
    go_on = threading.Event()

    def system(command: Ask):
        yield from range(6)
        go_on.wait(20)
        yield 6

    async def check():
        async with small_world() as world:
            results = world.run(system, Ask())
            assert [await anext(results) for _ in range(6)] == list(range(6))
            go_on.set()
            assert [each async for each in results] == [6]

    run(check())


def test_generator_in_a_thread_is_closed_there(small_world):
    """Closing the results runs the generator's cleanup in a thread, before `aclose` returns."""
    closed_in = []

    def system(command: Ask):
        try:
            while True:
                yield 1
        finally:
            closed_in.append(threading.current_thread().name)

    async def check():
        async with small_world() as world:
            results = world.run(system, Ask())
            assert [await anext(results) for _ in range(100)] == [1] * 100
            await results.aclose()
            assert [name.startswith("dam-traits") for name in closed_in] == [True]

    run(check())


def test_cancelled_reader_waits_for_the_function_in_its_thread(small_world):
    """A function cannot be stopped, so its reader is cancelled when it has ended, however often it is told to."""
    began, go_on = threading.Event(), threading.Event()
    ended = []

    def system(command: Ask):
        began.set()
        go_on.wait(20)
        ended.append(True)

    async def check():
        async with small_world() as world:
            task = asyncio.create_task(world.results(system, Ask()))
            await asyncio.to_thread(began.wait)
            for _ in range(3):
                task.cancel()
                await asyncio.sleep(0.01)
            assert not task.done()
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert ended == [True]

    run(check())


def test_cancelled_reader_has_its_generator_closed(small_world):
    """Cancelled twice while an item is made, a generator is still closed before its reader ends."""
    began, go_on = threading.Event(), threading.Event()
    closed = []

    def system(command: Ask):
        try:
            yield 1
            began.set()
            go_on.wait(20)
            yield 2
        finally:
            closed.append(True)

    async def check():
        async with small_world() as world:
            task = asyncio.create_task(world.results(system, Ask()))
            await asyncio.to_thread(began.wait)
            for _ in range(2):
                task.cancel()
                await asyncio.sleep(0.01)
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert closed == [True]

    run(check())


def test_function_whose_turn_never_came_is_not_run(small_world):
    """Cancelled while all threads are busy, a function does not run at all, and its reader ends at once."""
    began, go_on = threading.Event(), threading.Event()
    calls = []

    def busy(command: Ask):
        began.set()
        go_on.wait(20)

    def system(command: Ask):
        calls.append(command)

    async def check():
        async with small_world(threads=1) as world:
            first = asyncio.create_task(world.results(busy, Ask()))
            await asyncio.to_thread(began.wait)
            second = asyncio.create_task(world.results(system, Ask()))
            await asyncio.sleep(0.01)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            assert not first.done()
            go_on.set()
            await first
        assert calls == []

    run(check())


def test_threads_are_bounded():
    """No more functions run at a time than the bound says, however many there are; all are run."""
    running, most = [], []

    def work():
        running.append(1)
        most.append(len(running))
        time.sleep(0.002)
        running.pop()
        return True

    async def check():
        threads = Threads(3)
        assert all(await asyncio.gather(*(threads.run(work) for _ in range(60))))
        await threads.aclose()

    run(check())
    assert max(most) == 3


def test_threads_that_wait_for_others_make_room():
    """Functions that wait for functions never wait for ever, however few threads there are."""

    async def check():
        threads = Threads(2)

        def outer(depth):
            if depth == 0:
                return 1
            inner = threads.submit(lambda: outer(depth - 1))
            with thread_waits():
                return 1 + inner.result(20)

        assert await asyncio.gather(*(threads.run(lambda: outer(4)) for _ in range(5))) == [5] * 5
        await threads.aclose()

    run(check())


def test_waiting_means_nothing_in_other_threads():
    """A thread that is no executor's may say that it waits."""
    with thread_waits():
        pass


def test_cpu_time_of_threads_is_measured(small_world):
    """What a function or a generator computes in a thread is counted, and what it sleeps is not."""

    def computes(command: Ask):
        until_ns = time.thread_time_ns() + 20_000_000
        while time.thread_time_ns() < until_ns:
            pass

    def steps(command: Ask):
        for _ in range(2):
            computes(command)
            yield

    def sleeps(command: Ask):
        time.sleep(0.05)

    async def cpu_ns(world, system):
        invocation = world.invocation(system, Ask())
        async for _ in world.executor.run(invocation):
            pass
        return invocation.cpu_ns

    async def check():
        async with small_world() as world:
            assert await cpu_ns(world, computes) >= 20_000_000
            assert await cpu_ns(world, steps) >= 40_000_000
            assert await cpu_ns(world, sleeps) < 20_000_000

    run(check())


def test_plugin_is_asked_in_the_place_of_the_system(small_world):
    """A plugin around ``dam_traits_execute`` is called in the thread that the system runs in."""
    seen = []

    class Watch:
        @hookspecs.hookimpl(wrapper=True)
        def dam_traits_execute(self, invocation):
            seen.append(("plugin", threading.current_thread().name))
            return (yield)

    def system(command: Ask):
        seen.append(("system", threading.current_thread().name))

    async def check():
        async with small_world() as world:
            world.plugin_manager.register(Watch())
            await world.results(system, Ask())

    run(check())
    assert seen == [("plugin", "dam-traits_0"), ("system", "dam-traits_0")]


def test_closed_without_having_run(small_world):
    """An executor that ran nothing has nothing to close, and no thread was ever made for it."""
    run(LocalExecutor().aclose())


def test_executor_by_name():
    """Executors are made by name; another name is refused, and the names that there are said."""
    assert isinstance(make_executor(None, "local"), LocalExecutor)
    with pytest.raises(UnknownExecutor, match="there is no executor 'remote'"):
        make_executor(None, "remote")
