"""
Features of a command: the plain facts about it that may explain what it costs.

Numbers and booleans as they are, short strings and enums as categories, and lengths of
strings, bytes and containers as ``len(field)``. Read from a command's own fields only
(dataclass, pydantic, attrs, or plain instance attributes); only storage is read, so no
code of the command's runs and nothing is loaded. A plugin that knows better implements `dam_obs_features`; it is called
on the program's own thread, so one that is slow again and again is not asked any more.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import Any, Final

from dam_obs.trace import faults, ids
from dam_obs.trace._storage import place_of, shown_fields, stored_fields
from dam_obs.trace.capture import capture
from dam_obs.trace.events import Scalar

MOST: Final = 32
"""Features of one command."""

CATEGORY: Final = 64
"""A longer string is no category; its length is kept all the same."""

_PATHS: Final = frozenset({PosixPath, WindowsPath, PurePosixPath, PureWindowsPath})
_SIZED: Final[tuple[Any, ...]] = (bytes, bytearray, list, tuple, dict, set, frozenset)
_GUARD = faults.guard("features")

SLOW_NS: Final = 50_000_000
"""A plugin that takes longer than this holds up the program."""

PATIENCE: Final = 3
"""Slow calls after which plugins are not asked any more."""

Hook = Callable[[object], Mapping[str, Scalar] | None]
_slow_calls = 0

hook: Hook | None = None
"""Asked first, where a plugin implements `dam_obs_features`."""


def ask(asked: Hook | None) -> None:
    """Ask plugins first from now on, or no more."""
    global hook, _slow_calls
    hook, _slow_calls = asked, 0


def of(command: object) -> dict[str, Scalar]:
    """Return the features of a command, at most `MOST`."""
    with _GUARD:
        told = _told(hook, command) if hook is not None else None
        found = dict(told) if told is not None else _read(command)
        return {str(name): capture(value) for name, value in islice(found.items(), MOST)}
    return {}


def _told(asked: Hook, command: object) -> Mapping[str, Scalar] | None:
    global hook, _slow_calls
    begun = ids.monotonic_ns()
    told = asked(command)
    if ids.monotonic_ns() - begun > SLOW_NS:
        faults.count("features.slow")
        _slow_calls += 1
        if _slow_calls >= PATIENCE:
            hook = None
    return told


def type_of(command: object) -> str:
    """Return a command's class as ``module:qualname``."""
    return place_of(type(command))


def _read(command: object) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for name, value in _fields(command):
        if not name.startswith("_"):
            _add(found, name, value)
        if len(found) >= MOST:
            break
    return found


def _fields(command: Any) -> Iterable[tuple[str, Any]]:
    kind = type(command)
    if issubclass(kind, dict):
        return [(name, value) for name, value in dict.items(command) if type(name) is str and name.isidentifier()]
    if issubclass(kind, tuple):
        return shown_fields(command, kind) or ()
    return stored_fields(command, kind)


def _add(found: dict[str, Scalar], name: str, value: Any) -> None:
    """Add what `value` says, by the methods of the built-in types alone: a subclass's own may do anything."""
    kind = type(value)
    if issubclass(kind, enum.Enum):
        found[name] = dict(stored_fields(value, kind)).get("_name_")
    elif value is None or kind is bool:
        found[name] = value
    elif issubclass(kind, int):
        found[name] = int.__add__(value, 0)
    elif issubclass(kind, float):
        found[name] = float.__add__(value, 0.0)
    elif issubclass(kind, str):
        _add_text(found, name, str.__str__(value))
        found[f"len({name})"] = str.__len__(value)
    elif kind in _PATHS:
        _add_text(found, name, str(value))
    else:
        base = next((each for each in _SIZED if issubclass(kind, each)), None)
        if base is not None:
            found[f"len({name})"] = base.__len__(value)


def _add_text(found: dict[str, Scalar], name: str, text: str) -> None:
    if len(text) <= CATEGORY:
        found[name] = text
