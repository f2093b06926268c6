"""OTLP for real: to a collector on loopback, to a dead one, to a slow one."""

from __future__ import annotations

import gzip
import http.server
import logging
import os
import platform
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import grpc
import pytest
from opentelemetry import context as otel_context
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)

from dam_obs.sinks.otlp import FIRST_REST, OtlpSink, otlp_factory
from dam_obs.sinks.otlp_encoding import Encoder
from dam_obs.sinks.otlp_env import otlp_from
from dam_obs.sinks.otlp_grpc import GrpcTransport
from dam_obs.sinks.otlp_http import HttpTransport
from dam_obs.sinks.resource import own_resource, program_name
from dam_obs.trace import faults
from dam_obs.trace.context import SUPPRESS_KEY
from dam_obs.trace.identity import mount_namespace


class Collector:
    """What arrived."""

    endpoint = ""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.headers: list[dict[str, str]] = []

    def spans(self):
        return [span for request in self.requests for span in request.resource_spans[0].scope_spans[0].spans]


@pytest.fixture
def grpc_collector(monkeypatch):
    """A gRPC server with the trace service."""
    collector = Collector()

    class Servicer(TraceServiceServicer):
        def Export(self, request, context):
            collector.requests.append(request)
            collector.headers.append({pair.key: pair.value for pair in context.invocation_metadata()})
            return ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(2))
    add_TraceServiceServicer_to_server(Servicer(), server)
    collector.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=ann")
    yield collector
    server.stop(None).wait()


@pytest.fixture
def http_collector(monkeypatch):
    """An HTTP server that decodes what is posted to `/v1/traces`."""
    collector = Collector()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path == "/v1/traces":
                collector.requests.append(ExportTraceServiceRequest.FromString(body))
                collector.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    collector.endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=ann")
    yield collector
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["grpc", "http"])
def collector(request):
    """Both, one after the other."""
    return request.getfixturevalue(f"{request.param}_collector")


@pytest.fixture
def dead_endpoint():
    """A port that nobody listens on."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"


def open_from_environment() -> OtlpSink:
    return otlp_factory(otlp_from(os.environ))()


def test_spans_arrive_whole(collector, make_span):
    """With resource, scope, headers and every field, over both protocols."""
    batch = [make_span(span_id=number + 1, metadata={"a": [1, "b"], "c": {"d": 1.5}}) for number in range(3)]
    sink = open_from_environment()
    sink(batch)
    sink.close(10)

    assert collector.requests == [Encoder(own_resource())(batch)]
    assert collector.headers[0]["x-tenant"] == "ann"
    assert faults.counts() == {}


def test_a_large_batch_goes_out_in_several_requests(collector, make_span):
    """Collectors refuse messages of more than 4 MiB."""
    large = {str(number): "x" * 2000 for number in range(20)}
    batch = [make_span(span_id=number + 1, metadata=large) for number in range(600)]
    sink = open_from_environment()
    sink(batch)
    sink.close(20)

    assert [span.span_id for span in collector.spans()] == [span.span_id.to_bytes(8, "big") for span in batch]
    assert max(request.ByteSize() for request in collector.requests) < 4 * 1024 * 1024


def test_compression_is_as_the_variable_says(http_collector, make_span, monkeypatch):
    """The official transport is ours."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    sink = open_from_environment()
    sink([make_span()])
    sink.close(10)

    assert (http_collector.headers[0]["content-encoding"], len(http_collector.spans())) == ("gzip", 1)


