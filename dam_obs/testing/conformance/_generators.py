"""Generators and async generators, which stop and go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator

from dam_obs.testing.conformance._case import World, case, same


@case
def a_generator_is_not_current_between_its_items(world: World) -> None:
    """A generator's span covers its steps; what its consumer does meanwhile is not inside it."""
    inside, outside = world.call("inside", 1), world.call("outside", 2)

    def numbers() -> Generator[int, None, str]:
        inside()
        yield 1
        return "done"

    made = world.trace(numbers, "numbers")()
    same("item", next(made), 1)
    outside()
    try:
        next(made)
    except StopIteration as stop:
        same("return value", stop.value, "done")
    world.expect(numbers=None, inside="numbers", outside=None)
    world.expect_seconds(numbers=3, inside=1, outside=2)


@case
def a_generator_takes_what_is_sent_and_thrown(world: World) -> None:
    """`send`, `throw` and `close` reach the generator as they would without us."""
    seen: list[object] = []

    def echo() -> Generator[object, object, None]:
        try:
            seen.append((yield "first"))
            try:
                yield "second"
            except KeyError as error:
                seen.append(error)
                yield "caught"
        finally:
            seen.append("closed")

    sent, thrown = object(), KeyError("thrown")
    made = world.trace(echo, "echo")()
    items = [next(made), made.send(sent), made.throw(thrown)]
    made.close()
    same("items", items, ["first", "second", "caught"])
    same("received", seen, [sent, thrown, "closed"])
    world.expect(echo=None)


@case
def an_async_generator_is_not_current_between_its_items(world: World) -> None:
    """The same for async generators, which suspend inside their steps too."""
    inside, outside = world.sleeper("inside", 1), world.sleeper("outside", 2)
    items = [object(), object()]

    async def stream() -> AsyncGenerator[object, None]:
        await inside()
        for item in items:
            yield item

    async def consume() -> list[object]:
        got = []
        async for item in world.trace(stream, "stream")():
            got.append(item)
            if len(got) == 1:
                await outside()
        return got

    got = asyncio.run(world.trace(consume, "consume")())
    if [id(item) for item in got] != [id(item) for item in items]:
        raise AssertionError("items were not handed on as the very objects that they are")
    world.expect(consume=None, stream="consume", inside="stream", outside="consume")
    world.expect_seconds(consume=3, stream=3, inside=1, outside=2)


@case
def an_async_generator_may_be_left_early(world: World) -> None:
    """A consumer that stops early closes the generator later, and neither has failed."""
    after = world.call("after")
    ended: list[str] = []

    async def stream() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned up")

    async def consume() -> None:
        made = world.trace(stream, "stream")()
        async for _ in made:
            break
        after()
        await made.aclose()

    asyncio.run(world.trace(consume, "consume")())
    same("generator", ended, ["cleaned up"])
    world.expect(consume=None, stream="consume", after="consume")


@case
def an_abandoned_async_generator_is_closed_by_the_loop(world: World) -> None:
    """A generator that nobody closes is closed once, when the loop ends, without complaint."""
    ended: list[str] = []
    kept: list[object] = []

    async def stream() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned up")

    async def consume() -> None:
        made = world.trace(stream, "stream")()
        kept.append(made)
        await made.__anext__()

    asyncio.run(consume())
    same("generator", ended, ["cleaned up"])
    world.expect(stream=None)


@case
def an_async_generator_may_be_closed_by_another_task(world: World) -> None:
    """Closing in another task, so in another context, ends the span and disturbs neither task."""
    before, after = world.call("before"), world.call("after")

    async def stream() -> AsyncGenerator[int, None]:
        yield 1
        yield 2

    async def main() -> None:
        made = world.trace(stream, "stream")()

        async def start() -> None:
            await made.__anext__()
            before()

        async def finish() -> None:
            await made.aclose()
            after()

        await asyncio.create_task(world.trace(start, "start")())
        await asyncio.create_task(world.trace(finish, "finish")())

    asyncio.run(main())
    world.expect(start=None, finish=None, stream="start", before="start", after="finish")


@case
def an_async_generator_takes_what_is_sent_and_thrown(world: World) -> None:
    """`asend` and `athrow` reach the generator as they would without us."""
    seen: list[object] = []

    async def echo() -> AsyncGenerator[object, object]:
        seen.append((yield "first"))
        try:
            yield "second"
        except KeyError as error:
            seen.append(error)
            yield "caught"

    sent, thrown = object(), KeyError("thrown")

    async def main() -> list[object]:
        made = world.trace(echo, "echo")()
        return [await made.__anext__(), await made.asend(sent), await made.athrow(thrown)] + [i async for i in made]

    same("items", asyncio.run(main()), ["first", "second", "caught"])
    same("received", seen, [sent, thrown])
    world.expect(echo=None)
