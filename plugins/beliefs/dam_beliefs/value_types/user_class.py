"""Classes of the user's own as types of values: by methods that they have, which is all that is asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dam_beliefs.errors import BadWorld, NotSavable, WrongValue
from dam_beliefs.plain import frozen
from dam_beliefs.value_types.base import Making, Operation, Unfit, ValueType

if TYPE_CHECKING:
    from dam_beliefs.state_view import StateView
    from dam_beliefs.world import World


class UserClass(ValueType):
    """
    Values that are instances of a class.

    The class may have ``compose(values)`` (static), which makes it join; ``create(state, props, subject)`` (static)
    for ``{"_call": "create"}``, and others by the names in ``FACTORIES``; ``state_data(state, operations)``, which
    returns the changed value for the operations in ``OPERATIONS``; ``to_data()`` and ``from_data(data)`` (static), to
    be saved.
    """

    def __init__(self, kind: type) -> None:
        """
        Make a type of a class.

        Raises:
            BadWorld: It names operations or factories that it has no method for.
        """
        self.name = kind.__name__
        self._kind = kind
        for names in ("OPERATIONS", "FACTORIES"):
            if isinstance(getattr(kind, names, ()), str):
                raise BadWorld(f"class {self.name}", f"has a text for {names}: write a list of names")
        self.composes = callable(getattr(kind, "compose", None))
        self.operations = frozenset(getattr(kind, "OPERATIONS", ()))
        has_create = callable(getattr(kind, "create", None))
        self.factories = frozenset((*getattr(kind, "FACTORIES", ()), *(("create",) if has_create else ())))
        self.makes = bool(self.factories)
        if self.operations and not callable(getattr(kind, "state_data", None)):
            raise BadWorld(f"class {self.name}", "has OPERATIONS, and no method state_data(state, operations)")
        for each in sorted(self.factories):
            if not callable(getattr(kind, each, None)):
                raise BadWorld(f"class {self.name}", f"has {each!r} in FACTORIES, and no such method")

    def take(self, value: Any, world: World, state: StateView | None) -> Any:
        """Take instances, and recipes if it has factories."""
        from dam_beliefs.keys import is_recipe

        if isinstance(value, self._kind) or (self.makes and is_recipe(value)):
            return value
        raise Unfit(f"is {value!r}, which is no {self.name}")

    def compose(self, values: Sequence[Any], making: Making) -> Any:
        """Have the class join them."""
        return self._mine(self._kind.compose(list(values)), "compose", making)  # type: ignore[attr-defined]

    def operate(self, value: Any, operations: Sequence[Operation], making: Making) -> Any:
        """Have the value return what it is with them."""
        return self._mine(value.state_data(making.state, list(operations)), "state_data", making)

    def make(self, recipe: Any, making: Making) -> Any:
        """Call the factory, with the belief's state, all else that the recipe says, and the belief's subject."""
        from dam_beliefs.keys import CALL

        props = {key: value for key, value in recipe.items() if key != CALL}
        factory = recipe[CALL]
        return self._mine(getattr(self._kind, factory)(making.state, props, making.belief.subject), factory, making)

    def _mine(self, value: Any, method: str, making: Making) -> Any:
        if not isinstance(value, self._kind):
            raise WrongValue(
                making.where, making.trait, f"came out of {self.name}.{method} as {value!r}, which is no {self.name}"
            )
        return value

    def dump(self, value: Any, world: World) -> Any:
        """Return what its ``to_data`` says."""
        if not isinstance(value, self._kind):
            return super().dump(value, world)
        to_data = getattr(value, "to_data", None)
        if callable(to_data):
            return {"_value": to_data()}
        raise NotSavable(f"a {self.name} cannot be saved: give the class to_data() and from_data(data)")

    def load(self, data: Any, world: World) -> Any:
        """Have the class read it."""
        return self._kind.from_data(data["_value"]) if "_value" in data else frozen(data)  # type: ignore[attr-defined]
