"""
The result of a call, from the child that made it to the parent that takes it over.

The child sends the value and every version in it that the parent does not have, with the versions
those came from. The parent makes versions of its own of them, validates each against its model and
the whole against the return annotation, and only then merges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from dam_entities.entity import Entity
from dam_entities.errors import VersionConflict
from dam_entities.freeze import Freezer, Uncopied, thaw
from dam_entities.isolation import wire
from dam_entities.isolation.wire import Unreadable
from dam_entities.state import State
from dam_entities.store import Store
from dam_entities.version import Child, Items, Opaque, Pairs, Stored, Version
from dam_entities.versioning import Versioning


def pack(value: Any, store: Store, known: State) -> bytes:
    """
    Write a result down, in the child.

    Args:
        value: What the function returned; entities in it are kept in `store` first.
        store: The child's branch.
        known: What the parent has.

    Raises:
        wire.Unwritable: Something in it cannot cross.
        CyclicEntity, NotStorable: As `Store.register`.
    """
    looking = Versioning(store.state)
    freezer = Freezer(lambda entity, path: Child(looking.look(entity, path).ecs_id))
    try:
        stored = freezer.freeze(value, "result")
    except Uncopied as uncopied:
        raise wire.Unwritable(f"a {uncopied.kind.__qualname__} at {uncopied.path}") from uncopied.error
    store.add(looking.new)
    looking.settle()
    versions = _new(store.state, known, [child.ecs_id for child in _children(stored)])
    return wire.write({"value": wire.encode(stored), "versions": [_record(version) for version in versions]})


def unpack(message: bytes, known: State, returns: TypeAdapter[Any]) -> tuple[Any, tuple[Version, ...]]:
    """
    Read a result, in the parent.

    Args:
        message: What `pack` wrote.
        known: The state that the child began with, or a later one.
        returns: What the result has to be.

    Returns:
        The value, and the versions to merge, children first.

    Raises:
        wire.Unreadable: It is nothing that `pack` writes.
        pydantic.ValidationError: It is not what it has to be.
    """
    read = wire.read(message)
    try:
        records, written = read["versions"], read["value"]
        state, versions = known, []
        made: dict[UUID, Entity] = {}
        for record in records:
            version = _version(record, state)
            _validate(version, state, made)
            state = state.having([version])
            versions.append(version)
    except (KeyError, TypeError, ValueError, AttributeError, VersionConflict) as error:
        if isinstance(error, ValidationError):
            raise
        raise Unreadable(f"{type(error).__name__}: {error}") from error
    handed: dict[UUID, Entity] = {}
    value = thaw(wire.decode(written), lambda child: state.live(state.version(child.ecs_id), handed))
    return returns.validate_python(value, strict=True), tuple(versions)


def _new(state: State, known: State, roots: Iterable[UUID]) -> list[Version]:
    """Return what `known` lacks of these versions, of what is in them and of what they came from; children first."""
    new: dict[UUID, Version] = {}
    waiting = [ecs_id for ecs_id in roots if ecs_id not in known]
    while waiting:
        for version in state.below([waiting.pop()]):
            if version.ecs_id in known or version.ecs_id in new:
                continue
            new[version.ecs_id] = version
            if version.parent_id is not None and version.parent_id in state and version.parent_id not in known:
                waiting.append(version.parent_id)
    return _children_first(new)


def _children_first(versions: Mapping[UUID, Version]) -> list[Version]:
    """Order versions so that each comes after its children and after the one that it came from."""
    ordered: dict[UUID, Version] = {}

    waiting = [(version, False) for version in versions.values()]
    while waiting:
        version, is_ready = waiting.pop()
        if is_ready:
            ordered.setdefault(version.ecs_id, version)
        elif version.ecs_id not in ordered:
            waiting.append((version, True))
            before = [*version.children, *([version.parent_id] if version.parent_id else [])]
            waiting.extend((versions[ecs_id], False) for ecs_id in before if ecs_id in versions)
    return list(ordered.values())


def _record(version: Version) -> dict[str, Any]:
    return {
        "type": wire.named(version.type),
        "ecs_id": str(version.ecs_id),
        "lineage_id": str(version.lineage_id),
        "parent_id": str(version.parent_id) if version.parent_id else None,
        "created_at": version.created_at.isoformat(),
        "forked_at": version.forked_at.isoformat() if version.forked_at else None,
        "derived_from": [str(ecs_id) for ecs_id in version.derived_from],
        "fields_set": sorted(version.fields_set),
        "values": {name: wire.encode(stored) for name, stored in version.values.items()},
    }


def _version(record: dict[str, Any], state: State) -> Version:
    kind = wire.found(*record["type"])
    if not issubclass(kind, Entity):
        raise Unreadable(f"{kind.__qualname__} is no entity")
    values = {str(name): wire.decode(data) for name, data in record["values"].items()}
    children = tuple(dict.fromkeys(child.ecs_id for stored in values.values() for child in _children(stored)))
    return Version(
        type=kind,
        ecs_id=UUID(record["ecs_id"]),
        lineage_id=UUID(record["lineage_id"]),
        parent_id=UUID(record["parent_id"]) if record["parent_id"] else None,
        created_at=datetime.fromisoformat(record["created_at"]),
        forked_at=datetime.fromisoformat(record["forked_at"]) if record["forked_at"] else None,
        derived_from=tuple(UUID(ecs_id) for ecs_id in record["derived_from"]),
        values=values,
        fields_set=frozenset(record["fields_set"]),
        children=children,
        opaque=any(_is_opaque(stored) for stored in values.values())
        or any(state.version(ecs_id).opaque for ecs_id in children),
    )


def _validate(version: Version, state: State, made: dict[UUID, Entity]) -> None:
    """Check the values of a version against its model; what a validator makes of them is not taken."""
    values = {
        name: thaw(stored, lambda child: state.live(state.version(child.ecs_id), made))
        for name, stored in version.values.items()
    }
    version.type.model_validate(values, strict=True, by_name=True)


def _children(stored: Stored) -> Iterator[Child]:
    if isinstance(stored, Child):
        yield stored
    elif isinstance(stored, Items):
        for item in stored.items:
            yield from _children(item)
    elif isinstance(stored, Pairs):
        for key, value in stored.pairs:
            yield from _children(key)
            yield from _children(value)


def _is_opaque(stored: Stored) -> bool:
    if isinstance(stored, Items):
        return any(map(_is_opaque, stored.items))
    if isinstance(stored, Pairs):
        return any(_is_opaque(key) or _is_opaque(value) for key, value in stored.pairs)
    return isinstance(stored, Opaque)
