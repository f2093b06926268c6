"""
Between live values and stored ones: freezing, thawing, and whether two stored ones are the same.

Plain values that cannot change are stored as they are. Containers become tuples. Of a value of any
other type a deep copy is stored, and compared each time, since nobody reports its changes.
"""

from __future__ import annotations

import copy
import datetime
import decimal
import enum
import fractions
import math
import pathlib
import types
import uuid
from collections.abc import Callable
from typing import Any, Final

from dam_entities.containers import HeldDict, HeldList, HeldSet
from dam_entities.entity import Entity
from dam_entities.version import Child, Items, Opaque, Pairs, Stored

_PLAIN: Final[frozenset[type]] = frozenset({
    type(None), bool, int, float, complex, str, bytes, decimal.Decimal, fractions.Fraction, uuid.UUID,
    datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone, range, type(...),
    pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath,
    types.FunctionType, types.BuiltinFunctionType,
})  # fmt: skip

_IN_ROWS: Final[dict[type, Any]] = {
    list: "list", HeldList: "list", tuple: "tuple", set: "set", HeldSet: "set", frozenset: "frozenset",
}  # fmt: skip

_MADE_FROM: Final[dict[str, Callable[[Any], Any]]] = {
    "list": list, "tuple": tuple, "set": set, "frozenset": frozenset,
}  # fmt: skip


class Uncopied(Exception):
    """Of a value no copy could be made."""

    def __init__(self, path: str, kind: type, error: Exception) -> None:
        super().__init__(path)
        self.path = path
        self.kind = kind
        self.error = error


class Freezer:
    """Freezes the values of one entity."""

    def __init__(self, child: Callable[[Entity, str], Child]) -> None:
        """Begin; `child` stores an entity that is met, of which it is told where, and says as what."""
        self._child = child
        self.opaque = False
        """Some value was of a type whose changes are not reported."""

    def freeze(self, value: Any, path: str) -> Stored:
        """
        Return what is stored of `value`.

        Raises:
            Uncopied: Of it, or of something in it, no copy can be made.
        """
        kind = type(value)
        if kind in _PLAIN or isinstance(value, (enum.Enum, type)):
            return value
        if isinstance(value, Entity):
            return self._child(value, path)
        if kind in _IN_ROWS:
            items = enumerate(value)
            return Items(_IN_ROWS[kind], tuple([self.freeze(item, f"{path}.{index}") for index, item in items]))
        if kind in (dict, HeldDict):
            pairs = [(self.freeze(key, path), self.freeze(item, f"{path}.{key}")) for key, item in value.items()]
            return Pairs(tuple(pairs))
        self.opaque = True
        try:
            return Opaque(copy.deepcopy(value))
        except Exception as error:
            raise Uncopied(path, kind, error) from error


def thaw(stored: Stored, child: Callable[[Child], Entity]) -> Any:
    """
    Return a live value that shares nothing that could change.

    Args:
        stored: What `Freezer.freeze` returned.
        child: Makes the entities.
    """
    if isinstance(stored, Child):
        return child(stored)
    if isinstance(stored, Items):
        return _MADE_FROM[stored.kind](thaw(item, child) for item in stored.items)
    if isinstance(stored, Pairs):
        return {thaw(key, child): thaw(value, child) for key, value in stored.pairs}
    if isinstance(stored, Opaque):
        return copy.deepcopy(stored.value)
    return stored


def same(one: Stored, other: Stored) -> bool:
    """Say whether two stored values are the same: of one type, and equal; not a number is the same as itself."""
    if one is other:
        return True
    kind = type(one)
    if kind is not type(other):
        return False
    if kind is Items:
        return _same_items(one, other)
    if kind is Pairs:
        return len(one.pairs) == len(other.pairs) and all(
            same(key, key_2) and same(value, value_2)
            for (key, value), (key_2, value_2) in zip(one.pairs, other.pairs, strict=True)
        )
    if kind is float:
        return (one == other and math.copysign(1, one) == math.copysign(1, other)) or (one != one and other != other)
    return bool(one == other)


def _same_items(one: Items, other: Items) -> bool:
    if one.kind != other.kind or len(one.items) != len(other.items):
        return False
    if one.kind in ("set", "frozenset"):
        return _counted(one.items) == _counted(other.items)
    return all(map(same, one.items, other.items))


def _counted(items: tuple[Stored, ...]) -> set[Any]:
    """Return what is equal for sets of the same members; ``1`` and ``True`` cannot be in one set."""
    return {(type(item), item) for item in items}
