"""
The trait of what can be done to an asset: add something to it, check for it, remove it, derive again from it.

What that something is, a trait implementation says by the component it is bound to.
"""

from __future__ import annotations

from dataclasses import dataclass

from dam_traits.commands import Command
from dam_traits.identifiers import TraitIdentifier
from dam_traits.trait import Trait


@dataclass(frozen=True)
class AssetOperationTrait(Trait):
    """
    A trait for operations on assets.

    Its commands are abstract: several implementations may handle the same one, and a dispatched
    command goes to all of them unless one is named as the target.
    """

    identifier = TraitIdentifier.from_string("asset.operation")
    description = "What can be done to an asset: add, check, remove, reprocess what is derived."

    @dataclass(frozen=True, slots=True)
    class Add(Command[None]):
        """Do the operation for an entity, and keep what comes of it with the entity."""

        entity_id: int

    @dataclass(frozen=True, slots=True)
    class Check(Command[bool]):
        """Say whether the operation was done for an entity."""

        entity_id: int

    @dataclass(frozen=True, slots=True)
    class Remove(Command[None]):
        """Take away from an entity what the operation added."""

        entity_id: int

    @dataclass(frozen=True, slots=True)
    class ReprocessDerived(Command[None]):
        """Make anew whatever was made of what the operation added."""

        entity_id: int
