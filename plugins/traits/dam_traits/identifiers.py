"""
How traits and their implementations are named.

`TraitIdentifier` names a trait: ``asset.operation``. `TraitImplementationIdentifier` names
what implements it for a component, or for several together:
``asset.operation:ContentMimeTypeComponent``. Both go to text and back without loss.

Nothing here knows which names are registered: that is a manager's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from dam_traits.errors import InvalidIdentifier

_TRAIT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_AN_IDENTIFIER = "a trait identifier: names of letters, digits and _ joined by dots, such as asset.operation"
_AN_IMPLEMENTATION = (
    "an implementation identifier: a trait identifier, a colon and component names joined by +, "
    "such as asset.operation:ContentMimeTypeComponent"
)
_A_COMPONENT = "the name of a component class"


@dataclass(frozen=True, slots=True, order=True)
class TraitIdentifier:
    """The name of a trait: one or more names joined by dots."""

    text: str
    """As it was given: ``asset.operation``."""

    def __post_init__(self) -> None:
        if type(self.text) is not str or _TRAIT.fullmatch(self.text) is None:
            raise InvalidIdentifier(self.text, _AN_IDENTIFIER)

    @classmethod
    def from_string(cls, text: str) -> Self:
        """
        Read an identifier.

        Raises:
            InvalidIdentifier: `text` is not names of ASCII letters, digits and ``_`` joined by dots.
        """
        return cls(text)

    @property
    def parts(self) -> tuple[str, ...]:
        """The names between the dots."""
        return tuple(self.text.split("."))

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, order=True)
class TraitImplementationIdentifier:
    """
    The name of one implementation of a trait.

    The components are a set: whatever order they are given in, they stand in name order,
    so the same set is the same identifier.
    """

    trait: TraitIdentifier

    components: tuple[str, ...]
    """Names of the component classes that an entity needs, in name order; at least one, none twice."""

    def __post_init__(self) -> None:
        for name in self.components:
            if type(name) is not str or not name.isidentifier():
                raise InvalidIdentifier(name, _A_COMPONENT)
        if not self.components:
            raise InvalidIdentifier(f"{self.trait}:", _AN_IMPLEMENTATION)
        if len(set(self.components)) != len(self.components):
            raise InvalidIdentifier("+".join(self.components), "a set of components: one is named twice")
        object.__setattr__(self, "components", tuple(sorted(self.components)))

    @classmethod
    def from_string(cls, text: str) -> Self:
        """
        Read an implementation identifier.

        Raises:
            InvalidIdentifier: `text` is not ``trait.identifier:Component`` or ``...:One+Two``.
        """
        if type(text) is not str or text.count(":") != 1:
            raise InvalidIdentifier(text, _AN_IMPLEMENTATION)
        trait, _, components = text.partition(":")
        return cls(TraitIdentifier.from_string(trait), tuple(components.split("+")))

    def __str__(self) -> str:
        return f"{self.trait}:{'+'.join(self.components)}"
