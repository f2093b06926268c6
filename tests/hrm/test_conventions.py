"""What a session's spans are called in others' conventions, as a collector receives it over OTLP."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
from dam_hrm import observability
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from dam_obs.store.read import read_events

EXAMPLE = Path(__file__).parents[2] / "examples" / "hrm_session"
REGISTRY = tomllib.loads((Path(observability.__file__).parent / "conventions.toml").read_text(encoding="utf-8"))
FOREIGN = ("gen_ai.", "openinference.", "tool.", "hrm.")
KINDS = {"string_value": "str", "bool_value": "bool", "int_value": "int", "double_value": "float"}


@pytest.fixture(scope="module")
def collector():
    """An HTTP server on loopback that keeps what is posted to ``/v1/traces``."""
    bodies = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server, bodies
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def sent(collector, tmp_path_factory):
    """The spans of the scripted session as they arrived, and the folder with its trace file."""
    server, bodies = collector
    folder = tmp_path_factory.mktemp("conventions")
    environment = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    }
    done = subprocess.run(
        [sys.executable, "-m", "dam_obs.cli", "run", "--", sys.executable, str(EXAMPLE)],
        capture_output=True, text=True, timeout=100, cwd=folder, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    requests = [ExportTraceServiceRequest.FromString(body) for body in bodies]
    spans = [span for each in requests for span in each.resource_spans[0].scope_spans[0].spans]
    return spans, folder


def attributes(span):
    """Return a span's attributes as name -> (type, value)."""
    found = {}
    for pair in span.attributes:
        kind = pair.value.WhichOneof("value")
        found[pair.key] = (KINDS.get(kind, kind), getattr(pair.value, kind))
    return found


def foreign(span):
    return {name: said for name, said in attributes(span).items() if name.startswith(FOREIGN)}


def test_every_span_says_what_the_registry_promises_and_no_more(sent):
    """Constants with their value, the others with their type; a failed one may lack what its result would say."""
    promised = {span["operation"]: span["attributes"] for span in REGISTRY["spans"]}
    for span in sent[0]:
        own = attributes(span)
        wanted, said = promised.get(span.name, {}), foreign(span)
        failed = own["dam.status"] == ("str", "error")

        assert said.keys() <= wanted.keys() if failed else said.keys() == wanted.keys()
        assert {name: kind for name, (kind, _) in said.items()} == {name: wanted[name]["type"] for name in said}
        assert {name: said[name][1] for name in said if "is" in wanted[name]} == {
            name: wanted[name]["is"] for name in said if "is" in wanted[name]
        }


def test_every_promise_of_the_registry_was_kept(sent):
    """Each operation in it was seen, so none is there for show."""
    assert {span["operation"] for span in REGISTRY["spans"]} <= {span.name for span in sent[0]}


def test_what_is_read_says_the_same_as_our_own_data(sent):
    """Under another name."""
    same = {
        "altitude.execute": {"gen_ai.tool.name": "dam.data.action_type"},
        "altitude.evaluate": {
            "gen_ai.evaluation.score.value": "dam.data.confidence",
            "gen_ai.evaluation.score.label": "dam.data.verdict",
        },
        "memory.read": {"gen_ai.memory.store.id": "dam.data.namespace", "gen_ai.memory.record.id": "dam.data.key"},
        "memory.write": {"gen_ai.memory.store.id": "dam.data.namespace", "gen_ai.memory.record.id": "dam.data.key"},
        "system.turn": {"gen_ai.conversation.id": "dam.data.session"},
    }
    for span in sent[0]:
        said = attributes(span)
        for theirs, ours in same.get(span.name, {}).items():
            assert said[theirs] == said[ours]


def test_a_span_is_called_by_its_layer_and_operation(sent):
    """Whatever the conventions would call it."""
    for span in sent[0]:
        own = attributes(span)
        assert span.name == f"{own['dam.layer'][1]}.{own['dam.operation'][1]}"


def test_the_file_has_none_of_it(sent):
    """The event says it under our own names, once."""
    spans, folder = sent
    events = list(read_events(folder / "trace.jsonl"))

    assert len(events) == len(spans)
    assert [name for event in events for name in event.metadata if name.startswith(FOREIGN)] == []
