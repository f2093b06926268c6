"""Garbage collection at the worst moment: finalizers that record, inside `ContextVar.set`, and what is kept for it."""

import contextvars
import gc
import subprocess
import sys
import textwrap
import weakref

import pytest

from dam_obs.trace import _collection

START = """
import asyncio, gc
import dam_obs
from dam_obs import traced, tracer

dam_obs.configure(jsonl=False, flush_interval=0.01, measure={measure})

@traced("system.work")
def work(): return 1

@traced("system.items")
def items():
    yield 1
    yield 2

@traced("system.later")
async def later():
    await asyncio.sleep(0)

class Finalized:
    def __init__(self): self.itself = self
    def __del__(self): work()

def cycle(*members):
    box = list(members)
    box.append(box)
"""

PROGRAMS = {
    "generators": """
        for _ in range(5000):
            generator = items()
            next(generator)
            cycle(generator)
        """,
    "coroutines": """
        for _ in range(5000):
            coroutine = later()
            coroutine.send(None)
            cycle(coroutine)
        """,
    "objects": """
        for _ in range(5000):
            Finalized()
            work()
        """,
    "frames": """
        def body():
            with tracer.span("sys", "body", "c"):
                yield 1
        for _ in range(5000):
            generator = body()
            next(generator)
            cycle(generator)
        """,
}


@pytest.mark.parametrize("measure", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_abandoned_cycles_of(tmp_path, name, measure):
    """Their finalizers set context variables; CPython 3.11 would die of it."""
    result = subprocess.run(
        [sys.executable, "-c", START.format(measure=measure) + textwrap.dedent(PROGRAMS[name]) + "\nprint('well')"],
        capture_output=True, text=True, timeout=100, cwd=tmp_path,
    )  # fmt: skip

    assert (result.returncode, result.stdout, result.stderr) == (0, "well\n", "")


def test_no_exception_of_the_programs_is_lost(tmp_path):
    """A signal handler that raises while garbage is collected is heard, as it would be without us."""
    program = """
import signal, time
class Late(Exception): pass
def handle(number, frame): raise Late
signal.signal(signal.SIGALRM, handle)

def collect():
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        gc.collect(0)

late = 0
for _ in range(300):
    try:
        collect()
    except Late:
        late += 1
print(late)
"""
    result = subprocess.run(
        [sys.executable, "-c", START.format(measure=False) + program],
        capture_output=True, text=True, timeout=100, cwd=tmp_path,
    )  # fmt: skip

    assert (result.returncode, result.stdout, result.stderr) == (0, "300\n", "")


def test_a_collection_with_no_stack_left_is_not_noticed(tmp_path):
    """Collections begin at every depth, up to the recursion limit; nothing is told on standard error."""
    program = """
import functools

def dig(depth):
    box = [[], {}]
    return functools.partial(dig, depth + 1)()

gc.set_threshold(1, 1, 1000)
for _ in range(20):
    try:
        dig(0)
    except RecursionError:
        pass
gc.set_threshold(700, 10, 10)
print(len(gc.callbacks))
"""
    result = subprocess.run(
        [sys.executable, "-c", START.format(measure=False) + program],
        capture_output=True, text=True, timeout=100, cwd=tmp_path,
    )  # fmt: skip

    assert (result.returncode, result.stdout, result.stderr) == (0, f"{int(_collection.IS_NEEDED)}\n", "")


@pytest.mark.skipif(not _collection.IS_NEEDED, reason="collections begin between bytecodes from Python 3.12 on")
class TestWhatIsKept:
    """A thread's context stays alive while it may be needed, and no longer."""

    @pytest.fixture(autouse=True)
    def protected(self):
        _collection.protect()
        yield
        _collection.leave()

    def test_is_let_go_with_the_next_collection(self):
        """What the program has let go of is not there when `gc.collect` returns."""

        class Value:
            pass

        variable = contextvars.ContextVar("variable")

        def run():
            value = Value()
            variable.set(value)
            gc.collect()
            return weakref.ref(value)

        gone = contextvars.Context().run(run)
        assert gone() is not None
        gc.collect()

        assert gone() is None

    def test_ends_with_the_last_user(self):
        """The collector's callbacks are as they were."""
        before = list(gc.callbacks)
        _collection.protect()
        _collection.leave()
        assert gc.callbacks == before
        _collection.leave()
        assert gc.callbacks == before[:-1]
        _collection.protect()
