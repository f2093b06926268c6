"""Which runtime is at work here: the one that was made active in this context, else the program's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dam_entities.runtime import Runtime

_active: ContextVar[Runtime | None] = ContextVar("dam_entities_runtime", default=None)
_own: list[Runtime] = []
_making = threading.Lock()


def current() -> Runtime:
    """Return the active runtime."""
    active = _active.get()
    if active is not None:
        return active
    with _making:
        if not _own:
            from dam_entities.runtime import Runtime

            _own.append(Runtime())
    return _own[0]


@contextmanager
def activated(runtime: Runtime) -> Iterator[None]:
    """Have `runtime` at work in this task or thread for a while."""
    token = _active.set(runtime)
    try:
        yield
    finally:
        _active.reset(token)
