"""`Filter`: which events are wanted, asked of one event or of a whole table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from dam_obs.store.filter.errors import BadFilter, Mark, nearest
from dam_obs.store.filter.fields import data_readings, ended, in_layer
from dam_obs.store.filter.grammar import parse
from dam_obs.store.filter.matching import matches
from dam_obs.store.filter.sql import Condition, condition, pointer
from dam_obs.store.filter.tree import EVERYTHING, All, AnyOf, InLayer, Node, Not, fold
from dam_obs.store.filter.words import Word, words
from dam_obs.trace.events import TraceEvent
from dam_obs.trace.layers import layers


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted."""

    tree: Node
    text: str
    """As a user writes it; empty for everything."""

    @property
    def is_everything(self) -> bool:
        """Nothing is left out."""
        return self.tree == EVERYTHING

    def matches(self, event: TraceEvent) -> bool:
        """Tell whether an event is wanted."""
        return matches(self.tree, event)

    def condition(self) -> Condition:
        """Return the same as a condition over the relation ``events``; it is never NULL."""
        return condition(self.tree)

    def has_strange_layers(self) -> bool:
        """Tell whether a layer is named that is not registered here, so that `check_layers` must see the trace's."""
        return any(not each.known for each in _layers_in(self.tree))

    def check_layers(self, seen: Mapping[str, str | None]) -> None:
        """
        Refuse a layer that nobody knows.

        Args:
            seen: The layers that occur in the trace, each with its code where handles tell it.

        Raises:
            BadFilter: A layer is neither registered here nor one of those.
        """
        known = {fold(word) for word in (*seen, *seen.values()) if word is not None}
        for each in _layers_in(self.tree):
            if not each.known and each.name not in known:
                raise BadFilter(_unknown_layer(each.name, seen), each.mark)


def parse_filter(text: str, *, now: datetime | None = None) -> Filter:
    """
    Return the filter that `text` writes; the language is described in the guide, under filters.

    Args:
        text: May be empty, which is everything.
        now: What ``since:10m`` counts from; the time that it is.

    Raises:
        BadFilter: It cannot be understood; the message points at the place.
    """
    return Filter(parse(text, now or datetime.now().astimezone()), text.strip())


def data_ways(text: str) -> tuple[str, ...]:
    """
    Return where in ``metadata`` the value is that ``@data.name`` means, as JSON pointers; the first that exists counts.

    Raises:
        BadFilter: `text` names no value among the data.
    """
    word = next(words(text), None)
    if not isinstance(word, Word) or word.mark.length != len(text) or word.find("@") != 0:
        raise BadFilter("no value among the data is named: write @data.gate_type", Mark(text, 0, len(text)))
    return tuple(pointer(keys) for keys in data_readings(word))


def of_layers(names: Iterable[str]) -> Filter:
    """Let through the events of any of these layers, by name or code; without one, everything."""
    names = tuple(names)
    terms = tuple(in_layer(name, Mark(name, 0, len(name))) for name in names)
    return _any_of(terms, [f"layer:{_quoted(name)}" for name in names])


def with_statuses(names: Iterable[str]) -> Filter:
    """Let through the events that ended in any of these ways; without one, everything."""
    names = tuple(names)
    terms = tuple(ended(name, Mark(name, 0, len(name))) for name in names)
    return _any_of(terms, [f"status:{_quoted(name)}" for name in names])


def all_of(*filters: Filter) -> Filter:
    """Let through what all of `filters` do."""
    telling = [each for each in filters if not each.is_everything]
    if len(telling) < 2:
        return telling[0] if telling else Filter(EVERYTHING, "")
    texts = [f"({each.text})" if isinstance(each.tree, AnyOf) else each.text for each in telling]
    return Filter(All(tuple(each.tree for each in telling)), " ".join(texts))


def _any_of(terms: tuple[Node, ...], texts: list[str]) -> Filter:
    if not terms:
        return Filter(EVERYTHING, "")
    return Filter(terms[0] if len(terms) == 1 else AnyOf(terms), " or ".join(texts))


def _quoted(word: str) -> str:
    if word.replace("_", "").isalnum():
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _layers_in(node: Node) -> Iterator[InLayer]:
    match node:
        case InLayer():
            yield node
        case Not(term):
            yield from _layers_in(term)
        case All(terms) | AnyOf(terms):
            for term in terms:
                yield from _layers_in(term)


def _unknown_layer(word: str, seen: Mapping[str, str | None]) -> str:
    known = {each.name: each.code for each in layers()}
    known |= {name: code or name for name, code in seen.items() if name not in known}
    listed = ", ".join(f"{name} ({code})" for name, code in known.items())
    return f"unknown layer {word!r}: {nearest(word, [*known, *known.values()])}there are {listed}"
