"""Lists of values of another type: joined item by item, each once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dam_beliefs.errors import BadOperation
from dam_beliefs.plain import Seen, each_once
from dam_beliefs.value_types.base import Making, Operation, Unfit, ValueType

if TYPE_CHECKING:
    from dam_beliefs.state_view import StateView
    from dam_beliefs.world import World


class Listed(ValueType):
    """Lists; kept as tuples, so that nobody changes one that others have too."""

    operations = frozenset({"append", "remove", "replace"})
    last_heard = frozenset({"replace"})
    composes = True

    def __init__(self, items: ValueType) -> None:
        """Make the type of lists of `items`."""
        self.name = f"list of {items.name}"
        self.items = items
        self.is_reference = items.is_reference

    def take(self, value: Any, world: World, state: StateView | None) -> Any:
        """Take a list whose every item the type of items takes."""
        if not isinstance(value, (list, tuple)):
            raise Unfit(f"is {value!r}, which is no list")
        return tuple(self._item(each, place, world, state) for place, each in enumerate(value))

    def _item(self, item: Any, place: int, world: World, state: StateView | None) -> Any:
        if item is None:
            raise Unfit(f"has nothing (None) at position {place}")
        try:
            return self.items.take(item, world, state)
        except Unfit as error:
            raise Unfit(f"at position {place} {error}") from error

    def check_operation(self, key: str, value: Any, world: World, state: StateView | None) -> None:
        """All of them take a list of what may be in the list."""
        self.take(value, world, state)

    def compose(self, values: Sequence[Any], making: Making) -> Any:
        """Return all items, each where it first came up."""
        return each_once(item for value in values for item in value)

    def operate(self, value: Any, operations: Sequence[Operation], making: Making) -> Any:
        """
        Return the items less those removed, and then those added, nearest first.

        Of each item the nearest operation that names it decides. ``replace`` gives a whole list instead: what lies
        further away than that is not heard.
        """
        decided, removed = Seen(), Seen()
        added: list[Any] = []
        kept = value
        for each in operations:
            given = self._given(each, making)
            if each.key == "replace":
                kept = given
                break
            new = [item for item in given if item not in decided]
            for item in new:
                decided.add(item)
                if each.key == "remove":
                    removed.add(item)
                else:
                    added.append(item)
        return each_once([*(item for item in kept if item not in removed), *added])

    def _given(self, operation: Operation, making: Making) -> tuple[Any, ...]:
        try:
            taken: tuple[Any, ...] = self.take(operation.value, making.world, making.state)
        except Unfit as error:
            source = operation.source.name
            raise BadOperation(making.where, making.trait, operation.key, source, str(error)) from error
        return taken

    def is_empty(self, value: Any) -> bool:
        """Say that an empty list adds nothing."""
        return len(value) == 0

    def dump(self, value: Any, world: World) -> Any:
        """Return a list of what the items are as plain data."""
        return [self.items.dump(each, world) for each in value]

    def load(self, data: Any, world: World) -> Any:
        """Return the items again."""
        return tuple(self.items.load(each, world) for each in data)
