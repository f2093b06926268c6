"""
Traits: what an asset can do and what running a system takes, as values that a scheduler reads.

Everything a user needs is importable from here.
"""

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
from dam_traits.executor import SystemExecutor
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
from dam_traits.system import Kind, RunIn, System, system
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
    "MemoryStorage",
    "MissingResource",
    "NotOneResult",
    "ObservedTraits",
    "Plugin",
    "PoolDeadlock",
    "PoolError",
    "PoolExceeded",
    "PoolState",
    "PoolTimeout",
    "ProfileStore",
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
    "UnknownTarget",
    "World",
    "WorldScheduler",
    "WrongThread",
    "commands_of",
    "hookimpl",
    "system",
]
