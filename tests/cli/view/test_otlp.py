"""``--otlp``: what a collector's otlpjsonfile receiver reads, and what we read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from dam_obs.cli._view import otlp as otlp_module

View = Callable[..., str]


def spans(text: str) -> list[dict[str, Any]]:
    return [
        span
        for line in text.splitlines()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def attribute(owner: dict[str, Any], name: str) -> Any:
    return next((next(iter(each["value"].values())) for each in owner["attributes"] if each["key"] == name), None)


def test_a_span_has_its_own_ids_times_and_status(event: Any, write: Any, view: View) -> None:
    """Ids in hex and numbers of 64 bits as text, as OTLP's JSON has them."""
    write(
        event("alt_1_b", "alt_1_a", 5, 2, otel_trace_id="ab" * 16, otel_span_id="cd" * 8, otel_parent_id="ef" * 8,
              status="error", metadata={"error": "no", "error.type": "KeyError", "level": 3}),
    )  # fmt: skip
    (span,) = spans(view("--otlp"))

    assert (span["traceId"], span["spanId"], span["parentSpanId"]) == ("ab" * 16, "cd" * 8, "ef" * 8)
    assert span["name"] == "altitude.plan"
    assert span["startTimeUnixNano"] == "1768316400005000000"
    assert span["endTimeUnixNano"] == "1768316400007000000"
    assert span["status"] == {"message": "no", "code": 2}
    assert (attribute(span, "dam.id"), attribute(span, "dam.data.level")) == ("alt_1_b", "3")


def test_every_line_is_a_request_that_protobuf_reads(turn: Any, view: View) -> None:
    """No field is unknown to it but the form of ids, which OTLP's JSON has in hex."""
    for line in view("--otlp").splitlines():
        data = Parse(line, TracesData())
        assert data.resource_spans[0].scope_spans[0].spans


def test_foreign_events_get_ids_of_their_handles(seed: Path, view: View) -> None:
    """The same ones each time and in any selection; children point at their parents, all in one trace."""
    whole = {attribute(span, "dam.id"): span for span in spans(view("--otlp"))}
    root, middle, leaf = (whole[handle] for handle in sorted(whole))

    assert "parentSpanId" not in root
    assert middle["parentSpanId"] == root["spanId"]
    assert leaf["parentSpanId"] == middle["spanId"]
    assert len({span["traceId"] for span in whole.values()}) == 1
    assert len(root["traceId"]) == 32
    assert len(root["spanId"]) == 16
    (alone,) = spans(view("--otlp", "--hrm", "mem"))
    assert alone == leaf


def test_what_we_print_we_read_back(turn: Any, view: View, folder: Path) -> None:
    """As the same tree, with the same shape."""
    (folder / "spans.jsonl").write_text(view("--otlp"))

    assert view("spans.jsonl", "--times", "--critical") == view("--times", "--critical")


def test_each_process_is_a_resource_of_its_own(event: Any, write: Any, view: View, monkeypatch: Any) -> None:
    """In requests of bounded size; the service is what the environment says."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "assist")
    monkeypatch.setattr(otlp_module, "REQUEST_SPANS", 2)
    write(*(event(f"alt_1_{n}", pid=1 + n % 2) for n in range(6)))
    lines = [json.loads(line)["resourceSpans"] for line in view("--otlp").splitlines()]

    assert [len(resource["scopeSpans"][0]["spans"]) for (resource,) in lines] == [2, 2, 1, 1]
    assert [attribute(resource["resource"], "process.pid") for (resource,) in lines] == ["1", "2", "1", "2"]
    assert {attribute(resource["resource"], "service.name") for (resource,) in lines} == {"assist"}


@pytest.mark.parametrize("choice", [["--status", "error"], ["-f", "KeyError"]])
def test_it_has_what_was_asked_for_and_no_ancestors(turn: Any, view: View, choice: list[str]) -> None:
    """A collector would otherwise have them twice."""
    assert [attribute(span, "dam.id") for span in spans(view("--otlp", *choice))] == ["mem_1_e"]
