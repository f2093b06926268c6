"""``dam-obs export --to`` sends a run's samples to a collector, and says in one line what became of them."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.profiles.v1development import profiles_service_pb2 as service
from opentelemetry.proto.collector.profiles.v1development import profiles_service_pb2_grpc as service_grpc

from dam_obs.cli import main
from dam_obs.diagnose.export import otlp_classes
from dam_obs.store.runs import RunFolder
from dam_obs.testing.runs import write_example_run

HOST = "127.0.0.1"
GATE = (
    "give the collector's otlp receiver a pipeline of profiles, and start it with "
    "--feature-gates=service.profilesSupport"
)
STATE = "it may know another state of this alpha format: use a collector of the version that dam-obs is tried with"
HEADER = "set the header that it asks for: OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN"


@pytest.fixture(autouse=True)
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Stand in a folder with one run, in an environment that says nothing of collectors."""
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_SERVICE_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return write_example_run(tmp_path / ".dam-obs" / "runs" / "r1", assets=60)


@dataclass
class Collector:
    """What arrived, and what is answered."""

    address: str = ""
    requests: list[service.ExportProfilesServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    response: service.ExportProfilesServiceResponse = field(default_factory=service.ExportProfilesServiceResponse)
    status: int = 200
    code: grpc.StatusCode | None = None


@pytest.fixture
def http_collector() -> Iterator[Collector]:
    """By HTTP, at the path that the signal has while it is in development."""
    collector = Collector()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known = self.path.endswith("/v1development/profiles")
            collector.paths.append(self.path)
            if known and collector.status == 200:
                collector.requests.append(service.ExportProfilesServiceRequest.FromString(body))
                collector.headers.append({name.lower(): value for name, value in self.headers.items()})
            answer = collector.response.SerializeToString()
            self.send_response(collector.status if known else 404)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer((HOST, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        collector.address = f"http://{HOST}:{server.server_port}/v1development/profiles"
        yield collector
        server.shutdown()


@pytest.fixture
def grpc_collector() -> Iterator[Collector]:
    """By gRPC."""
    collector = Collector()

    class Profiles(service_grpc.ProfilesServiceServicer):
        def Export(
            self, request: service.ExportProfilesServiceRequest, context: grpc.ServicerContext
        ) -> service.ExportProfilesServiceResponse:
            if collector.code is not None:
                context.abort(collector.code, "no")
            collector.requests.append(request)
            collector.headers.append({pair.key: pair.value for pair in context.invocation_metadata()})
            return collector.response

    server = grpc.server(ThreadPoolExecutor(2))
    service_grpc.add_ProfilesServiceServicer_to_server(Profiles(), server)
    collector.address = f"http://{HOST}:{server.add_insecure_port(f'{HOST}:0')}"
    server.start()
    yield collector
    server.stop(None).wait()


@pytest.fixture(params=["http", "grpc"])
def collector(request: pytest.FixtureRequest) -> Collector:
    """Both, one after the other."""
    found: Collector = request.getfixturevalue(f"{request.param}_collector")
    return found


def where(collector: Collector) -> str:
    """Return the address as it is shown."""
    return collector.address.removeprefix("http://").partition("/")[0]


def send(collector: Collector, *arguments: str) -> int:
    """Run the command."""
    return main(["export", "--format", "otlp-profiles", "--to", collector.address, *arguments])


def test_what_arrives_is_what_a_file_would_hold(collector, tmp_path, capsys):
    """Message by message; with the headers that the environment sets for all signals."""
    assert main(["export", "--format", "otlp-profiles", "-o", "p.pb"]) == 0
    _, *told = capsys.readouterr().out.splitlines()

    assert send(collector) == 0

    spoken = "HTTP" if "v1development" in collector.address else "gRPC"
    assert capsys.readouterr().out.splitlines() == [f"Sent profiles to {where(collector)} over {spoken}", *told]
    file = otlp_classes.profiles_pb2().ProfilesData.FromString((tmp_path / "p.pb").read_bytes())
    assert [each.SerializeToString(deterministic=True) for each in collector.requests] == [
        file.SerializeToString(deterministic=True)
    ]


def test_what_is_too_large_for_one_request_goes_out_in_several(collector, monkeypatch, capsys):
    """With all samples; what was rejected of any is told."""
    monkeypatch.setattr("dam_obs.sinks.otlp_profiles.REQUEST_BYTES", 2_000)
    collector.response.partial_success.rejected_profiles = 1

    assert send(collector) == 0
    assert len(collector.requests) > 2
    assert f"({len(collector.requests)} rejected)" in capsys.readouterr().out


def test_headers_of_the_environment_are_sent(collector, monkeypatch):
    """So a token reaches the collector as it does with spans."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=ann")

    assert send(collector) == 0
    assert collector.headers[0]["x-tenant"] == "ann"


def test_one_system_alone(collector, capsys):
    """As with files."""
    assert send(collector, "--system", "CompressAsset") == 0
    assert ", 0 outside any" in capsys.readouterr().out


@pytest.mark.parametrize("given", ["/otlp", "/otlp/", "/otlp/v1development/profiles"])
def test_the_signals_path_is_added_to_a_collectors_address(http_collector, given):
    """The address may be the base of all signals."""
    base = http_collector.address.removesuffix("/v1development/profiles")

    assert main(["export", "--format", "otlp-profiles", "--to", f"{base}{given}"]) == 0
    assert http_collector.paths == ["/otlp/v1development/profiles"]


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_an_address_without_a_path_is_taken_for_grpc(grpc_collector, scheme):
    """Unless its port is that of HTTP, 4318; without a scheme it is without TLS."""
    address = grpc_collector.address.removeprefix("http://")

    assert main(["export", "--format", "otlp-profiles", "--to", f"{scheme}{address}"]) == 0
    assert len(grpc_collector.requests) == 1


def test_a_collector_that_takes_a_part_is_told_of(collector, capsys):
    """What it rejected, and its own words."""
    collector.response.partial_success.rejected_profiles = 1
    collector.response.partial_success.error_message = "too old\x1b[2J"

    assert send(collector) == 0
    assert (
        capsys.readouterr()
        .out.splitlines()[0]
        .endswith('; it did not take all that was sent (1 rejected): "too old\\x1b[2J"')
    )


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (404, f"there is no OTLP at that path (HTTP 404); {GATE}"),
        (415, f"it does not take protobuf there (HTTP 415); {GATE}"),
        (501, f"it has no such service (HTTP 501); {GATE}"),
        (400, f"it failed (HTTP 400); {STATE}"),
        (413, "what is sent is too large for it (HTTP 413); raise the largest message that the collector takes"),
        (401, f"it wants to know who sends (HTTP 401); {HEADER}"),
    ],
)
def test_a_refusal_by_http_is_one_line(http_collector, capsys, status, says):
    """With what to do about it, and status 2."""
    http_collector.status = status

    assert send(http_collector) == 2
    assert capsys.readouterr() == (
        "",
        f"dam-obs: error: profiles are not taken by {where(http_collector)}: {says}\n",
    )


def test_a_refusal_by_grpc_is_one_line(grpc_collector, capsys):
    """As a collector without such a pipeline answers."""
    grpc_collector.code = grpc.StatusCode.UNIMPLEMENTED

    assert send(grpc_collector) == 2
    assert capsys.readouterr().err == (
        f"dam-obs: error: profiles are not taken by {where(grpc_collector)}: "
        f"it has no such service (gRPC UNIMPLEMENTED); {GATE}\n"
    )


def test_classes_of_another_state_of_the_format_send_nothing(collector, capsys, monkeypatch):
    """The installed ones would make another message than they should."""
    monkeypatch.setitem(otlp_classes.USED, "Sample", ("locations_start_index",))

    assert send(collector) == 2
    assert "(Sample.locations_start_index is missing): install another version" in capsys.readouterr().err
    assert collector.requests == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--format", "folded", "--to", "http://x"], "--to sends --format otlp-profiles"),
        (["--format", "otlp-profiles", "--to", "http://x", "-o", "p.pb"], "goes with no --output"),
        (["--format", "otlp-profiles", "--to", "http://"], "what --to names is not an address"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments, says, capsys):
    """Before anything is read."""
    assert main(["export", *arguments]) == 2
    assert says in " ".join(capsys.readouterr().err.split())


class TestDoctor:
    """Where profiles are to be sent, the doctor asks whether they would be taken."""

    @pytest.fixture(autouse=True)
    def elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("dam_obs.sample.pyspy.SCRIPTS", tmp_path)
        monkeypatch.setenv("PATH", str(tmp_path))

    def checks(self, capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
        main(["doctor", "--json"])
        return [check for check in json.loads(capsys.readouterr().out)["checks"] if check["name"] == "profiles (OTLP)"]

    def test_where_they_are_not_sent_nothing_is_said(self, capsys):
        """Which is the default."""
        assert self.checks(capsys) == []

    def test_a_collector_that_takes_them(self, collector, capsys, monkeypatch):
        """By a request without any."""
        monkeypatch.setenv("DAM_OBS_OTLP_PROFILES", "1")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT", collector.address)
        spoken = "HTTP" if "v1development" in collector.address else "gRPC"

        assert self.checks(capsys) == [
            {
                "name": "profiles (OTLP)",
                "state": "ok",
                "says": f"{where(collector)} takes profiles over {spoken}",
                "remedy": "",
            }
        ]

    def test_a_collector_that_does_not(self, http_collector, capsys, monkeypatch):
        """All else works without."""
        http_collector.status = 404
        monkeypatch.setenv("DAM_OBS_OTLP_PROFILES", "1")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT", http_collector.address)

        assert self.checks(capsys) == [
            {
                "name": "profiles (OTLP)",
                "state": "limited",
                "says": f"profiles are not taken by {where(http_collector)}: there is no OTLP at that path (HTTP 404); "
                "all else works without",
                "remedy": GATE,
            }
        ]

    def test_nobody_says_where(self, capsys, monkeypatch):
        """The variable to set is named."""
        monkeypatch.setenv("DAM_OBS_OTLP_PROFILES", "1")

        assert self.checks(capsys) == [
            {
                "name": "profiles (OTLP)",
                "state": "limited",
                "says": "profiles are not sent, since no collector is named; all else works without",
                "remedy": "export OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:4318, or switch otlp_profiles off",
            }
        ]
