"""Names that are values: enumerations whose members are read from text, case and all, with an error that helps."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from dam_hrm.errors import UnknownName


class Name(StrEnum):
    """Base of the names of levels, stances, gates, strategies and tiers."""


Named = TypeVar("Named", bound=Name)


def name_of(kind: type[Named], word: str) -> Named:
    """
    Read a name by its value or its member's name, in any case.

    Raises:
        UnknownName: There is none like it.
    """
    lower = str(word).strip().lower()
    for each in kind:
        if lower in (each.value.lower(), each.name.lower()):
            return each
    raise UnknownName(kind.__name__.lower(), word, (each.value for each in kind))
