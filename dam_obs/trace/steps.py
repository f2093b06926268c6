"""
Run work that stops and goes on (coroutines, generators, async generators) step by step.

Its span is current while its code runs and at no other time: the context is put in place
before each step and taken away after it. So nothing stays current over a ``yield``, and
an early ``break``, a cancellation or a close from another task finds nothing to undo.

No step adds an ``await``, a task, a queue or an item. Objects pass through as they are.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator, Mapping
from operator import attrgetter
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Final, Protocol

from dam_obs.trace import awaited, faults, ids
from dam_obs.trace.context import get_current, set_current, value_for
from dam_obs.trace.span import Span

LAZY: Final = frozenset({CoroutineType, GeneratorType, AsyncGeneratorType})
"""Kinds of result whose work is still to come when the call returns."""

_NO_KWARGS: Final[Mapping[str, Any]] = {}


class Stepper:
    """What is kept from step to step of one execution: its span, which its meter is with, and what is current in it."""

    __slots__ = ("inside", "span", "work")

    def __init__(self, span: Span, work: Any) -> None:
        """Take a span that has been started, and the work whose steps these are."""
        self.span = span
        # Kept here and not with the span: that one is no part of a cycle, and outlives work that is abandoned.
        self.work = work
        self.inside = value_for(span)

    def step(self, call: Callable[..., Any], *args: Any) -> Any:
        """Run one step, `call(*args)`, with the span current and its meter on."""
        outside = get_current()
        set_current(self.inside)
        meter = self.span.meter
        try:
            if meter is None:
                return call(*args)
            meter.enter(self.work)
            try:
                return meter.call(call, args, _NO_KWARGS)
            finally:
                meter.leave()
        finally:
            # What the work has attached and left open is its own: it finds it again at its next step.
            self.inside = get_current()
            set_current(outside)


class Steps(Awaitable[Any], Iterator[Any]):
    """A coroutine or generator, run through a stepper; for ``await`` and ``yield from``."""

    __slots__ = ("_stepper", "_work")

    def __init__(self, work: Any, stepper: Stepper) -> None:
        self._work = work
        self._stepper = stepper

    def __await__(self) -> Steps:
        return self

    def __iter__(self) -> Steps:
        return self

    def send(self, value: Any = None) -> Any:
        """Go on with `value`; as `Stepper.step`, which would be one more frame on the stack."""
        stepper = self._stepper
        outside = get_current()
        set_current(stepper.inside)
        meter = stepper.span.meter
        try:
            if meter is None:
                return self._work.send(value)
            meter.enter(stepper.work)
            try:
                return meter.call(self._work.send, (value,), _NO_KWARGS)
            finally:
                meter.leave()
        finally:
            stepper.inside = get_current()
            set_current(outside)

    __next__ = send

    def throw(self, *exception: Any) -> Any:
        """Go on with an exception."""
        return self._stepper.step(self._work.throw, *exception)

    def close(self) -> None:
        """Give up."""
        self._stepper.step(self._work.close)


awaited.see_through(Steps, attrgetter("_work"))


class _NoAsyncGeneratorHooks:
    """
    While this is entered, a new async generator is not put into the event loop's care.

    The outer one is in its care already and closes the inner one; a loop that closed both
    at once would be told that the inner one is running.
    """

    __slots__ = ("_hooks",)

    def __enter__(self) -> None:
        self._hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, None)

    def __exit__(self, *_: object) -> None:
        sys.set_asyncgen_hooks(*self._hooks)


class Execution:
    """One run of work that stops and goes on: what its wrapper needs to know of its span."""

    __slots__ = ("_last", "_reader", "_stepper", "span", "work")

    def __init__(self, work: Any, span: Span | None, reader: Reader | None = None) -> None:
        """
        Take the work and its span.

        Args:
            work: The coroutine, generator or async generator.
            span: Started, or `None` while recording is off: then the work just runs.
            reader: Told the last item when the work is done.
        """
        self.work = work
        self.span = span
        self._stepper = Stepper(span, work) if span is not None else None
        self._reader = reader if getattr(reader, "reads_result", True) else None
        self._last: Any = None

    def steps(self, work: Any) -> Any:
        """Return `work` to be awaited or yielded from, step by step."""
        return work if self._stepper is None else Steps(work, self._stepper)

    def seen(self, item: Any) -> None:
        """Note an item."""
        self._last = item

    def done(self, result: Any = None) -> None:
        """End the span well; `result` is what the work returned."""
        span = self.span
        if span is None:
            return
        ended = ids.monotonic_ns()
        if self._reader is not None and span.recording:
            with READING:
                self._reader.leave(span, result if result is not None else self._last)
        span.finish(at_ns=ended)

    def failed(self, error: BaseException) -> None:
        """End the span with what the work raised."""
        if self.span is not None:
            self.span.finish(error)


class Reader(Protocol):
    """What a trace point reads from one call."""

    def enter(self, span: Span, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Read from the arguments, right after the span has started."""

    def leave(self, span: Span, result: Any) -> None:
        """Read from the result of a call that succeeded; for an async generator, from its last item."""


READING: Final = faults.guard("points.read")
"""Around all calls of readers."""


def async_generator(begin: Callable[..., Execution]) -> Callable[..., AsyncGenerator[Any, Any]]:
    """
    Make an async generator function that hands on the items of another's run.

    Args:
        begin: Called with the arguments when the first item is asked for.
    """

    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        execution = begin(*args, **kwargs)
        work = execution.work
        try:
            with _NoAsyncGeneratorHooks():
                following = work.__anext__()
            while True:
                try:
                    item = await execution.steps(following)
                except StopAsyncIteration:
                    break
                execution.seen(item)
                try:
                    sent = yield item
                except GeneratorExit:
                    await execution.steps(work.aclose())
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in by the host, to be handed on as it is
                    following = work.athrow(error)
                else:
                    following = work.asend(sent)
        except BaseException as error:
            execution.failed(error)
            raise
        execution.done()

    return run


def follow(span: Span, result: Any, reader: Reader | None = None) -> Any:
    """
    Take over a call's result whose work is still to come, so that the span ends when that does.

    Args:
        span: Started, not ended. It need not be current.
        result: A coroutine, generator or async generator.
        reader: Told what the work returned, or its last item, when it is done.

    Returns:
        One of the same kind, to be handed to the caller instead. If it is never run, the span is never recorded.
    """
    return run(Execution(result, span, reader))


def run(execution: Execution) -> Any:
    """Return a coroutine, generator or async generator that runs the execution's, of the same kind."""
    kind = type(execution.work)
    if kind is CoroutineType:
        return run_coroutine(execution)
    if kind is GeneratorType:
        return run_generator(execution)
    return async_generator(lambda: execution)()


async def run_coroutine(execution: Execution) -> Any:
    """Run a coroutine to its end."""
    try:
        result = await execution.steps(execution.work)
    except BaseException as error:
        execution.failed(error)
        raise
    execution.done(result)
    return result


def run_generator(execution: Execution) -> Generator[Any, Any, Any]:
    """Run a generator to its end."""
    try:
        result = yield from execution.steps(execution.work)
    except BaseException as error:
        execution.failed(error)
        raise
    execution.done(result)
    return result
