"""
Collectors that do not take what is sent: wrong address, refused TLS, no permission, too busy, half taken.

Each case is a real server on loopback. `dam-obs doctor` says in one line what is wrong and what to do; a program
that records all the same prints and returns what it does bare, and hears of it once.
"""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import trustme
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)

from dam_obs import plugins
from dam_obs.cli import main
from dam_obs.testing.faults import dead_collector

HOST = "127.0.0.1"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PORTS = "gRPC usually has port 4317, HTTP port 4318, and OTEL_EXPORTER_OTLP_PROTOCOL is grpc or http/protobuf"
HEADER = "set the header that it asks for: OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN"
MAY = "see whether the token in OTEL_EXPORTER_OTLP_HEADERS may send"
QUEUE = "it is to be given a larger queue or rate, or a backend that keeps up"
TRUST = "name the file of the CA that signed it: OTEL_EXPORTER_OTLP_CERTIFICATE=ca.pem"
START = f"start the collector, or correct or unset {ENDPOINT}"
NAME = f"write into {ENDPOINT} a host name that the certificate has"
PATH = f"correct {ENDPOINT}: {ENDPOINT} is without /v1/traces, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT with"
PLAIN = f"begin {ENDPOINT} with http://, or switch TLS on in the collector"
MAYBE_TLS = f"if it wants TLS, begin {ENDPOINT} with https://; if it is another server: {PORTS}"
HUNG_UP = ("it hangs up without an answer", MAYBE_TLS)
TLS_FAILED = (
    "TLS failed (handshake failed)",
    "see whether both sides have a TLS version and a certificate that the other takes",
)

SOME = ExportTraceServiceResponse()
SOME.partial_success.rejected_spans = 2
SOME.partial_success.error_message = "spans are from the future"


# -- servers


class Certificates:
    """A CA that nobody knows, a certificate of ours by it, and one of another host."""

    def __init__(self, folder: Path) -> None:
        ca = trustme.CA()
        self.ca = folder / "ca.pem"
        ca.cert_pem.write_to_path(self.ca)
        self.ours = ca.issue_cert(HOST, "localhost")
        self.anothers = ca.issue_cert("collector.example")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Make them once."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


Servers = Callable[[Certificates], "contextmanager[int]"]


