"""
Entities and their components: an entity is a number, and has at most one component of each class.

`ComponentStorage` is what a world needs of whatever keeps them; `MemoryStorage` keeps them
in this process. What components mean for traits is the trait manager's business.
"""

from __future__ import annotations

import itertools
from typing import Any, Protocol

from dam_traits.errors import InvalidComponent, UnknownEntity, shown


class ComponentStorage(Protocol):
    """Keeps entities and their components. An id is never given twice. Called on the event loop: be quick."""

    def create(self) -> int:
        """Make an entity without components and give its id."""

    def delete(self, entity_id: int) -> None:
        """Forget an entity and its components; `UnknownEntity` where there is none."""

    def put(self, entity_id: int, component: Any) -> None:
        """Give an entity a component, in place of the one of that very class; `UnknownEntity` as above."""

    def take(self, entity_id: int, component_type: type) -> bool:
        """Take the component of this very class away and say whether there was one; `UnknownEntity` as above."""

    def components(self, entity_id: int) -> dict[type, Any]:
        """Give an entity's components by class, oldest first, as a mapping to be read; `UnknownEntity` as above."""

    def entities(self) -> list[int]:
        """Give the ids of all entities."""


class MemoryStorage:
    """Keeps entities in memory."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._entities: dict[int, dict[type, Any]] = {}

    def create(self) -> int:
        """Make an entity without components and give its id."""
        entity_id = next(self._ids)
        self._entities[entity_id] = {}
        return entity_id

    def delete(self, entity_id: int) -> None:
        """Forget an entity and its components."""
        self.components(entity_id)
        del self._entities[entity_id]

    def put(self, entity_id: int, component: Any) -> None:
        """Give an entity a component, in place of the one of that very class."""
        self.components(entity_id)[type(component)] = component

    def take(self, entity_id: int, component_type: type) -> bool:
        """Take the component of this very class away and say whether there was one."""
        components = self.components(entity_id)
        was_there = component_type in components
        components.pop(component_type, None)
        return was_there

    def components(self, entity_id: int) -> dict[type, Any]:
        """Give an entity's components by class, oldest first."""
        try:
            return self._entities[entity_id]
        except (KeyError, TypeError):
            raise UnknownEntity(entity_id) from None

    def entities(self) -> list[int]:
        """Give the ids of all entities."""
        return list(self._entities)


def check_component(component: object) -> None:
    """
    Refuse a class as a component.

    Raises:
        InvalidComponent: It is a class.
    """
    if isinstance(component, type):
        raise InvalidComponent(f"{component.__qualname__} is a class: a component is an instance of one")


def check_component_class(component_type: object) -> None:
    """
    Refuse a component as a class of components.

    Raises:
        InvalidComponent: It is no class.
    """
    if not isinstance(component_type, type):
        raise InvalidComponent(f"{shown(component_type)} is no class: components are found by their class")
