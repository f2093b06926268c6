"""A host must not be able to tell that it is observed."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Generator, Iterator
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace as otel_trace
from opentelemetry.sdk.trace import TracerProvider

from dam_obs.testing.conformance._case import World, case, same
from dam_obs.trace import handles


@case
def a_function_stays_what_it_is(world: World) -> None:
    """Kind, name, signature and annotations are those of the function itself."""

    def plain(a: int, *, b: str = "x") -> bool:
        return bool(a and b)

    async def coroutine(a: int) -> None:
        del a

    def generator(a: int) -> Iterator[int]:
        yield a

    async def async_generator(a: int) -> AsyncGenerator[int, None]:
        yield a

    for function in (plain, coroutine, generator, async_generator):
        traced = world.trace(function, function.__name__)
        for ask in (
            inspect.signature,
            inspect.iscoroutinefunction,
            asyncio.iscoroutinefunction,
            inspect.isgeneratorfunction,
            inspect.isasyncgenfunction,
            inspect.isfunction,
            inspect.get_annotations,
            lambda each: (each.__name__, each.__qualname__, each.__module__, each.__doc__),
        ):
            same(f"{function.__name__}: {ask}", ask(traced), ask(function))


@case
def nothing_is_suspended_for_us(world: World) -> None:
    """A traced coroutine suspends exactly as often as it does by itself."""

    class Pause:
        def __await__(self) -> Generator[str, None, None]:
            yield "paused"

    async def work() -> str:
        await Pause()
        await Pause()
        return "result"

    def drive(coroutine: Any) -> list[object]:
        seen: list[object] = []
        try:
            while True:
                seen.append(coroutine.send(None))
        except StopIteration as stop:
            return [*seen, stop.value]

    same("suspensions", drive(world.trace(work, "work")()), drive(work()))


@case
def objects_pass_through_untouched(world: World) -> None:
    """Arguments and results are the very objects, however odd; nobody compares or prints them."""

    class Odd:
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("compared")

        def __bool__(self) -> bool:
            raise RuntimeError("asked whether it is true")

        def __repr__(self) -> str:
            raise RuntimeError("printed")

    given: list[object] = []

    def work(value: Odd) -> Odd:
        given.append(value)
        return value

    odd = Odd()
    result = world.trace(work, "work")(odd)
    if result is not odd or given[0] is not odd:
        raise AssertionError("another object arrived")
    world.expect(work=None)


@case
def other_libraries_nest_with_us(world: World) -> None:
    """A span of another OpenTelemetry library is our child and our parent, in one trace."""
    tracer = TracerProvider().get_tracer("another library")
    inner = world.call("inner")
    between: list[Any] = []

    def outer() -> None:
        with tracer.start_as_current_span("between") as span:
            between.append(span)
            inner()

    world.trace(outer, "outer")()
    by_name = {event.component: event for event in world.record.events()}
    span = between[0]
    same("its parent", f"{span.parent.span_id:016x}", by_name["outer"].otel_span_id)
    same("our parent", by_name["inner"].otel_parent_id, f"{span.get_span_context().span_id:016x}")
    same("nearest of ours", by_name["inner"].parent_id, by_name["outer"].trace_id)
    same("traces", {event.otel_trace_id for event in by_name.values()}, {f"{span.get_span_context().trace_id:032x}"})


@case
def nothing_stays_current(world: World) -> None:
    """After a call, whatever was current before it is current again."""
    before = otel_context.get_current()
    world.call("call")()
    same("context", otel_context.get_current(), before)
    same("span", otel_trace.get_current_span().get_span_context().is_valid, False)


@case
def handles_lead_back_to_spans(world: World) -> None:
    """A handle reads back, and its last part is a prefix of the span's OpenTelemetry id."""
    for _ in range(50):
        world.call("call")()
    events = world.record.events()
    same("different handles", len({event.trace_id for event in events}), 50)
    for event in events:
        handle = handles.parse(event.trace_id)
        same("text", str(handle), event.trace_id)
        if not (event.otel_span_id or "").startswith(handle.rand):
            raise AssertionError(f"{event.trace_id} is no prefix of {event.otel_span_id}")
