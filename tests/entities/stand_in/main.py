"""Go through all that is observed."""

from abstractions.ecs.callable_registry import CallableRegistry
from abstractions.ecs.ecs_address_parser import ECSAddressParser
from abstractions.ecs.entity import Entity, EntityRegistry


def rename(student):
    student.name = "Eve"
    return student


bob = Entity("e1", "l1", "Bob")
EntityRegistry.register_entity(bob)
print(ECSAddressParser.resolve_address("@e1.name"))
CallableRegistry.functions["rename"] = rename
print(CallableRegistry.execute("rename", student=bob).ecs_id)
print(EntityRegistry.version_entity(bob))
