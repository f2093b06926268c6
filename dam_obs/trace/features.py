"""
Features of a command: the plain facts about it that may explain what it costs.

Numbers and booleans as they are, short strings and enums as categories, and lengths of
strings, bytes and containers as ``len(field)``. Read from a command's own fields only
(dataclass, pydantic, attrs, or plain instance attributes); no property is run and
nothing is loaded. A plugin that knows better implements `dam_obs_features`.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from dam_obs.trace import faults
from dam_obs.trace.events import Scalar

MOST: Final = 32
"""Features of one command."""

CATEGORY: Final = 64
"""A longer string is no category; its length is kept all the same."""

_SIZED: Final = (bytes, bytearray, list, tuple, dict, set, frozenset)
_GUARD = faults.guard("features")

hook: Callable[[object], Mapping[str, Scalar] | None] | None = None
"""Asked first, where a plugin implements `dam_obs_features`."""


def of(command: object) -> dict[str, Scalar]:
    """Return the features of a command, at most `MOST`."""
    with _GUARD:
        told = hook(command) if hook is not None else None
        found = dict(told) if told is not None else _read(command)
        return dict(list(found.items())[:MOST])
    return {}


def type_of(command: object) -> str:
    """Return a command's class as ``module:qualname``."""
    kind = type(command)
    return f"{kind.__module__}:{kind.__qualname__}"


def _read(command: object) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for name, value in _fields(command):
        if not name.startswith("_"):
            _add(found, name, value)
    return found


def _fields(command: object) -> list[tuple[str, Any]]:
    if isinstance(command, dict):
        return [(name, value) for name, value in command.items() if isinstance(name, str) and name.isidentifier()]
    stored = getattr(command, "__dict__", None)
    if isinstance(stored, dict):
        return list(stored.items())
    names = [name for kind in type(command).__mro__ for name in _slots(kind)]
    missing = object()
    return [(name, value) for name in names if (value := getattr(command, name, missing)) is not missing]


def _slots(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _add(found: dict[str, Scalar], name: str, value: Any) -> None:
    if isinstance(value, enum.Enum):
        found[name] = value.name
    elif isinstance(value, bool | int | float) or value is None:
        found[name] = value
    elif isinstance(value, str | os.PathLike):
        text = os.fspath(value)
        if isinstance(text, str) and len(text) <= CATEGORY:
            found[name] = text
        if isinstance(value, str):
            found[f"len({name})"] = len(value)
    elif isinstance(value, _SIZED):
        found[f"len({name})"] = len(value)