def test_an_exporter_of_another_shape_encodes_for_itself(http_collector, make_span):
    """Where the official exporter has no such client, it gets spans as the SDK makes them."""
    transport = HttpTransport()
    transport.takes_bytes = False
    sink = OtlpSink(transport)
    sink([make_span()])
    sink.close(10)

    assert http_collector.requests == [Encoder(own_resource())([make_span()])]


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_dead_collector_is_a_counted_loss_and_one_line_in_the_log(
    dead_endpoint, protocol, make_span, monkeypatch, caplog
):
    """Nothing raises, closing does not wait for it, and one line says where and why."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", dead_endpoint)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    sink = open_from_environment()
    for _ in range(3):
        sink([make_span()] * 2)
        sink.flush(5)
    sink.close(5)

    assert faults.counts() == {"sinks.otlp.dropped": 6}
    where = dead_endpoint.removeprefix("http://")
    remedy = "start the collector, or correct or unset OTEL_EXPORTER_OTLP_ENDPOINT"
    line = f"dam-obs: spans are lost at the collector, {where}: nobody answers (connection refused); {remedy}"
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [line]


def test_complaints_of_the_programs_own_exporters_are_left_alone(caplog):
    """Our filter is about our thread."""
    logger = logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    logger.warning("of the program")
    logger.warning("of the program")

    assert [record.getMessage() for record in caplog.records] == ["of the program"] * 2


class Recorded:
    """A transport in the test's hand."""

    answer = None

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)
        self.sent: list[int] = []
        self.prepared = 0
        self.limits: list[float] = []
        self.suppressed: list[object] = []
        self.may_go = threading.Event()
        self.may_go.set()

    def prepare(self, batch):
        self.prepared += len(batch)
        return len(batch), 0

    def send(self, payload, number):
        self.may_go.wait(10)
        self.sent.append(number)
        self.suppressed.append(otel_context.get_value(SUPPRESS_KEY))
        return self.answers.pop(0) if self.answers else True

    def limit(self, seconds):
        self.limits.append(seconds)

    def shutdown(self):
        self.may_go.set()

    def before_fork(self):
        self.may_go.set()


def test_after_a_failure_the_collector_is_left_alone_for_a_growing_time(make_span):
    """What comes meanwhile is dropped and counted without being encoded."""
    now = 0.0
    transport = Recorded(False, False, True)
    sink = OtlpSink(transport, clock=lambda: now)

    def hand_over() -> None:
        sink([make_span()])
        sink._settled.wait(10)

    hand_over()  # fails: rests for one second
    hand_over()
    now += FIRST_REST
    hand_over()  # fails: rests for two
    now += FIRST_REST
    hand_over()
    now += FIRST_REST
    hand_over()  # arrives
    hand_over()

    assert (transport.sent, transport.prepared) == ([1, 1, 1, 1], 4)
    assert faults.counts() == {"sinks.otlp.dropped": 4}


def test_what_waits_for_a_slow_collector_is_bounded(make_span):
    """The drain thread never waits for it."""
    transport = Recorded()
    transport.may_go.clear()
    sink = OtlpSink(transport, queue_spans=10)
    for _ in range(5):
        sink([make_span()] * 4)
    transport.may_go.set()
    sink.close(10)

    assert (transport.sent, faults.counts()) == ([4, 4], {"sinks.otlp.dropped": 12})


def test_a_fork_waits_until_what_is_being_sent_has_arrived(make_span):
    """Then no thread of ours is there, and all goes on afterwards."""
    transport = Recorded()
    transport.may_go.clear()
    sink = OtlpSink(transport)
    sink([make_span()])
    threading.Timer(0.2, transport.may_go.set).start()
    sink.before_fork(30)
    threads = [thread.name for thread in threading.enumerate() if thread.name == "dam-obs-otlp"]
    sink([make_span()])
    sink.close(10)

    assert (threads, transport.sent) == ([], [1, 1])


def test_forks_wait_once_for_a_collector_that_stalls(make_span):
    """Later ones leave the thread alone, which is counted."""
    transport = Recorded()
    transport.may_go.clear()
    transport.before_fork = lambda: None
    sink = OtlpSink(transport)
    sink([make_span()])
    waited = []
    sink._wait = waited.append
    for _ in range(3):
        sink.before_fork(0.01)
    transport.may_go.set()

    assert (waited, faults.counts()) == ([0.01], {"sinks.otlp.fork_with_thread": 3})


