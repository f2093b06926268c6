"""
Count what an execution hands to a thread pool as its own, where its trace point says so.

A coroutine that has its computing done by `run_in_executor` or `asyncio.to_thread` would
else look as if it only waited. Work that is a trace point of its own needs none of this.
The pool's jobs get one call more on their stack, and nothing else changes for them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from dam_obs.trace.span import current_span


class ThreadWatch:
    """Meters what thread pools do for executions, from `open` to `close`."""

    def __init__(self) -> None:
        self._original: Callable[..., Future[Any]] = ThreadPoolExecutor.submit
        self._installed: Callable[..., Future[Any]] | None = None

    def open(self) -> ThreadWatch:
        """Begin."""
        original = self._original = ThreadPoolExecutor.submit

        @functools.wraps(original)  # type: ignore[arg-type]
        def submit(pool: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            span = current_span()
            if span is not None and span.site.own_threads and span.meter is not None and not span.end_ns:
                return original(pool, span.meter.elsewhere(fn), *args, **kwargs)
            return original(pool, fn, *args, **kwargs)

        self._installed = submit
        ThreadPoolExecutor.submit = submit  # type: ignore[method-assign,assignment]
        return self

    def close(self) -> None:
        """End, unless somebody else has put something on top: then this does nothing any more by itself."""
        if ThreadPoolExecutor.submit is self._installed:
            ThreadPoolExecutor.submit = self._original  # type: ignore[method-assign]
