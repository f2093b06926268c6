"""
A process between this one and the child, where a fork of this one would not be safe.

A clean process, without threads (multiprocessing's forkserver makes it, or it is spawned), forks the child, waits
for it, since only a parent is told what a child used, and ends it when it is asked to, or when nobody is left to ask.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import select
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any, Final, Literal, NoReturn, cast

from pydantic_core import from_json, to_json

from dam_entities import runtimes
from dam_entities.callables import Entry
from dam_entities.isolation import child
from dam_entities.isolation.started import Ended, Started, ended
from dam_entities.kinds import kind_of
from dam_entities.runtime import Runtime
from dam_entities.signatures import signature_of
from dam_entities.state import EMPTY
from dam_entities.store import Store
from dam_entities.tracing import MARKER, entity_tracer
from dam_entities.values import Call
from dam_entities.version import Version

_KILL: Final = b"K"
_PID: Final = b"P"
_ENDED: Final = b"S"

_PATIENCE_S: Final = 5.0
"""How long a keeper may take to end once its child has."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the child is to do, as it is handed over: by ourselves, so it may be pickled."""

    name: str
    module: str
    qualname: str
    versions: tuple[Version, ...]
    """What the input reaches, children first."""
    arguments: tuple[list[Any], dict[str, Any]]
    most_bytes: int
    modules: tuple[str, ...]
    """Those whose functions are registered."""
    carried: dict[str, str]


class Kept(Started):
    """A child that a keeper looks after."""

    def __init__(self, method: Literal["forkserver", "spawn"], work: Work) -> None:
        """
        Start one.

        Raises:
            OSError: There is no room for another process.
            Exception: Whatever pickling an argument raises.
        """
        text = pickle.dumps(work)
        context = multiprocessing.get_context(method)
        self._control, control = context.Pipe(duplex=True)
        self._message, message = context.Pipe(duplex=False)
        self._process = cast(Any, context).Process(
            target=keep, args=(control, message, text), name=work.name, daemon=True
        )
        try:
            self._process.start()
        except BaseException:
            for end in (self._control, self._message):
                end.close()
            raise
        finally:
            control.close()
            message.close()
        super().__init__(os.dup(self._message.fileno()))
        self._message.close()
        self.exited = self._control.fileno()
        self._pid: int | None = None
        self._ended: Ended | None = None

    @property
    def child_pid(self) -> int | None:
        """Its process; the keeper tells."""
        return self._pid

    def kill(self) -> None:
        """Have the keeper end it; a keeper that has not come that far is ended itself."""
        self._hear()
        if self._ended is not None:
            return
        if self._pid is None:
            self._process.kill()
            return
        with contextlib.suppress(OSError):
            self._control.send_bytes(_KILL)

    def reap(self) -> Ended | None:
        """Return how it ended, if it has."""
        self._hear()
        return self._ended

    def close(self) -> None:
        """Give back what is held; a child that still runs is killed by its keeper, which nobody listens to any more."""
        self._control.close()
        self._process.join(_PATIENCE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()
        super().close()

    def _hear(self) -> None:
        try:
            while self._ended is None and self._control.poll():
                said = self._control.recv_bytes()
                if said[:1] == _PID:
                    self._pid = int(said[1:])
                elif said[:1] == _ENDED:
                    self._ended = Ended(**from_json(said[1:]))
        except (EOFError, OSError):  # the keeper is gone, and its child with it
            self._ended = Ended(None, signal.SIGKILL, 0, 0, 0, 0)


def preload(modules: Iterable[str]) -> None:
    """Have the fork server import what calls need before the first of them; one that runs already goes on as it is."""
    names = ["__main__", __name__, *modules, "dam_entities.isolation.warm"]
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(dict.fromkeys(names)))


def keep(control: Connection, message: Connection, text: bytes) -> NoReturn:
    """Be the keeper of one child; this is a process's whole life."""
    how = Ended(1, None, 0, 0, 0, 0)
    try:
        work: Work = pickle.loads(text)  # noqa: S301 - what the parent of this process wrote for it
        call, runtime = _call(work), _runtime(work)
    except BaseException as error:  # noqa: BLE001 - it is told
        why = f"cannot be run in a process of its own: {type(error).__name__}: {error}"
        child.write(message.fileno(), child.LOST, why.encode("utf-8", "backslashreplace"))
    else:
        how = _look_after(control, message, lambda: _answer(runtime, call, work))
    with contextlib.suppress(OSError):
        control.send_bytes(_ENDED + to_json(asdict(how)))
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(0)


def _answer(runtime: Runtime, call: Call, work: Work) -> tuple[bytes, bytes]:
    with contextlib.ExitStack() as resumed:
        for each in runtime.hook.dam_entities_resume(carried=work.carried):
            resumed.enter_context(each)
        return child.answer(runtime, call, work.arguments, work.most_bytes)


def _look_after(control: Connection, message: Connection, work: Callable[[], tuple[bytes, bytes]]) -> Ended:
    keeper = os.getpid()
    pid = os.fork()
    if pid == 0:
        control.close()
        child.end(message.fileno(), work, parent=keeper)
    message.close()
    with contextlib.suppress(OSError):  # the child does the same, whoever is first
        os.setpgid(pid, pid)
    with contextlib.suppress(OSError):
        control.send_bytes(_PID + str(pid).encode())
    exited = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(exited, select.POLLIN)
    poll.register(control.fileno(), select.POLLIN)
    while exited not in {descriptor for descriptor, _ in poll.poll()}:
        # It was asked to, or there is nobody left: either way the child ends.
        poll.unregister(control.fileno())
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    _, status, used = os.wait4(pid, 0)
    return ended(status, used)


def _call(work: Work) -> Call:
    found: Any = import_module(work.module)
    for name in work.qualname.split("."):
        found = getattr(found, name)
    plain = found.__wrapped__ if getattr(found, MARKER, False) else found
    entry = Entry(work.name, plain, entity_tracer(plain), kind_of(plain), signature_of(plain, work.name))
    return Call(entry, {})


def _runtime(work: Work) -> Runtime:
    """Return a runtime with what the modules of the sender's callables register when they are imported."""
    for module in work.modules:
        import_module(module)
    own = runtimes.current()
    return Runtime(store=Store(EMPTY.having(work.versions)), callables=own.callables, plugins=own.plugins)
