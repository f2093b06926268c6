"""
Traits: what an asset can do and what running a system takes, as values that a scheduler reads.

Everything a user needs is importable from here.
"""

from dam_traits.errors import InvalidIdentifier, InvalidTrait, TraitError
from dam_traits.identifiers import TraitIdentifier, TraitImplementationIdentifier
from dam_traits.system_traits import ExecutionCostTrait, IOBoundTrait, ResourceUsageTrait
from dam_traits.trait import Trait

__all__ = [
    "ExecutionCostTrait",
    "IOBoundTrait",
    "InvalidIdentifier",
    "InvalidTrait",
    "ResourceUsageTrait",
    "Trait",
    "TraitError",
    "TraitIdentifier",
    "TraitImplementationIdentifier",
]
