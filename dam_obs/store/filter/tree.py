"""
What a filter says, as a tree of plain values.

`grammar` makes it of a text; `matching` asks it of an event and `sql` of a table. What is
compared is ready here: texts are folded, times and durations are whole nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from dam_obs.store.filter.errors import Mark
from dam_obs.trace.events import Status


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text with gaps, as ``*`` writes them; upper and lower case are the same."""

    pieces: tuple[str, ...]
    """Folded. Between two there may be anything; one alone is the whole text."""


@dataclass(frozen=True, slots=True)
class All:
    """Every one of the terms; everything, where there is none."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the terms."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Whatever the term does not let through."""

    term: Node


@dataclass(frozen=True, slots=True)
class Says:
    """The operation, the component, the input, the output or a value among the data fits."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class InLayer:
    """It is of a layer."""

    name: str
    """Full name of a layer that is registered; of another one what was asked for, be it name or code."""
    code: str
    known: bool
    """It is registered here."""
    mark: Mark = field(compare=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """It ended in one of these ways."""

    statuses: tuple[Status, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """The operation or the component fits."""

    field: Literal["operation", "component"]
    pattern: Pattern

    @property
    def with_layer(self) -> bool:
        """
        The operation may also fit with its layer before it: ``focus.gate_check``.

        Only a pattern with a dot says that: ``f*`` means operations with an f, not all of the layer focus.
        """
        return self.field == "operation" and any("." in piece for piece in self.pattern.pieces)


@dataclass(frozen=True, slots=True)
class HasId:
    """Its handle or OpenTelemetry span id is this one, or it belongs to the trace with this OpenTelemetry id."""

    handle: str
    otel: str


@dataclass(frozen=True, slots=True)
class Took:
    """It lasted from `least_ns` to `most_ns`, both included. A moment lasted no time at all and never fits."""

    least_ns: int
    most_ns: int


@dataclass(frozen=True, slots=True)
class Started:
    """It started at `from_ns` or later and before `before_ns`."""

    from_ns: int
    before_ns: int


@dataclass(frozen=True, slots=True)
class Present:
    """There is a value, and it is not null."""


@dataclass(frozen=True, slots=True)
class Equal:
    """A value that fits as text, or is the same number."""

    pattern: Pattern
    number: float | None


@dataclass(frozen=True, slots=True)
class Within:
    """A number from `least` to `most`."""

    least: float
    most: float
    least_too: bool
    most_too: bool


DataTest: TypeAlias = Present | Equal | Within


@dataclass(frozen=True, slots=True)
class Data:
    """A value among the data passes a test; of a list, any of what is in it."""

    readings: tuple[tuple[str, ...], ...]
    """Where it may be: each a way of keys down into the data. Several, for a key may have dots of its own."""
    test: DataTest


Node: TypeAlias = All | AnyOf | Not | Says | InLayer | Ended | Named | HasId | Took | Started | Data

EVERYTHING = All(())


def fold(text: str) -> str:
    """Make upper and lower case the same, letter by letter, as DuckDB's ``lower`` does."""
    if text.isascii():
        return text.lower()
    return "".join(letter.lower() if letter != "İ" else "i" for letter in text)
