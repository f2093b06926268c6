"""
Values that do not change: what a belief keeps, and `MISSING`.

A list becomes a tuple and a mapping a read-only one, deep inside too, so that a value can be handed on as the very
object it is, to any number of beliefs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, TypeAlias


class Missing(Enum):
    """The type of `MISSING`."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING
"""Not set, which is something else than set to `None`."""

Operations: TypeAlias = Mapping[str, Any]
"""By name, of one trait."""


def frozen(value: Any) -> Any:
    """Return a value that nobody can change: lists, mappings and sets are copied, all else is kept as it is."""
    if isinstance(value, (list, tuple)):
        return tuple(frozen(each) for each in value)
    if isinstance(value, Mapping):
        return MappingProxyType({key: frozen(each) for key, each in value.items()})
    if isinstance(value, (set, frozenset)):
        return frozenset(value)
    return value


def thawed(value: Any) -> Any:
    """Return plain lists and dicts again, as JSON has them."""
    if isinstance(value, (tuple, frozenset)):
        return [thawed(each) for each in value]
    if isinstance(value, Mapping):
        return {key: thawed(each) for key, each in value.items()}
    return value


def is_same(one: Any, other: Any) -> bool:
    """Say whether two values are equal and of one type: `True` and 1 are not the same."""
    return one is other or (type(one) is type(other) and bool(one == other))


class Seen:
    """Values that came up; equal ones of different types are different ones, so that `True` is no 1."""

    __slots__ = ("_hashed", "_others")

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._hashed: set[tuple[type, Any]] = set()
        self._others: list[Any] = []
        for value in values:
            self.add(value)

    def __contains__(self, value: object) -> bool:
        try:
            return (type(value), value) in self._hashed
        except TypeError:
            return any(type(each) is type(value) and each == value for each in self._others)

    def add(self, value: Any) -> bool:
        """Note a value, and say whether it is a new one."""
        if value in self:
            return False
        try:
            self._hashed.add((type(value), value))
        except TypeError:
            self._others.append(value)
        return True


def each_once(values: Iterable[Any]) -> tuple[Any, ...]:
    """Return values in order, each where it first came up; equal values of different types are different ones."""
    seen = Seen()
    return tuple(value for value in values if seen.add(value))
