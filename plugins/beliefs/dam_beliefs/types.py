"""`Types`: which `ValueType` the name in a traittype stands for, in one world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam_beliefs.errors import BadWorld, LabelTaken, near
from dam_beliefs.value_types.base import Unfit, ValueType
from dam_beliefs.value_types.listed import Listed
from dam_beliefs.value_types.mind_type import MindType
from dam_beliefs.value_types.plain import plain_types
from dam_beliefs.value_types.reference import Reference
from dam_beliefs.value_types.user_class import UserClass

if TYPE_CHECKING:
    from dam_beliefs.traittype import Traittype
    from dam_beliefs.world import World


class Types:
    """Types by name; an archetype's label is one as well."""

    def __init__(self, world: World) -> None:
        """Begin with those that every world has."""
        self._world = world
        built_in = (*plain_types(), Reference(), MindType())
        self._named: dict[str, ValueType] = {each.name: each for each in built_in}
        self._of: dict[str, ValueType] = {}
        self._references: dict[frozenset[str], tuple[str, ...]] = {}
        self._made: dict[frozenset[str], tuple[str, ...]] = {}

    def add_class(self, kind: type) -> None:
        """
        Take a class of the user's own, by its name.

        Raises:
            LabelTaken: A type has that name.
            BadWorld: It names operations or factories that it has no method for.
        """
        self.add(UserClass(kind))

    def add(self, value_type: ValueType) -> None:
        """
        Take a type of the user's own.

        Raises:
            LabelTaken: Another one has that name.
        """
        if value_type.name in self._named:
            raise LabelTaken(value_type.name, "a type of values")
        self._named[value_type.name] = value_type

    def of(self, traittype: Traittype) -> ValueType:
        """
        Return the type of a trait's values.

        Raises:
            BadWorld: There is none of that name.
        """
        found = self._of.get(traittype.label)
        if found is None:
            found = self._of[traittype.label] = self._find(traittype)
        return found

    def _find(self, traittype: Traittype) -> ValueType:
        where = f"traittypes, {traittype.label}"
        found = self._named.get(traittype.type)
        if found is None and (traittype.type in self._world.archetypes or traittype.type in self._world.kinds_to_come):
            found = Reference(traittype.type)
        if found is None:
            known = {*self._named, *self._world.archetypes}
            raise BadWorld(f"{where}, type", f"there is no type {traittype.type!r}{near(traittype.type, known)}")
        if traittype.container == "list" and found.makes:
            raise BadWorld(f"{where}, container", f"there are no lists of {found.name}: each is made for one belief")
        self._check_values(traittype, found, where)
        for key in ("min_length", "max_length"):
            if getattr(traittype, key) is not None and traittype.container is None and not found.has_length:
                raise BadWorld(f"{where}, {key}", f"{found.name} has no length")
        return Listed(found) if traittype.container == "list" else found

    def _check_values(self, traittype: Traittype, items: ValueType, where: str) -> None:
        if traittype.values is not None and (items.makes or items.is_reference):
            raise BadWorld(f"{where}, values", f"allowed values cannot be listed for {items.name}")
        for value in traittype.values or ():
            try:
                items.take(value, self._world, None)
            except Unfit as error:
                raise BadWorld(f"{where}, values", f"what is allowed {error}") from error

    def is_made(self, traittype: Traittype) -> bool:
        """Say whether its values are made for each belief."""
        return self.of(traittype).makes

    def references(self, names: frozenset[str]) -> tuple[str, ...]:
        """Return the traits among `names` whose values are subjects."""
        if names not in self._references:
            types = self._world.traittypes
            self._references[names] = tuple(sorted(each for each in names if self.of(types[each]).is_reference))
        return self._references[names]

    def made(self, names: frozenset[str]) -> tuple[str, ...]:
        """Return the traits among `names` whose values are made for each belief."""
        if names not in self._made:
            self._made[names] = tuple(sorted(each for each in names if self.is_made(self._world.traittypes[each])))
        return self._made[names]
