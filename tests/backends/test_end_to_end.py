"""The examples, through agent and gateway into Jaeger: what the console printed is what Jaeger has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from dam_obs.sinks.tree import render
from dam_obs.store.otlp import otlp_events
from dam_obs.trace.events import TraceEvent

ROOT = Path(__file__).parents[2]
PROGRAMS = {
    "asset_pipeline": ("--files", "12", "--workdir", "work"),  # systems: in threads, processes and generators
    "hrm_session": (),  # all layers
}
COMPARED = (
    "parent_id",
    "timestamp",
    "hrm_layer",
    "operation",
    "component",
    "input_summary",
    "output_summary",
    "duration_ms",
    "duration_ns",
    "status",
    "otel_trace_id",
    "otel_span_id",
    "otel_parent_id",
    "pid",
    "thread_id",
    "kind",
)


@dataclass(frozen=True)
class Run:
    """What one run of an example left behind."""

    service: str
    console: list[str]
    written: list[TraceEvent]
    """From the file beside the console's tree."""
    stored: list[TraceEvent]
    """From Jaeger."""


@pytest.fixture(scope="module")
def pipeline(jaeger, start_collector):
    """An agent before a gateway that keeps every trace."""
    gateway = start_collector(
        "gateway", DAM_JAEGER=jaeger.otlp, DAM_GATEWAY_SHARE="100", DAM_GATEWAY_DECISION_WAIT="1s"
    )
    return start_collector("agent", DAM_GATEWAY=gateway.addresses["DAM_GATEWAY_GRPC"])


@pytest.fixture(scope="module", params=PROGRAMS)
def run(request, jaeger, pipeline, wait_until, tmp_path_factory) -> Run:
    """An example under ``dam-obs run --trace``, and what Jaeger has of it once it has all."""
    folder = tmp_path_factory.mktemp("demo")
    console = _run_example(request.param, folder, pipeline.addresses["DAM_AGENT_HTTP"])
    written = [_event(line) for line in (folder / "trace.jsonl").read_text().splitlines()]
    expected = Counter(event.otel_trace_id for event in written)
    wait_until(lambda: _sizes(jaeger, expected) == expected, "Jaeger has every span of every trace")
    return Run(request.param, console, written, [event for trace in expected for event in _stored(jaeger, trace)])


def _run_example(name: str, folder: Path, otlp: str) -> list[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DAM_", "OTEL_"))}
    environ |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{otlp}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": name,
        "DAM_OBS_SHUTDOWN_TIMEOUT": "60",
    }
    program = [sys.executable, ROOT / "examples" / name, *PROGRAMS[name]]
    result = subprocess.run(
        [sys.executable, "-m", "dam_obs.cli", "run", "--trace", "--output", folder / "trace.jsonl", "--", *program],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environ,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stderr.splitlines()


def _event(line: str) -> TraceEvent:
    return msgspec.json.decode(line, type=TraceEvent)


def _stored(jaeger, trace: str) -> list[TraceEvent]:
    answer = jaeger.ask(f"/api/v3/traces/{trace}")
    return otlp_events(json.dumps(answer["result"]).encode()).events if answer else []


def _sizes(jaeger, traces) -> Counter[str]:
    return Counter({trace: len(_stored(jaeger, trace)) for trace in traces})


CONVENTIONS = ("gen_ai.", "openinference.")
"""What points call their data by besides, for other tools; it is not in the events."""


def _facts(events: list[TraceEvent]) -> dict[str, dict[str, object]]:
    return {event.trace_id: {name: getattr(event, name) for name in COMPARED} | _data(event) for event in events}


def _data(event: TraceEvent) -> dict[str, object]:
    """Return the data of an event, without nulls, which no attribute can have."""
    found = event.metadata.items()
    return {"data": {name: v for name, v in found if v is not None and not name.startswith(CONVENTIONS)}}


def test_every_handle_is_stored_with_its_parent_data_and_status(run):
    """As the file beside the console's tree has it, none missing and none besides."""
    assert {"success", "blocked"} <= {event.status for event in run.written}
    assert len({event.trace_id for event in run.written}) == len(run.written) > 20
    assert _facts(run.stored) == _facts(run.written)


def test_what_is_stored_prints_the_tree_that_the_console_printed(run):
    """Line by line; trees of several requests may come in another order."""
    assert Counter(render(run.stored)) == Counter(run.console)


def test_every_handle_is_found_by_its_tag(run, jaeger):
    """As somebody searches who has read it on the console, by the API that the web pages use."""
    missing = []
    for event in run.written:
        found = jaeger.ask("/api/traces", service=run.service, tags=json.dumps({"dam.id": event.trace_id}), limit="5")
        spans = {(each["traceID"], span["spanID"]) for each in found["data"] for span in each["spans"]}
        if (event.otel_trace_id, event.otel_span_id) not in spans:
            missing.append(event.trace_id)

    assert missing == []


def test_failures_are_errors_to_jaeger_and_refusals_are_not(run, jaeger):
    """What failed is shown in red; what was blocked did what it is for."""
    marked = {}
    for status in ("error", "blocked"):
        found = jaeger.ask("/api/traces", service=run.service, tags=json.dumps({"dam.status": status}), limit="1000")
        marked[status] = {span["spanID"] for each in found["data"] for span in each["spans"] if _is_error(span)}
    failed = {event.otel_span_id for event in run.written if event.status == "error"}
    traces_with_refusals = {event.otel_trace_id for event in run.written if event.status == "blocked"}

    assert marked == {
        "error": failed,
        "blocked": {
            e.otel_span_id for e in run.written if e.status == "error" and e.otel_trace_id in traces_with_refusals
        },
    }


def _is_error(span) -> bool:
    return {"key": "error", "type": "bool", "value": True} in span["tags"]
