"""The host's own provider: its processors get our spans as the SDK would have made them."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from dam_obs.sinks.provider import HostProviderSink
from dam_obs.trace import faults
from dam_obs.trace.events import SpanEvent, SpanLink

RESOURCE = Resource({"service.name": "host"})


class Broken(SpanProcessor):
    def on_end(self, span):
        raise ZeroDivisionError


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def provider():
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    yield provider
    provider.shutdown()


def test_processors_get_whole_spans(provider, exporter, make_span):
    """Ids, times, parent, status, attributes, events and links, under the host's resource."""
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    span = make_span(
        name="focus.gate_check",
        trace_id=1,
        span_id=2,
        parent_span_id=3,
        parent_is_remote=True,
        trace_state="a=b",
        status="error",
        metadata={"error": "why", "n": 1},
        span_events=(SpanEvent("seen", 5, {"x": 1}),),
        links=(SpanLink(6, 7, {"y": 2}),),
        otel_kind=2,
    )
    HostProviderSink(provider)([span])

    (found,) = exporter.get_finished_spans()
    assert (found.name, found.context.trace_id, found.context.span_id, found.kind) == (
        "focus.gate_check",
        1,
        2,
        SpanKind.CLIENT,
    )
    assert (found.parent.span_id, found.parent.is_remote, found.context.trace_state.to_header()) == (3, True, "a=b")
    assert (found.status.status_code, found.status.description) == (StatusCode.ERROR, "why")
    assert (found.start_time, found.end_time, found.resource) == (span.start_ns, span.end_ns, RESOURCE)
    assert (found.attributes["dam.data.n"], found.instrumentation_scope.name) == (1, "dam_obs")
    assert [(event.name, event.timestamp, dict(event.attributes)) for event in found.events] == [("seen", 5, {"x": 1})]
    assert [(link.context.trace_id, link.context.span_id, dict(link.attributes)) for link in found.links] == [
        (6, 7, {"y": 2})
    ]


def test_a_batch_processor_takes_them_and_is_flushed(provider, exporter, make_span):
    """It asks whether a span was sampled; ours were."""
    provider.add_span_processor(BatchSpanProcessor(exporter))
    sink = HostProviderSink(provider)
    sink([make_span(), make_span()])
    sink.flush(5)

    assert len(exporter.get_finished_spans()) == 2


def test_a_processor_that_raises_keeps_nothing_from_the_others(provider, exporter, make_span):
    """It is counted once for each span."""
    provider.add_span_processor(Broken())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    HostProviderSink(provider)([make_span(), make_span()])

    assert (len(exporter.get_finished_spans()), faults.counts()) == (2, {"sinks.provider": 2})


def test_closing_leaves_the_provider_the_hosts(provider, exporter, make_span):
    """Its processors still take spans afterwards."""
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    sink = HostProviderSink(provider)
    sink.close(1)
    sink([make_span()])

    assert len(exporter.get_finished_spans()) == 1
