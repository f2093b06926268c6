"""Types of plain values: text, numbers, mappings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from dam_beliefs.plain import frozen
from dam_beliefs.value_types.base import Making, Operation, Unfit, ValueType


class Plain(ValueType):
    """Values of one of Python's own types."""

    def __init__(self, name: str, kinds: tuple[type, ...], said: str) -> None:
        """
        Make a type.

        Args:
            name: As traittypes call it.
            kinds: What its values are instances of.
            said: What it is called in messages, "a text".
        """
        self.name = name
        self._kinds = kinds
        self._said = said
        self.has_length = str in kinds

    def take(self, value: Any, world: object, state: object) -> Any:
        """Take instances; `True` is no number."""
        if not isinstance(value, self._kinds) or (isinstance(value, bool) and bool not in self._kinds):
            raise Unfit(f"is {value!r}, which is no {self._said}")
        return value


class MappingType(ValueType):
    """Mappings: not joined by themselves, since what two sources say of one key is for an explicit class to decide."""

    name = "mapping"
    operations = frozenset({"merge", "remove", "replace"})

    def take(self, value: Any, world: object, state: object) -> Any:
        """Take mappings with text for keys."""
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise Unfit(f"is {value!r}, which is no mapping from names")
        return frozen(value)

    def check_operation(self, key: str, value: Any, world: object, state: object) -> None:
        """``merge`` and ``replace`` take a mapping, ``remove`` takes names."""
        if key == "remove":
            if not isinstance(value, Sequence) or isinstance(value, str):
                raise Unfit(f"takes a list of names, not {value!r}")
        elif not isinstance(value, Mapping):
            raise Unfit(f"takes a mapping, not {value!r}")

    def operate(self, value: Any, operations: Sequence[Operation], making: Making) -> Any:
        """Apply the furthest first, so that the nearest has the last word."""
        changed = dict(value)
        for each in reversed(operations):
            if each.key == "merge":
                changed = merged(changed, each.value)
            elif each.key == "replace":
                changed.update(each.value)
            else:
                changed = {key: kept for key, kept in changed.items() if key not in each.value}
        return frozen(changed)


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, key by key and deep inside; of what both say the other's stands."""
    joined = dict(one)
    for key, value in other.items():
        known = joined.get(key)
        both = isinstance(known, Mapping) and isinstance(value, Mapping)
        joined[key] = MappingProxyType(merged(known, value)) if both else value  # type: ignore[arg-type]
    return joined


def plain_types() -> tuple[ValueType, ...]:
    """Return the types that every world has."""
    return (
        ValueType(),
        Plain("str", (str,), "text"),
        Plain("int", (int,), "whole number"),
        Plain("float", (int, float), "number"),
        Plain("bool", (bool,), "truth value"),
        MappingType(),
    )
