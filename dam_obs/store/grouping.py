"""What events are grouped by: a column, or a value among their data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dam_obs.errors import DamObsError
from dam_obs.store.filter import data_ways
from dam_obs.store.filter.errors import nearest

COLUMNS: Final = ("layer", "operation", "component", "status")
_DATA: Final = "@"


class UnknownGrouping(DamObsError):
    """Events were to be grouped by something that they do not have."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"cannot group by {text!r}: {nearest(text, COLUMNS)}there are {', '.join(COLUMNS)} and @data.NAME"
        )
        self.text = text


@dataclass(frozen=True, slots=True)
class Grouping:
    """What events are grouped by."""

    name: str
    """As the user writes it."""
    sql: str
    """An expression over the columns of ``events``, of type VARCHAR; NULL where an event has none."""
    parameters: tuple[str, ...] = ()


def grouping(text: str) -> Grouping:
    """
    Return what `text` names: ``layer``, ``operation``, ``component``, ``status`` or ``@data.NAME``.

    Raises:
        UnknownGrouping: It is none of them.
        BadFilter: After the ``@`` there is no name.
    """
    word = text.strip()
    if word.lower() in COLUMNS:
        return Grouping(word.lower(), word.lower())
    if not word.startswith(_DATA):
        raise UnknownGrouping(text)
    pointers = data_ways(word)
    values = ", ".join("json_extract_string(metadata, ?)" for _ in pointers)
    return Grouping(word, f"coalesce({values}, null)", pointers)
