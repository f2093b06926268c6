"""What systems share: one instance of each type, found by its type or a base of it."""

from __future__ import annotations

from typing import Any, TypeVar

from dam_traits.errors import InvalidResource

ResourceT = TypeVar("ResourceT")


class Resources:
    """The resources of one world."""

    def __init__(self) -> None:
        self._own: dict[type, Any] = {}
        self._found: dict[type, Any] = {}

    def add(self, instance: object, resource_type: type | None = None) -> None:
        """
        Keep an instance under its type, or the given one; it takes the place of one that was there.

        Raises:
            InvalidResource: `resource_type` is no type, or one that `instance` is no instance of.
        """
        kind = type(instance) if resource_type is None else resource_type
        if not isinstance(kind, type):
            raise InvalidResource(f"{kind!r} is not a type: a resource is found by its type")
        if resource_type is not None and not _may_be(instance, kind):
            raise InvalidResource(
                f"a {type(instance).__qualname__} is not a {kind.__qualname__}: nobody could use it as one"
            )
        self._own[kind] = instance
        self._found = {}

    def find(self, resource_type: type[ResourceT]) -> tuple[ResourceT, ...]:
        """Give the resource of this type; else the first added one of a subclass; empty where there is none."""
        found = self._found.get(resource_type)
        if found is None:
            known = self._found
            found = self._search(resource_type)
            known[resource_type] = found
        return found

    def _search(self, resource_type: type) -> tuple[Any, ...]:
        if resource_type in self._own:
            return (self._own[resource_type],)
        return next(((each,) for kind, each in self._own.items() if resource_type in kind.__mro__), ())

    def copy(self) -> Resources:
        """Give the same resources, to go on apart from these."""
        twin = Resources()
        twin._own = dict(self._own)
        return twin


def _may_be(instance: object, kind: type) -> bool:
    try:
        return isinstance(instance, kind)
    except TypeError:
        return True  # a protocol that cannot be checked at run time
