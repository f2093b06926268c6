"""Spans of OTLP JSON as events."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.sdk.resources import Resource

from dam_obs.sinks.otlp_encoding import Encoder
from dam_obs.store.lines import read_line
from dam_obs.store.otlp import otlp_events
from dam_obs.trace.events import Awaited, FinishedSpan, TraceEvent

MakeEvent = Callable[..., TraceEvent]

START_NS = 1_705_180_800_123_456_000
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"
CHILD_ID = "00f067aa0ba902b7"


def own_lines(spans: list[FinishedSpan], *, hexadecimal: bool = True) -> bytes:
    """What we send, as a collector's file exporter writes it; or as protobuf writes JSON, with ids as base64."""
    message = MessageToDict(Encoder(Resource({"service.name": "test", "process.pid": 7}))(spans))
    if hexadecimal:
        for span, written in zip(spans, message["resourceSpans"][0]["scopeSpans"][0]["spans"], strict=True):
            written |= {"traceId": f"{span.trace_id:032x}", "spanId": f"{span.span_id:016x}"}
            if span.parent_span_id:
                written["parentSpanId"] = f"{span.parent_span_id:016x}"
    return msgspec.json.encode(message)


def finished(event: TraceEvent, **more: Any) -> FinishedSpan:
    plain: dict[str, Any] = {
        "name": f"{event.hrm_layer}.{event.operation}", "trace_id": int(event.otel_trace_id or "1", 16),
        "span_id": int(event.otel_span_id or "1", 16), "parent_span_id": int(event.otel_parent_id or "0", 16),
        "parent_is_remote": False, "trace_state": "", "start_ns": START_NS,
        "end_ns": START_NS + (event.duration_ns or 0),
        "code": {}, "attributes": {}, "span_events": (), "links": (),
    }  # fmt: skip
    return FinishedSpan(event=event, **(plain | more))


def foreign(**fields: Any) -> dict[str, Any]:
    plain = {
        "traceId": TRACE_ID, "spanId": SPAN_ID, "name": "GET /", "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(START_NS + 2_400_000),
        "attributes": [{"key": "http.route", "value": {"stringValue": "/"}}],
    }  # fmt: skip
    return plain | fields


def request(*spans: Any, scope: str = "lib", **resource: Any) -> bytes:
    attributes = [{"key": key.replace("_", "."), "value": {"stringValue": value}} for key, value in resource.items()]
    group = {"resource": {"attributes": attributes}, "scopeSpans": [{"scope": {"name": scope}, "spans": list(spans)}]}
    return json.dumps({"resourceSpans": [group]}).encode()


