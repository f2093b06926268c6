"""Seed 3: the walk-through of setting a MIME type, step by step as it is written there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from dam_traits import (
    AssetOperationTrait,
    Plugin,
    Trait,
    TraitIdentifier,
    TraitImplementation,
    World,
    commands_of,
    system,
)


@dataclass(frozen=True)
class ContentMimeTypeComponent:
    mime_type: str


@system(on_command=AssetOperationTrait.Add)
async def set_mime_type_system(cmd: AssetOperationTrait.Add, world: World) -> None:
    world.add_component(cmd.entity_id, ContentMimeTypeComponent("image/png"))


@system(on_command=AssetOperationTrait.Check)
async def check_mime_type_system(cmd: AssetOperationTrait.Check, world: World) -> bool:
    return world.get_component(cmd.entity_id, ContentMimeTypeComponent) is not None


@system(on_command=AssetOperationTrait.Remove)
async def remove_mime_type_system(cmd: AssetOperationTrait.Remove, world: World) -> None:
    world.remove_component(cmd.entity_id, ContentMimeTypeComponent)


class CorePlugin(Plugin):
    def build(self, world: World) -> None:
        set_mime_type_implementation = TraitImplementation(
            trait=AssetOperationTrait,
            handlers={
                AssetOperationTrait.Add: set_mime_type_system,
                AssetOperationTrait.Check: check_mime_type_system,
                AssetOperationTrait.Remove: remove_mime_type_system,
            },
            name="core.set_mime_type",
            description="Sets the mime type for an asset.",
        )
        world.trait_manager.register(set_mime_type_implementation, ContentMimeTypeComponent)


@pytest.fixture
def world():
    return World(load_plugins=False).add_plugin(CorePlugin())


async def process_entity(entity_id: int, world: World, command: type):
    """A consumer: it knows the trait and a name, and neither component nor system."""
    operations = world.trait_manager.get_implementations_for_trait(AssetOperationTrait)
    set_mime_type_op = next((op for op in operations if op.name == "core.set_mime_type"), None)
    if set_mime_type_op:
        return await world.dispatch_command(command(entity_id=entity_id)).get_all_results()
    return None


def test_step_1_the_trait_and_its_commands():
    """A trait of that name, with four commands that carry an entity."""
    assert AssetOperationTrait.identifier == TraitIdentifier.from_string("asset.operation")
    assert issubclass(AssetOperationTrait, Trait)
    assert [each.__name__ for each in commands_of(AssetOperationTrait)] == [
        "Add",
        "Check",
        "Remove",
        "ReprocessDerived",
    ]
    assert [each(entity_id=7).entity_id for each in commands_of(AssetOperationTrait)] == [7] * 4


def test_step_2_the_systems_are_plain_command_handlers():
    """They need no trait to be registered and to run."""
    world = World(load_plugins=False)
    world.register_system(set_mime_type_system)
    world.register_system(check_mime_type_system)
    entity = world.create_entity()

    async def run():
        await world.dispatch_command(AssetOperationTrait.Add(entity_id=entity)).get_all_results()
        return await world.dispatch_command(AssetOperationTrait.Check(entity_id=entity)).get_all_results()

    assert asyncio.run(run()) == [True]


def test_step_3_the_plugin_registers_trait_component_and_systems(world):
    """Registering the implementation is enough: its handlers are systems then."""
    implementation = world.trait_manager.get_implementation_by_id("asset.operation:ContentMimeTypeComponent")

    assert implementation.name == "core.set_mime_type"
    assert implementation.missing == (AssetOperationTrait.ReprocessDerived,)
    assert [each.target for each in world.systems] == [
        set_mime_type_system,
        check_mime_type_system,
        remove_mime_type_system,
    ]


def test_step_4_a_consumer_discovers_and_dispatches(world):
    """The abstract command does what the implementation's handler does."""
    entity = world.create_entity()

    async def run():
        commands = (
            AssetOperationTrait.Check,
            AssetOperationTrait.Add,
            AssetOperationTrait.Check,
            AssetOperationTrait.Remove,
            AssetOperationTrait.Check,
        )
        return [await process_entity(entity, world, each) for each in commands]

    assert asyncio.run(run()) == [[False], [None], [True], [None], [False]]


def test_an_entity_has_the_trait_by_its_component(world):
    """Once the component is there, what implements the trait for it is available."""
    entity = world.create_entity()
    assert world.get_available_traits_for_entity(entity) == []

    asyncio.run(process_entity(entity, world, AssetOperationTrait.Add))

    assert [each.name for each in world.get_available_traits_for_entity(entity)] == ["core.set_mime_type"]


def test_an_abstract_command_goes_to_every_implementation(world):
    """Unless one is named: then that handler alone runs."""

    class Size: ...

    async def check_size(cmd: AssetOperationTrait.Check) -> str:
        return "size"

    handlers = {AssetOperationTrait.Check: check_size}
    world.trait_manager.register(TraitImplementation(AssetOperationTrait, handlers, "core.set_size"), Size)
    check = AssetOperationTrait.Check(entity_id=world.create_entity())
    chosen = next(
        each
        for each in world.trait_manager.get_implementations_for_trait(AssetOperationTrait)
        if each.name == "core.set_size"
    )

    async def run():
        everyone = await world.dispatch_command(check).get_all_results()
        target = chosen.handlers[AssetOperationTrait.Check]
        return everyone, await world.dispatch_command(check, target_system=target).get_all_results()

    assert asyncio.run(run()) == ([False, "size"], ["size"])


def test_a_consumer_without_the_plugin_finds_nothing():
    """Discovery of what is not there is no error."""
    world = World(load_plugins=False)

    assert asyncio.run(process_entity(world.create_entity(), world, AssetOperationTrait.Add)) is None
