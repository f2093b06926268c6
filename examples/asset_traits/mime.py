"""A plugin: what an asset's MIME type is, how to set, check and remove it, and a title that is derived from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dam_traits import AssetOperationTrait, Plugin, TraitImplementation, World, system


@dataclass(frozen=True)
class FileComponent:
    """Where an asset's bytes are."""

    path: Path


@dataclass(frozen=True)
class ContentMimeTypeComponent:
    """What an asset's bytes are."""

    mime_type: str


@dataclass(frozen=True)
class TitleComponent:
    """What an asset is called in a list."""

    title: str


SIGNATURES = {b"\x89PNG": "image/png", b"PK\x03\x04": "application/zip", b"%PDF": "application/pdf"}


@system(on_command=AssetOperationTrait.Add)
def set_mime_type_system(cmd: AssetOperationTrait.Add, world: World) -> None:
    """Look at the first bytes. This function blocks while it reads, so its world runs it in a thread."""
    file = world.get_component(cmd.entity_id, FileComponent)
    if file is None:
        return
    with file.path.open("rb") as opened:
        mime_type = SIGNATURES.get(opened.read(4), "application/octet-stream")
    world.add_component(cmd.entity_id, ContentMimeTypeComponent(mime_type))


@system(on_command=AssetOperationTrait.Check)
async def check_mime_type_system(cmd: AssetOperationTrait.Check, world: World) -> bool:
    """Say whether it is set."""
    return world.get_component(cmd.entity_id, ContentMimeTypeComponent) is not None


@system(on_command=AssetOperationTrait.Remove)
async def remove_mime_type_system(cmd: AssetOperationTrait.Remove, world: World) -> None:
    """Forget it."""
    world.remove_component(cmd.entity_id, ContentMimeTypeComponent)


@system(on_command=AssetOperationTrait.ReprocessDerived)
async def derive_title_system(cmd: AssetOperationTrait.ReprocessDerived, world: World) -> None:
    """Make the title of the file's name and the MIME type."""
    file = world.get_component(cmd.entity_id, FileComponent)
    content = world.get_component(cmd.entity_id, ContentMimeTypeComponent)
    if file is not None and content is not None:
        world.add_component(cmd.entity_id, TitleComponent(f"{file.path.name}, {content.mime_type}"))


class CorePlugin(Plugin):
    """Connects the trait, the components and the systems."""

    def build(self, world: World) -> None:
        """Register one implementation for a component, and one for two components together."""
        set_mime_type = TraitImplementation(
            trait=AssetOperationTrait,
            handlers={
                AssetOperationTrait.Add: set_mime_type_system,
                AssetOperationTrait.Check: check_mime_type_system,
                AssetOperationTrait.Remove: remove_mime_type_system,
            },
            name="core.set_mime_type",
            description="Sets the MIME type of an asset.",
        )
        derive_title = TraitImplementation(
            trait=AssetOperationTrait,
            handlers={AssetOperationTrait.ReprocessDerived: derive_title_system},
            name="core.derive_title",
            description="Makes a title for lists.",
        )
        world.trait_manager.register(set_mime_type, ContentMimeTypeComponent)
        world.trait_manager.register(derive_title, (FileComponent, ContentMimeTypeComponent))
