"""
`in_time`: await something for so long and no longer, without a timer where it does not wait at all.

Most answers are there at once, and a timer costs as much as several steps of the workflow,
so a coroutine is begun before its timer. No task is made. What blocks the event loop itself
cannot be stopped, here or anywhere.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any


async def in_time(answer: Awaitable[Any], timeout_s: float) -> Any:
    """
    Await an answer.

    Raises:
        TimeoutError: It was not there in time, and has been cancelled.
    """
    if type(answer) is types.CoroutineType:
        try:
            waits_for = answer.send(None)
        except StopIteration as done:
            return done.value
        answer = _rest(answer, waits_for)
    limit = asyncio.timeout(timeout_s)
    try:
        async with limit:
            return await answer
    except TimeoutError:
        if limit.expired():
            raise TimeoutError(f"no answer within {timeout_s:g} s") from None
        raise


@types.coroutine
def _rest(work: Coroutine[Any, Any, Any], waits_for: Any) -> Generator[Any, Any, Any]:
    """Go on with a coroutine that was begun and waits for something."""
    while True:
        thrown: BaseException | None = None
        sent: Any = None
        try:
            sent = yield waits_for
        except BaseException as error:  # noqa: BLE001 - it is handed on to the coroutine, as `await` does
            thrown = error
        try:
            waits_for = work.send(sent) if thrown is None else work.throw(thrown)
        except StopIteration as done:
            return done.value