def test_a_transport_that_raises_is_a_counted_fault(make_span):
    """And the batch is lost, not the sink."""
    transport = Recorded()
    transport.answers = [ZeroDivisionError]

    def send(payload, number):
        raise ZeroDivisionError

    transport.send = send
    sink = OtlpSink(transport)
    sink([make_span()])
    sink.close(10)

    assert faults.counts() == {"sinks.otlp": 1, "sinks.otlp.dropped": 1}


def test_requests_are_made_where_nothing_is_traced(make_span):
    """Else an instrumented HTTP client would make spans of our own requests."""
    transport = Recorded()
    sink = OtlpSink(transport)
    sink([make_span()])
    sink.close(10)

    assert transport.suppressed == [True]


def test_where_no_thread_can_be_started_a_flush_sends_in_a_short_time(make_span, monkeypatch):
    """An interpreter on its way out starts none; meanwhile the other sinks are not kept waiting."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    transport = Recorded()
    sink = OtlpSink(transport)
    sink([make_span()])
    before = list(transport.sent)
    sink.flush(0.5)

    assert (before, transport.sent, transport.limits) == ([], [1], [0.5])


@pytest.mark.parametrize("make", [GrpcTransport, HttpTransport])
def test_a_limit_shortens_the_exporters_time_out(make):
    """However the installed release keeps it."""
    transport = make()
    transport.limit(1.5)
    holders = (transport._exporter, getattr(transport, "_client", None))

    assert 1.5 in [getattr(holder, "_timeout", None) for holder in holders]


_AT_EXIT = """
import atexit, pickle, sys
from dam_obs.sinks.otlp import otlp_factory
from dam_obs.sinks.otlp_env import otlp_from
from dam_obs.trace.events import FinishedSpan, TraceEvent
import os

event = TraceEvent(trace_id="a", parent_id=None, timestamp="", hrm_layer="altitude", operation="o", component="c",
                   input_summary="", output_summary="", duration_ms=0, status="success", metadata={})
span = FinishedSpan(event, "n", 1, 1, 0, False, "", 0, 0, {}, {}, (), ())

make = otlp_factory(otlp_from(os.environ))

def send():
    sink = make()
    sink([span])
    sink.close(5)

if sys.argv[1] == "atexit":
    atexit.register(send)
else:
    send()
    if os.fork() == 0:
        send()
        os._exit(0)
    os.wait()
    send()
"""


@pytest.mark.parametrize(("when", "expected"), [("atexit", 1), ("fork", 3)])
def test_spans_arrive_from_the_end_of_a_process_and_from_its_children(collector, when, expected):
    """Without a thread to be had, and with another process's connections in memory."""
    subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", _AT_EXIT, when], check=True, timeout=60)

    assert len(collector.spans()) == expected


_FORKS = """
import os
import dam_obs

dam_obs.configure(output="trace.jsonl", flush_interval=0.01)

def work():
    for _ in range(5):
        with dam_obs.tracer.span("sys", "work", "c"):
            pass

work()
for _ in range(4):
    child = os.fork()
    work()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        break
"""


def test_a_program_that_forks_and_its_children_send_all_they_record(collector, tmp_path):
    """Children of children, too, each with the same few milliseconds between: no fork meets gRPC at work."""
    forking = subprocess.run(
        [sys.executable, "-W", "error", "-c", _FORKS], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )

    assert (forking.returncode, forking.stdout, forking.stderr) == (0, "0\n" * 4, "")
    assert len((tmp_path / "trace.jsonl").read_text().splitlines()) == len(collector.spans()) == 5 + 4 * 2 * 5


_IMPORTS = """
import sys
import dam_obs

dam_obs.configure(jsonl=False)
before = set(sys.modules)
with dam_obs.tracer.span("sys", "work", "c"):
    pass
dam_obs.flush(60)
print(sorted(name for name in set(sys.modules) - before if not name.startswith("encodings.")))
"""


def test_nothing_is_imported_on_a_thread_of_ours(collector, tmp_path):
    """A fork in the midst of it would leave the child a module that is half imported."""
    late = subprocess.run(
        [sys.executable, "-c", _IMPORTS], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=True
    )

    assert (late.stdout, len(collector.spans())) == ("[]\n", 1)


