"""
`Trait`: the one idea behind everything that can be said of assets and systems.

A trait is a value that carries data. What it says is in its class and its fields; who has
it, and who acts on it, is decided elsewhere.
"""

from __future__ import annotations

from dam_traits.errors import InvalidTrait
from dam_traits.identifiers import TraitIdentifier


class Trait:
    """
    Base of all traits.

    A subclass is a frozen dataclass, and says which trait it is in the class attribute
    `identifier`. One that leaves it out takes its parent's.
    """

    __slots__ = ()

    identifier: TraitIdentifier
    """The trait's name, the same for all its values."""

    description: str
    """One sentence for a person."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        given = cls.__dict__.get("identifier")
        if given is not None and not isinstance(given, TraitIdentifier):
            expected = "a TraitIdentifier: write TraitIdentifier.from_string(...)"
            raise InvalidTrait(cls.__name__, "identifier", given, expected)
