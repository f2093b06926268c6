"""
What a finished span carries as OpenTelemetry attributes: the one mapping from event to ``dam.*``.

Used by the OTLP encoder and by the conversion to the SDK's `ReadableSpan`, so that both
say the same. What the program set by OpenTelemetry's own calls keeps its name and wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from dam_obs.trace.events import Awaited, FinishedSpan, TraceEvent

AttributeValue = str | bool | int | float | list[Any] | dict[str, Any]

_CODE_NAMES: Final = {"function": "code.function.name", "file": "code.file.path", "line": "code.line.number"}
_INT64: Final = 1 << 63

TYPES: Final = "dam.types"
"""
The attribute that names the types that a backend may lose, as JSON: ``{"data.size":"float"}``.

It is there for the few values that need it. A column of texts makes ``42`` of a number and of a text alike, JSON
makes ``1`` of 1.0, a column of JSON makes several names of a map, Jaeger's model makes texts of lists and maps; and
OTLP itself has no integers beyond 64 bits.
"""

Lossy = Literal["str", "float", "list", "map", "int"]

_JSON_BEGINS: Final = frozenset("-0123456789[{")
_JSON_ENDS: Final = frozenset("0123456789]}")
_JSON_WORDS: Final = frozenset(("true", "false", "null"))


def attributes(span: FinishedSpan) -> dict[str, AttributeValue]:
    """Return the attributes of `span`: what was not measured or is empty is absent."""
    return {**fixed(span), **varying(span), **carried(span.attributes)}


def fixed(span: FinishedSpan) -> dict[str, AttributeValue]:
    """Return those attributes of `span` that most spans of its call site have alike."""
    event = span.event
    result: dict[str, AttributeValue] = {
        "dam.layer": event.hrm_layer,
        "dam.operation": event.operation,
        "dam.component": event.component,
        "dam.status": event.status,
    }
    if event.kind != "span":
        result["dam.kind"] = event.kind
    if event.thread_id is not None:
        result["thread.id"] = event.thread_id
    for name, value in span.code.items():
        result[_CODE_NAMES.get(name, name)] = value.replace(":", ".") if name == "function" else value  # type: ignore[union-attr]
    if span.standard:
        result.update(carried(span.standard))
    return result


def varying(span: FinishedSpan) -> dict[str, AttributeValue]:
    """Return those attributes of `span` that are its own."""
    event = span.event
    result: dict[str, AttributeValue] = {"dam.id": event.trace_id}
    if event.parent_id is not None:
        result["dam.parent_id"] = event.parent_id
    if event.input_summary:
        result["dam.input"] = event.input_summary
    if event.output_summary:
        result["dam.output"] = event.output_summary
    types: dict[str, Lossy] = {}
    _add_data(result, span, types)
    if event.start_mono_ns is not None:
        _add_evidence(result, event, types)
        if "function" in span.code:  # OpenTelemetry's name of it does not say where the module ends
            result["dam.function"] = span.code["function"]
    if types:
        result[TYPES] = msgspec.json.encode(types).decode()
    return result


def carried(values: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """
    Return JSON values by name as OTLP can carry them, in every release of its encoder.

    Nulls are left out (inside a list they become the text ``null``), integers beyond 64 bits become text.
    """
    return {name: _within(value) for name, value in values.items() if value is not None}


def lossy(value: Any) -> Lossy | None:
    """Return the type of a value that a backend may give back as another one."""
    kind = type(value)
    if kind is str:
        looks = value in _JSON_WORDS or (value[:1] in _JSON_BEGINS and value[-1:] in _JSON_ENDS)
        return "str" if looks and value else None
    if kind is int:
        return None if -_INT64 <= value < _INT64 else "int"
    if kind is float:
        return "float" if value.is_integer() else None
    if kind is dict:
        return "map"
    return "list" if kind is list or kind is tuple else None


def _add_data(result: dict[str, AttributeValue], span: FinishedSpan, types: dict[str, Lossy]) -> None:
    for name, value in span.event.metadata.items():
        if value is None or name in span.attributes:
            continue
        if name == "error.type":
            result[name] = value
        else:
            result[f"dam.data.{name}"] = _within(value)
            kind = lossy(value)
            if kind is not None:
                types[f"data.{name}"] = kind


def _add_evidence(result: dict[str, AttributeValue], event: TraceEvent, types: dict[str, Lossy]) -> None:
    """Add what a measured run knows beside the event; segments stay in the file."""
    measured = {
        "dam.cpu_ns": event.cpu_ns,
        "dam.wait_ns": event.wait_ns,
        "dam.steps": event.steps,
        "dam.start_mono_ns": event.start_mono_ns,
        "dam.command": event.command,
    }
    result.update(carried(measured))
    for name, number in (event.io or {}).items():
        result[f"dam.io.{name}"] = number
    for name, names in (event.touched or {}).items():
        result[f"dam.touched.{name}"] = names
    if event.awaited is not None:
        _add_awaited(result, event.awaited)
    for name, feature in carried(event.features or {}).items():
        result[f"dam.feature.{name}"] = feature
        kind = lossy((event.features or {})[name])
        if kind is not None:
            types[f"feature.{name}"] = kind


def _add_awaited(result: dict[str, AttributeValue], awaited: list[Awaited]) -> None:
    """Add a list for each field, for an attribute is no table: the n-th of each belong together."""
    result["dam.awaited.kind"] = [each.kind for each in awaited]
    result["dam.awaited.what"] = [each.what for each in awaited]
    result["dam.awaited.wait_ns"] = [each.wait_ns for each in awaited]
    result["dam.awaited.times"] = [each.times for each in awaited]
    result["dam.awaited.by"] = [each.by or "" for each in awaited]
    result["dam.awaited.file"] = [each.file or "" for each in awaited]
    result["dam.awaited.line"] = [each.line or 0 for each in awaited]


def _within(value: Any) -> Any:
    kind = type(value)
    if kind is int and not -_INT64 <= value < _INT64:
        return str(value)
    if kind is dict:
        return carried({str(key): item for key, item in value.items()})
    if kind is list or kind is tuple:
        return ["null" if item is None else _within(item) for item in value]
    return value


def is_error(span: FinishedSpan) -> bool:
    """Say whether the span's status is ERROR; a blocked one is none, it did what it is for."""
    return span.event.status == "error"


def error_description(span: FinishedSpan) -> str:
    """Return what the status of a failed span says."""
    message = span.event.metadata.get("error")
    return message if type(message) is str else ""
