"""
Wrap a function so that each of its runs is a span.

The wrapper is a function of the same kind with the same signature, since hosts ask
(`inspect.iscoroutinefunction`, annotations, parameter names). While recording is off it
does one attribute check and calls. The host's call stands outside every guard of ours:
its result, its exception and its suspensions are its own.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from dam_obs.trace import ids, meter
from dam_obs.trace.context import get_current, set_current, value_for
from dam_obs.trace.site import CallSite
from dam_obs.trace.span import Span, begin, unwanted
from dam_obs.trace.steps import (
    LAZY,
    READING,
    Execution,
    Reader,
    async_generator,
    follow,
    run_generator,
)
from dam_obs.trace.tracer import Tracer, tracer

Function = TypeVar("Function", bound=Callable[..., Any])

MARK = "__dam_obs_site__"
"""Attribute of every wrapper: the call site it records for."""


def wrap(function: Function, site: CallSite, reader: Reader | None = None, *, using: Tracer = tracer) -> Function:
    """
    Return `function` with a span around each run.

    Args:
        function: A function, coroutine function, generator function or async generator function.
        site: Where it stands, made beforehand.
        reader: Reads the trace point's data from arguments and result.
        using: The tracer, of which `enabled` is asked at each call.
    """
    wrapper = _maker(function)(function, site, reader, using)
    functools.update_wrapper(wrapper, function)
    setattr(wrapper, MARK, site)
    return wrapper  # type: ignore[return-value]


def _maker(function: Callable[..., Any]) -> Callable[..., Callable[..., Any]]:
    if inspect.isasyncgenfunction(function):
        return _around_async_generator
    if inspect.iscoroutinefunction(function):
        return _around_coroutine
    if inspect.isgeneratorfunction(function):
        return _around_generator
    return _around_call


def _begin(site: CallSite, reader: Reader | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Span:
    """Start a span that is not made current, and read the arguments."""
    span = begin(site, get_current())
    _prepare(span, reader, args, kwargs)
    return span


def _prepare(span: Span, reader: Reader | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if not span.recording:
        return
    if meter.measuring:
        span.meter = meter.Meter(span.span_id, span.site)
    if reader is not None:
        with READING:
            reader.enter(span, args, kwargs)


def _around_call(function: Callable[..., Any], site: CallSite, reader: Reader | None, using: Tracer) -> Any:
    leaving = reader if getattr(reader, "reads_result", True) else None

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not using.enabled or unwanted(around := get_current()):
            return function(*args, **kwargs)
        span = begin(site, around)
        set_current(value_for(span))
        _prepare(span, reader, args, kwargs)
        try:
            steps = span.meter
            if steps is None:
                result = function(*args, **kwargs)
            else:
                steps.enter()
                try:
                    result = steps.call(function, args, kwargs)
                finally:
                    steps.leave()
        except BaseException as error:
            span.leave()
            span.finish(error)
            raise
        ended = ids.monotonic_ns()
        span.leave()
        if type(result) in LAZY:
            return follow(span, result, reader)
        if leaving is not None and span.recording:
            with READING:
                leaving.leave(span, result)
        span.finish(at_ns=ended)
        return result

    return wrapper


def _around_coroutine(function: Callable[..., Any], site: CallSite, reader: Reader | None, using: Tracer) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not using.enabled or unwanted(around := get_current()):
            return await function(*args, **kwargs)
        if meter.measuring:
            # As `run_coroutine`, which would be one more frame on the stack.
            execution = Execution(function(*args, **kwargs), _begin(site, reader, args, kwargs), reader)
            try:
                result = await execution.steps(execution.work)
            except BaseException as error:
                execution.failed(error)
                raise
            execution.done(result)
            return result
        with begin(site, around) as span:
            _prepare(span, reader, args, kwargs)
            result = await function(*args, **kwargs)
            if reader is not None and span.recording:
                with READING:
                    reader.leave(span, result)
            return result

    return wrapper


def _around_generator(function: Callable[..., Any], site: CallSite, reader: Reader | None, using: Tracer) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        if not using.enabled or unwanted(get_current()):
            return (yield from function(*args, **kwargs))
        work = function(*args, **kwargs)
        return (yield from run_generator(Execution(work, _begin(site, reader, args, kwargs), reader)))

    return wrapper


def _around_async_generator(function: Callable[..., Any], site: CallSite, reader: Reader | None, using: Tracer) -> Any:
    def start(*args: Any, **kwargs: Any) -> Execution:
        wanted = using.enabled and not unwanted(get_current())
        span = _begin(site, reader, args, kwargs) if wanted else None
        return Execution(function(*args, **kwargs), span, reader)

    return async_generator(start)
