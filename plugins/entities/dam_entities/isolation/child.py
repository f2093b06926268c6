"""
What runs in the child: the function, in a branch of the registry; then one message, and the end.

The message is a kind of one byte and its text. Whatever goes wrong is a message too, as long as there is somebody
to write it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from dam_entities.errors import EntityError
from dam_entities.isolation import wire
from dam_entities.isolation.result import pack
from dam_entities.runtime import Runtime
from dam_entities.tracing import WRAP, Tracing
from dam_entities.values import Call

RETURNED: Final = b"R"
RAISED: Final = b"E"
WRONG: Final = b"W"
UNWRITABLE: Final = b"U"
LARGE: Final = b"L"
LOST: Final = b"N"
"""The function was not found where it ought to be."""

LENGTH_BYTES: Final = 8
_PR_SET_PDEATHSIG: Final = 1
_libc: Final = ctypes.CDLL(None) if sys.platform == "linux" else None

_MOST_TEXT: Final = 256 * 1024
"""Characters of a traceback; of a longer one the end counts."""


def answer(
    runtime: Runtime, call: Call, arguments: tuple[list[Any], dict[str, Any]], most_bytes: int
) -> tuple[bytes, bytes]:
    """Run the call in a branch, and return the kind and the text of the message."""
    branch = runtime.branch()
    known = branch.store.state
    args, named = arguments
    try:
        with branch.active():
            function = WRAP[call.entry.kind](call.entry.function, lambda: Tracing(branch, call.touched))
            value = function(*args, **named)
            if call.entry.kind == "coroutine function":
                value = asyncio.run(value)
    except BaseException as error:  # noqa: BLE001 - it is told, and this process ends
        return RAISED, _told(error)
    if call.entry.signature.returns is None:
        return WRONG, b"it has no return annotation"
    try:
        call.entry.signature.returns.validate_python(value, strict=True)
        message = pack(value, branch.store, known)
    except ValidationError as error:
        return WRONG, _clean(str(error)).encode()
    except (wire.Unwritable, EntityError) as error:
        return UNWRITABLE, _clean(str(error)).encode()
    except BaseException as error:  # noqa: BLE001 - a type of the user's own, while it is written down
        return RAISED, _told(error)
    return (RETURNED, message) if len(message) <= most_bytes else (LARGE, b"")


def end(descriptor: int, work: Callable[[], tuple[bytes, bytes]], *, parent: int | None) -> NoReturn:
    """
    Do the work of a child that was just forked, write the message to `descriptor`, and end the process.

    Args:
        descriptor: The pipe.
        work: Gives kind and text of the message.
        parent: The process whose death is the child's, too; `None` if that cannot be asked for.
    """
    try:
        if parent is not None:
            die_with(parent)
        os.setpgid(0, 0)
        gc.freeze()  # a collection would write to every page that is shared with the parent
        _forget_loop_and_signals()
        kind, text = work()
        write(descriptor, kind, text)
    except BaseException as error:  # noqa: BLE001 - nobody above may see it: the parent's stack is not ours
        with contextlib.suppress(BaseException):
            write(descriptor, RAISED, _told(error))
    finally:
        with contextlib.suppress(BaseException):
            os.close(descriptor)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BaseException):
                stream.flush()
        os._exit(0)


def die_with(parent: int) -> None:
    """
    Have the kernel end this process when the thread that forked it ends.

    That has to be its process's main thread: any other one may well end before its process does.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it was faster
            os._exit(1)


def _forget_loop_and_signals() -> None:
    """Leave to the parent what a running event loop has set up in the process."""
    if threading.current_thread() is not threading.main_thread():
        return
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def write(descriptor: int, kind: bytes, text: bytes) -> None:
    """Write a message."""
    rest = memoryview((1 + len(text)).to_bytes(LENGTH_BYTES) + kind + text)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _told(error: BaseException) -> bytes:
    kind = type(error)
    try:
        message = str(error)
    except Exception as another:  # noqa: BLE001 - the user's own __str__
        message = f"<no message: {type(another).__name__}>"
    try:
        trace = "".join(traceback.format_exception(error))
    except Exception as another:  # noqa: BLE001 - the same
        trace = f"<no traceback: {type(another).__name__}>"
    told = [f"{kind.__module__}.{kind.__qualname__}", message[:_MOST_TEXT], trace[-_MOST_TEXT:]]
    return wire.write([_clean(text) for text in told])


def _clean(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
