"""Systems that other processes import by name, and what they work with."""

import contextvars
import os
import signal
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dam_traits import hookspecs
from dam_traits.commands import Command
from dam_traits.executor import UnknownExecutor

TRACE = contextvars.ContextVar("TRACE", default="none")

SEEN = []
"""Changed by a test; a process that were a fork would have what is in it."""


@dataclass(frozen=True)
class Ask(Command):
    """What every system here runs for."""

    what: object = None


class OddError(Exception):
    """An error that cannot be pickled the plain way: its class takes other arguments than its base got."""

    def __init__(self, code, where):
        super().__init__(f"{code} at {where}")
        self.code = code
        self.where = where


class NoRoom(OSError):
    """An error with an ``__init__`` of its own over one that keeps what it was given where Python cannot see it."""

    def __init__(self, path):
        super().__init__(28, "No space left", path)
        self.path = path


def with_lock(error):
    """Give an error something that cannot be pickled, and something that can."""
    error.lock = threading.Lock()
    error.kept = "kept"
    return error


ERRORS = {
    "plain": KeyError("k"),
    "os": FileNotFoundError(2, "No such file", "f"),
    "own os": NoRoom("/full"),
    "unicode": UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    "timeout": TimeoutError("late"),
    "several arguments": OddError(1, "there"),
    "message made of one argument": UnknownExecutor("x"),
    "group": ExceptionGroup("several", [ValueError(1), OddError(2, "here")]),
    "exit": SystemExit(4),
}


async def coroutine(command: Ask):
    return ("coroutine", command.what)


async def async_items(command: Ask):
    for item in command.what:
        yield item


def function(command: Ask):
    return ("function", command.what)


def items(command: Ask):
    yield from command.what


class Counting:
    """A class that is a system: one instance is called again and again."""

    def __init__(self):
        self.calls = 0

    def __call__(self, command: Ask):
        self.calls += 1
        return (self.calls, command.what)


def nothing(command: Ask):
    """Give None, which is one result."""


def fails(command: Ask):
    raise OddError(7, command.what)


async def fails_async(command: Ask):
    raise OddError(7, command.what)


def fails_after_items(command: Ask):
    yield 1
    yield 2
    raise OddError(7, command.what)


async def fails_after_async_items(command: Ask):
    yield 1
    yield 2
    raise OddError(7, command.what)


def raises(command: Ask):
    raise ERRORS[command.what]


def fails_with_local_error(command: Ask):
    class Local(Exception):
        pass

    raise Local("only here")


def raises_with_lock(command: Ask):
    raise with_lock(OddError(1, "there"))


def gives_a_lock(command: Ask):
    return threading.Lock()


def pid_and_seen(command: Ask):
    return (os.getpid(), SEEN)


def sleeps(command: Ask):
    time.sleep(command.what)


def pid(command: Ask):
    return os.getpid()


async def pid_async(command: Ask):
    return os.getpid()


def pid_item(command: Ask):
    yield os.getpid()


async def pid_async_item(command: Ask):
    yield os.getpid()


class PidOfInstance:
    def __call__(self, command: Ask):
        return os.getpid()


def free_resources(command: Ask):
    """Say what the worker has left of its resources."""
    from distributed import get_worker

    return dict(get_worker().state.available_resources)


def dies(command: Ask):
    """Die by a signal or with an exit code, the first time only where a path is given."""
    how, only_once = command.what
    if only_once is not None:
        try:
            Path(only_once).touch(exist_ok=False)
        except FileExistsError:
            return "alive"
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(3)


def writes_pid_then_sleeps(command: Ask):
    path, seconds = command.what
    Path(path).write_text(str(os.getpid()))
    time.sleep(seconds)
    return "slept"


def writes_pid_then_waits(command: Ask):
    """Write a file, and go on when another one is there."""
    path, go_on = command.what
    Path(path).write_text(str(os.getpid()))
    while not Path(go_on).exists():
        time.sleep(0.01)
    return "waited"


def computes(command: Ask):
    until_ns = time.thread_time_ns() + command.what
    while time.thread_time_ns() < until_ns:
        pass


def touches(command: Ask):
    Path(command.what).touch()


def trace(command: Ask):
    return TRACE.get()


class Carrier:
    """A plugin that carries a text along and brings one back, as one for traces does; loaded on both sides."""

    def __init__(self):
        self.came_back = []

    @hookspecs.hookimpl
    def dam_traits_carry(self):
        return {"trace": TRACE.get()}

    @hookspecs.hookimpl
    def dam_traits_resume(self, carried):
        return Resumed(carried["trace"]) if "trace" in carried else None

    @hookspecs.hookimpl
    def dam_traits_bring(self, brought):
        self.came_back.append(brought)


class Resumed:
    """Entered around an execution elsewhere."""

    def __init__(self, name):
        self.name = name
        self.brought = None

    def __enter__(self):
        self.token = TRACE.set(self.name)

    def __exit__(self, kind, error, traceback):
        TRACE.reset(self.token)
        self.brought = f"{self.name}: {kind.__name__ if kind else 'fine'}".encode()


class Silent:
    """A plugin whose context manager swallows errors, which must reach the reader all the same."""

    @hookspecs.hookimpl
    def dam_traits_resume(self, carried):
        return swallow()


@contextmanager
def swallow():
    with suppress(OddError):
        yield
