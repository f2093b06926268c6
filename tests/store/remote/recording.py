"""A run of the shop: what it left on the disk, and what a collector got of it meanwhile."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PROGRAM = Path(__file__).with_name("program")


@dataclass
class Recording:
    """A run, and what was sent of it."""

    folder: Path
    """Its run folder, as ``dam-obs diagnose`` made it."""
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)
    """In the order in which they came."""

    def lines(self) -> list[bytes]:
        """Return what a collector's file exporter writes of it."""
        return [json_of(request) for request in self.requests]

    def report(self) -> dict[str, Any]:
        """Return its report."""
        return json.loads((self.folder / "report.json").read_bytes())


def json_of(request: ExportTraceServiceRequest) -> bytes:
    """Return a request as OTLP's JSON, as the collector writes it: ids in hex, enumerations by number."""
    document = MessageToDict(request, use_integers_for_enums=True)
    for group, written in zip(request.resource_spans, document["resourceSpans"], strict=True):
        for scope, scoped in zip(group.scope_spans, written["scopeSpans"], strict=True):
            for span, one in zip(scope.spans, scoped["spans"], strict=True):
                one |= {"traceId": span.trace_id.hex(), "spanId": span.span_id.hex()}
                one |= {"parentSpanId": span.parent_span_id.hex()} if span.parent_span_id else {}
                for link, shown in zip(span.links, one.get("links", ()), strict=True):
                    shown |= {"traceId": link.trace_id.hex(), "spanId": link.span_id.hex()}
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


@contextmanager
def receiver(recording: Recording) -> Iterator[str]:
    """Receive OTLP over HTTP on loopback; yields the endpoint."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path == "/v1/traces":
                with lock:
                    recording.requests.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving(Handler) as address:
        yield f"http://{address}"


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve HTTP on a free port of loopback; yields ``host:port``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def record(folder: Path, endpoint: str, protocol: str = "http/protobuf", **variables: str) -> None:
    """Run the shop under ``dam-obs diagnose``, with OTLP beside the file."""
    done = dam_obs(
        "diagnose", "--no-stacks", "--no-draft", "--points", PROGRAM / "shop.toml", "--out", folder, "--",
        sys.executable, PROGRAM / "shop.py",
        cwd=folder.parent, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        OTEL_SERVICE_NAME="shop", **variables,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def dam_obs(*words: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run dam-obs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "DAM_", "CLICKHOUSE_"))}
    return subprocess.run(
        [sys.executable, "-m", "dam_obs.cli", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=110,
        env={**kept, **variables, "COLUMNS": "160"},
    )


KNOWN_ONLY_WHERE_IT_RAN = {
    "run_id": "the folder's name",
    "started": "when the run began; a backend knows when the first span did",
    "duration_ns": "likewise",
    "command": "the program's name; a backend knows what the process was called",
    "exit_status": "in no span",
    "quality": "looked at by itself",
    "faults": "counted by the processes",
    "processes": "those without an execution, such as a helper of multiprocessing's, are in no span",
    "host.cpus": "in no span",
    "host.memory_bytes": "in no span",
    "processes.started_ns": "a note of dam-obs in the process; a backend knows what the kernel counted",
    "processes.cpu_ns": "in no span",
    "processes.max_rss_bytes": "in no span",
    "processes.read_bytes": "in no span",
    "processes.write_bytes": "in no span",
    "processes.samples": "stacks",
    "processes.program": "the program's name; that of the interpreter where it runs no script",
    "systems.top_stacks": "stacks",
    "flame": "stacks",
}
"""What a report from a backend may say differently, by its place, with why. All else must be the same."""


def comparable(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a report from a backend must say exactly as the one from where the program ran."""
    kept = {name: value for name, value in report.items() if name == "processes" or name not in KNOWN_ONLY_WHERE_IT_RAN}
    for name in ("host", "processes", "systems"):
        left_out = {place.partition(".")[2] for place in KNOWN_ONLY_WHERE_IT_RAN if place.startswith(f"{name}.")}
        value = kept[name]
        if isinstance(value, dict):
            kept[name] = {key: one for key, one in value.items() if key not in left_out}
        else:
            kept[name] = [{key: one for key, one in each.items() if key not in left_out} for each in value]
    kept["processes"] = sorted((one for one in kept["processes"] if one["executions"]), key=lambda one: one["pid"])
    return kept


def differences(ours: Any, theirs: Any, place: str = "report") -> list[str]:
    """Say where two values differ, by their places."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        names = dict.fromkeys([*ours, *theirs])
        return [one for name in names for one in differences(ours.get(name), theirs.get(name), f"{place}.{name}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = zip(ours, theirs, strict=True)
        return [one for number, pair in enumerate(pairs) for one in differences(*pair, f"{place}[{number}]")]
    return [] if ours == theirs else [f"{place}: {ours!r} there, {theirs!r} read back"]
