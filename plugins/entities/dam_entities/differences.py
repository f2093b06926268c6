"""What differs between two versions: which fields, at which path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from dam_entities.freeze import same
from dam_entities.state import State
from dam_entities.version import Child, Items, Pairs, Stored, Version


class _Missing:
    """Where there is nothing on one side."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Change:
    """One difference."""

    path: str
    """``grades.3.score``"""
    before: Any
    """What is stored there; of an entity its version's id (`Child`); `MISSING` if there is nothing."""
    after: Any


def differences(before: Version, after: Version, state: State) -> Iterator[Change]:
    """Yield what differs, field by field; what two versions share is not looked into."""
    if before.ecs_id != after.ecs_id:
        yield from _fields(dict(before.values), dict(after.values), "", state)


def _fields(before: dict[Any, Stored], after: dict[Any, Stored], path: str, state: State) -> Iterator[Change]:
    for name in [*before, *(name for name in after if name not in before)]:
        yield from _values(before.get(name, MISSING), after.get(name, MISSING), f"{path}.{name}".lstrip("."), state)


def _values(before: Stored, after: Stored, path: str, state: State) -> Iterator[Change]:
    if same(before, after):
        return
    if isinstance(before, Child) and isinstance(after, Child):
        one, other = state.version(before.ecs_id), state.version(after.ecs_id)
        if one.lineage_id == other.lineage_id and one.type is other.type:
            yield from _fields(dict(one.values), dict(other.values), path, state)
            return
    elif isinstance(before, Pairs) and isinstance(after, Pairs):
        yield from _pairs(before, after, path, state)
        return
    elif _is_row(before) and _is_row(after) and before.kind == after.kind:
        yield from _fields(dict(enumerate(before.items)), dict(enumerate(after.items)), path, state)
        return
    yield Change(path, before, after)


def _pairs(before: Pairs, after: Pairs, path: str, state: State) -> Iterator[Change]:
    try:
        changes = list(_fields(dict(before.pairs), dict(after.pairs), path, state))
    except TypeError:  # keys that are stored as something that cannot be hashed
        changes = []
    yield from changes or [Change(path, before, after)]  # the order alone


def _is_row(stored: Stored) -> bool:
    return isinstance(stored, Items) and stored.kind in ("list", "tuple")
