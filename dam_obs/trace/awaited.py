"""
What an execution was suspended for: the far end of its chain of awaits, named.

Nothing is done when it is suspended. When it goes on after a wait of `NAMED_NS` or more, and
before it does, its coroutine still stands where it stopped: from there the chain leads through
coroutines, generators and async generators to the future, the task or the bare ``yield`` at
its end. Frames of the event loop's own machinery have no name of the program's: the last frame
outside of it is who awaited, and the first one of the machinery below that is what.

Only objects of the interpreter's own types are followed, so no code of the host's runs: what
has an ``__await__`` of its own is named by its type, and the chain ends there. Names are made
on the drain thread: here only code objects are kept.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    GeneratorType,
    GetSetDescriptorType,
    MemberDescriptorType,
)
from typing import Any, Final, NamedTuple, cast

from dam_obs.trace.events import AwaitedKind

NAMED_NS: Final = 1_000_000
"""Shorter waits are not named: that would cost more than it tells."""

MOST_LEAVES: Final = 8
"""What one execution awaited, by name; more is put together without one."""

DEEPEST: Final = 64
"""Links of a chain that are followed."""

MACHINERY: Final = frozenset({"asyncio", "anyio", "async_timeout", "sniffio", "uvloop"})
"""Top-level modules that wait on behalf of others."""

_MODULES: Final[dict[str, AwaitedKind]] = {
    "asyncio.base_subprocess": "process",
    "asyncio.futures": "future",
    "asyncio.locks": "lock",
    "asyncio.queues": "queue",
    "asyncio.selector_events": "network",
    "asyncio.sslproto": "network",
    "asyncio.streams": "network",
    "asyncio.subprocess": "process",
    "asyncio.taskgroups": "task",
    "asyncio.tasks": "task",
    "asyncio.threads": "thread",
    "asyncio.unix_events": "network",
    "anyio._core._sockets": "network",
    "anyio._core._subprocesses": "process",
    "anyio._core._synchronization": "lock",
    "anyio.streams.memory": "queue",
    "anyio.to_process": "process",
    "anyio.to_thread": "thread",
}

_FUNCTIONS: Final[dict[tuple[str, str], AwaitedKind]] = {
    ("asyncio.tasks", "sleep"): "sleep",
    ("asyncio.tasks", "__sleep0"): "turn",
    ("anyio._core._eventloop", "sleep"): "sleep",
    ("anyio._core._eventloop", "sleep_until"): "sleep",
    ("asyncio.base_events", "BaseEventLoop.subprocess_exec"): "process",
    ("asyncio.base_events", "BaseEventLoop.subprocess_shell"): "process",
    ("asyncio.base_events", "BaseEventLoop.shutdown_default_executor"): "thread",
    **{
        ("asyncio.base_events", f"BaseEventLoop.{name}"): "network"
        for name in (
            *("connect_accepted_socket", "create_connection", "create_datagram_endpoint", "create_server"),
            *("getaddrinfo", "getnameinfo", "sendfile", "sock_sendfile", "start_tls"),
        )
    },
    ("asyncio.base_events", "Server.serve_forever"): "network",
    ("asyncio.base_events", "Server.wait_closed"): "network",
}
"""By module and name, where a module's functions wait for different things."""

_PASSING: Final = frozenset({("asyncio.tasks", "wait_for"), ("asyncio.locks", "_ContextManagerMixin.__aenter__")})
"""Functions that only hand on what they await, and say nothing of what that is."""

_EXECUTORS: Final = frozenset({"run_in_executor", "wrap_future"})
"""What functions call that hand work to executors."""

_MOST_REMEMBERED: Final = 4096


class Frame(NamedTuple):
    """A code object that was seen in a chain."""

    code: CodeType
    module: str
    is_machinery: bool
    is_ours: bool
    passes: bool
    """See `_PASSING`."""


