"""Find the entities in what a function is given and what it returns: deep inside containers, each once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dam_entities.entity import Entity


def entities_in(value: Any, path: str) -> Iterator[tuple[Entity, str]]:
    """Yield the outermost entities in `value` with the paths to them; what is in them is not looked at."""
    yield from _in(value, path, set())


def _in(value: Any, path: str, seen: set[int]) -> Iterator[tuple[Entity, str]]:
    if isinstance(value, Entity):
        if id(value) not in seen:
            seen.add(id(value))
            yield value, path
    elif isinstance(value, Mapping | list | tuple | set | frozenset) and id(value) not in seen:
        seen.add(id(value))
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from _in(item, f"{path}.{key}".lstrip("."), seen)
