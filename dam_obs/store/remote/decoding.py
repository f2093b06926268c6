"""
A row of ClickHouse as a span: what the texts in it were.

In a map of texts all attributes are text. Which values of ours are text is known by their names, or said in
``dam.types``; what else looks like a number, a truth value, a list or a map is one. In a column of JSON values have
their types, and maps have become names with dots.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from dam_obs.store.otlp import OtlpSpan, types_in
from dam_obs.store.remote.schema import Schema

_TEXTS: Final = frozenset(
    f"dam.{name}"
    for name in (
        "id", "parent_id", "layer", "operation", "component", "status", "kind", "input", "output", "command",
        "function", "types", "run.id",
    )
) | frozenset((
    "code.function.name", "code.file.path", "error.type", "service.name", "service.instance.id", "process.command",
    "process.runtime.version", "os.version", "host.name", "host.id", "container.id", "k8s.pod.uid", "k8s.pod.name",
    "exception.type", "exception.message", "exception.stacktrace", "otel.scope.name", "otel.scope.version",
))  # fmt: skip
"""Attributes that are text, whatever they look like."""

_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,18})", re.ASCII)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", re.ASCII)
_WORDS: Final = {"true": True, "false": False}
_ERRORS: Final = ("Error", "STATUS_CODE_ERROR")


class Row(msgspec.Struct, kw_only=True):
    """A row; columns that an older table lacks have what they were without them."""

    start_ns: int
    end_ns: int
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    service: str
    status: str
    message: str
    resource: dict[str, Any]
    attributes: dict[str, Any]
    kind: str = ""
    state: str = ""
    scope: str = ""
    event_names: list[str] = []
    event_ns: list[int] = []
    event_attributes: list[dict[str, Any]] = []
    link_traces: list[str] = []
    link_spans: list[str] = []
    link_attributes: list[dict[str, Any]] = []


def span_of(row: Row, schema: Schema) -> OtlpSpan:
    """
    Return the span that a row is.

    Raises:
        ValueError: An id in it is none.
    """
    values = _from_json if schema.has_json else _from_texts
    attributes = values(row.attributes)
    bytes.fromhex(row.span_id), bytes.fromhex(row.trace_id)
    scope = row.scope
    if not schema.has_scope:
        scope = str(attributes.pop("otel.scope.name", ""))
        attributes.pop("otel.scope.version", None)
    span: dict[str, Any] = {
        "traceId": row.trace_id,
        "spanId": row.span_id,
        "parentSpanId": row.parent_id,
        "name": row.name,
        "kind": row.kind,
        "traceState": row.state,
        "startTimeUnixNano": row.start_ns,
        "endTimeUnixNano": row.end_ns,
        "status": {"code": 2, "message": row.message} if row.status in _ERRORS else {},
        "events": [
            {"name": name, "timeUnixNano": at, "attributes": _pairs(values(given))}
            for name, at, given in zip(row.event_names, row.event_ns, row.event_attributes, strict=True)
        ],
        "links": [
            {"traceId": trace, "spanId": linked, "attributes": _pairs(values(given))}
            for trace, linked, given in zip(row.link_traces, row.link_spans, row.link_attributes, strict=True)
        ],
    }
    return OtlpSpan(span, attributes, values(row.resource), scope, row.span_id, row.start_ns)


def _from_texts(given: Mapping[str, Any]) -> dict[str, Any]:
    said = types_in(given)
    return {name: _value(str(text), name, said.get(name)) for name, text in given.items()}


def _value(text: str, name: str, kind: str | None) -> Any:
    """Return what a text was."""
    if name in _TEXTS or kind == "str":
        return text
    if kind == "float":
        return float(text)
    if kind == "int" and _WHOLE.fullmatch(text[:20]):
        return int(text)
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    if text[:1] in ("[", "{") and text[-1:] in ("]", "}"):
        try:
            return msgspec.json.decode(text)
        except (ValueError, RecursionError):
            return text
    return text


def _from_json(given: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    _flatten(given, "", flat)
    said = types_in(flat)
    for name, kind in said.items():
        if kind == "float" and isinstance(flat.get(name), int):
            flat[name] = float(flat[name])
        elif kind == "int" and isinstance(flat.get(name), str):
            flat[name] = int(flat[name])
        elif kind == "map":
            flat[name] = _map_of(flat, f"{name}.")
    return flat


def _flatten(given: Mapping[str, Any], above: str, into: dict[str, Any]) -> None:
    for name, value in given.items():
        if isinstance(value, dict):
            _flatten(value, f"{above}{name}.", into)
        elif value is not None:
            into[above + name] = value


def _map_of(flat: dict[str, Any], above: str) -> dict[str, Any]:
    """Take the values below a name out, as the map that they were."""
    made: dict[str, Any] = {}
    for name in [name for name in flat if name.startswith(above)]:
        *way, last = name.removeprefix(above).split(".")
        within = made
        for key in way:
            within = within.setdefault(key, {})
        within[last] = flat.pop(name)
    return made


def _pairs(values: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """Return attributes as OTLP's JSON has them, which is how events and links are kept."""
    return [{"key": name, "value": _any_value(value)} for name, value in values.items()]


def _any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_any_value(each) for each in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _pairs(value)}}
    return {"stringValue": str(value)}
