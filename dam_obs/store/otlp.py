"""
Spans of OTLP JSON as events: what a collector's file exporter writes, one request a line.

Our own spans carry their event as ``dam.*`` attributes (`dam_obs.sinks.attributes` puts it
there) and come back as it, as far as OTLP carries it. A span of anyone else becomes an event of
the layer system, with the span's name as operation and its attributes as data.

OTLP has ids as hex and 64-bit numbers as text; some writers have ids as base64, as protobuf does.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast, get_args

import msgspec

from dam_obs.errors import DamObsError
from dam_obs.trace.events import Awaited, AwaitedKind, Kind, Status, TraceEvent

_SECOND: Final = 1_000_000_000
_MARK: Final = b'"resourceSpans"'
_CODE: Final = {"code.function.name": "function", "code.file.path": "file", "code.line.number": "line"}
_ERROR_CODES: Final = (2, "STATUS_CODE_ERROR")
_BAD: Final = (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError)
"""What a span of another shape than it should have raises."""


class NotOtlp(DamObsError, ValueError):
    """A line that looked like an OTLP request is none."""

    def __init__(self, why: str, *, torn: bool) -> None:
        super().__init__(f"no OTLP request: {why}")
        self.torn = torn


TYPES: Final = "dam.types"
"""See `dam_obs.sinks.attributes`."""


@dataclass(frozen=True, slots=True)
class Request:
    """The spans of a line."""

    events: list[TraceEvent]
    unread: int
    """Spans, or groups of them, that were of another shape than OTLP's."""


def is_otlp(line: bytes) -> bool:
    """Tell a line that is meant as an OTLP request from one that is meant as an event."""
    return _MARK in line and line.lstrip().startswith(b"{")


def otlp_events(line: bytes) -> Request:
    """
    Return the events of an OTLP request, in its order.

    Raises:
        NotOtlp: It is no JSON, or has no list of spans.
    """
    try:
        request = msgspec.json.decode(line)
    except (ValueError, RecursionError) as error:
        raise NotOtlp(str(error), torn=True) from None
    groups = request.get("resourceSpans") if isinstance(request, dict) else None
    if not isinstance(groups, list):
        raise NotOtlp("resourceSpans is no list", torn=False)
    found, unread = spans_of(groups)
    events = []
    handles = handles_of(found)
    for each in found:
        event = event_of_span(each, handles)
        if event is None:
            unread += 1
        else:
            events.append(event)
    return Request(events, unread)


def spans_of(groups: Iterable[Any]) -> tuple[list[OtlpSpan], int]:
    """Return the spans of ``resourceSpans``, and how many of them, or groups, were of another shape than OTLP's."""
    found: list[OtlpSpan] = []
    unread = 0
    for group in groups:
        try:
            for each in _found(group):
                if each is None:
                    unread += 1
                else:
                    found.append(each)
        except _BAD:
            unread += 1
    return found, unread


def handles_of(spans: Iterable[OtlpSpan]) -> dict[str, str]:
    """Return the handle of each span, by its id: a span of another library's names its parent by that alone."""
    return {each.span_id: each.handle for each in spans}


def event_of_span(span: OtlpSpan, handles: Mapping[str, str]) -> TraceEvent | None:
    """Return the event that a span carries, or is; `None` if it is of another shape than OTLP's."""
    try:
        return _event(span, handles)
    except _BAD:
        return None


@dataclass(frozen=True, slots=True)
class OtlpSpan:
    """A span with what stands around it."""

    span: Mapping[str, Any]
    """As OTLP's JSON has it, but for its attributes."""
    attributes: dict[str, Any]
    resource: Mapping[str, Any]
    scope: str
    span_id: str
    start_ns: int

    @property
    def handle(self) -> str:
        """Its own handle; of another library's span one that is made of when it started."""
        own = self.attributes.get("dam.id")
        return own if isinstance(own, str) else f"sys_{self.start_ns // _SECOND}_{self.span_id}"

    @property
    def trace_id(self) -> str:
        """32 hex digits."""
        return _id(self.span["traceId"], 16)

    @property
    def parent_span_id(self) -> str | None:
        """16 hex digits."""
        parent = self.span.get("parentSpanId") or None
        return _id(parent, 8) if parent else None

    @property
    def end_ns(self) -> int:
        """When it ended, by the wall clock; never before it started."""
        return max(self.start_ns, int(self.span.get("endTimeUnixNano") or self.start_ns))

    @property
    def service(self) -> str:
        """The name of the service that it is of."""
        return _text(self.resource, "service.name")

    @property
    def layer(self) -> str:
        """Another library's span is of the system."""
        return _text(self.attributes, "dam.layer", "system")

    @property
    def component(self) -> str:
        """Of another library's span the library's name, or the service's."""
        return _text(self.attributes, "dam.component", self.scope or self.service)

    @property
    def status(self) -> Status:
        """How it ended."""
        said = self.attributes.get("dam.status")
        if said in get_args(Status):
            return cast("Status", said)
        return "error" if (self.span.get("status") or {}).get("code") in _ERROR_CODES else "success"


