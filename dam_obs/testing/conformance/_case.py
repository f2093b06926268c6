"""What a conformance case is, and what it works with."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from dam_obs.testing.recording import Clock, Recording, recording

Function = TypeVar("Function", bound=Callable[..., Any])
SECOND = 1_000_000_000


class Trace(Protocol):
    """How a host's function becomes traced."""

    def __call__(self, function: Function, name: str, /) -> Function:
        """Return `function` with a span of component `name` around each run."""


@dataclass(frozen=True)
class Case:
    """One thing that must be right."""

    name: str
    meaning: str
    check: Callable[[World], None]

    def run(self, trace: Trace, *, measure: bool = False) -> None:
        """Check it for functions traced by `trace`, where `measure` with evidence taken, as in a measured run."""
        clock = Clock()
        with _no_complaints(), recording(clock=clock, measure=measure) as record:
            self.check(World(trace, clock, record))

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class World:
    """What a case works with."""

    trace: Trace
    clock: Clock
    record: Recording

    def sleeper(self, name: str, seconds: float) -> Callable[[], Awaitable[str]]:
        """Make a traced coroutine function that takes so long, with a suspension before and after."""

        async def work() -> str:
            await asyncio.sleep(0)
            self.clock.advance(seconds=seconds)
            await asyncio.sleep(0)
            return name

        return self.trace(work, name)

    def call(self, name: str, seconds: float = 0) -> Callable[[], str]:
        """Make a traced plain function that takes so long."""

        def work() -> str:
            self.clock.advance(seconds=seconds)
            return name

        return self.trace(work, name)

    def expect(self, **parents: str | None) -> None:
        """Compare who ran under whom, by component, and that each succeeded."""
        same("parents", self.record.parents(), parents)
        same("statuses", {event.status for event in self.record.events()}, {"success"})

    def expect_seconds(self, **seconds: float) -> None:
        """Compare how long each took."""
        took = {event.component: (event.duration_ns or 0) / SECOND for event in self.record.events()}
        same("durations", took, seconds)


def same(what: str, seen: object, wanted: object) -> None:
    """Raise unless what was seen is what was wanted."""
    if seen != wanted:
        raise AssertionError(f"{what}: seen {seen}, wanted {wanted}")


@contextmanager
def _no_complaints() -> Iterator[None]:
    """Fail if OpenTelemetry could not detach a context, or the event loop had to report something."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    listener = Listener(logging.WARNING)
    loggers = [logging.getLogger("opentelemetry"), logging.getLogger("asyncio")]
    for logger in loggers:
        logger.addHandler(listener)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(listener)
    same("complaints", said, [])


ALL: list[Case] = []


def case(check: Callable[[World], None]) -> Callable[[World], None]:
    """Add a case; its docstring says what must be right."""
    ALL.append(Case(check.__name__, inspect.cleandoc(check.__doc__ or ""), check))
    return check
