"""
The programs that `attribution.py` has watched: what they do, they also write down for themselves.

    python _attribution_programs.py SCENARIO SECONDS TRUTH_FILE

Each execution calls a function made for it alone, ``truth_<process>_<number>``, and notes which
span it was in. These functions are never freed, so even a sampler that remembers code by its
address cannot mistake them, and a forked child has another ``<process>`` than its parent.
In the scenario of waits each execution notes what it waited for instead, and how long.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import multiprocessing
import os
import random
import select
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from functools import partial
from itertools import count
from types import FunctionType
from typing import Any

from opentelemetry.trace import get_current_span

import dam_obs

TASKS = 50
THREADS = 3
METHODS = ("fork", "spawn", "forkserver")

Truth = Callable[..., Any]

# -- what is noted


class Notes:
    """Lines that each process appends to one file, whole."""

    def __init__(self) -> None:
        self.start_afresh()
        os.register_at_fork(after_in_child=self.start_afresh)

    def start_afresh(self) -> None:
        """Be another process."""
        self.process = f"{os.getpid():x}x{os.urandom(4).hex()}"
        self.numbers = count()
        self._file: int | None = None

    def __call__(self, *words: object) -> None:
        """Append a line: the process, and what there is to say."""
        if self._file is None:
            self._file = os.open(os.environ["TRUTHS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC)
        os.write(self._file, (" ".join(map(str, (self.process, os.getpid(), *words))) + "\n").encode())


note = Notes()
_kept: list[Truth] = []


def span_id() -> str:
    """Return the span that we are in."""
    return format(get_current_span().get_span_context().span_id, "016x")


def truth_of_call(number: int, work: Truth, *args: Any) -> Any:
    note("span", number, span_id())
    return work(*args)


async def truth_of_coroutine(number: int, work: Truth, *args: Any) -> Any:
    note("span", number, span_id())
    return await work(*args)


def truth_of_generator(number: int, work: Truth, *args: Any) -> Generator[Any, None, None]:
    note("span", number, span_id())
    yield from work(*args)


async def truth_of_stream(number: int, work: Truth, *args: Any) -> AsyncGenerator[Any, None]:
    note("span", number, span_id())
    # An inner generator is closed with the outer one; left to the event loop, its end would be in no execution.
    async with aclosing(work(*args)) as items:
        async for item in items:
            yield item


def truth(model: Truth = truth_of_call) -> Truth:
    """Return a function like `model` that nobody else has and that will never be freed, before its execution starts."""
    number = next(note.numbers)
    name = f"truth_{note.process}_{number}"
    _kept.append(FunctionType(model.__code__.replace(co_name=name, co_qualname=name), globals()))
    return partial(_kept[-1], number)


def spin(ms: float) -> int:
    """Work without a pause."""
    end = time.perf_counter() + ms / 1000
    turns = 0
    while time.perf_counter() < end:
        turns += sum(range(200))
    return turns


# -- systems


@dam_obs.traced("system.call")
def call(true: Truth, ms: float, depth: int = 0) -> None:
    """Work; then be called by ourselves, `depth` deep, and work on."""
    true(work_of_call, ms, depth)


def work_of_call(ms: float, depth: int) -> None:
    spin(ms)
    if depth:
        call(truth(), ms, depth - 1)
        spin(ms / 2)


@dam_obs.traced("system.tree")
def tree(true: Truth, ms: float, depth: int) -> None:
    """Be called by ourselves twice, before and after work of our own."""
    true(work_of_tree, ms, depth)


def work_of_tree(ms: float, depth: int) -> None:
    if depth:
        tree(truth(), ms, depth - 1)
    spin(ms)
    if depth:
        tree(truth(), ms, depth - 1)


@dam_obs.traced("system.generate")
def generate(true: Truth, ms: float) -> Generator[int, None, None]:
    """Work item by item."""
    yield from true(work_of_generate, ms)


def work_of_generate(ms: float) -> Generator[int, None, None]:
    for item in range(4):
        spin(ms)
        yield item


@dam_obs.traced("system.coroutine")
async def coroutine(true: Truth, ms: float, depth: int = 1) -> None:
    """Work in turns with other tasks."""
    await true(work_of_coroutine, ms, depth)


async def work_of_coroutine(ms: float, depth: int) -> None:
    for _ in range(3):
        spin(ms)
        await asyncio.sleep(0)
    if depth:
        await coroutine(truth(truth_of_coroutine), ms, depth - 1)
        call(truth(), ms / 2)


@dam_obs.traced("system.stream")
async def stream(true: Truth, ms: float) -> AsyncGenerator[int, None]:
    """Work item by item, in turns with other tasks."""
    async with aclosing(true(work_of_stream, ms)) as items:
        async for item in items:
            yield item


async def work_of_stream(ms: float) -> AsyncGenerator[int, None]:
    for item in range(4):
        spin(ms)
        await asyncio.sleep(0.001 if item % 2 else 0)
        yield item


def freshly_made(ms: float) -> None:
    """Trace a function that is made for one run, its code with it, and dropped at once."""
    true = truth()
    made: dict[str, Any] = {}
    exec("def made(true, work, ms):\n    return true(work, ms)\n", made)
    dam_obs.traced("system.fresh")(made["made"])(true, spin, ms)


# -- scenarios: each goes on until `end`


async def one_of_many(number: int, end: float) -> None:
    while time.monotonic() < end:
        await coroutine(truth(truth_of_coroutine), 0.5)
        async for item in stream(truth(truth_of_stream), 0.5):
            if number % 3 == 0 and item == 1:
                break
        freshly_made(0.5)
        await asyncio.sleep(0)


async def all_tasks(end: float) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(TASKS):
            group.create_task(one_of_many(number, end))


def in_threads(work: Callable[[float], None], end: float) -> None:
    """Do `work` in some threads at once."""
    threads = [threading.Thread(target=work, args=(end,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def in_a_thread(end: float) -> None:
    while time.monotonic() < end:
        call(truth(), 1, depth=2)
        freshly_made(0.5)
        time.sleep(0.0005)


def generators(end: float) -> None:
    """Consume generators in turns, and one within another; leave some early."""
    while time.monotonic() < end:
        several = [generate(truth(truth_of_generator), ms) for ms in (0.5, 1, 2)]
        for items in zip(*several, strict=True):
            call(truth(), 0.5)
            if sum(items) == 6:
                break
        for generator in several:
            generator.close()


def recursion(end: float) -> None:
    while time.monotonic() < end:
        call(truth(), 1, depth=8)
        tree(truth(), 0.5, depth=4)


def short(end: float) -> None:
    """Run thousands that are far shorter than the time between two looks."""
    while time.monotonic() < end:
        call(truth(), 0.05)
        tree(truth(), 0.1, depth=1)


def subprocesses(end: float) -> None:
    """Start Pythons in the midst of executions, two at once, and other programs."""
    command = [sys.executable, __file__, "child", "1.0"]

    @dam_obs.traced("system.start")
    def start(true: Truth) -> None:
        true(started)

    def started() -> None:
        children = [subprocess.Popen(command), subprocess.Popen(command), subprocess.Popen(["sleep", "0.5"])]
        spin(300)
        for child in children:
            child.wait()

    while time.monotonic() < end:
        start(truth())


def forks(end: float) -> None:
    """Fork in the midst of executions; the child works on in them, runs its own, and comes to the end of all."""

    @dam_obs.traced("system.fork")
    def fork(true: Truth, depth: int) -> bool:
        return bool(true(forked, depth))

    def forked(depth: int) -> bool:
        spin(20)
        child = os.fork()
        if child == 0:
            spin(50)
            for _ in range(5):
                call(truth(), 10, depth=1)
            if depth:
                fork(truth(), depth - 1)
            spin(50)
            return False
        spin(100)
        os.waitpid(child, 0)
        return True

    while time.monotonic() < end:
        if not fork(truth(), 1):
            os._exit(0)


def part(number: int) -> None:
    call(truth(), 10, depth=1)


def pools(end: float) -> None:
    """Have workers of all start methods work at once, for an execution that started them."""

    @dam_obs.traced("system.pool")
    def pool(true: Truth) -> None:
        true(pooled)

    def pooled() -> None:
        executors = [
            concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method))
            for method in METHODS
        ]
        while time.monotonic() < end:
            futures = [executor.submit(part, number) for number in range(10) for executor in executors]
            spin(20)
            concurrent.futures.wait(futures)
        for executor in executors:
            executor.shutdown()

    pool(truth())


# -- waits: no functions of their own, but notes of how long each execution waited


class noted_wait:
    """Notes what the body of a ``with`` block waited for."""

    def __init__(self, cause: str) -> None:
        self._cause = cause

    def __enter__(self) -> None:
        self._begun = time.monotonic_ns()

    def __exit__(self, *_: object) -> None:
        note("wait", span_id(), self._cause, time.monotonic_ns() - self._begun)


@dam_obs.traced("system.sleeps")
def sleeps(ms: float, depth: int = 0) -> None:
    """Sleep, and be called by ourselves."""
    with noted_wait("sleep"):
        time.sleep(ms / 1000)
    if depth:
        sleeps(ms, depth - 1)


@dam_obs.traced("system.reads")
def reads(pipe: tuple[int, int]) -> None:
    """Wait at a pipe until its other end is written to."""
    with noted_wait("pipe_socket"):
        os.read(pipe[0], 1)


@dam_obs.traced("system.locks")
def locks(lock: threading.Lock) -> None:
    """Wait for a lock that another thread holds."""
    with noted_wait("futex"):
        lock.acquire()
    lock.release()


@dam_obs.traced("system.polls")
def polls(ms: float) -> None:
    """Wait for a file that never becomes ready, then compute in an execution within this one."""
    with noted_wait("poll"), select.epoll() as one:
        one.poll(ms / 1000)
    computes(1)


@dam_obs.traced("system.computes")
def computes(ms: float) -> None:
    """Never wait."""
    spin(ms)


@dam_obs.traced("system.sleeps_in_a_task")
async def sleeps_in_a_task(ms: float) -> None:
    """Block the whole event loop for a moment, which is ours, and await, which is not."""
    with noted_wait("sleep"):
        time.sleep(ms / 1000)
    await asyncio.sleep(0.002)
    computes(0.2)


@dam_obs.traced("system.never_blocks")
async def never_blocks(steps: int) -> None:
    """Stand still only while others have the loop; more often than segments are kept, if there are so many steps."""
    for _ in range(steps):
        await asyncio.sleep(0.0003)


async def wait_in_tasks(end: float) -> None:
    async def one(number: int) -> None:
        while time.monotonic() < end:
            await sleeps_in_a_task(1 + number % 3)
            await never_blocks(5)

    async def long() -> None:
        while time.monotonic() < end:
            await never_blocks(700)

    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(one(number))
        group.create_task(long())


def wait_in_a_thread(end: float) -> None:
    lock, held, pipe = threading.Lock(), threading.Event(), os.pipe()

    def help_out() -> None:
        with lock:
            held.set()
            time.sleep(0.004)
        time.sleep(0.003)
        os.write(pipe[1], b"x")

    while time.monotonic() < end:
        sleeps(random.uniform(1, 4), depth=2)
        polls(2)
        held.clear()
        helper = threading.Thread(target=help_out)
        helper.start()
        held.wait()
        locks(lock)
        reads(pipe)
        helper.join()
        computes(1)


def waits(end: float) -> None:
    """Wait in threads, in tasks, in forked children and in other Pythons."""
    threads = [threading.Thread(target=wait_in_a_thread, args=(end,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    child = subprocess.Popen([sys.executable, __file__, "waiting_child", str(max(0.1, end - time.monotonic()))])

    @dam_obs.traced("system.forks")
    def fork() -> bool:
        forked = os.fork()
        if forked == 0:
            with noted_wait("sleep"):  # within the parent's execution, and not of it
                time.sleep(0.01)
            for _ in range(20):
                sleeps(2, depth=1)
            return False
        with noted_wait("child"):
            os.waitpid(forked, 0)
        return True

    while time.monotonic() < end - 2:
        if not fork():
            os._exit(0)
        asyncio.run(wait_in_tasks(min(end, time.monotonic() + 1)))
    for thread in threads:
        thread.join()
    child.wait()


SCENARIOS: dict[str, Callable[[float], None]] = {
    "tasks": lambda end: asyncio.run(all_tasks(end)),
    "threads": partial(in_threads, in_a_thread),
    "generators": partial(in_threads, generators),
    "recursion": recursion,
    "short": short,
    "subprocesses": subprocesses,
    "forks": forks,
    "pools": pools,
    "waits": waits,
}
_CHILDREN = {"child": recursion, "waiting_child": wait_in_a_thread}

if __name__ == "__main__":
    name, seconds = sys.argv[1], float(sys.argv[2])
    if len(sys.argv) > 3:
        os.environ["TRUTHS"] = sys.argv[3]
    (SCENARIOS | _CHILDREN)[name](time.monotonic() + seconds)
