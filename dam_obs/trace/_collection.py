"""
Keep CPython 3.11 on its feet when garbage is collected while a context variable is being set.

Up to 3.11 a collection may begin inside `ContextVar.set`, which has to allocate; and it
runs finalizers: the ``finally`` of an abandoned generator, a ``__del__``. If one of those
sets a context variable too, as every span does, the interpreter is left with a pointer to
freed memory and the program dies. From 3.12 on collections begin between two bytecodes.

Here whatever the thread's context consists of when a collection begins is kept alive
until the interrupted `set` is surely over. That costs a span nothing.
"""

from __future__ import annotations

import gc
import sys
from contextvars import Context, copy_context
from threading import get_ident
from types import FrameType
from typing import Final, Literal

IS_NEEDED: Final = sys.version_info < (3, 12)


class _Kept:
    """What one thread's context was when its last collection began."""

    __slots__ = ("context", "is_over")

    def __init__(self) -> None:
        self.context: Context | None = copy_context()
        self.is_over = False


_kept: dict[int, _Kept] = {}
_users = 0


def _hear(phase: Literal["start", "stop"], info: dict[str, int]) -> None:
    if phase == "start":
        _kept[get_ident()] = _Kept()
    elif (kept := _kept.get(get_ident())) is not None:
        kept.is_over = True


def protect() -> None:
    """Begin; for as many as say so until they `leave`."""
    global _users
    _users += 1
    if IS_NEEDED and _users == 1:
        gc.callbacks.append(_hear)


def leave() -> None:
    """End, if nobody else needs it."""
    global _users
    _users -= 1
    if _users == 0 and _hear in gc.callbacks:
        gc.callbacks.remove(_hear)
        release()


def release() -> None:
    """Let go of what no thread needs any more: called now and then, on a thread of our own."""
    frames: dict[int, FrameType] = sys._current_frames() if _kept else {}
    for thread, kept in list(_kept.items()):
        frame = frames.get(thread)
        # Where a collection is over and its callback has been left, so has been the `set` that it interrupted: from
        # there on no other thread could run before.
        if kept.is_over and (frame is None or frame.f_code is not _hear.__code__):
            kept.context = None
