"""How a trait is written in a template: ``mind``, or with an operation on it, ``mind.append``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dam_beliefs.errors import BadWorld
from dam_beliefs.plain import frozen

CALL = "_call"
"""The key that marks a mapping as a recipe: a value that is made when it is first asked for."""

DEFAULT_TICK = "default_tick"
"""What a mind's recipe may say beside it: the tick of its first state."""


def parse_trait_key(key: str) -> tuple[str, str | None]:
    """Return trait and operation; all after the first dot is the operation."""
    trait, dot, operation = key.partition(".")
    return trait, operation if dot else None


def split(traits: Mapping[str, Any], where: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """
    Return values by trait, and operations by trait and name, in the order they are written in.

    Raises:
        BadWorld: A key is no text, or names no trait or no operation.
    """
    values: dict[str, Any] = {}
    operations: dict[str, dict[str, Any]] = {}
    for key, value in traits.items():
        if not isinstance(key, str):
            raise BadWorld(where, f"{key!r} is no name of a trait")
        trait, operation = parse_trait_key(key)
        if not trait or operation == "":
            raise BadWorld(where, f"{key!r} is written neither like a trait nor like trait.operation")
        if operation is None:
            values[trait] = frozen(value)
        else:
            operations.setdefault(trait, {})[operation] = frozen(value)
    return values, operations


def is_recipe(value: Any) -> bool:
    """Say whether a value is yet to be made."""
    return isinstance(value, Mapping) and CALL in value


def is_tick(value: Any) -> bool:
    """Say whether a value can be a tick: a whole number, and `True` is none."""
    return isinstance(value, int) and not isinstance(value, bool)
