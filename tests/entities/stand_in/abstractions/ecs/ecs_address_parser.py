"""Addresses."""

from abstractions.ecs.entity import EntityRegistry


class ECSAddressParser:
    @classmethod
    def resolve_address(cls, address):
        ecs_id, _, name = address[1:].partition(".")
        return getattr(EntityRegistry.get_stored_entity(ecs_id, ecs_id), name)