def web(
    status: int = 200, body: bytes = b"", kind: str = "application/x-protobuf", certificate: str = "", **headers: str
) -> Servers:
    """Say how to start an HTTP server that gives the same answer to all."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # a handshake that fails

    @contextmanager
    def start(certificates: Certificates) -> Iterator[int]:
        with Server((HOST, 0), Handler) as server:
            if certificate:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                getattr(certificates, certificate).configure_cert(context)
                server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield server.server_port
            server.shutdown()

    return start


def rpc(
    code: str = "", details: str = "", *, some: bool = False, certificate: str = "", serves: bool = True
) -> Servers:
    """Say how to start a gRPC server that gives the same answer to all."""

    class Traces(TraceServiceServicer):
        def Export(self, request: object, context: grpc.ServicerContext) -> ExportTraceServiceResponse:
            if code:
                context.abort(grpc.StatusCode[code], details)
            return SOME if some else ExportTraceServiceResponse()

    @contextmanager
    def start(certificates: Certificates) -> Iterator[int]:
        server = grpc.server(ThreadPoolExecutor(2))
        if serves:
            add_TraceServiceServicer_to_server(Traces(), server)
        if certificate:
            leaf = getattr(certificates, certificate)
            chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
            credentials = grpc.ssl_server_credentials([(leaf.private_key_pem.bytes(), chain)])
            port = server.add_secure_port(f"{HOST}:0", credentials)
        else:
            port = server.add_insecure_port(f"{HOST}:0")
        server.start()
        yield port
        server.stop(None).wait()

    return start


@contextmanager
def nobody(_: Certificates) -> Iterator[int]:
    """Hold a port that nobody listens on."""
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        yield holder.getsockname()[1]


# -- cases


@dataclass(frozen=True)
class Case:
    """A collector, how it is addressed, and what is to be said."""

    name: str
    server: Servers
    says: str
    remedy: str
    url: str = "http://127.0.0.1:{port}"
    state: str = "broken"
    trusts: bool = False
    may_hang_up: bool = False
    """The other side ends the connection; whether its greeting is read before is a matter of luck."""

    def told(self) -> set[tuple[str, str]]:
        """Return what may be said, each with its remedy."""
        return {(self.says, self.remedy), *((HUNG_UP, TLS_FAILED) if self.may_hang_up else ())}


HTTP_CASES = [
    Case(
        "nobody", nobody, "nobody answers (connection refused)", f"start the collector, or correct or unset {ENDPOINT}"
    ),
    Case("404", web(404), "there is no OTLP at that path (HTTP 404)", PATH),
    Case("405", web(405), "there is no OTLP at that path (HTTP 405)", PATH),
    Case(
        "web page",
        web(body=b"<html>welcome</html>", kind="text/html; charset=utf-8"),
        "what answers is no OTLP collector (it answers with a web page)",
        f"correct {ENDPOINT}: {PORTS}",
    ),
    Case(
        "gRPC server",
        rpc(),
        "what answers is no OTLP collector (it does not speak the protocol)",
        f"correct {ENDPOINT}: {PORTS}",
        may_hang_up=True,
    ),
    Case(
        "redirects",
        web(302, Location="http://127.0.0.1/login"),
        "it sends elsewhere (HTTP 302), and exporters do not follow",
        f"set {ENDPOINT} to where it sends",
    ),
    Case("401", web(401), "it wants to know who sends (HTTP 401)", HEADER),
    Case("403", web(403), "it does not let this sender in (HTTP 403)", MAY),
    Case("415", web(415), "it does not take protobuf there (HTTP 415)", f"correct {ENDPOINT}: {PORTS}"),
    Case("429", web(429), "it takes nothing at the moment (HTTP 429)", QUEUE, state="limited"),
    Case("500", web(500), "it failed (HTTP 500)", "its own log says why"),
    Case(
        "unknown CA",
        web(certificate="ours"),
        "its TLS certificate is not trusted (unable to get local issuer certificate)",
        TRUST,
        url="https://127.0.0.1:{port}",
    ),
    Case(
        "another host's certificate",
        web(certificate="anothers"),
        "its TLS certificate is for another host",
        NAME,
        url="https://127.0.0.1:{port}",
        trusts=True,
    ),
    Case("TLS to plain", web(), "it does not speak TLS", PLAIN, url="https://127.0.0.1:{port}", may_hang_up=True),
    Case(
        "plain to TLS of Go",
        web(400, b"Client sent an HTTP request to an HTTPS server.\n", "text/plain"),
        "it wants TLS (HTTP 400)",
        f"begin {ENDPOINT} with https://",
    ),
    Case(
        "no scheme",
        nobody,
        "the address does not say how to connect",
        f"begin {ENDPOINT} with http:// or https://",
        url="127.0.0.1:{port}",
    ),
]

GRPC_CASES = [
    Case(
        "nobody", nobody, "nobody answers (connection refused)", f"start the collector, or correct or unset {ENDPOINT}"
    ),
    Case(
        "HTTP server",
        web(),
        "what answers is no OTLP collector (it does not speak the protocol)",
        f"correct {ENDPOINT}: {PORTS}",
        may_hang_up=True,
    ),
    Case(
        "no such service",
        rpc(serves=False),
        "it has no such service (gRPC UNIMPLEMENTED)",
        f"give the collector's otlp receiver a pipeline for that signal, or correct {ENDPOINT}",
    ),
    Case(
        "UNAUTHENTICATED",
        rpc("UNAUTHENTICATED", "who are you"),
        "it wants to know who sends (gRPC UNAUTHENTICATED)",
        HEADER,
    ),
    Case(
        "PERMISSION_DENIED",
        rpc("PERMISSION_DENIED", "not you"),
        "it does not let this sender in (gRPC PERMISSION_DENIED)",
        MAY,
    ),
    Case(
        "RESOURCE_EXHAUSTED",
        rpc("RESOURCE_EXHAUSTED", "slow down"),
        "it takes nothing at the moment (gRPC RESOURCE_EXHAUSTED)",
        QUEUE,
        state="limited",
    ),
    Case(
        "unknown CA",
        rpc(certificate="ours"),
        "its TLS certificate is not trusted (unable to get local issuer certificate)",
        TRUST,
        url="https://127.0.0.1:{port}",
    ),
    Case(
        "another host's certificate",
        rpc(certificate="anothers"),
        "its TLS certificate is for another host",
        NAME,
        url="https://127.0.0.1:{port}",
        trusts=True,
    ),
    Case("TLS to plain", rpc(), "it does not speak TLS", PLAIN, url="https://127.0.0.1:{port}", may_hang_up=True),
    Case("no scheme", rpc(), "it does not speak TLS", PLAIN, url="127.0.0.1:{port}", may_hang_up=True),
    Case("plain to TLS", rpc(certificate="ours"), "it hangs up without an answer", MAYBE_TLS),
]

CASES = [
    *(pytest.param("http/protobuf", case, id=f"http-{case.name}") for case in HTTP_CASES),
    *(pytest.param("grpc", case, id=f"grpc-{case.name}") for case in GRPC_CASES),
]


@dataclass(frozen=True)
class Started:
    """A server, as a program is told of it."""

    where: str
    environ: dict[str, str]


@pytest.fixture
def start(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Case], Started]]:
    """Start the server of a case, in an environment that says nothing else of collectors or of whom to trust."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "GRPC_VERBOSITY"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as stack:

        def started(protocol: str, case: Case) -> Started:
            port = stack.enter_context(case.server(certificates))
            environ = {ENDPOINT: case.url.format(port=port), "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
            if case.trusts:
                environ["OTEL_EXPORTER_OTLP_CERTIFICATE"] = str(certificates.ca)
            return Started(f"{HOST}:{port}", environ)

        yield started


# -- what the doctor says


@pytest.fixture
def doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str]]]:
    """Run `dam-obs doctor` with some variables; return its status and what it printed."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dam_obs.sample.pyspy.SCRIPTS", tmp_path)  # nothing of the sampler is asked here
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent / "nothing"))
    monkeypatch.setattr("dam_obs.sinks.otlp_ask.ASK_SECONDS", 60.0)
    plugins.forget()

    def run(environ: dict[str, str], *arguments: str) -> tuple[int, str]:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        status = main(["doctor", "--python", sys.executable, *arguments])
        out, err = capsys.readouterr()
        assert err == ""
        return status, out

    yield run
    plugins.forget()


def of_collector(out: str) -> dict[str, str]:
    (check,) = [check for check in json.loads(out)["checks"] if check["name"] == "collector (OTLP)"]
    return check


@pytest.mark.parametrize(("protocol", "case"), CASES)
def test_the_doctor_says_what_is_wrong_and_what_to_do(start, doctor, protocol, case):
    """In one line, with status 1 if nothing arrives."""
    started = start(protocol, case)

    status, out = doctor(started.environ, "--json")

    after = "what it does not take is counted"
    if case.state == "broken":
        after = "events are dropped there and counted, trace.jsonl is written"
    check = of_collector(out)
    assert check["state"] == case.state
    assert (check["says"], check["remedy"]) in {
        (f"{started.where}: {says}; {after}", remedy) for says, remedy in case.told()
    }
    assert status == (1 if case.state == "broken" else 0)


@pytest.mark.parametrize(
    ("protocol", "server"), [("http/protobuf", web(body=SOME.SerializeToString())), ("grpc", rpc(some=True))]
)
def test_a_collector_that_takes_a_part_is_told_with_its_own_words(start, doctor, protocol, server):
    """It is limited, and not broken: what it does take arrives."""
    started = start(protocol, Case("partly", server, "", ""))

    status, out = doctor(started.environ, "--json")

    assert of_collector(out) == {
        "name": "collector (OTLP)",
        "state": "limited",
        "says": f"{started.where}: it did not take all that was sent (2 rejected); in its words: "
        '"spans are from the future"; what it does not take is counted',
        "remedy": "its own log says why",
    }
    assert status == 0


@pytest.mark.parametrize(
    ("protocol", "server", "url", "spoken"),
    [
        ("http/protobuf", web(), "http://127.0.0.1:{port}", "HTTP"),
        ("http/protobuf", web(certificate="ours"), "https://127.0.0.1:{port}", "HTTP"),
        ("grpc", rpc(), "http://127.0.0.1:{port}", "gRPC"),
        ("grpc", rpc(certificate="ours"), "https://127.0.0.1:{port}", "gRPC"),
    ],
)
def test_a_collector_that_is_well_is_told_so(start, doctor, protocol, server, url, spoken):
    """By TLS, too, where the CA is named."""
    started = start(protocol, Case("well", server, "", "", url=url, trusts=True))

    status, out = doctor(started.environ, "--json")

    assert (status, of_collector(out)) == (
        0,
        {"name": "collector (OTLP)", "state": "ok", "says": f"{started.where} takes spans over {spoken}", "remedy": ""},
    )


def test_another_server_that_says_yes_to_everything_is_told(start, doctor):
    """Some collectors answer in formats of their own, so it is not called broken."""
    server = web(body=b'{"status":"up"}', kind="application/json")
    started = start("http/protobuf", Case("yes", server, "", ""))

    status, out = doctor(started.environ, "--json")

    assert (status, of_collector(out)) == (
        0,
        {
            "name": "collector (OTLP)",
            "state": "limited",
            "says": f"{started.where}: it takes what is sent, but does not answer as OTLP does (application/json)",
            "remedy": f"see whether it is a collector that {ENDPOINT} names",
        },
    )


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_collector_that_never_answers_is_told_in_good_time(doctor, protocol, monkeypatch):
    """The doctor does not wait for ever."""
    monkeypatch.setattr("dam_obs.sinks.otlp_ask.ASK_SECONDS", 0.5)
    with dead_collector("silent") as collector:
        status, out = doctor({ENDPOINT: collector.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}, "--json")

    check = of_collector(out)
    assert (status, check["state"]) == (1, "broken")
    assert ": nothing comes back in time; " in check["says"]


def test_the_doctors_text_has_the_same_line(start, doctor):
    """For people."""
    started = start("grpc", GRPC_CASES[3])

    status, out = doctor({**started.environ, "COLUMNS": "400"})

    (line,) = [line for line in out.splitlines() if "collector (OTLP)" in line]
    assert line.split(maxsplit=1)[0] == "broken"
    assert f"{started.where}: it wants to know who sends (gRPC UNAUTHENTICATED)" in line
    assert f"→ {HEADER}" in out
    assert status == 1


def test_a_bundle_that_wins_over_the_named_ca_is_told(start, doctor, certificates, monkeypatch):
    """The HTTP client prefers it, so naming the CA alone would not help."""
    started = start("http/protobuf", Case("bundle", web(certificate="ours"), "", "", url="https://127.0.0.1:{port}"))
    other = certificates.ca.with_name("other.pem")
    trustme.CA().cert_pem.write_to_path(other)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))

    _, out = doctor(started.environ, "--json")

    assert of_collector(out)["remedy"] == f"{TRUST}; and unset REQUESTS_CA_BUNDLE, which would win over it"


# -- what a program hears

WORK = """
import work
for number in range(50): work.step(number)
print("done", flush=True)
raise SystemExit(3)
"""
RECORDED = 50


def of_sinks(faults: Counter[str]) -> dict[str, int]:
    """Return what was met where events go; that the exporters' import took long on a busy machine counts elsewhere."""
    return {name: number for name, number in faults.items() if name.startswith("sinks.")}