@pytest.fixture
def own(event: MakeEvent) -> list[TraceEvent]:
    """A plain event, a measured one that failed, and a moment, as our recorder makes them."""
    ids = {"otel_trace_id": TRACE_ID, "pid": 7, "thread_id": 8}
    stamp = otlp_events(request(foreign())).events[0].timestamp
    return [
        event(
            "alt_1705180800_b7ad", timestamp=stamp, otel_span_id=SPAN_ID, duration_ns=5_000_000,
            metadata={"reason": "user", "steps": [1, 2.5, True], "within": {"a": -1}}, **ids,
        ),
        event(
            "foc_1705180800_00f0", parent_id="alt_1705180800_b7ad", timestamp=stamp, hrm_layer="focus", status="error",
            otel_span_id=CHILD_ID, otel_parent_id=SPAN_ID, duration_ns=1_500_000, duration_ms=2, kind="step",
            metadata={"error": "no", "error.type": "ValueError"}, cpu_ns=3, wait_ns=4, steps=1, start_mono_ns=11,
            io={"rchar": 5}, touched={"peers": ["a:1"]}, features={"size": 3, "kind": "x"}, command="m:C",
            code={"function": "m:f", "file": "m.py", "line": 3},
            awaited=[
                Awaited(kind="sleep", what="asyncio.tasks:sleep", wait_ns=9, times=2, by="m:f", file="m.py", line=4),
                Awaited(kind="unknown", what="", wait_ns=1),
            ], **ids,
        ),
        event(
            "mem_1705180800_aaaa", timestamp=stamp, hrm_layer="memory", status="blocked", kind="event", duration_ns=0,
            duration_ms=0, input_summary="", output_summary="", otel_span_id="aaaa000000000001", **ids,
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("hexadecimal", [True, False])
def test_our_own_spans_come_back_as_their_events(own: list[TraceEvent], hexadecimal: bool) -> None:
    """All that OTLP carries of an event."""
    code = {"function": "m:f", "file": "m.py", "line": 3}
    spans = [finished(own[0]), finished(own[1], code=code), finished(own[2])]

    assert otlp_events(own_lines(spans, hexadecimal=hexadecimal)).events == own


def test_what_a_program_set_by_itself_stays_in_the_data(own: list[TraceEvent]) -> None:
    """Under the name that it was set with."""
    span = finished(own[0], attributes={"http.route": "/x", "retries": 3})

    (read,) = otlp_events(own_lines([span])).events

    assert read.metadata == own[0].metadata | {"http.route": "/x", "retries": 3}


def test_a_foreign_span_is_an_event_of_the_system(event: MakeEvent) -> None:
    """Its name is the operation, its attributes the data; its parent is found by its span id."""
    line = request(
        foreign(parentSpanId=""),
        foreign(
            spanId=CHILD_ID.upper(), parentSpanId=SPAN_ID, name="query", status={"code": 2, "message": "gone"},
            events=[{"attributes": [{"key": "exception.type", "value": {"stringValue": "OSError"}}]}],
            attributes=[{"key": "thread.id", "value": {"intValue": "9"}}, {"key": "n", "value": {"doubleValue": 1}}],
        ),
        service_name="shop",
    )  # fmt: skip
    stamp = otlp_events(line).events[0].timestamp

    assert otlp_events(line).events == [
        event(
            f"sys_1705180800_{SPAN_ID}", timestamp=stamp, hrm_layer="system", operation="GET /", component="lib",
            input_summary="", output_summary="", duration_ms=2, duration_ns=2_400_000, metadata={"http.route": "/"},
            otel_trace_id=TRACE_ID, otel_span_id=SPAN_ID,
        ),
        event(
            f"sys_1705180800_{CHILD_ID}", parent_id=f"sys_1705180800_{SPAN_ID}", timestamp=stamp, hrm_layer="system",
            operation="query", component="lib", input_summary="", output_summary="", duration_ms=2,
            duration_ns=2_400_000, status="error", metadata={"n": 1.0, "error": "gone", "error.type": "OSError"},
            otel_trace_id=TRACE_ID, otel_span_id=CHILD_ID, otel_parent_id=SPAN_ID, thread_id=9,
        ),
    ]  # fmt: skip


def test_a_service_stands_for_a_scope_without_a_name() -> None:
    """Something says where a span is from."""
    (read,) = otlp_events(request(foreign(), scope="", service_name="shop")).events

    assert read.component == "shop"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"stringValue": "x"}, "x"),
        ({"intValue": "-7"}, -7),
        ({"intValue": 7}, 7),
        ({"boolValue": False}, False),
        ({"doubleValue": 0.5}, 0.5),
        ({"doubleValue": "NaN"}, "NaN"),
        ({"bytesValue": "aGk="}, "aGk="),
        ({"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "y"}]}}, [1, "y"]),
        ({"arrayValue": {}}, []),
        ({"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": True}}]}}, {"a": True}),
        ({}, None),
    ],
)
def test_each_kind_of_value(value: Any, read: Any) -> None:
    """As OTLP writes it."""
    (event,) = otlp_events(request(foreign(attributes=[{"key": "v", "value": value}]))).events

    assert event.metadata == {"v": read}


@pytest.mark.parametrize(
    "spoilt",
    [
        {"spanId": "xyz"},
        {"spanId": None},
        {"traceId": 5},
        {"startTimeUnixNano": "soon"},
        {"startTimeUnixNano": str(10**30)},
        {"attributes": 7},
        {"status": "bad"},
    ],
)
def test_a_span_of_another_shape_is_told(spoilt: dict[str, Any]) -> None:
    """The line counts as foreign once; what else is in it is read."""
    line = json.loads(request(foreign(spanId=CHILD_ID)))
    line["resourceSpans"] += json.loads(request(foreign(**spoilt)))["resourceSpans"]

    read = read_line(json.dumps(line).encode())

    assert [event.otel_span_id for event in read.events] == [CHILD_ID]
    assert (read.skipped, read.why) == ("foreign", "1 of its spans cannot be read")
