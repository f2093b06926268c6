"""
Several pieces of work that one hook call returned, in one span that ends with the last of them.

Each implementation of a hook may return a coroutine of its own; pluggy collects them in a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dam_obs.trace.steps import LAZY, READING, Execution, run

if TYPE_CHECKING:
    from dam_obs.trace.span import Span
    from dam_obs.trace.steps import Reader


class Together:
    """The results of one hook call, some of which are still to be worked out."""

    def __init__(self, span: Span, results: list[Any], reader: Reader | None) -> None:
        """
        Take over a hook's results.

        Args:
            span: Started, not ended.
            results: At least one of them a coroutine, generator or async generator.
            reader: Told the list of what all of them came to.
        """
        self.span = span
        self._reader = reader
        self._given = results
        self._finally = list(results)
        self._pending = [position for position, each in enumerate(results) if type(each) in LAZY]

    def results(self) -> list[Any]:
        """Return the results for the caller of the hook, with the unfinished ones replaced by ones of the same kind."""
        pending = frozenset(self._pending)
        given, self._given = self._given, []
        return [
            run(_Part(each, self, position)) if position in pending else each for position, each in enumerate(given)
        ]

    def part_done(self, position: int, result: Any) -> None:
        """Note what a part came to."""
        self._finally[position] = result
        self._one_less(position)

    def part_failed(self, position: int, error: BaseException) -> None:
        """Note that a part failed; the others go on."""
        self.span.fail(error)
        self._finally[position] = None
        self._one_less(position)

    def _one_less(self, position: int) -> None:
        self._pending.remove(position)
        if self._pending:
            return
        if self._reader is not None and self.span.recording and self.span.error is None:
            with READING:
                self._reader.leave(self.span, self._finally)
        self._finally = []
        self.span.finish()


class _Part(Execution):
    """One of them."""

    __slots__ = ("_position", "_together")

    def __init__(self, work: Any, together: Together, position: int) -> None:
        super().__init__(work, together.span)
        self._together = together
        self._position = position

    def done(self, result: Any = None) -> None:
        """Count it as done."""
        self._together.part_done(self._position, result if result is not None else self._last)

    def failed(self, error: BaseException) -> None:
        """Count it as failed."""
        self._together.part_failed(self._position, error)