class Leaf:
    """Where and for what an execution was suspended; mostly the same object for the same place."""

    __slots__ = ("by", "kind", "offset", "what")

    def __init__(self, by: Frame | None, offset: int, what: Frame | type | str | None, kind: AwaitedKind) -> None:
        self.by = by
        """The last frame outside of the event loop's machinery."""
        self.offset = offset
        """Of the instruction in it; -1: not known."""
        self.what = what
        """What that frame awaited: a function of the machinery's, a task by its coroutine's name, an object's type."""
        self.kind = kind


OTHERS: Final = Leaf(None, -1, None, "unknown")
"""Stands for all beyond `MOST_LEAVES`."""

Waits = dict[Leaf, list[int]]
"""Nanoseconds and times, by leaf."""

Opener = Callable[[Any], Any]

_openers: dict[int, tuple[type, Opener | None]] = {}
"""
How to get from an object of a type to what it stands for in a chain; `None`: the chain ends with it.

By the type's id, like all else here: a type may have a hash of its own.
"""

_frames: dict[int, Frame] = {}
_leaves: dict[tuple[int, int, int | str, bool], Leaf] = {}
"""By ids of what the leaf keeps alive: code objects that are equal are not the same."""


def see_through(kind: type, opener: Opener) -> None:
    """Follow chains through objects of a type of ours; `opener` returns what one stands for."""
    _openers[id(kind)] = (kind, opener)


def note(waits: Waits, work: Any, waited_ns: int) -> None:
    """Add what `work`, which is about to go on, has waited for."""
    leaf = leaf_of(work)
    found = waits.get(leaf)
    if found is None:
        if len(waits) >= MOST_LEAVES:
            leaf = OTHERS
        found = waits.setdefault(leaf, [0, 0])
    found[0] += waited_ns
    found[1] += 1


def leaf_of(work: Any) -> Leaf:
    """Return what a suspended coroutine, generator or async generator waits for."""
    by: Frame | None = None
    holder: Any = None
    inner: Frame | None = None
    here, below = work, None
    for _ in range(DEEPEST):
        kind = type(here)
        if kind is CoroutineType:
            code, below = here.cr_code, here.cr_await
        elif kind is GeneratorType:
            code, below = here.gi_code, here.gi_yieldfrom
        elif kind is AsyncGeneratorType:
            code, below = here.ag_code, here.ag_await
        elif inner is not None and not inner.passes:
            break
        else:
            _, opener = _openers.get(id(kind)) or _learn_type(kind)
            opened = opener(here) if opener is not None else None
            if opened is None:
                break
            here = opened
            continue
        frame = _frames.get(id(code)) or _learn(here, code)
        if frame.is_machinery:
            if inner is None or inner.passes:
                inner = frame
        elif not frame.is_ours:
            by, holder, inner = frame, here, None
        if below is None:
            break
        here = below
    offset = _offset(holder)
    yields = below is None and (here is work or type(work) is GeneratorType)
    what = inner if inner is not None else None if below is None else _end(here)
    key = (id(by), offset, what if type(what) is str else id(what), yields)
    return _leaves.get(key) or _remember(key, Leaf(by, offset, what, _kind(what, here, by, yields)))


def _offset(holder: Any) -> int:
    """Return the instruction at which a coroutine or generator stands."""
    kind = type(holder)
    if kind is CoroutineType:
        frame = holder.cr_frame
    elif kind is GeneratorType:
        frame = holder.gi_frame
    elif kind is AsyncGeneratorType:
        frame = holder.ag_frame
    else:
        return -1
    return frame.f_lasti if frame is not None else -1


def _end(here: Any) -> type | str:
    """Return what an awaited object is to be called by: a task by its coroutine, all else by its type."""
    kind = type(here)
    task = _asyncio("Task")
    if task is not None and _is_kind_of(kind, task):
        coroutine = task.get_coro(here)
        if type(coroutine) is CoroutineType:
            return coroutine.__qualname__
    return kind


