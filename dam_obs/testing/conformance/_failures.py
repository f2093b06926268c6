"""Exceptions and cancellation."""

from __future__ import annotations

import asyncio
import traceback

from dam_obs.testing.conformance._case import World, case, same


@case
def an_exception_is_the_same_object(world: World) -> None:
    """What the work raises arrives as it is, with the frames that it came through."""
    error = ValueError("no")

    def fail() -> None:
        world.clock.advance(seconds=1)
        raise error

    async def fail_async() -> None:
        raise error

    for name, run in (("sync", world.trace(fail, "sync")), ("async", world.trace(fail_async, "async"))):
        try:
            asyncio.run(run()) if name == "async" else run()  # type: ignore[arg-type]
        except ValueError as caught:
            if caught is not error:
                raise AssertionError(f"{name}: another exception arrived") from caught
            frames = [frame.name for frame in traceback.extract_tb(caught.__traceback__)]
            if not any(frame.startswith("fail") for frame in frames):
                raise AssertionError(f"{name}: the work's own frame is missing in {frames}") from caught
    seen = {(event.component, event.status, event.metadata.get("error.type")) for event in world.record.events()}
    same("events", seen, {("sync", "error", "ValueError"), ("async", "error", "ValueError")})


@case
def a_cancelled_task_ends_its_spans(world: World) -> None:
    """Cancellation passes through, and ends every span on its way."""
    stuck = asyncio.Event

    async def inner() -> None:
        await stuck().wait()

    traced_inner = world.trace(inner, "inner")

    async def outer() -> None:
        await traced_inner()

    async def main() -> bool:
        task = asyncio.create_task(world.trace(outer, "outer")())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return True
        return False

    same("cancelled", asyncio.run(main()), True)
    same("parents", world.record.parents(), {"inner": "outer", "outer": None})
    same("statuses", {event.status for event in world.record.events()}, {"error"})
