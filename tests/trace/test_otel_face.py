"""Our span keeps what OpenTelemetry's API promises to other libraries."""

from opentelemetry import baggage, propagate
from opentelemetry import context as otel_context
from opentelemetry import trace as otel_trace
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from dam_obs import tracer
from dam_obs.testing.recording import EPOCH_NS
from dam_obs.trace.events import SpanEvent, SpanLink


def test_it_is_the_current_span(recorder):
    """Who asks OpenTelemetry for the current span gets ours, and it is an API `Span`."""
    with tracer.span("alt", "plan", "loop.py") as span:
        current = otel_trace.get_current_span()
        assert current is span
        assert isinstance(current, otel_trace.Span)
        assert current.is_recording()

    assert not otel_trace.get_current_span().is_recording()
    assert not span.is_recording()


def test_attributes_events_and_links_are_kept(recorder, clock):
    """What other libraries set arrives, under the names that they set it with."""
    other = SpanContext(7, 9, is_remote=False)
    with tracer.span("alt", "plan", "loop.py") as span:
        span.set_attribute("http.route", "/x")
        span.set_attributes({"retry": 2, "tags": ["a", "b"]})
        span.add_event("cache miss", {"key": "k"})
        span.add_link(other, {"why": "batch"})
        span.update_name("plan trip")

    (finished,) = recorder.spans()
    assert finished.name == "plan trip"
    assert finished.attributes == {"http.route": "/x", "retry": 2, "tags": ["a", "b"]}
    assert finished.span_events == (SpanEvent("cache miss", EPOCH_NS, {"key": "k"}),)
    assert finished.links == (SpanLink(7, 9, {"why": "batch"}),)
    assert finished.event.metadata == {"http.route": "/x", "retry": 2, "tags": ["a", "b"]}


def test_a_recorded_exception_is_an_event(recorder):
    """`record_exception` gives OpenTelemetry's own event, and does not by itself mean failure."""
    with tracer.span("alt", "plan", "loop.py") as span:
        span.record_exception(ValueError("k"), {"tries": 3})

    (finished,) = recorder.spans()
    (event,) = finished.span_events
    assert (event.name, event.attributes) == (
        "exception", {"exception.type": "ValueError", "exception.message": "k", "tries": 3},
    )  # fmt: skip
    assert finished.event.status == "success"


def test_statuses_of_both_vocabularies_are_understood(recorder):
    """Ours are words, OpenTelemetry's are objects; a word that is neither changes nothing and is counted."""
    cases = {
        "blocked": "blocked",
        StatusCode.ERROR: "error",
        Status(StatusCode.ERROR, "bad"): "error",
        StatusCode.OK: "success",
    }
    for given, wanted in cases.items():
        with tracer.span("alt", "plan", "loop.py") as span:
            span.set_status(given)
            span.set_status("no such status")
        event = recorder.events()[-1]
        assert event.status == wanted
    assert recorder.events()[2].metadata == {"error": "bad"}


def test_context_of_others_stays_beside_it(recorder):
    """Baggage and other values of the context are there inside the span as outside."""
    token = otel_context.attach(baggage.set_baggage("tenant", "blue"))
    try:
        with tracer.span("alt", "plan", "outer"), tracer.span("mem", "read", "inner"):
            assert baggage.get_baggage("tenant") == "blue"
        assert baggage.get_baggage("tenant") == "blue"
    finally:
        otel_context.detach(token)


def test_another_process_finds_its_parent(recorder):
    """What is injected into a carrier leads a span made elsewhere back to trace, span and handle."""
    carrier = {}
    with tracer.span("alt", "plan", "here") as here:
        propagate.inject(carrier)

    token = otel_context.attach(propagate.extract(carrier))
    try:
        with tracer.span("mem", "read", "there"):
            pass
    finally:
        otel_context.detach(token)

    here_event, there_event = recorder.event(component="here"), recorder.event(component="there")
    assert there_event.parent_id == here.trace_id == here_event.trace_id
    assert (there_event.otel_trace_id, there_event.otel_parent_id) == (
        here_event.otel_trace_id,
        here_event.otel_span_id,
    )


def test_a_parent_that_was_not_sampled_is_followed(recorder):
    """Below a span that another process did not sample nothing is recorded."""
    unsampled = otel_trace.NonRecordingSpan(SpanContext(5, 6, is_remote=True, trace_flags=TraceFlags(0)))
    with otel_trace.use_span(unsampled), tracer.span("alt", "plan", "loop.py"):
        pass

    assert recorder.events() == []


def test_who_wants_no_spans_gets_none(recorder):
    """OpenTelemetry's suppression, which exporters use around their own requests, is honoured."""
    token = otel_context.attach(otel_context.set_value(otel_context._SUPPRESS_INSTRUMENTATION_KEY, True))
    try:
        with tracer.span("alt", "plan", "loop.py"):
            pass
    finally:
        otel_context.detach(token)

    assert recorder.events() == []


def test_limits_are_kept_and_counted(recorder):
    """A span keeps a bounded number of attributes, events and links."""
    with tracer.span("alt", "plan", "loop.py") as span:
        for number in range(200):
            span.set_attribute(f"a{number}", number)
            span.add_event(f"e{number}")
            span.add_link(SpanContext(number + 1, 1, is_remote=False))

    (finished,) = recorder.spans()
    assert (len(finished.attributes), len(finished.span_events), len(finished.links)) == (128, 128, 128)
