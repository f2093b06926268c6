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
    from dam_entities.isolation.errors import (
        CallRaised,
        Cancelled,
        CannotStart,
        Exited,
        Garbled,
        HungAtExit,
        IsolationError,
        Killed,
        NotIsolable,
        NotTransferable,
        OutOfMemory,
        TimedOut,
        TooLarge,
        WrongResult,
    )
    from dam_entities.isolation.pool import Finished
    from dam_entities.plugin import plugin_manager
    from dam_entities.registries import (
        CallableRegistry,
        EntityRegistry,
        aexecute_isolated,
        execute_isolated,
        resolve_entity_references,
    )
    from dam_entities.runtime import Runtime
    from dam_entities.runtimes import current
    from dam_entities.store import Store
    from dam_entities.touched import Known, Touched
    from dam_entities.tracing import entity_tracer
    from dam_entities.values import (
        Call,
        ChildEnded,
        Executed,
        Forked,
        Forking,
        Isolated,
        Isolating,
        Merged,
        Merging,
        Registered,
        Registering,
        Resolving,
        ResourceUse,
    )
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
    "isolation.errors": (
        "CallRaised", "Cancelled", "CannotStart", "Exited", "Garbled", "HungAtExit", "IsolationError", "Killed",
        "NotIsolable", "NotTransferable", "OutOfMemory", "TimedOut", "TooLarge", "WrongResult",
    ),
    "isolation.pool": ("Finished",),
    "plugin": ("plugin_manager",),
    "registries": (
        "CallableRegistry", "EntityRegistry", "aexecute_isolated", "execute_isolated", "resolve_entity_references",
    ),
    "runtime": ("Runtime",),
    "runtimes": ("current",),
    "store": ("Store",),
    "touched": ("Known", "Touched"),
    "tracing": ("entity_tracer",),
    "values": (
        "Call", "ChildEnded", "Executed", "Forked", "Forking", "Isolated", "Isolating", "Merged", "Merging",
        "Registered", "Registering", "Resolving", "ResourceUse",
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
    "CallRaised",
    "CallableRegistry",
    "Cancelled",
    "CannotStart",
    "Change",
    "Child",
    "ChildEnded",
    "CyclicEntity",
    "DeadPath",
    "Entity",
    "EntityError",
    "EntityRegistry",
    "Executed",
    "Exited",
    "Finished",
    "Forked",
    "Forking",
    "Garbled",
    "HungAtExit",
    "IdentityFixed",
    "Isolated",
    "Isolating",
    "IsolationError",
    "Killed",
    "Known",
    "MalformedReference",
    "Merged",
    "Merging",
    "NameTaken",
    "NotIsolable",
    "NotStorable",
    "NotTransferable",
    "OutOfMemory",
    "PluginBroken",
    "Registered",
    "Registering",
    "Resolving",
    "ResourceUse",
    "Runtime",
    "Store",
    "TimedOut",
    "TooLarge",
    "Touched",
    "UnknownCallable",
    "UnknownEntity",
    "UnknownLineage",
    "UnknownReference",
    "Version",
    "VersionConflict",
    "WrongKind",
    "WrongResult",
    "aexecute_isolated",
    "current",
    "entity_tracer",
    "execute_isolated",
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
