"""
Traits: what an asset can do and what running a system takes, as values that a scheduler reads.

Everything a user needs is importable from here. A name's module is imported when the name is
first asked for, so that importing the package alone costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Not left for later: the module, once imported by another, would stand here under the decorator's name.
from dam_traits.system import Kind, RunIn, System, system

if TYPE_CHECKING:
    from dam_traits.aggregate import Candidate, ObservedTraits
    from dam_traits.asset_operation import AssetOperationTrait
    from dam_traits.commands import Command, Event
    from dam_traits.components import ComponentStorage, MemoryStorage
    from dam_traits.errors import (
        DuplicateIdentity,
        ExecutionSpent,
        InvalidAnswer,
        InvalidComponent,
        InvalidIdentifier,
        InvalidImplementation,
        InvalidPlugin,
        InvalidResource,
        InvalidSetting,
        InvalidSystem,
        InvalidTrait,
        MissingResource,
        NotOneResult,
        TraitError,
        UnknownCommand,
        UnknownEntity,
        UnknownTarget,
        WrongThread,
    )
    from dam_traits.execution import Execution
    from dam_traits.executor import (
        LocalExecutor,
        MissingExtra,
        NotSendable,
        RemoteFailure,
        SystemExecutor,
        UnknownExecutor,
        WorkerLost,
    )
    from dam_traits.hookspecs import hookimpl
    from dam_traits.identifiers import TraitIdentifier, TraitImplementationIdentifier
    from dam_traits.learning import ExecutionObserver, ExecutionRecord, ProfileStore, SystemPerformanceProfile
    from dam_traits.plugin import Plugin
    from dam_traits.pools import (
        NO_LEASE,
        InvalidPool,
        Lease,
        PoolDeadlock,
        PoolError,
        PoolExceeded,
        PoolState,
        PoolTimeout,
        ResourcePools,
    )
    from dam_traits.report import CandidateReport, SchedulingReport, StrategyReport
    from dam_traits.scheduler import WorldScheduler
    from dam_traits.strategies import AllocationStrategy, Cheapest, RunAll, Selection, SoonestFinished
    from dam_traits.system_traits import ExecutionCostTrait, IOBoundTrait, ResourceUsageTrait
    from dam_traits.trait import Trait
    from dam_traits.trait_manager import TraitImplementation, TraitManager, commands_of
    from dam_traits.world import World

__all__ = [
    "NO_LEASE",
    "AllocationStrategy",
    "AssetOperationTrait",
    "Candidate",
    "CandidateReport",
    "Cheapest",
    "Command",
    "ComponentStorage",
    "DuplicateIdentity",
    "Event",
    "Execution",
    "ExecutionCostTrait",
    "ExecutionObserver",
    "ExecutionRecord",
    "ExecutionSpent",
    "IOBoundTrait",
    "InvalidAnswer",
    "InvalidComponent",
    "InvalidIdentifier",
    "InvalidImplementation",
    "InvalidPlugin",
    "InvalidPool",
    "InvalidResource",
    "InvalidSetting",
    "InvalidSystem",
    "InvalidTrait",
    "Kind",
    "Lease",
    "LocalExecutor",
    "MemoryStorage",
    "MissingExtra",
    "MissingResource",
    "NotOneResult",
    "NotSendable",
    "ObservedTraits",
    "Plugin",
    "PoolDeadlock",
    "PoolError",
    "PoolExceeded",
    "PoolState",
    "PoolTimeout",
    "ProfileStore",
    "RemoteFailure",
    "ResourcePools",
    "ResourceUsageTrait",
    "RunAll",
    "RunIn",
    "SchedulingReport",
    "Selection",
    "SoonestFinished",
    "StrategyReport",
    "System",
    "SystemExecutor",
    "SystemPerformanceProfile",
    "Trait",
    "TraitError",
    "TraitIdentifier",
    "TraitImplementation",
    "TraitImplementationIdentifier",
    "TraitManager",
    "UnknownCommand",
    "UnknownEntity",
    "UnknownExecutor",
    "UnknownTarget",
    "WorkerLost",
    "World",
    "WorldScheduler",
    "WrongThread",
    "commands_of",
    "hookimpl",
    "system",
]

_HOMES = {
    "aggregate": (
        "Candidate",
        "ObservedTraits",
    ),
    "asset_operation": ("AssetOperationTrait",),
    "commands": (
        "Command",
        "Event",
    ),
    "components": (
        "ComponentStorage",
        "MemoryStorage",
    ),
    "errors": (
        "DuplicateIdentity",
        "ExecutionSpent",
        "InvalidAnswer",
        "InvalidComponent",
        "InvalidIdentifier",
        "InvalidImplementation",
        "InvalidPlugin",
        "InvalidResource",
        "InvalidSetting",
        "InvalidSystem",
        "InvalidTrait",
        "MissingResource",
        "NotOneResult",
        "TraitError",
        "UnknownCommand",
        "UnknownEntity",
        "UnknownTarget",
        "WrongThread",
    ),
    "execution": ("Execution",),
    "executor": (
        "LocalExecutor",
        "MissingExtra",
        "NotSendable",
        "RemoteFailure",
        "SystemExecutor",
        "UnknownExecutor",
        "WorkerLost",
    ),
    "hookspecs": ("hookimpl",),
    "identifiers": (
        "TraitIdentifier",
        "TraitImplementationIdentifier",
    ),
    "learning": (
        "ExecutionObserver",
        "ExecutionRecord",
        "ProfileStore",
        "SystemPerformanceProfile",
    ),
    "plugin": ("Plugin",),
    "pools": (
        "InvalidPool",
        "Lease",
        "NO_LEASE",
        "PoolDeadlock",
        "PoolError",
        "PoolExceeded",
        "PoolState",
        "PoolTimeout",
        "ResourcePools",
    ),
    "report": (
        "CandidateReport",
        "SchedulingReport",
        "StrategyReport",
    ),
    "scheduler": ("WorldScheduler",),
    "strategies": (
        "AllocationStrategy",
        "Cheapest",
        "RunAll",
        "Selection",
        "SoonestFinished",
    ),
    "system_traits": (
        "ExecutionCostTrait",
        "IOBoundTrait",
        "ResourceUsageTrait",
    ),
    "trait": ("Trait",),
    "trait_manager": (
        "TraitImplementation",
        "TraitManager",
        "commands_of",
    ),
    "world": ("World",),
}
"""All other names by the module that has them."""

_MODULES = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
