"""
Look at objects and classes without running any code of theirs.

Attribute access in Python may run properties, ``__getattr__``, a metaclass or a proxy.
Here only what is stored is read: class dictionaries along the method resolution order,
an instance's dictionary and its slots, each through CPython's own descriptors.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Final
from weakref import ref

from dam_obs.trace.events import TraceEvent  # a msgspec class, to know others by

_NAME_CHARS: Final = 200
_MOST_REMEMBERED: Final = 4096

_class_dict = type.__dict__["__dict__"].__get__
_class_mro = type.__dict__["__mro__"].__get__
_class_qualname = type.__dict__["__qualname__"].__get__
_class_module = type.__dict__["__module__"].__get__
_SLOT_TYPES: Final = (MemberDescriptorType, type(TraceEvent.__dict__["trace_id"]))
_StructMeta: Final = type(TraceEvent)
_MISSING: Final = object()
_slots_of: dict[int, tuple[ref[type], tuple[str, ...]]] = {}
"""By the class's id; the class is not kept alive."""


def class_attribute(kind: type, name: str) -> Any:
    """Return what the class or the nearest base stores under `name`; `None` if none does."""
    for base in _class_mro(kind):
        found = _class_dict(base).get(name, _MISSING)
        if found is not _MISSING:
            return found
    return None


def type_name(kind: type, *, module: bool = True) -> str:
    """Return ``module.QualName`` of a class, or ``QualName`` for a builtin."""
    name: str = _class_qualname(kind)
    place = _class_module(kind) if module else None
    if type(place) is str and place != "builtins":
        name = f"{place}.{name}"
    return name if len(name) <= _NAME_CHARS else f"{name[:_NAME_CHARS]}…"


def place_of(kind: type) -> str:
    """Return ``module:QualName`` of a class, as targets are written."""
    module = _class_module(kind)
    return f"{module if type(module) is str else '?'}:{_class_qualname(kind)}"


def shown_fields(value: Any, kind: type) -> list[tuple[str, Any]] | None:
    """
    Return names and values of the fields a data class, a model or a named tuple would show of itself.

    Fields that were declared with ``repr=False`` and fields not stored (yet) are left out. `None` for
    other objects.
    """
    names = _shown_names(kind)
    if names is None:
        return None
    if issubclass(kind, tuple):
        return list(zip(names, tuple.__iter__(value), strict=False))
    stored = _instance_dict(value, kind)
    fields = []
    for name in names:
        item = stored.get(name, _MISSING)
        if item is _MISSING:
            item = _slot(value, kind, name)
        if item is not _MISSING:
            fields.append((name, item))
    return fields


def stored_fields(value: Any, kind: type) -> list[tuple[str, Any]]:
    """Return names and values of all that an instance stores, in its slots and in its dictionary."""
    fields = [(name, item) for name, item in _instance_dict(value, kind).items() if type(name) is str]
    names = _slot_names(kind)
    if not names:
        return fields
    slots = [(name, _slot(value, kind, name)) for name in names]
    return [*((name, item) for name, item in slots if item is not _MISSING), *fields]


def slot_value(value: Any, kind: type, name: str) -> Any:
    """Return what an instance stores in a slot; `None` if there is nothing, or no such slot."""
    if name not in _slot_names(kind):
        return None
    item = _slot(value, kind, name)
    return None if item is _MISSING else item


def _slot_names(kind: type) -> tuple[str, ...]:
    """Return the names of a class's slots, looked up once: it is asked of each command."""
    known = _slots_of.get(id(kind))
    if known is not None and known[0]() is kind:
        return known[1]
    names = dict.fromkeys(
        name for base in _class_mro(kind) for name, item in _class_dict(base).items() if _is_slot(item)
    )
    if len(_slots_of) >= _MOST_REMEMBERED:
        _slots_of.clear()
    found = tuple(names)
    _slots_of[id(kind)] = ref(kind), found
    return found


def _is_slot(item: Any) -> bool:
    return type(item) in _SLOT_TYPES


def _shown_names(kind: type) -> list[str] | None:
    for attribute in ("__dataclass_fields__", "__pydantic_fields__"):
        declared = class_attribute(kind, attribute)
        if type(declared) is dict:
            return [name for name, field in declared.items() if _is_shown(field)]
    attrs = class_attribute(kind, "__attrs_attrs__")
    if attrs is not None and issubclass(type(attrs), tuple):
        shown = [(_stored(each, "name"), each) for each in tuple.__iter__(attrs)]
        return [name for name, each in shown if type(name) is str and _is_shown(each)]
    if issubclass(kind, tuple):
        return _names(class_attribute(kind, "_fields"))
    if type(kind) is _StructMeta:
        return _names(class_attribute(_StructMeta, "__struct_fields__").__get__(kind))
    return None


def _names(names: Any) -> list[str] | None:
    return list(names) if type(names) is tuple and all(type(name) is str for name in names) else None


def _is_shown(field: Any) -> bool:
    return _stored(field, "repr") is not False


def _stored(value: Any, name: str) -> Any:
    """Return an instance's stored attribute; `None` if there is none."""
    kind = type(value)
    item = _instance_dict(value, kind).get(name, _MISSING)
    if item is _MISSING:
        item = _slot(value, kind, name)
    return None if item is _MISSING else item


def _instance_dict(value: Any, kind: type) -> Mapping[str, Any]:
    for base in _class_mro(kind):
        descriptor = _class_dict(base).get("__dict__")
        if descriptor is not None:  # as `class_attribute`, for this is asked of each command
            stored = descriptor.__get__(value) if type(descriptor) is GetSetDescriptorType else None
            return stored if type(stored) is dict else {}
    return {}


def _slot(value: Any, kind: type, name: str) -> Any:
    descriptor = class_attribute(kind, name)
    if type(descriptor) not in _SLOT_TYPES:
        return _MISSING
    try:
        return descriptor.__get__(value)
    except AttributeError:
        return _MISSING
