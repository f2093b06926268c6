"""Functions by name: what they take, how they are executed, and what is said of a call that cannot be made."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from enum import Enum
from typing import Annotated

import pytest
from dam_entities import (
    BadCallable,
    CallableRegistry,
    NameTaken,
    UnknownCallable,
    WrongKind,
    current,
    entity_tracer,
)
from pydantic import Field, ValidationError


class Colour(Enum):
    RED = "red"


def everything(
    a: int,
    /,
    b: str = "b",
    *rest: int,
    c: Annotated[int, Field(gt=0)] = 1,
    d: Colour | None = None,
    json: int | str = 0,
    **more: float,
) -> list[object]:
    return [a, b, rest, c, d, json, more]


CALLS = [
    ({"a": 1}, [1, "b", (), 1, None, 0, {}]),
    ({"a": "1", "b": "x"}, [1, "x", (), 1, None, 0, {}]),
    ({"a": 1, "rest": [2, "3"]}, [1, "b", (2, 3), 1, None, 0, {}]),
    ({"a": 1, "c": 5, "d": "red"}, [1, "b", (), 5, Colour.RED, 0, {}]),
    ({"a": 1, "json": "x", "z": 1, "y": "2.5"}, [1, "b", (), 1, None, "x", {"z": 1.0, "y": 2.5}]),
]


@pytest.mark.parametrize(("data", "result"), CALLS)
def test_input_is_by_the_signature(runtime, data, result):
    """Positional only, defaults, varargs, keyword only, unions, Annotated, and names that pydantic has too."""
    CallableRegistry.register("everything")(everything)
    assert CallableRegistry.execute("everything", data) == result


@pytest.mark.parametrize(
    ("data", "where"),
    [({}, "a"), ({"a": "x"}, "a"), ({"a": 1, "c": 0}, "c"), ({"a": 1, "d": "blue"}, "d"), ({"a": 1, "z": "x"}, "z")],
)
def test_wrong_input_is_refused_before_anything_runs(runtime, data, where):
    """By pydantic, which names the parameter."""
    CallableRegistry.register("everything")(everything)
    with pytest.raises(ValidationError) as raised:
        CallableRegistry.execute("everything", data)
    assert {str(error["loc"][0]) for error in raised.value.errors()} == {where}


def test_what_is_not_asked_for_is_refused(runtime):
    """Unless the function takes it."""

    @CallableRegistry.register("one")
    def one(a: int) -> int:
        return a

    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        CallableRegistry.execute("one", {"a": 1, "b": 2})
    assert CallableRegistry.execute("one", a=5) == 5


def test_the_schema_of_a_callable(runtime):
    """By the names of its parameters."""
    CallableRegistry.register("everything")(everything)
    schema = CallableRegistry.json_schema("everything")

    assert schema["title"] == "everything"
    assert set(schema["properties"]) == {"a", "b", "rest", "c", "d", "json"}
    assert schema["required"] == ["a"]
    assert schema["properties"]["c"] == {"default": 1, "exclusiveMinimum": 0, "title": "c", "type": "integer"}
    assert schema["additionalProperties"] == {"type": "number"}


async def later(a: int) -> int:
    await asyncio.sleep(0)
    return a * 2


def counting(a: int) -> Iterator[int]:
    sent = 0
    for number in range(a):
        sent = (yield number + (sent or 0)) or 0


async def acounting(a: int) -> AsyncIterator[int]:
    for number in range(a):
        yield number


@pytest.mark.parametrize("function", [everything, later, counting, acounting])
def test_a_function_stays_what_it_is(runtime, function):
    """Kind, signature, name; and it is wrapped once, however often it is registered."""
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    once = CallableRegistry.register("one")(function)
    again = CallableRegistry.register("two")(once)

    assert once is again is CallableRegistry.register("one")(function) is entity_tracer(once)
    assert once.__wrapped__ is function
    assert [kind(once) for kind in kinds] == [kind(function) for kind in kinds]
    assert inspect.signature(once) == inspect.signature(function)
    assert (once.__name__, once.__doc__, once.__module__) == (function.__name__, function.__doc__, function.__module__)
    assert CallableRegistry.names() == ("one", "two")


def test_coroutine_functions(runtime):
    """Are awaited; not executed."""
    CallableRegistry.register("later")(later)
    assert asyncio.run(CallableRegistry.aexecute("later", {"a": "4"})) == 8
    with pytest.raises(WrongKind, match="later is a coroutine function: execute it by aexecute"):
        CallableRegistry.execute("later", {"a": 4})


def test_functions_are_executed_either_way(runtime):
    """Those that do not await, too."""
    CallableRegistry.register("everything")(everything)
    assert asyncio.run(CallableRegistry.aexecute("everything", {"a": 1}))[0] == 1


def test_generators(runtime):
    """What is sent and thrown reaches them, and they may be left early."""
    CallableRegistry.register("counting")(counting)
    going = CallableRegistry.execute("counting", {"a": 3})
    assert (next(going), going.send(10), next(going)) == (0, 11, 2)
    assert next(going, "over") == "over"

    going = CallableRegistry.execute("counting", {"a": 3})
    next(going)
    with pytest.raises(KeyError):
        going.throw(KeyError("x"))
    left = CallableRegistry.execute("counting", {"a": 3})
    next(left)
    left.close()
    assert next(left, "over") == "over"


def test_async_generators(runtime):
    """In the same way."""
    CallableRegistry.register("acounting")(acounting)

    async def collect() -> list[int]:
        going = CallableRegistry.execute("acounting", {"a": 3})
        found = [number async for number in going]
        left = CallableRegistry.execute("acounting", {"a": 3})
        await anext(left)
        await left.aclose()
        return found

    assert asyncio.run(collect()) == [0, 1, 2]


def test_batches(runtime):
    """One after the other; or at the same time, in the order in which they were given."""
    CallableRegistry.register("later")(later)
    CallableRegistry.register("everything")(everything)
    at_once, most = 0, 0

    @CallableRegistry.register("watched")
    async def watched(a: int) -> int:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        return a

    assert CallableRegistry.execute_batch([("everything", {"a": 1}), ("everything", {"a": 2})])[1][0] == 2
    calls = [("watched", {"a": number}) for number in range(10)]
    assert asyncio.run(CallableRegistry.aexecute_batch(calls, at_once=3)) == list(range(10))
    assert most == 3
    assert asyncio.run(CallableRegistry.aexecute_batch([])) == []


def bare(a, b: int) -> int:
    return b


def broken(a: NoSuchType) -> int:  # noqa: F821
    return 1


@pytest.mark.parametrize(
    ("function", "why"),
    [(bare, "a has no annotation: say what type it is"), (broken, "its annotations cannot be read .*NoSuchType")],
)
def test_a_function_without_types_is_refused(runtime, function, why):
    """And the registry is as it was."""
    with pytest.raises(BadCallable, match=f"bad cannot be registered: {why}"):
        CallableRegistry.register("bad")(function)
    assert CallableRegistry.names() == ()


def test_a_name_is_one_functions(runtime):
    """The other is refused, and the first one stays."""
    CallableRegistry.register("name")(later)
    with pytest.raises(NameTaken, match=r"'name' is the name of .*\.later already"):
        CallableRegistry.register("name")(counting)
    assert CallableRegistry.get("name").__wrapped__ is later
    CallableRegistry.unregister("name")
    CallableRegistry.register("name")(counting)


def test_an_unknown_name_is_said(runtime):
    """With the near one."""
    with pytest.raises(UnknownCallable, match="no callable is named 'lter': none is registered"):
        CallableRegistry.execute("lter")
    CallableRegistry.register("later")(later)
    with pytest.raises(UnknownCallable, match=r"no callable is named 'lter': did you mean later\? there are later"):
        CallableRegistry.execute("lter")
    with pytest.raises(UnknownCallable):
        current().callables.unregister("lter")
