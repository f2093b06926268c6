"""The errors that dam_traits raises: each one sentence that names what was wrong and what is expected."""

from __future__ import annotations


class TraitError(Exception):
    """Base of every error that dam_traits raises on purpose."""


class InvalidIdentifier(TraitError, ValueError):
    """A text that is no identifier of a trait or of an implementation."""

    def __init__(self, text: object, expected: str) -> None:
        super().__init__(f"{shown(text)} is not {expected}")
        self.text = text


class InvalidTrait(TraitError, ValueError):
    """A trait was given an argument that it cannot mean."""

    def __init__(self, trait: str, argument: str, value: object, expected: str) -> None:
        super().__init__(f"{trait}.{argument} is {shown(value)}: it must be {expected}")
        self.trait = trait
        self.argument = argument
        self.value = value


def shown(value: object) -> str:
    """Give a value as an error message shows it: plain values by their literal, bounded; others by their type."""
    if type(value) not in (str, int, float, bool, type(None)):
        return f"a {type(value).__name__}"
    if isinstance(value, int) and value.bit_length() > 256:
        return "a huge integer"
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


_SHOWN = 80