def _found(group: Mapping[str, Any]) -> Iterator[OtlpSpan | None]:
    """Yield the spans of a group; `None` for one of another shape than OTLP's."""
    resource = _values((group.get("resource") or {}).get("attributes"))
    for scoped in group.get("scopeSpans") or group.get("instrumentationLibrarySpans") or ():
        scope = scoped.get("scope") or scoped.get("instrumentationLibrary") or {}
        for span in scoped.get("spans") or ():
            yield _span(span, resource, str(scope.get("name") or ""))


def _span(span: Mapping[str, Any], resource: Mapping[str, Any], scope: str) -> OtlpSpan | None:
    try:
        attributes = _typed(_values(span.get("attributes")))
        return OtlpSpan(span, attributes, resource, scope, _id(span["spanId"], 8), int(span["startTimeUnixNano"]))
    except _BAD:
        return None


def _event(found: OtlpSpan, handles: Mapping[str, str]) -> TraceEvent:
    span, attributes = found.span, found.attributes
    own = "dam.id" in attributes
    parent_span = found.parent_span_id
    kind = _kind(attributes)
    duration = 0 if kind == "event" else found.end_ns - found.start_ns  # Jaeger lets nothing last no time
    parent = attributes.get("dam.parent_id") if own else handles.get(parent_span or "")
    event = TraceEvent(
        trace_id=found.handle,
        parent_id=None if parent is None else str(parent),
        timestamp=_timestamp(found.start_ns),
        hrm_layer=found.layer,
        operation=_text(attributes, "dam.operation", str(span.get("name") or "")),
        component=found.component,
        input_summary=_text(attributes, "dam.input"),
        output_summary=_text(attributes, "dam.output"),
        duration_ms=(duration + 500_000) // 1_000_000,
        status=found.status,
        metadata=_metadata(found),
        duration_ns=duration,
        otel_trace_id=found.trace_id,
        otel_span_id=found.span_id,
        otel_parent_id=parent_span,
        pid=_number(found.resource, "process.pid"),
        thread_id=_number(attributes, "thread.id"),
        kind=kind,
    )
    if "dam.start_mono_ns" in attributes:
        _add_evidence(event, attributes)
    return event


def _kind(attributes: Mapping[str, Any]) -> Kind:
    said = attributes.get("dam.kind")
    return cast("Kind", said) if said in get_args(Kind) else "span"


def _metadata(found: OtlpSpan) -> dict[str, Any]:
    """Return a span's data; of a foreign one all its attributes, and why it failed."""
    if "dam.id" in found.attributes:
        return {
            name.removeprefix("dam.data."): value
            for name, value in found.attributes.items()
            if name.startswith("dam.data.") or not (name.startswith("dam.") or name == "thread.id" or name in _CODE)
        }
    metadata = {name: value for name, value in found.attributes.items() if name != "thread.id"}
    message = (found.span.get("status") or {}).get("message")
    if message and found.status == "error":
        metadata.setdefault("error", str(message))
    for event in found.span.get("events") or ():
        raised = _values(event.get("attributes"))
        if "exception.type" in raised:
            metadata.setdefault("error.type", raised["exception.type"])
    return metadata


