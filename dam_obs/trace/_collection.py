"""
Keep CPython 3.11 on its feet when garbage is collected while a context variable is being set.

Up to 3.11 a collection may begin inside `ContextVar.set`, which has to allocate; and it
runs finalizers: the ``finally`` of an abandoned generator, a ``__del__``. If one of those
sets a context variable too, as every span does, the interpreter is left with a pointer to
freed memory and the program dies. From 3.12 on collections begin between two bytecodes.

Here whatever the thread's context consists of when a collection begins is kept alive
until the next one is over; the interrupted `set` is over by then, for there is one
collection at a time. That costs a span nothing.

The collector's callback must not run any Python code: a signal handler of the program's
could raise into it, and what is raised there is lost. And it must not fail, which would be
told on the program's standard error, where a collection begins with no stack left. So it
is put together of parts that are written in C, and the outer ones are such as CPython
calls without counting them against the recursion limit.
"""

from __future__ import annotations

import gc
import sys
from collections import deque
from contextvars import Context, copy_context
from functools import partial
from itertools import compress, repeat
from operator import not_
from typing import Any, Final

IS_NEEDED: Final = sys.version_info < (3, 12)

_kept: deque[Context] = deque(maxlen=2)
"""What was current at the last collection's beginning and at its end, or at the last two such moments."""

_keeping: Any = map(_kept.append, iter(copy_context, None))
"""Each `next` keeps a copy of the current context, and lets go of the oldest."""

_EMPTY: Final = partial(enumerate, ())


class _Keep:
    """
    Asked for an iterator, it keeps the context and gives one over nothing.

    CPython takes an `__iter__` that cannot be looked up, for want of stack, for none: then `__getitem__` tells it that
    there is an iterator all the same. Where these few C calls find no stack, no finalizer finds any to record with.
    """

    # A property asks with the object, which `next` takes for what to return at an end that never comes.
    __iter__ = property(partial(next, compress(repeat(_EMPTY), map(not_, _keeping))))
    __getitem__ = None


_callback: Final[Any] = partial(map, None, _Keep())
"""Called with the phase and a dictionary: ``map(None, _Keep(), "start", {...})``, which asks each for an iterator."""

_users = 0


def protect() -> None:
    """Begin; for as many as say so until they `leave`."""
    global _users
    _users += 1
    if IS_NEEDED and _users == 1:
        gc.callbacks.append(_callback)


def leave() -> None:
    """End, if nobody else needs it."""
    global _users
    _users -= 1
    if _users == 0 and _callback in gc.callbacks:
        gc.callbacks.remove(_callback)
