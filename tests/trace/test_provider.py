"""A provider that the host has set is used, before us or after us, and never replaced."""

import subprocess
import sys
import textwrap

import pytest
from opentelemetry import trace as otel_trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider, sampling
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dam_obs import tracer
from dam_obs.testing import recording
from dam_obs.trace import provider


@pytest.fixture
def host(monkeypatch):
    """Let the host set a provider, as `set_tracer_provider` would, for this test alone."""

    def install(made):
        monkeypatch.setattr(otel_trace, "_TRACER_PROVIDER", made)
        return made

    return install


def test_its_sampler_is_asked_at_roots(host):
    """A root that the host's sampler drops is not recorded, nor is anything below it."""
    host(TracerProvider(sampler=sampling.ALWAYS_OFF))

    with recording() as record, tracer.span("alt", "plan", "outer") as outer, tracer.span("mem", "read", "inner"):
        assert not outer.is_recording()
        assert not otel_trace.get_current_span().get_span_context().trace_flags.sampled

    assert record.events() == []


def test_one_that_is_set_while_we_run_counts_from_then_on(host):
    """The provider is looked up at each root."""
    with recording() as record:
        with tracer.span("alt", "plan", "before"):
            pass
        host(TracerProvider(sampler=sampling.ParentBased(sampling.ALWAYS_OFF)))
        with tracer.span("alt", "plan", "after"):
            pass

    assert [event.component for event in record.events()] == ["before"]


def test_a_processor_is_told_of_a_start_on_the_callers_thread(host):
    """A processor with an `on_start` of its own gets our span, may set attributes on it, and knows its parent."""
    seen = []

    class Starting(SpanProcessor):
        def on_start(self, span, parent_context=None):
            span.set_attribute("tenant", "blue")
            seen.append((span.name, otel_trace.get_current_span(parent_context).get_span_context().is_valid))

    made = TracerProvider()
    made.add_span_processor(Starting())
    host(made)
    with recording() as record, tracer.span("alt", "plan", "outer"), tracer.span("mem", "read", "inner"):
        pass

    assert seen == [("altitude.plan", False), ("memory.read", True)]
    assert [span.attributes for span in record.spans()] == [{"tenant": "blue"}, {"tenant": "blue"}]


def test_a_processor_that_fails_at_a_start_disturbs_nobody(host):
    """What a processor raises is its own matter."""

    class Failing(SpanProcessor):
        def on_start(self, span, parent_context=None):
            raise RuntimeError("no")

    made = TracerProvider()
    made.add_span_processor(Failing())
    host(made)
    with recording(let_faults_through=False) as record, tracer.span("alt", "plan", "outer"):
        pass

    assert record.event().status == "success"


def test_the_sdks_own_processors_are_not_asked_at_starts():
    """Their `on_start` is empty, so calling it would cost for nothing."""
    made = TracerProvider()
    exporter = InMemorySpanExporter()
    made.add_span_processor(SimpleSpanProcessor(exporter))
    made.add_span_processor(BatchSpanProcessor(exporter))
    try:
        assert provider.start_listeners(made) == ()
    finally:
        made.shutdown()


def test_finished_spans_reach_the_hosts_exporter(tmp_path):
    """In a program with a provider of its own, our spans arrive at its exporter, with its resource, under its spans."""
    program = """
        import dam_obs
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        dam_obs.configure(jsonl=False)
        exporter = InMemorySpanExporter()
        provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        trace.set_tracer_provider(provider)

        with trace.get_tracer("host").start_as_current_span("theirs") as theirs:
            with dam_obs.tracer.span("mem", "read", "m.py", "key", tier="warm") as span:
                span.set_output("found")
        dam_obs.flush()

        ours = next(span for span in exporter.get_finished_spans() if span.name == "memory.read")
        assert ours.parent.span_id == theirs.get_span_context().span_id
        assert ours.resource.attributes["service.name"] == "shop"
        assert ours.attributes["dam.id"] == span.trace_id
        assert ours.attributes["dam.data.tier"] == "warm"
        assert trace.get_tracer_provider() is provider
        print("arrived")
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )

    assert (result.stdout, result.stderr, result.returncode) == ("arrived\n", "", 0)
