"""Our encoder says what the official one says, and attributes say what the event says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource

from dam_obs.sinks.attributes import attributes
from dam_obs.sinks.otlp_encoding import Encoder
from dam_obs.sinks.readable import readable_span
from dam_obs.trace.events import Awaited, FinishedSpan, SpanEvent, SpanLink, TraceEvent

RESOURCE = Resource({"service.name": "test", "tags": ["a", "b"], "process.pid": 7}, "https://schema")

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text("abc._", min_size=1, max_size=8)
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | text
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3))
data = st.dictionaries(names, values, max_size=4)
counts = st.dictionaries(names, st.integers(0, 2**62), max_size=3)
span_ids = st.integers(1, 2**64 - 1)
trace_ids = st.integers(1, 2**128 - 1)
times = st.integers(0, 2**63 - 1)
states = st.dictionaries(st.text("abc", min_size=1, max_size=4), st.text("xyz1", min_size=1, max_size=4), max_size=3)

events = st.builds(
    TraceEvent,
    trace_id=text,
    parent_id=st.none() | text,
    timestamp=text,
    hrm_layer=text,
    operation=text,
    component=text,
    input_summary=text,
    output_summary=text,
    duration_ms=st.integers(0, 2**40),
    status=st.sampled_from(["success", "error", "blocked"]),
    metadata=st.one_of(data, data.map(lambda found: {**found, "error": "why", "error.type": "ValueError"})),
    thread_id=st.none() | st.integers(0, 2**31),
    cpu_ns=st.none() | st.integers(0, 2**40),
    wait_ns=st.none() | st.integers(0, 2**40),
    steps=st.none() | st.integers(0, 2**20),
    start_mono_ns=st.none() | times,
    io=st.none() | counts,
    touched=st.none() | st.dictionaries(names, st.lists(text, max_size=3), max_size=2),
    awaited=st.none() | st.lists(st.builds(Awaited, kind=st.just("sleep"), what=text, wait_ns=times), max_size=2),
    features=st.none() | st.dictionaries(names, scalars, max_size=3),
    command=st.none() | text,
    kind=st.sampled_from(["span", "event"]),
)
spans = st.builds(
    FinishedSpan,
    event=events,
    name=text,
    trace_id=trace_ids,
    span_id=span_ids,
    parent_span_id=st.just(0) | span_ids,
    parent_is_remote=st.booleans(),
    trace_state=states.map(lambda state: ",".join(f"{key}={value}" for key, value in state.items())),
    start_ns=times,
    end_ns=times,
    code=st.sampled_from([{}, {"function": "m:C.f", "file": "/a.py", "line": 3}, {"code.line.number": 4}]),
    attributes=data,
    span_events=st.lists(st.builds(SpanEvent, text, times, data), max_size=2).map(tuple),
    links=st.lists(st.builds(SpanLink, trace_ids, span_ids, data), max_size=2).map(tuple),
    standard=st.none() | st.sampled_from([{"gen_ai.operation.name": "plan"}, {"code.function.name": "mine", "x.y": 3}]),
    otel_kind=st.integers(0, 4),
)


@given(st.lists(spans, min_size=1, max_size=3))
def test_our_encoder_and_the_official_one_agree(batch):
    """For any span, the same request."""
    official = encode_spans([readable_span(span, RESOURCE) for span in batch])

    assert Encoder(RESOURCE)(batch) == official


@given(spans)
def test_ours_needs_no_type_that_the_sdk_refuses(span):
    """What processors of the host's get are plain JSON values."""
    assert readable_span(span, RESOURCE).to_json()


def test_a_span_carries_everything_its_event_knows(make_span):
    """Event fields under `dam.*`, OpenTelemetry's names where it has one, what was not measured left out."""
    span = make_span(
        handle="foc_1_b",
        parent_id="alt_1_a",
        hrm_layer="focus",
        operation="gate_check",
        component="gates.py",
        input_summary="in",
        output_summary="out",
        status="error",
        metadata={
            "gate_type": "Write",
            "context": {"user": "ann", "none": None},
            "error": "no",
            "error.type": "ValueError",
        },
        thread_id=5,
        cpu_ns=1,
        wait_ns=2,
        steps=3,
        start_mono_ns=4,
        io={"rchar": 6},
        touched={"peers": ["db:5432"]},
        awaited=[
            Awaited(kind="sleep", what="asyncio.tasks:sleep", wait_ns=8, times=2, by="m:f", file="/a.py", line=5),
            Awaited(kind="task", what="other", wait_ns=7),
        ],
        features={"size": 7, "none": None},
        command="m:Command",
        code={"function": "m:C.f", "file": "/a.py", "line": 3},
        attributes={"http.route": "/x", "thread.id": 8},
        standard={"gen_ai.operation.name": "plan"},
    )

    assert attributes(span) == {
        "dam.id": "foc_1_b",
        "dam.parent_id": "alt_1_a",
        "dam.layer": "focus",
        "dam.operation": "gate_check",
        "dam.component": "gates.py",
        "dam.status": "error",
        "dam.input": "in",
        "dam.output": "out",
        "thread.id": 8,
        "code.function.name": "m.C.f",
        "code.file.path": "/a.py",
        "code.line.number": 3,
        "dam.data.gate_type": "Write",
        "dam.data.context": {"user": "ann"},
        "dam.data.error": "no",
        "error.type": "ValueError",
        "dam.cpu_ns": 1,
        "dam.wait_ns": 2,
        "dam.steps": 3,
        "dam.start_mono_ns": 4,
        "dam.command": "m:Command",
        "dam.function": "m:C.f",
        "dam.io.rchar": 6,
        "dam.touched.peers": ["db:5432"],
        "dam.awaited.kind": ["sleep", "task"],
        "dam.awaited.what": ["asyncio.tasks:sleep", "other"],
        "dam.awaited.wait_ns": [8, 7],
        "dam.awaited.times": [2, 1],
        "dam.awaited.by": ["m:f", ""],
        "dam.awaited.file": ["/a.py", ""],
        "dam.awaited.line": [5, 0],
        "dam.feature.size": 7,
        "dam.types": '{"data.context":"map"}',
        "http.route": "/x",
        "gen_ai.operation.name": "plan",
    }


def test_a_plain_span_carries_little(make_span):
    """Empty and unmeasured are absent, not empty and zero."""
    assert attributes(make_span()) == {
        "dam.id": "alt_1705180800_a3f2",
        "dam.layer": "altitude",
        "dam.operation": "transition",
        "dam.component": "altitude.py",
        "dam.status": "success",
    }


def test_blocked_is_no_error(make_span):
    """The status of the span stays unset; ours says blocked."""
    encoded = Encoder(RESOURCE)([make_span(status="blocked"), make_span(status="error", metadata={"error": "why"})])
    statuses = [span.status for span in encoded.resource_spans[0].scope_spans[0].spans]

    assert [(status.code, status.message) for status in statuses] == [(0, ""), (2, "why")]