def _kind(what: Frame | type | str | None, here: Any, by: Frame | None, yields: bool) -> AwaitedKind:
    if yields:
        return "consumer"
    # By `type` alone: `isinstance` would ask a class that is awaited for its own.
    if what is None or type(what) is str:
        return "unknown" if what is None else "task"
    if type(what) is Frame:
        kind = _FUNCTIONS.get((what.module, what.code.co_qualname)) or _MODULES.get(what.module)
        return "turn" if kind == "sleep" and _is_bare_yield(here) else kind or "unknown"
    future, awaited = _asyncio("Future"), cast("type", what)
    if future is not None and _is_kind_of(awaited, future):
        if _NAME(awaited) == "_GatheringFuture":
            return "task"
        # A future does not tell whose it is. In a function that hands work to an executor it is most likely that one's.
        return "thread" if by is not None and not _EXECUTORS.isdisjoint(by.code.co_names) else "future"
    return "unknown"


def _is_kind_of(kind: type, base: type) -> bool:
    return any(each is base for each in _BASES(kind))


def _is_bare_yield(here: Any) -> bool:
    return type(here) is GeneratorType and here.gi_yieldfrom is None


def _asyncio(name: str) -> Any:
    """Return a class of the event loop's, if the program has loaded that at all."""
    return getattr(sys.modules.get("_asyncio"), name, None)


def _remember(key: tuple[int, int, int | str, bool], leaf: Leaf) -> Leaf:
    if len(_leaves) >= _MOST_REMEMBERED:
        _leaves.clear()
    return _leaves.setdefault(key, leaf)


def _learn(here: Any, code: CodeType) -> Frame:
    """Look a code object up, once."""
    kind = type(here)
    frame = here.cr_frame if kind is CoroutineType else here.gi_frame if kind is GeneratorType else here.ag_frame
    found = dict.get(frame.f_globals, "__name__") if frame is not None else None
    module = found if type(found) is str else ""
    top = module.partition(".")[0]
    passes = (module, code.co_qualname) in _PASSING
    if len(_frames) >= _MOST_REMEMBERED:
        _frames.clear()
    return _frames.setdefault(id(code), Frame(code, module, top in MACHINERY, top == "dam_obs", passes))


def _learn_type(kind: type) -> tuple[type, Opener | None]:
    """Find out once how a chain goes on at objects of a type."""
    module = module_of(kind)
    opener: Opener | None = None
    if (module, _NAME(kind)) in _WRAPPERS:
        opener = _first_referent
    elif module.startswith("_cython"):
        members = _MEMBERS(kind)
        descriptor = members.get("cr_await", members.get("gi_yieldfrom"))
        if type(descriptor) in (GetSetDescriptorType, MemberDescriptorType):
            opener = descriptor.__get__
    if len(_openers) < _MOST_REMEMBERED:
        _openers[id(kind)] = (kind, opener)
    return kind, opener


def module_of(kind: type) -> str:
    """Return the module of a type, and ask nothing of the host's: neither a metaclass nor a property."""
    module = _MODULE(kind)
    return module if type(module) is str else ""


_NAME: Final = type.__dict__["__name__"].__get__
_MODULE: Final = type.__dict__["__module__"].__get__
_MEMBERS: Final = type.__dict__["__dict__"].__get__
_BASES: Final = type.__dict__["__mro__"].__get__

_WRAPPERS: Final = frozenset(
    {
        ("_asyncio", "FutureIter"),
        ("builtins", "anext_awaitable"),
        ("builtins", "async_generator_asend"),
        ("builtins", "async_generator_athrow"),
        ("builtins", "coroutine_wrapper"),
    }
)
"""Types of the interpreter's that stand for another object and do not say for which; the collector knows."""


def _first_referent(wrapper: Any) -> Any:
    kind = type(wrapper)
    for referent in gc.get_referents(wrapper):
        if referent is not kind:  # from 3.12 on, objects of the event loop's refer to their type, too
            return referent
    return None
