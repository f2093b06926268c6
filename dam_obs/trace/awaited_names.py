"""Name what an execution was suspended for: on the drain thread, redacted, once for each place."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Final, NamedTuple, cast

from dam_obs.trace.awaited import OTHERS, Frame, Leaf, Waits, module_of
from dam_obs.trace.events import Awaited

_MOST_REMEMBERED: Final = 4096
_QUALNAME: Final = type.__dict__["__qualname__"].__get__


class _Named(NamedTuple):
    leaf: Leaf
    what: str
    by: str | None
    file: str | None
    line: int | None


class AwaitedNames:
    """Turns leaves into what events carry of them."""

    def __init__(self, redacted: Callable[[str, str], str]) -> None:
        """
        Remember nothing yet.

        Args:
            redacted: Called with a key and a text, returns the text without its secrets.
        """
        self._redacted = redacted
        self._named: dict[int, _Named] = {}

    def of(self, waits: Waits, most_ns: int) -> list[Awaited]:
        """
        Return what was awaited, the longest first.

        Args:
            waits: By leaf.
            most_ns: So long it was suspended in all: less than it waited, if threads of its own were at work.
        """
        total = sum(nanoseconds for nanoseconds, _ in waits.values())
        if not total:
            return []
        share = min(1.0, most_ns / total)
        rows = [self._row(leaf, int(nanoseconds * share), times) for leaf, (nanoseconds, times) in waits.items()]
        return sorted(rows, key=lambda row: (row.what == "" and row.by is None, -row.wait_ns))

    def _row(self, leaf: Leaf, wait_ns: int, times: int) -> Awaited:
        named = self._named.get(id(leaf))
        if named is None:
            if len(self._named) >= _MOST_REMEMBERED:
                self._named.clear()
            named = self._named[id(leaf)] = self._name(leaf)
        return Awaited(
            kind=leaf.kind,
            what=named.what,
            wait_ns=wait_ns,
            times=times,
            by=named.by,
            file=named.file,
            line=named.line,
        )

    def _name(self, leaf: Leaf) -> _Named:
        by = leaf.by
        if by is None:
            return _Named(leaf, self._text(_what(leaf)), None, None, None)
        line = _line(by.code, leaf.offset) or by.code.co_firstlineno
        return _Named(leaf, self._text(_what(leaf)), self._text(_frame(by)), self._text(by.code.co_filename), line)

    def _text(self, text: str) -> str:
        return self._redacted("awaited", text)


def _what(leaf: Leaf) -> str:
    what = leaf.what
    if leaf is OTHERS or what is None:
        return ""
    if type(what) is str:
        return what
    if type(what) is Frame:
        return _frame(what)
    kind = cast("type", what)
    return f"{module_of(kind)}:{_QUALNAME(kind)}"


def _frame(frame: Frame) -> str:
    return f"{frame.module}:{frame.code.co_qualname}" if frame.module else frame.code.co_qualname


def _line(code: CodeType, offset: int) -> int | None:
    """Return the line of an instruction."""
    for start, end, line in code.co_lines():
        if start <= offset < end:
            return line
    return None
