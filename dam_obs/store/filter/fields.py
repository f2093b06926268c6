"""What may stand before a colon, and what the text behind it then means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

from dam_obs.store.filter import values
from dam_obs.store.filter.errors import BadFilter, Mark, nearest
from dam_obs.store.filter.tree import Data, DataTest, Ended, Equal, HasId, InLayer, Named, Node, Pattern, Present, fold
from dam_obs.store.filter.words import Word
from dam_obs.trace.events import Status
from dam_obs.trace.layers import UnknownLayer, layer

STATUSES: Final[tuple[Status, ...]] = get_args(Status)

DEEPEST: Final = 8
"""Keys in a way into the data."""

_ANYTHING: Final = Pattern(("", ""))


@dataclass(frozen=True, slots=True)
class Field:
    """One word before a colon."""

    read: Callable[[Word, datetime], Node]
    """Makes the term of what stands behind it; gets the time that is now."""
    example: str


def in_layer(word: str, mark: Mark) -> InLayer:
    """Return the term for a layer's name or code; whether there is such a layer, the trace may know better."""
    word = fold(word.strip())
    try:
        found = layer(word)
    except UnknownLayer:
        return InLayer(word, word, False, mark)
    return InLayer(found.name, found.code, True, mark)


def ended(word: str, mark: Mark) -> Ended:
    """Return the term for a status."""
    for status in STATUSES:
        if word.lower() == status:
            return Ended((status,))
    raise BadFilter(f"unknown status {word!r}: {nearest(word, STATUSES)}there are {', '.join(STATUSES)}", mark)


def has_id(word: str) -> HasId:
    """Return the term for a handle or an id of OpenTelemetry's."""
    return HasId(word, word.lower())


FIELDS: Final = {
    "layer": Field(lambda word, _now: in_layer(word.text, word.mark), "layer:focus"),
    "status": Field(lambda word, _now: ended(word.text, word.mark), "status:error"),
    "operation": Field(lambda word, _now: Named("operation", values.pattern(word)), "operation:gate_check"),
    "component": Field(lambda word, _now: Named("component", values.pattern(word)), "component:*Gate"),
    "id": Field(lambda word, _now: has_id(word.text), "id:alt_1705180800_a3f2"),
    "duration": Field(lambda word, _now: values.took(word), "duration:>100ms"),
    "since": Field(values.since, "since:10m"),
    "before": Field(values.before, "before:2026-01-13T15:00"),
}

_MEANT: Final = {
    "hrm": "layer",
    "hrm_layer": "layer",
    "op": "operation",
    "name": "operation",
    "file": "component",
    "trace_id": "id",
    "took": "duration",
    "after": "since",
    "until": "before",
}
"""What people who know other tools, or the files, may write first."""


def field(name: Word, value: Word, now: datetime) -> Node:
    """
    Return what ``name:value`` means.

    Raises:
        BadFilter: There is no such field, or the value is none of its kind.
    """
    found = FIELDS.get(name.text.lower())
    if found is None:
        known = (*FIELDS, *_MEANT)
        hint = _hint(name.text, known)
        raise BadFilter(
            f"unknown field {name.text!r}: {hint}there are {', '.join(FIELDS)} and @data.NAME; "
            f"to look for text with a colon, quote it",
            name.mark,
        )
    _refuse_empty(value, name.text, found.example)
    return found.read(value, now)


def data(name: Word, value: Word) -> Data:
    """
    Return what ``@data.name:value`` or ``@name:value`` means.

    Raises:
        BadFilter: The name is no way into the data, or the value is no comparison.
    """
    readings = data_readings(name)
    _refuse_empty(value, name.text, f"{name.text}:* for all that have it")
    return Data(readings, _data_test(value))


def data_readings(name: Word) -> tuple[tuple[str, ...], ...]:
    """
    Return the ways into the data that ``@data.name`` may mean: with the first dots as part of a key, or not.

    Raises:
        BadFilter: There is no name, or it has too many parts.
    """
    parts = name.after(0).split(".")
    if len(parts) > 1 and parts[0].plain == "data":
        parts = parts[1:]
    keys = tuple(part.text for part in parts)
    if not all(keys):
        raise BadFilter("a name among the data is missing: write @data.gate_type:WriteApproval", name.mark)
    if len(keys) > DEEPEST:
        raise BadFilter(f"{name.text!r} is too deep: {DEEPEST} names with dots between them are the most", name.mark)
    return tuple((".".join(keys[:end]), *keys[end:]) for end in range(len(keys), 0, -1))


def _data_test(value: Word) -> DataTest:
    wanted = values.pattern(value)
    if wanted == _ANYTHING:
        return Present()
    compared = values.numbers(value)
    if compared is not None:
        return compared
    if value.plain is None:
        return Equal(wanted, None)
    if value.text.startswith("="):
        value = value.after(0)
        wanted = values.pattern(value)
    return Equal(wanted, values.number(value.text))


def _hint(name: str, known: tuple[str, ...]) -> str:
    hint = nearest(name, known)
    for said, meant in _MEANT.items():
        hint = hint.replace(f" {said}?", f" {meant}?")
    return hint


def _refuse_empty(value: Word, name: str, example: str) -> None:
    if value.is_empty:
        raise BadFilter(f"nothing follows {name}: write {example}", value.mark)
