"""
Versioned entities, references to them, callables that keep track of them, isolated execution.

Everything a user or a plugin needs is importable from here. A name's module is imported when the
name is first asked for, so that importing the package alone costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dam_entities.differences import MISSING, Change
    from dam_entities.entity import Entity
    from dam_entities.errors import (
        BadCallable,
        BadReference,
        CyclicEntity,
        DeadPath,
        EntityError,
        IdentityFixed,
        MalformedReference,
        NameTaken,
        NotStorable,
        PluginBroken,
        UnknownCallable,
        UnknownEntity,
        UnknownLineage,
        UnknownReference,
        VersionConflict,
        WrongKind,
    )
    from dam_entities.hookspecs import hookimpl
    from dam_entities.plugin import plugin_manager
    from dam_entities.registries import CallableRegistry, EntityRegistry, resolve_entity_references
    from dam_entities.runtime import Runtime
    from dam_entities.runtimes import current
    from dam_entities.store import Store
    from dam_entities.touched import Known, Touched
    from dam_entities.tracing import entity_tracer
    from dam_entities.values import Call, Executed, Forked, Forking, Merged, Merging, Registered, Registering, Resolving
    from dam_entities.version import Child, Version

_HOMES = {
    "differences": ("MISSING", "Change"),
    "entity": ("Entity",),
    "errors": (
        "BadCallable", "BadReference", "CyclicEntity", "DeadPath", "EntityError", "IdentityFixed", "MalformedReference",
        "NameTaken", "NotStorable", "PluginBroken", "UnknownCallable", "UnknownEntity", "UnknownLineage",
        "UnknownReference", "VersionConflict", "WrongKind",
    ),
    "hookspecs": ("hookimpl",),
    "plugin": ("plugin_manager",),
    "registries": ("CallableRegistry", "EntityRegistry", "resolve_entity_references"),
    "runtime": ("Runtime",),
    "runtimes": ("current",),
    "store": ("Store",),
    "touched": ("Known", "Touched"),
    "tracing": ("entity_tracer",),
    "values": (
        "Call", "Executed", "Forked", "Forking", "Merged", "Merging", "Registered", "Registering", "Resolving",
    ),
    "version": ("Child", "Version"),
}  # fmt: skip
"""All names by the module that has them."""

_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "MISSING",
    "BadCallable",
    "BadReference",
    "Call",
    "CallableRegistry",
    "Change",
    "Child",
    "CyclicEntity",
    "DeadPath",
    "Entity",
    "EntityError",
    "EntityRegistry",
    "Executed",
    "Forked",
    "Forking",
    "IdentityFixed",
    "Known",
    "MalformedReference",
    "Merged",
    "Merging",
    "NameTaken",
    "NotStorable",
    "PluginBroken",
    "Registered",
    "Registering",
    "Resolving",
    "Runtime",
    "Store",
    "Touched",
    "UnknownCallable",
    "UnknownEntity",
    "UnknownLineage",
    "UnknownReference",
    "Version",
    "VersionConflict",
    "WrongKind",
    "current",
    "entity_tracer",
    "hookimpl",
    "plugin_manager",
    "resolve_entity_references",
]


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
