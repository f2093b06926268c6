"""`Archetype`: a kind of thing: which traits its beliefs may have, and what they are if nobody says otherwise."""

from __future__ import annotations

from typing import Any

from dam_beliefs.node import Node


class Archetype(Node):
    """
    A kind. It belongs to no mind and no tick, and never changes.

    A value by recipe (``{"_call": "create"}``) that stands in it is made for each belief that inherits it.
    """

    __slots__ = ("declared", "label")

    def __init__(
        self,
        label: str,
        bases: tuple[Node, ...] = (),
        own: dict[str, Any] | None = None,
        operations: dict[str, dict[str, Any]] | None = None,
        declared: tuple[str, ...] = (),
    ) -> None:
        """
        Make an archetype of what was looked at already; `World.add_archetype` looks.

        Args:
            label: What it is called.
            bases: Archetypes and prototypes.
            own: Values by trait.
            operations: By trait and name.
            declared: Traits that its beliefs may have, and of which it says no more.
        """
        own, operations = own or {}, operations or {}
        names = frozenset((*own, *operations, *declared)).union(*(base.names for base in bases))
        super().__init__(bases, own, operations, names)
        self.label = label
        self.declared = declared

    @property
    def name(self) -> str:
        """Its label."""
        return self.label

    def __repr__(self) -> str:
        return f"<Archetype {self.label}>"
