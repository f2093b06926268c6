"""Ask a filter's tree of one event, in Python. `sql` asks the same of a table, and must answer the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from dam_obs.store.filter.tree import (
    All,
    AnyOf,
    Data,
    DataTest,
    Ended,
    Equal,
    HasId,
    InLayer,
    Named,
    Node,
    Not,
    Pattern,
    Present,
    Says,
    Started,
    Took,
    Within,
    fold,
)
from dam_obs.store.timing import duration_ns, start_ns
from dam_obs.trace.events import TraceEvent

Value: TypeAlias = Any
"""What JSON has."""


def matches(node: Node, event: TraceEvent) -> bool:
    """Tell whether an event fits."""
    match node:
        case All(terms):
            return all(matches(term, event) for term in terms)
        case AnyOf(terms):
            return any(matches(term, event) for term in terms)
        case Not(term):
            return not matches(term, event)
        case Says(pattern):
            return any(fits(pattern, text) for text in _texts(event))
        case InLayer():
            return _in_layer(node, event)
        case Ended(statuses):
            return event.status in statuses
        case Named():
            return any(fits(node.pattern, name) for name in _names(node, event))
        case HasId(handle, otel):
            return event.trace_id == handle or otel in (event.otel_span_id, event.otel_trace_id)
        case Took(least, most):
            took = duration_ns(event)
            return took is not None and least <= took <= most
        case Started(begin, before):
            return begin <= start_ns(event) < before
        case Data(readings, test):
            return any(_passes(test, value) for keys in readings for value in _values_at(event.metadata, keys))


def fits(pattern: Pattern, text: str) -> bool:
    """Tell whether the whole text fits, be it upper or lower case."""
    text = fold(text)
    first, *rest = pattern.pieces
    if not rest:
        return text == first
    *middle, last = rest
    if not text.startswith(first):
        return False
    at = len(first)
    for piece in middle:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(text) - at >= len(last) and text.endswith(last)


def _names(node: Named, event: TraceEvent) -> Iterator[str]:
    yield event.operation if node.field == "operation" else event.component
    if node.with_layer:
        yield f"{event.hrm_layer}.{event.operation}"


def _in_layer(node: InLayer, event: TraceEvent) -> bool:
    if fold(event.hrm_layer) in (node.name, node.code):
        return True
    return not node.known and len(node.code) == 3 and event.trace_id.startswith(f"{node.code}_")


# -- what is among the data


def _texts(event: TraceEvent) -> Iterator[str]:
    yield from (event.operation, event.component, event.input_summary, event.output_summary)
    yield from (text for value in _leaves(event.metadata) if (text := _as_text(value)) is not None)


def _leaves(value: Value) -> Iterator[Value]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
        else:
            yield value


def _values_at(metadata: Value, keys: tuple[str, ...]) -> Iterator[Value]:
    """Yield what stands at the end of a way, and, if that is a list, what is in it."""
    value = metadata
    for key in keys:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list | tuple) and _is_index(key) and int(key) < len(value):
            value = value[int(key)]
        else:
            return
    yield value
    if isinstance(value, list | tuple):
        yield from value


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < 10 and (key == "0" or key[0] != "0")


def _passes(test: DataTest, value: Value) -> bool:
    match test:
        case Present():
            return value is not None
        case Equal(pattern, number):
            text = _as_text(value)
            return (text is not None and fits(pattern, text)) or (number is not None and _as_number(value) == number)
        case Within():
            have = _as_number(value)
            return have is not None and _is_within(test, have)


def _is_within(test: Within, have: float) -> bool:
    enough = have >= test.least if test.least_too else have > test.least
    return enough and (have <= test.most if test.most_too else have < test.most)


def _as_text(value: Value) -> str | None:
    """Return how a value is written; `None` for null, an object, a list."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if -(2**63) <= value < 2**64 else repr(float(value))
    return repr(value) if isinstance(value, float) else None


def _as_number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
