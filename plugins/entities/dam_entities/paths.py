"""
Go along a path, from a stored version to a value in it, one step at a time.

As long as it can be, the way goes through what is stored, so that a large entity is not copied for
one number in it; from a property, or a value of a type that is kept as it is, it goes on through
live objects. Only data is reached: nothing private, no method.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from dam_entities.entity import IDENTITY, Entity
from dam_entities.errors import nearest
from dam_entities.freeze import thaw
from dam_entities.state import State
from dam_entities.version import Child, Items, Opaque, Pairs, Stored, Version


class NoStep(Exception):
    """The path does not go on like that; says why."""


@dataclass(frozen=True, slots=True)
class Live:
    """A place among live objects."""

    value: Any


Here = Version | Live | Stored
"""A place on the way."""

_ABSENT: Final = object()


class Steps:
    """Walks in one state."""

    def __init__(self, state: State) -> None:
        """Begin, with no entity copied yet."""
        self._state = state
        self._made: dict[UUID, Entity] = {}

    def begin(self, version: Version) -> Here:
        """Return the place where a path in `version` begins."""
        return version

    def step(self, here: Here, name: str) -> Here:
        """
        Go one step.

        Raises:
            NoStep: There is nothing of that name, or it is private.
        """
        if name.startswith("_"):
            raise NoStep(f"{name} is private")
        if isinstance(here, Version):
            return self._in_version(here, name)
        if isinstance(here, Items):
            return self._place(_at(here.items if here.kind in ("list", "tuple") else None, here.kind, name))
        if isinstance(here, Pairs):
            return self._place(_under({self.live(key): value for key, value in here.pairs}, name))
        if isinstance(here, Live):
            return Live(_in_live(here.value, name))
        raise NoStep(f"a {type(here).__name__} has no parts")

    def live(self, here: Here) -> Any:
        """Return a copy of the value at a place."""
        if isinstance(here, Live):
            return here.value
        if isinstance(here, Version):
            return self._state.live(here, self._made)
        return thaw(here, lambda child: self._state.live(self._state.version(child.ecs_id), self._made))

    def _in_version(self, version: Version, name: str) -> Here:
        if name in version.values:
            return self._place(version.values[name])
        if name in IDENTITY and name != "live_id":
            return Live(getattr(version, name))
        if _is_property(version.type, name):
            return Live(_in_live(self.live(version), name))
        raise NoStep(_no(version.type.__name__, "field", name, version.values))

    def _place(self, stored: Stored) -> Here:
        if isinstance(stored, Child):
            return self._state.version(stored.ecs_id)
        return Live(self.live(stored)) if isinstance(stored, Opaque) else stored


def _in_live(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return _under(value, name)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _at(value, type(value).__name__, name)
    known = _public(value)
    if name not in known and not _is_property(type(value), name):
        raise NoStep(_no(type(value).__name__, "field", name, known))
    try:
        found = getattr(value, name, _ABSENT)
    except Exception as error:
        raise NoStep(f"{name} of a {type(value).__name__} raises {type(error).__name__}: {error}") from error
    if found is _ABSENT or inspect.isroutine(found):
        raise NoStep(f"{name} of a {type(value).__name__} is no data")
    return found


def _public(value: Any) -> list[str]:
    if isinstance(value, BaseModel):
        return [*type(value).model_fields, *(value.__pydantic_extra__ or {})]
    if is_dataclass(value):
        return [field.name for field in fields(value)]
    return [name for name in getattr(value, "__dict__", {}) if not name.startswith("_")] + [
        name for name in getattr(type(value), "_fields", ()) if not name.startswith("_")
    ]


def _is_property(kind: type, name: str) -> bool:
    return isinstance(inspect.getattr_static(kind, name, None), property | cached_property)


def _at(items: Sequence[Any] | None, kind: str, name: str) -> Any:
    if items is None:
        raise NoStep(f"a {kind} has no positions")
    if not (name.isascii() and name.isdigit()):
        raise NoStep(f"a {kind} is entered by a position, 0 and on, not by {name[:60]!r}")
    if len(name) > 18 or int(name) >= len(items):
        raise NoStep(f"there is no position {name[:20]}: this {kind} has {len(items):,} items")
    return items[int(name)]


def _under(mapping: Mapping[Any, Any], name: str) -> Any:
    if name in mapping:
        return mapping[name]
    for key, value in mapping.items():
        if not isinstance(key, str) and str(key) == name:
            return value
    raise NoStep(_no("mapping", "key", name, mapping))


def _no(kind: str, what: str, name: str, known: Iterable[object]) -> str:
    some = [str(each) for each in known if not str(each).startswith("_")]
    shown = ", ".join(some[:8]) + (", ..." if len(some) > 8 else "")
    return f"this {kind} has no {what} {name[:60]!r}: {nearest(name, some)}there is {shown or 'none'}"