def _add_evidence(event: TraceEvent, attributes: Mapping[str, Any]) -> None:
    """Take back what a measured run put onto its spans."""
    event.start_mono_ns = _number(attributes, "dam.start_mono_ns")
    event.cpu_ns = _number(attributes, "dam.cpu_ns")
    event.wait_ns = _number(attributes, "dam.wait_ns")
    event.steps = _number(attributes, "dam.steps")
    event.segments = _segments(event)
    event.command = _text(attributes, "dam.command") or None
    event.io = {name: int(value) for name, value in _below(attributes, "dam.io.")} or None
    event.touched = {
        name: [str(each) for each in _list(names)] for name, names in _below(attributes, "dam.touched.")
    } or None
    event.awaited = _awaited({name: _list(values) for name, values in _below(attributes, "dam.awaited.")})
    event.features = dict(_below(attributes, "dam.feature.")) or None
    event.code = {short: attributes[name] for name, short in _CODE.items() if name in attributes} or None
    if event.code and isinstance(attributes.get("dam.function"), str):
        event.code["function"] = attributes["dam.function"]


def _list(value: Any) -> Any:
    """Return a list that may have become JSON in a text: Jaeger's own model knows no lists."""
    return msgspec.json.decode(value) if isinstance(value, str) else value


def _segments(event: TraceEvent) -> list[tuple[int, int, int]] | None:
    """Return the one stretch of what was never suspended; those of others stay in the file of their process."""
    start, duration = event.start_mono_ns, event.duration_ns
    if event.steps != 1 or event.wait_ns != 0 or event.thread_id is None or start is None or duration is None:
        return None
    return [(start, start + duration, event.thread_id)]


def _awaited(columns: Mapping[str, Any]) -> list[Awaited] | None:
    """Put the lists together again that `dam_obs.sinks.attributes` made of the rows."""
    names = ("kind", "what", "wait_ns", "times", "by", "file", "line")
    lists = [columns.get(name) for name in names]
    if not all(isinstance(each, list) for each in lists):
        return None
    return [
        Awaited(
            kind=kind if kind in get_args(AwaitedKind) else "unknown",
            what=str(what),
            wait_ns=int(wait_ns),
            times=int(times),
            by=str(by) or None,
            file=str(file) or None,
            line=int(line) or None,
        )
        for kind, what, wait_ns, times, by, file, line in zip(*lists, strict=False)
    ]


def _below(attributes: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in attributes.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), value


def types_in(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return the types that a span says a backend may have lost, by the attributes' names."""
    said = attributes.get(TYPES)
    if not isinstance(said, str):
        return {}
    try:
        types = msgspec.json.decode(said, type=dict[str, str])
    except ValueError:
        return {}
    return {f"dam.{name}": kind for name, kind in types.items()}


def _typed(attributes: dict[str, Any]) -> dict[str, Any]:
    """Give back what OTLP, or a backend on the way, had to carry as text: long integers, lists and maps."""
    for name, kind in types_in(attributes).items() if TYPES in attributes else ():
        given = attributes.get(name)
        if not isinstance(given, str):
            continue
        if kind == "int":
            attributes[name] = int(given)
        elif kind in ("list", "map"):
            attributes[name] = msgspec.json.decode(given)
    return attributes


def _values(pairs: Any) -> dict[str, Any]:
    return {str(pair["key"]): _value(pair.get("value") or {}) for pair in pairs or ()}


def _value(value: Mapping[str, Any]) -> Any:
    """Return what an OTLP ``AnyValue`` is."""
    for kind, content in value.items():
        match kind:
            case "intValue":
                return int(content)
            case "doubleValue":
                return content if isinstance(content, str) else float(content)  # "NaN", which is no JSON number
            case "arrayValue":
                return [_value(each) for each in content.get("values") or ()]
            case "kvlistValue":
                return _values(content.get("values"))
            case "stringValue" | "boolValue" | "bytesValue":
                return content
    return None


def _id(text: str, size: int) -> str:
    """Return an id of `size` bytes as lower-case hex, from hex or from base64."""
    try:
        if len(text) == 2 * size:
            return bytes.fromhex(text).hex()
        decoded = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        decoded = b""
    if len(decoded) != size:
        raise ValueError(f"{text!r} is no id of {size} bytes")
    return decoded.hex()


def _text(values: Mapping[str, Any], name: str, otherwise: str = "") -> str:
    found = values.get(name)
    return otherwise if found is None else str(found)


def _number(values: Mapping[str, Any], name: str) -> int | None:
    found = values.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _timestamp(start_ns: int) -> str:
    """Return a time as the recorder writes it: microseconds, with the offset that holds here."""
    seconds, fraction = divmod(start_ns, _SECOND)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=fraction // 1000).astimezone()
    return moment.isoformat(timespec="microseconds")
