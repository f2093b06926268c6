"""
What an entity's objects know about being changed, so that nobody has to look at all of them.

Every entity has a mark. A change sets it, and those of the entities that hold it, up to the
first that is set already. So an entity whose mark is not set is as it was stored, with all
that is below it, and a versioning that begins at the top goes down changed paths only.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dam_entities.version import Version


class Mark:
    """Of one live entity."""

    __slots__ = ("__weakref__", "_holders", "_room", "changed", "changes", "opaque", "stored")

    def __init__(self) -> None:
        self.stored: Version | None = None
        """The version that this entity was when it was last looked at; `None` before the first time."""
        self.changed = True
        """It, or an entity below it, may be something else than `stored`."""
        self.changes = 0
        """Goes up with every change; tells whether there was one since."""
        self.opaque = False
        """It, or an entity below it, holds values whose changes nobody reports: they are compared every time."""
        self._holders: dict[int, weakref.ref[Mark]] = {}
        self._room = 8

    @property
    def is_settled(self) -> bool:
        """Whether the entity is for sure what is stored, with all that is below it."""
        return not self.changed and not self.opaque and self.stored is not None

    def touch(self) -> None:
        """Note a change."""
        waiting = [self]
        while waiting:
            mark = waiting.pop()
            mark.changes += 1
            if mark.changed:
                continue  # and so is whoever holds it
            mark.changed = True
            waiting.extend(holder for known in mark._holders.values() if (holder := known()) is not None)

    def settle(self, version: Version, *, opaque: bool, changes: int) -> None:
        """Note that the entity is stored as `version`, unless it was changed since `changes` was read."""
        self.stored = version
        self.opaque = opaque
        if self.changes == changes:
            self.changed = False

    def add_holder(self, holder: Mark) -> None:
        """Note who holds this entity; one that held it once and does not any more does no harm."""
        known = self._holders.get(id(holder))
        if known is not None and known() is holder:
            return
        if len(self._holders) >= self._room:  # twice what is alive: so looking for the dead costs little in all
            self._holders = {place: known for place, known in self._holders.items() if known() is not None}
            self._room = 8 + 2 * len(self._holders)
        self._holders[id(holder)] = weakref.ref(holder)
