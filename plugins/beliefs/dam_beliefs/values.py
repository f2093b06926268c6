"""What the hooks are asked with, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dam_beliefs.belief import Belief
    from dam_beliefs.mind import Mind
    from dam_beliefs.state import State
    from dam_beliefs.state_view import StateView
    from dam_beliefs.value_types.base import Making, Operation


@dataclass(frozen=True, slots=True)
class Composing:
    """Values of a composable trait that meet."""

    making: Making
    values: Sequence[Any]
    """Two or more, the first one first."""
    sources: tuple[str, ...]
    """Who brings them."""


@dataclass(frozen=True, slots=True)
class Operating:
    """Operations that a value is changed by."""

    making: Making
    value: Any
    operations: Sequence[Operation]
    """Nearest first."""

    @property
    def summary(self) -> str:
        """Keys and sources."""
        return ", ".join(f"{each.key} of {each.source.name}" for each in self.operations)


@dataclass(frozen=True, slots=True)
class Constructing:
    """A value that is made by a recipe."""

    making: Making
    recipe: Mapping[str, Any]
    source: str
    """Who brings the recipe."""


@dataclass(frozen=True, slots=True)
class Valued:
    """An answer that is a value, which may be `None`."""

    value: Any


@dataclass(frozen=True, slots=True)
class Ticking:
    """A state that a mind is to have."""

    mind: Mind
    tick: int
    ground_state: StateView | None


@dataclass(frozen=True, slots=True)
class Learning:
    """What a state is to learn of a belief."""

    state: State
    belief: Belief
    traits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Learned:
    """What it now knows."""

    belief: Belief
    """As the state that has learned holds it."""
    new: tuple[str, ...]
    """Traits that it did not know, or knew otherwise."""
