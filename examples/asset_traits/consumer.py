"""A consumer: it finds operations by their trait, and knows neither components nor systems."""

from __future__ import annotations

from dam_traits import AssetOperationTrait, World


async def process_entity(entity_id: int, world: World) -> None:
    """Do whatever `core.set_mime_type` does to an entity, unless it was done."""
    operations = world.trait_manager.get_implementations_for_trait(AssetOperationTrait)
    set_mime_type = next((each for each in operations if each.name == "core.set_mime_type"), None)
    if set_mime_type is None:
        print("Nothing here can set a MIME type.")
        return

    done = await world.dispatch_command(AssetOperationTrait.Check(entity_id)).get_one_value()
    print(f"entity {entity_id}: {set_mime_type.name} {'was done before' if done else 'is to be done'}")
    if not done:
        await world.dispatch_command(AssetOperationTrait.Add(entity_id)).get_all_results()


async def refresh_derived(entity_id: int, world: World) -> None:
    """Run each operation that this entity has and that derives something."""
    for operation in world.get_available_traits_for_entity(entity_id):
        handler = operation.handlers.get(AssetOperationTrait.ReprocessDerived)
        if handler is not None:
            # The command is one that many operations share: this runs the one that was found.
            command = AssetOperationTrait.ReprocessDerived(entity_id)
            await world.dispatch_command(command, target_system=handler).get_all_results()
            print(f"entity {entity_id}: {operation.name} was done again")


def show_operations(entity_id: int, world: World) -> None:
    """Print what can be done to an entity."""
    names = [each.name for each in world.get_available_traits_for_entity(entity_id)]
    print(f"entity {entity_id} has: {', '.join(names) or 'nothing yet'}")
