"""The four kinds of functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["function", "coroutine function", "generator function", "async generator function"]


def kind_of(function: Callable[..., Any]) -> Kind:
    """Return which kind `function` is."""
    if inspect.isasyncgenfunction(function):
        return "async generator function"
    if inspect.iscoroutinefunction(function):
        return "coroutine function"
    if inspect.isgeneratorfunction(function):
        return "generator function"
    return "function"
