"""`ValueType`: what a trait's type has to say of its values; and what it is told when it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from dam_beliefs.errors import NotSavable
from dam_beliefs.plain import frozen

if TYPE_CHECKING:
    from dam_beliefs.belief import Belief
    from dam_beliefs.node import Node
    from dam_beliefs.state_view import StateView
    from dam_beliefs.world import World


class Unfit(ValueError):
    """A value, or what is given with an operation, that the type does not take; says why, as in "is no text"."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation on a trait, on its way to the type of the value."""

    key: str
    """``append``; all after the first dot."""
    value: Any
    source: Node
    """The archetype or belief that brings it."""

    @property
    def as_mapping(self) -> dict[str, Any]:
        """The same as plain data, with the source's label."""
        return {"key": self.key, "value": self.value, "source": self.source.name}


@dataclass(frozen=True, slots=True)
class Making:
    """For which belief and trait a value is joined, changed or made."""

    world: World
    belief: Belief
    trait: str

    @property
    def state(self) -> StateView:
        """Where the belief was made, which is when its values are."""
        return self.belief.state

    @property
    def where(self) -> str:
        """The belief, for messages."""
        return self.belief.name


class ValueType:
    """
    A type of values. As it is, it takes anything, and joins, changes and makes nothing.

    A subclass says in `operations` and `factories` what it knows, and overrides what that takes.
    """

    name = "any"
    operations: frozenset[str] = frozenset()
    """What may follow the dot, as in ``mind.append``."""
    last_heard: frozenset[str] = frozenset()
    """Those behind which no operation from further away is heard."""
    factories: frozenset[str] = frozenset()
    """What ``_call`` may say."""
    composes = False
    """Whether `compose` is there."""
    makes = False
    """Whether a value is made for each belief, and handed on to its later versions, instead of being written down."""
    has_length = True
    """Whether a value may have a length, which a traittype can limit."""
    is_reference = False
    """Whether values are subjects, and so can be looked up in reverse."""

    def take(self, value: Any, world: World, state: StateView | None) -> Any:
        """
        Return a value as it is kept; never asked of `None`.

        Args:
            value: As it was written.
            world: In which it is.
            state: Where the belief is made; `None` for an archetype.

        Raises:
            Unfit: It is none of this type.
        """
        return value

    def check_operation(self, key: str, value: Any, world: World, state: StateView | None) -> None:
        """
        Look at what is given with an operation that this type knows, where it is written.

        Args:
            key: The operation.
            value: What is given with it.
            world: As for `take`.
            state: As for `take`.

        Raises:
            Unfit: It makes no sense.
        """

    def compose(self, values: Sequence[Any], making: Making) -> Any:
        """Join two or more values, the first one first."""
        raise NotImplementedError

    def operate(self, value: Any, operations: Sequence[Operation], making: Making) -> Any:
        """Return a value with operations applied to it, which come nearest first."""
        raise NotImplementedError

    def make(self, recipe: Any, making: Making) -> Any:
        """Make a value by a recipe: a mapping, with ``_call`` as a rule."""
        raise NotImplementedError

    def is_empty(self, value: Any) -> bool:
        """Say whether a value adds nothing to others."""
        return False

    def dump(self, value: Any, world: World) -> Any:
        """
        Return a value as plain data.

        Raises:
            NotSavable: It cannot be that.
        """
        return json_value(value)

    def load(self, data: Any, world: World) -> Any:
        """Return the value again."""
        return frozen(data)


def json_value(value: Any) -> Any:
    """
    Return a kept value as JSON has it.

    Raises:
        NotSavable: There is something in it that JSON does not have.
    """
    if value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and isfinite(value)):
        return value
    if isinstance(value, tuple):
        return [json_value(each) for each in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: json_value(each) for key, each in value.items()}
    raise NotSavable(
        f"{value!r} cannot be saved: JSON has no such value; keep it in a class with to_data() and from_data(data)"
    )
