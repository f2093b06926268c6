"""
Say which plugin it was that raised, or that answered with nonsense.

pluggy tells neither. Who raised stands on the traceback; who answered is known of a coroutine, and
otherwise where only one could have: the built-in plugins are taken to answer well.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from traceback import walk_tb
from types import CodeType
from typing import Any, Final

_OURS: Final = "dam_hrm."


def who_raised(hook: Any, error: BaseException) -> str:
    """Name the plugin out of whose implementation of `hook` an error came."""
    return _named(hook, (frame.f_code for frame, _ in walk_tb(error.__traceback__)))


def who_answered(hook: Any, answer: object = None) -> str:
    """Name the plugin that gave an answer: the very object that it returned, before it was awaited."""
    code = getattr(answer, "cr_code", None) if inspect.iscoroutine(answer) else None
    return _named(hook, () if code is None else (code,))


def _named(hook: Any, codes: Iterable[CodeType]) -> str:
    seen = list(codes)
    # From the outermost frame on: what an implementation called may be another plugin's.
    for code in seen:
        for implementation in _asked(hook):
            if _code_of(implementation.function) is code:
                return f"plugin {_label(implementation)}"
    return _suspects(hook)


def _suspects(hook: Any) -> str:
    names = [_label(each) for each in _asked(hook)]
    foreign = [name for name in names if not name.startswith(_OURS)]
    suspects = foreign or names
    if not suspects:
        return "nobody"
    return f"plugin {suspects[0]}" if len(suspects) == 1 else f"one of the plugins {', '.join(suspects)}"


def _asked(hook: Any) -> Iterator[Any]:
    """Give the implementations in the order in which they are asked."""
    return (each for each in reversed(hook.get_hookimpls()))


def _code_of(function: Any) -> CodeType | None:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code if isinstance(code, CodeType) else None


def _label(implementation: Any) -> str:
    """Name a plugin; one that was registered without a name is called after its class instead of its address."""
    if implementation.plugin_name == str(id(implementation.plugin)):
        return type(implementation.plugin).__qualname__
    return str(implementation.plugin_name)
