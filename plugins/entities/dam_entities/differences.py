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
    waiting: list[tuple[Stored, Stored, str]] = [(Child(before.ecs_id), Child(after.ecs_id), "")]
    while waiting:
        one, other, path = waiting.pop()
        if same(one, other):
            continue
        parts = _parts(one, other, state) if path else (dict(before.values), dict(after.values))
        if parts is None:
            yield Change(path, one, other)
            continue
        names = [*parts[0], *(name for name in parts[1] if name not in parts[0])]
        below = [
            (parts[0].get(name, MISSING), parts[1].get(name, MISSING), f"{path}.{name}".lstrip(".")) for name in names
        ]
        if isinstance(one, Pairs) and all(same(left, right) for left, right, _ in below):
            yield Change(path, one, other)  # the order alone
        waiting.extend(reversed(below))


def _parts(one: Stored, other: Stored, state: State) -> tuple[dict[Any, Stored], dict[Any, Stored]] | None:
    """Return what both are made of, by name, or `None` if they are to be taken as a whole."""
    if isinstance(one, Child) and isinstance(other, Child):
        left, right = state.version(one.ecs_id), state.version(other.ecs_id)
        if left.lineage_id != right.lineage_id or left.type is not right.type:
            return None
        return dict(left.values), dict(right.values)
    if isinstance(one, Pairs) and isinstance(other, Pairs):
        try:
            return dict(one.pairs), dict(other.pairs)
        except TypeError:  # keys that are stored as something that cannot be hashed
            return None
    if _is_row(one) and _is_row(other) and one.kind == other.kind:
        return dict(enumerate(one.items)), dict(enumerate(other.items))
    return None


def _is_row(stored: Stored) -> bool:
    return isinstance(stored, Items) and stored.kind in ("list", "tuple")
