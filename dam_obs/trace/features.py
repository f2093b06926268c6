"""
Features of a command: the plain facts about it that may explain what it costs.

Numbers and booleans as they are, short strings and enums as categories, and lengths of
strings, bytes and containers as ``len(field)``; where it is switched on, the size of a
file that a field names as ``file_size(field)``. Read from a command's own fields only
(dataclass, pydantic, attrs, or plain instance attributes); only storage is read, so no
code of the command's runs and nothing is loaded. A plugin that knows better implements `dam_obs_features`; it is called
on the program's own thread, so one that is slow again and again is not asked any more.
"""

from __future__ import annotations

import enum
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import Any, Final

from dam_obs.trace import faults, ids
from dam_obs.trace._storage import place_of, shown_fields, slot_value, stored_fields
from dam_obs.trace.capture import SCALARS, capture
from dam_obs.trace.events import Scalar
from dam_obs.trace.file_sizes import FileSizes, is_path

MOST: Final = 32
"""Features of one command."""

CATEGORY: Final = 64
"""A longer string is no category; its length is kept all the same."""

_INT64: Final = 1 << 63
_PATHS: Final = frozenset({PosixPath, WindowsPath, PurePosixPath, PureWindowsPath})
_SIZED: Final[tuple[Any, ...]] = (bytes, bytearray, list, tuple, dict, set, frozenset, deque, range)
_GUARD = faults.guard("features")

SLOW_NS: Final = 50_000_000
"""A plugin that takes longer than this holds up the program."""

PATIENCE: Final = 3
"""Slow calls after which plugins are not asked any more."""

Hook = Callable[[object], Mapping[str, Scalar] | None]
_slow_calls = 0

hook: Hook | None = None
"""Asked first, where a plugin implements `dam_obs_features`."""


file_sizes: FileSizes | None = None
"""Asked how large files are; `None`: nobody looks."""


def look_at_files(on: bool) -> None:
    """Look up the sizes of files from now on, or no more."""
    global file_sizes
    file_sizes = FileSizes() if on else None


def ask(asked: Hook | None) -> None:
    """Ask plugins first from now on, or no more."""
    global hook, _slow_calls
    hook, _slow_calls = asked, 0


def of(command: object) -> dict[str, Scalar]:
    """Return the features of a command, at most `MOST`."""
    with _GUARD:
        told = _told(hook, command) if hook is not None else None
        if told is None:
            return _read(command)
        return {str(name): capture(value) for name, value in islice(dict(told).items(), MOST)}
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
        if name.startswith("_"):
            continue
        if type(value) is int and -_INT64 <= value < _INT64:  # the usual feature, by the short way
            found[name] = value
        else:
            _add(found, name, value)
        if len(found) >= MOST:
            break
    return found if len(found) <= MOST else dict(islice(found.items(), MOST))


def _fields(command: Any) -> Iterable[tuple[str, Any]]:
    kind = type(command)
    if issubclass(kind, dict):
        return [(name, value) for name, value in dict.items(command) if type(name) is str and name.isidentifier()]
    if issubclass(kind, tuple):
        return shown_fields(command, kind) or ()
    fields = stored_fields(command, kind)
    fields += _extra(command, kind)
    return fields


def _extra(command: Any, kind: type) -> list[tuple[str, Any]]:
    """Return what a pydantic model took in beside its fields."""
    extra = slot_value(command, kind, "__pydantic_extra__")
    return [(name, item) for name, item in extra.items() if type(name) is str] if type(extra) is dict else []


def _add(found: dict[str, Scalar], name: str, value: Any) -> None:
    """Add what `value` says, by the methods of the built-in types alone: a subclass's own may do anything."""
    kind = type(value)
    if issubclass(kind, enum.Enum):
        found[name] = capture(dict(stored_fields(value, kind)).get("_name_"))
    elif value is None or kind is bool:
        found[name] = value
    elif issubclass(kind, int):
        found[name] = capture(int.__add__(value, 0))
    elif issubclass(kind, float):
        found[name] = float.__add__(value, 0.0)
    elif issubclass(kind, str):
        text = str.__str__(value)
        _add_text(found, name, text)
        found[f"len({name})"] = str.__len__(value)
        _add_file(found, name, text)
    elif kind in _PATHS:
        _add_text(found, name, str(value))
        _add_file(found, name, str(value))
    else:
        _add_sized(found, name, value, kind)


def _add_sized(found: dict[str, Scalar], name: str, value: Any, kind: type) -> None:
    base = next((each for each in _SIZED if issubclass(kind, each)), None)
    if base is not None:
        found[f"len({name})"] = base.__len__(value)
        return
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return
    if issubclass(kind, getattr(numpy, "generic", ())):
        inside = numpy.generic.item(value)
        if type(inside) in SCALARS:
            found[name] = capture(inside)
    elif issubclass(kind, getattr(numpy, "ndarray", ())):
        shape = numpy.ndarray.shape.__get__(value)
        if shape:
            found[f"len({name})"] = shape[0]


def _add_file(found: dict[str, Scalar], name: str, text: str) -> None:
    if file_sizes is not None and is_path(name, text):
        size = file_sizes.of(text)
        if size is not None:
            found[f"file_size({name})"] = size


def _add_text(found: dict[str, Scalar], name: str, text: str) -> None:
    if len(text) <= CATEGORY:
        found[name] = text
