"""Many isolated calls at a time."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dam_entities import CallableRegistry, Entity, IsolationError, TimedOut

WAYS = ("fork", "forkserver")


class Thing(Entity):
    number: int = 0


def make(number: int) -> Thing:
    """Make a thing; the third one never comes to an end."""
    if number == 3:
        time.sleep(3600)
    if number == 4:
        raise KeyError(number)
    return Thing(number=number)


def wait(path: str) -> int:
    """Tell that it runs, and wait."""
    (Path(path) / str(os.getpid())).touch()
    time.sleep(3600)
    return 0


@pytest.fixture(autouse=True)
def registered(runtime):
    for function in (make, wait):
        CallableRegistry.register(function.__name__)(function)


def calls(numbers) -> Iterator[tuple[str, dict[str, int]]]:
    for number in numbers:
        yield "make", {"number": number}


@pytest.mark.parametrize("isolation", WAYS)
def test_each_call_comes_to_its_own_end(runtime, isolation):
    """What one of them does is nothing to the others."""
    each = runtime.each_isolated(
        calls(range(6)), at_once=3, timeout=10 if isolation == "forkserver" else 2, isolation=isolation
    )
    finished = sorted(each, key=lambda each: each.index)

    assert [type(each.error).__name__ for each in finished] == [*["NoneType"] * 3, "TimedOut", "CallRaised", "NoneType"]
    assert [each.value.number for each in finished if each.error is None] == [0, 1, 2, 5]
    assert all(each.value.ecs_id in runtime.store for each in finished if each.error is None)
    with pytest.raises(TimedOut):
        _ = finished[3].value


def test_bad_calls_are_told_in_their_place(runtime):
    """Before anything runs for them."""
    mixed = [("make", {"number": 1}), ("make", {}), ("make", {"number": "@x"}), ("make", {"number": 2})]
    finished = sorted(runtime.each_isolated(mixed, isolation="fork"), key=lambda each: each.index)
    assert [each.error is None for each in finished] == [True, False, False, True]


def test_calls_are_taken_when_there_is_room(runtime):
    """One more than have ended, and no more."""
    taken = []

    def given() -> Iterator[tuple[str, dict[str, int]]]:
        for number in (10, 11, 12, 13, 14):
            taken.append(number)
            yield "make", {"number": number}

    each = runtime.each_isolated(given(), at_once=2, isolation="fork")
    assert taken == []
    for ended in range(1, 6):
        next(each)
        assert len(taken) <= ended + 2
    assert next(each, None) is None


def test_to_stop_asking_is_to_cancel(runtime, tmp_path):
    """Those under way are killed, all of them."""
    each = runtime.each_isolated(
        [("make", {"number": 1}), *[("wait", {"path": str(tmp_path)})] * 3], at_once=4, isolation="fork"
    )
    next(each)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    each.close()
    assert [path.name for path in tmp_path.iterdir() if Path(f"/proc/{path.name}").exists()] == []


@pytest.mark.parametrize("isolation", WAYS)
def test_from_an_event_loop(runtime, isolation):
    """Without holding it up, and with the same ends; to leave early cancels."""

    async def collect() -> list[int]:
        finished = runtime.aeach_isolated(calls([0, 1, 4, 5]), at_once=2, isolation=isolation)
        return sorted([each.index if each.error is None else -each.index async for each in finished])

    async def leave() -> int:
        each = runtime.aeach_isolated(calls([1, 3, 3]), at_once=3, isolation=isolation)
        first = await anext(each)
        await each.aclose()
        return first.value.number

    assert asyncio.run(collect()) == [-2, 0, 1, 3]
    assert asyncio.run(leave()) == 1


def test_none_at_all(runtime):
    """Is no error."""
    assert list(runtime.each_isolated([])) == []
    assert issubclass(TimedOut, IsolationError)