# gRPC itself may end the child of a program that uses it, with or without us: a thread of its name stands in for it.
_FORKS_BESIDE_GRPC = """
import os, threading
import dam_obs
from dam_obs.trace import faults

thread = threading.Thread(target=threading.Event().wait, daemon=True)
thread.start()
with open(f"/proc/self/task/{thread.native_id}/comm", "w") as name:
    name.write("grpc_global_tim")

dam_obs.configure(jsonl=False, flush_interval=0.01)
child = os.fork()
with dam_obs.tracer.span("sys", "work", "c"):
    pass
dam_obs.flush(60)
print(child == 0, {name: number for name, number in faults.counts().items() if name.startswith("sinks")}, flush=True)
if not child:
    os._exit(0)
os.waitpid(child, 0)
"""


def test_where_the_program_itself_uses_grpc_the_child_of_a_fork_sends_nothing(grpc_collector, tmp_path):
    """Using gRPC in it may hang or end the child; the loss is counted."""
    forking = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", _FORKS_BESIDE_GRPC],
        cwd=tmp_path, capture_output=True, text=True, timeout=100,
    )  # fmt: skip

    assert set(forking.stdout.splitlines()) == {"True {'sinks.otlp': 1, 'sinks.otlp.dropped': 1}", "False {}"}
    assert [span.name for span in grpc_collector.spans()] == ["system.work"]


# -- who sends


def test_the_resource_is_named_by_the_program_and_has_no_arguments(monkeypatch):
    """Arguments may be secrets."""
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    monkeypatch.setenv("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "process")
    monkeypatch.setattr(sys, "argv", ["/opt/app/serve.py", "--password", "hunter2"])
    found = dict(own_resource().attributes)

    assert (found["service.name"], found["process.pid"]) == ("serve", os.getpid())
    assert not {"process.command_args", "process.command_line"} & set(found)
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    "environ", [{"OTEL_SERVICE_NAME": "mine"}, {"OTEL_RESOURCE_ATTRIBUTES": "service.name=mine,team=a"}]
)
def test_a_name_that_was_given_is_kept(environ, monkeypatch):
    """By either variable."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert own_resource().attributes["service.name"] == "mine"


@pytest.mark.parametrize(
    ("argv", "name"),
    [(["/a/b.py", "x"], "b"), (["/a/pkg/__main__.py"], "pkg"), (["-c"], "python"), ([""], "python"), ([], "python")],
)
def test_a_program_is_named_without_its_folder(argv, name, monkeypatch):
    """A script's name, or the package's under `python -m`."""
    monkeypatch.setattr(sys, "argv", argv)

    assert program_name() == name


def test_a_resource_is_found_where_no_thread_can_be_started(monkeypatch):
    """Detectors run in threads, but for those of OpenTelemetry's own variables."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError

    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    monkeypatch.setattr(threading.Thread, "start", refuse)

    found = own_resource().attributes
    assert (found["service.name"], found["process.pid"]) == ("mine", os.getpid())


def test_the_resource_tells_what_a_report_needs_of_a_process(monkeypatch, tmp_path):
    """A backend has nothing else of it: when it started, whose child it is, by what it ran and in which run."""
    monkeypatch.setattr(sys, "argv", ["/opt/app/serve.py", "x"])
    monkeypatch.setenv("DAM_OBS_RUN_DIRECTORY", str(tmp_path / "20260113T140000Z-3f9c"))
    found = dict(own_resource().attributes)
    started = datetime.fromisoformat(found.pop("process.creation.time")).timestamp()

    assert {name: found[name] for name in found if name.startswith(("process.", "os.", "host.", "dam."))} == {
        "process.pid": os.getpid(),
        "process.parent_pid": os.getppid(),
        "process.command": "serve.py",
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": platform.python_version(),
        "os.type": platform.system().lower(),
        "os.version": platform.release(),
        "host.arch": platform.machine(),
        "dam.run.id": "20260113T140000Z-3f9c",
        "dam.mount_namespace": mount_namespace(),
    }
    assert abs(started - Path("/proc/self").stat().st_ctime) < 5
