"""
`Execution`: what a dispatched command gives, once somebody asks for it.

Until then nothing runs. What is read through one of the ``get_`` methods is kept, and can be
read again; an iteration hands each result over and keeps none, so that a stream may be as
long as it likes. Nothing here makes a task or a queue: the systems run in the task of
whoever reads. Which systems those are is decided elsewhere.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Any, Generic, Self

from dam_traits.commands import ResultT
from dam_traits.errors import ExecutionSpent, NotOneResult


class Execution(Generic[ResultT]):
    """
    The results of one command, event or stage, not begun before the first is asked for.

    It is run once. What happens when results are asked for again:

    * after `get_all_results`, `get_one_value` or `get_all_results_flat`, and after
      `get_first_non_none_value` where all were `None`: the same results once more, nothing runs;
    * after `get_first_non_none_value` found one: that value once more from the same method;
    * otherwise `ExecutionSpent`, which says what became of them.

    An iteration that is left early closes what runs: inside ``async with execution:`` before that
    block is left, otherwise the event loop does it right after, as with every async generator.
    """

    __slots__ = ("__weakref__", "_begin", "_entered", "_first", "_kept", "_source", "_spent", "command")

    def __init__(self, command: Any, begin: Callable[[], AsyncGenerator[ResultT, None]]) -> None:
        self.command = command
        """What was dispatched."""
        self._begin = begin
        self._entered = False
        self._source: Callable[[], AsyncGenerator[ResultT, None] | None] = _nothing
        self._kept: list[ResultT] | None = None
        self._first: ResultT | None = None
        self._spent: str | None = None
        """What became of the results that are not kept; `None`: nobody has asked for them."""

    def __aiter__(self) -> AsyncGenerator[ResultT, None]:
        if self._kept is not None:
            return _replay(self._kept)
        return self._start("an iteration takes its results one by one and keeps none")

    async def get_all_results(self) -> list[ResultT]:
        """Run to the end, and give all results in the order in which they came."""
        if self._kept is None:
            self._kept = await self._collect()
        return self._kept.copy()

    async def get_one_value(self) -> ResultT:
        """
        Run to the end, and give the one result there is; `None` counts as one.

        Raises:
            NotOneResult: There is none, or there are several.
        """
        results = await self.get_all_results()
        if len(results) != 1:
            raise NotOneResult(self._name, len(results))
        return results[0]

    async def get_first_non_none_value(self) -> ResultT | None:
        """Run until there is a result other than `None` and close the rest; `None`: there was no such result."""
        if self._kept is not None:
            return next((each for each in self._kept if each is not None), None)
        if self._first is not None:
            return self._first
        source = self._start("get_first_non_none_value is reading it")
        passed: list[ResultT] = []
        try:
            async for result in source:
                if result is not None:
                    self._first = result
                    self._spent = "get_first_non_none_value stopped at the first value"
                    return result
                passed.append(result)
        except BaseException as error:
            self._spent = _failed(error)
            raise
        finally:
            await source.aclose()
        self._kept = passed
        return None

    async def get_all_results_flat(self) -> list[Any]:
        """Run to the end, and give one list: the items of results that are lists, and all others but `None`."""
        flat: list[Any] = []
        for result in await self.get_all_results():
            if isinstance(result, list):
                flat.extend(result)
            elif result is not None:
                flat.append(result)
        return flat

    async def aclose(self) -> None:
        """End what runs. An execution that was not begun never will be."""
        if self._spent is None:
            self._spent = "it was closed before anything was asked of it"
            return
        source = self._source()
        if source is not None:
            await source.aclose()

    async def __aenter__(self) -> Self:
        self._entered = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        state = "kept" if self._kept is not None else "not begun" if self._spent is None else "taken"
        return f"<Execution of {self._name}: {state}>"

    @property
    def _name(self) -> str:
        return type(self.command).__qualname__

    def _start(self, spent: str) -> AsyncGenerator[ResultT, None]:
        if self._spent is not None:
            raise ExecutionSpent(self._name, self._spent)
        self._spent = spent
        source = self._begin()
        # Not held, or one that was left by `break` would not be closed while its execution lives;
        # but in `async with` it must still be there to be closed at the end.
        self._source = (lambda: source) if self._entered else weakref.ref(source)
        return source

    async def _collect(self) -> list[ResultT]:
        source = self._start("get_all_results is reading it")
        try:
            return [result async for result in source]
        except BaseException as error:
            self._spent = _failed(error)
            raise


async def _replay(results: list[ResultT]) -> AsyncGenerator[ResultT, None]:
    for each in results:
        yield each


def _failed(error: BaseException) -> str:
    return f"it ended with {type(error).__name__}, which was raised then"


def _nothing() -> None:
    return None
