"""Give a few files a MIME type by way of a trait, and print what happened. Run by `python examples/asset_traits`."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from consumer import process_entity, refresh_derived, show_operations
from dam_traits import World
from mime import CorePlugin, FileComponent

FILES = {"cat.png": b"\x89PNG\r\n\x1a\n", "letters.zip": b"PK\x03\x04", "noise.bin": b"\x00\x01\x02\x03"}


async def run(folder: Path) -> None:
    """Make a world, its assets, and let the consumer do its work."""
    async with World("assets") as world:
        await process_entity(world.create_entity(), world)  # before there is any plugin

        world.add_plugin(CorePlugin())
        show_implementations(world)
        for name, content in FILES.items():
            path = folder / name
            path.write_bytes(content)
            await tell_one(world.create_entity(FileComponent(path)), world)


def show_implementations(world: World) -> None:
    """Print what the plugin has brought."""
    for identifier in world.trait_manager.identifiers():
        implementation = world.trait_manager.get_implementation_by_id(identifier)
        if implementation is not None:
            handled = ", ".join(each.__name__ for each in implementation.handlers)
            print(f"{identifier}\n   {implementation.name} handles {handled}")


async def tell_one(entity_id: int, world: World) -> None:
    """Show an entity before and after."""
    show_operations(entity_id, world)
    await process_entity(entity_id, world)
    await process_entity(entity_id, world)
    show_operations(entity_id, world)
    await refresh_derived(entity_id, world)
    print("  ", *(each for each in world.get_components(entity_id) if not isinstance(each, FileComponent)))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(run(Path(temporary)))
