"""
Traits: what an asset can do and what running a system takes, as values that a scheduler reads.

Everything a user needs is importable from here.
"""

from dam_traits.asset_operation import AssetOperationTrait
from dam_traits.commands import Command, Event
from dam_traits.components import ComponentStorage, MemoryStorage
from dam_traits.errors import (
    DuplicateIdentity,
    InvalidIdentifier,
    InvalidImplementation,
    InvalidPlugin,
    InvalidResource,
    InvalidSetting,
    InvalidSystem,
    InvalidTrait,
    MissingResource,
    TraitError,
    UnknownEntity,
    WrongThread,
)
from dam_traits.hookspecs import hookimpl
from dam_traits.identifiers import TraitIdentifier, TraitImplementationIdentifier
from dam_traits.plugin import Plugin
from dam_traits.system import Kind, RunIn, System, system
from dam_traits.system_traits import ExecutionCostTrait, IOBoundTrait, ResourceUsageTrait
from dam_traits.trait import Trait
from dam_traits.trait_manager import TraitImplementation, TraitManager, commands_of
from dam_traits.world import World

__all__ = [
    "AssetOperationTrait",
    "Command",
    "ComponentStorage",
    "DuplicateIdentity",
    "Event",
    "ExecutionCostTrait",
    "IOBoundTrait",
    "InvalidIdentifier",
    "InvalidImplementation",
    "InvalidPlugin",
    "InvalidResource",
    "InvalidSetting",
    "InvalidSystem",
    "InvalidTrait",
    "Kind",
    "MemoryStorage",
    "MissingResource",
    "Plugin",
    "ResourceUsageTrait",
    "RunIn",
    "System",
    "Trait",
    "TraitError",
    "TraitIdentifier",
    "TraitImplementation",
    "TraitImplementationIdentifier",
    "TraitManager",
    "UnknownEntity",
    "World",
    "WrongThread",
    "commands_of",
    "hookimpl",
    "system",
]
