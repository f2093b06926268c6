"""What can be done to an asset by its component traits follows from what kinds of thing it is, as beliefs join it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dam_beliefs import World as Kinds
from dam_traits import AssetOperationTrait, Plugin, TraitImplementation, World, system


@dataclass(frozen=True)
class Stored:
    """It has bytes."""


@dataclass(frozen=True)
class Pictured:
    """It can be looked at."""


@dataclass(frozen=True)
class Worded:
    """It can be read."""


COMPONENTS = {each.__name__: each for each in (Stored, Pictured, Worded)}


@system(on_command=AssetOperationTrait.Add)
async def add_hash(cmd: AssetOperationTrait.Add) -> None:
    """Say what would be done."""
    print(f"   hash of asset {cmd.entity_id}")


@system(on_command=AssetOperationTrait.Add)
async def add_thumbnail(cmd: AssetOperationTrait.Add) -> None:
    """Say what would be done."""
    print(f"   thumbnail of asset {cmd.entity_id}")


@system(on_command=AssetOperationTrait.Add)
async def add_to_index(cmd: AssetOperationTrait.Add) -> None:
    """Say what would be done."""
    print(f"   words of asset {cmd.entity_id}")


class CorePlugin(Plugin):
    """Binds each operation to the component that makes it possible; it knows of no kinds."""

    def build(self, world: World) -> None:
        """Register them."""
        for component, name, handler in (
            (Stored, "core.hash", add_hash),
            (Pictured, "core.thumbnail", add_thumbnail),
            (Worded, "core.index", add_to_index),
        ):
            world.trait_manager.register(implementation(name, handler), component)


def implementation(name: str, handler: Callable[..., Any]) -> TraitImplementation:
    """Make one that adds something."""
    return TraitImplementation(trait=AssetOperationTrait, handlers={AssetOperationTrait.Add: handler}, name=name)


def create_asset(world: World, kinds: Kinds, label: str) -> int:
    """Make an entity with the components of a kind of asset."""
    entity = world.create_entity()
    for name in kinds.labels[label].get_trait("components", kinds.state):
        world.add_component(entity, COMPONENTS[name]())
    return entity


async def show() -> None:
    """Make a scan and a passport, and do all that can be done."""
    kinds = Kinds.load(Path(__file__).with_name("kinds.toml"))
    kinds.state.lock()
    async with World("assets") as world:
        world.add_plugin(CorePlugin())
        for label in ("scan", "passport"):
            entity = create_asset(world, kinds, label)
            for operation in world.get_available_traits_for_entity(entity):
                handler = operation.handlers[AssetOperationTrait.Add]
                command = AssetOperationTrait.Add(entity)
                print(f"{label}: {operation.name}")
                await world.dispatch_command(command, target_system=handler).get_all_results()
    passport = kinds.state.get_belief_by_label("passport")
    print(passport.explain_trait("components") if passport is not None else "there is no passport")