def of_spans(told: list[str]) -> list[str]:
    """Return the lines that say what becomes of spans, and whatever an exporter has said."""
    return [line for line in told if " spans " in line or not line.startswith("dam-obs:")]


IN_PROGRAMS = [
    pytest.param(*param.values, id=param.id, marks=() if index % 3 == 0 else pytest.mark.slow)
    for index, param in enumerate(CASES)
]


@pytest.mark.parametrize(("protocol", "case"), IN_PROGRAMS)
def test_a_program_is_not_hurt_and_hears_of_it_once(start, program, protocol, case):
    """Its output and status are its own, its file is whole, what is lost is counted, and one line says why."""
    started = start(protocol, case)
    subject = program(WORK)
    subject.environ = started.environ

    bare, observed = subject.bare(), subject.by_hand()

    assert observed.seen == bare.seen == (3, "done\n", "")
    assert len(observed.events) == RECORDED
    assert of_sinks(observed.faults) == {"sinks.otlp.dropped": RECORDED}
    assert of_spans(observed.told) == [
        f"dam-obs: spans are lost at the collector, {started.where}: {case.says}; {case.remedy}"
    ]


@pytest.mark.parametrize(
    ("protocol", "server"), [("http/protobuf", web(body=SOME.SerializeToString())), ("grpc", rpc(some=True))]
)
def test_spans_that_a_collector_rejects_are_counted(start, program, protocol, server):
    """As many as it says, for each request; they are not those that did not arrive."""
    started = start(protocol, Case("partly", server, "", ""))
    subject = program(WORK)
    subject.environ = {**started.environ, "DAM_OBS_FLUSH_INTERVAL": "60"}  # so that all go out in one request

    bare, observed = subject.bare(), subject.by_hand()

    assert observed.seen == bare.seen
    assert of_sinks(observed.faults) == {"sinks.otlp.rejected": 2}
    says = "it did not take all that was sent (2 rejected); its own log says why"
    assert of_spans(observed.told) == [f"dam-obs: spans are lost at the collector, {started.where}: {says}"]


def test_a_certificate_file_that_is_not_there_is_told_once(program):
    """No spans go out then; the exporters would show a traceback, and go on without it."""
    subject = program(WORK)
    subject.environ = {ENDPOINT: "https://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere/ca.pem"}

    bare, observed = subject.bare(), subject.by_hand()

    assert observed.seen == bare.seen
    says = "the file that OTEL_EXPORTER_OTLP_CERTIFICATE names cannot be read: correct or unset it"
    assert of_spans(observed.told) == [f"dam-obs: no spans go out: {says}"]
