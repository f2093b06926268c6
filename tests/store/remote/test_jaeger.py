"""Jaeger's traces, read back."""

from __future__ import annotations

import gzip
import json
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trustme

from dam_obs.cli import main
from dam_obs.store.remote.jaeger import Jaeger
from dam_obs.store.remote.opening import events_of
from dam_obs.store.remote.query import Query

Told = Callable[..., str]

SECOND = 1_000_000_000
START_NS = 1_768_312_800 * SECOND


@pytest.fixture(scope="module")
def server(recording: Any, reading_back: ModuleType, jaeger_server: ModuleType) -> Iterator[tuple[str, Any]]:
    """The recorded run; the address, and the traces to look into."""
    traces = jaeger_server.Traces.of_lines(recording.lines())
    with reading_back.serving(jaeger_server.handler(traces)) as address:
        yield address, traces


def group(
    number: int, *, service: str = "shop", trace: int | None = None, seconds: float = 0, **attributes: str
) -> Any:
    """A span that began so many seconds after `START_NS`, and lasted one."""
    start = START_NS + int(seconds * SECOND)
    span = {
        "traceId": f"{(number if trace is None else trace) + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "name": "work",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + SECOND),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resource": resource, "scopeSpans": [{"spans": [span]}]}


Ask = Callable[..., tuple[list[int], Any]]


@pytest.fixture
def ask(reading_back: ModuleType, jaeger_server: ModuleType) -> Ask:
    """Return a function that asks for some of the spans that it is given: their numbers, and what was asked."""

    def ask(groups: Any, page: int = 400, **wanted: Any) -> tuple[list[int], Any]:
        traces = jaeger_server.Traces(groups)
        query = Query(**{"since_ns": START_NS, "until_ns": START_NS + 86_400 * SECOND} | wanted)
        with reading_back.serving(jaeger_server.handler(traces)) as address:
            events = events_of(f"jaeger://{address}?page={page}", query)
            assert events is not None
            return [int(event.otel_span_id or "", 16) - 1 for event in events], traces

    return ask


def test_the_report_is_the_one_of_where_the_program_ran(
    recording: Any, reading_back: ModuleType, server: tuple[str, Any], told: Told, tmp_path: Path
) -> None:
    """Stacks aside."""
    assert told("diagnose", "--from", f"jaeger://{server[0]}?page=3", "--no-draft", "--out", "back") == ""

    report = json.loads((tmp_path / "back" / "report.json").read_bytes())
    local = reading_back.comparable(recording.report())
    assert reading_back.differences(local, reading_back.comparable(report)) == []
    assert report["quality"]["source"]["kind"] == "Jaeger"


def test_the_newest_traces_are_asked_for_alone(recording: Any, server: tuple[str, Any], told: Told) -> None:
    """And shown as they are where the program ran."""
    address, traces = server
    del traces.asked[:]

    shown = told("view", "--from", f"jaeger://{address}", "--last", 4, "--jsonl")

    assert shown.splitlines() == told("view", recording.folder, "--last", 4, "--jsonl").splitlines()
    assert len(traces.asked) == 1


@pytest.mark.parametrize("storage", ["memory", "badger"])
def test_what_a_real_jaeger_answered_is_understood(storage: str, reading_back: ModuleType, tmp_path: Path) -> None:
    """Recorded from Jaeger 2.13, with the trace of where the program ran: texts that were lists are lists again."""
    recorded = json.loads(
        gzip.decompress(Path(__file__).with_name("recorded").joinpath(f"{storage}.json.gz").read_bytes())
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            services = self.path == "/api/v3/services"
            body = (recorded["services"] if services else recorded["traces"]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with reading_back.serving(Handler) as address:
        since, until = recorded["window"]
        events = events_of(f"jaeger://{address}", Query(since_ns=since, until_ns=until))
        assert events is not None
        found = {event.otel_span_id: json.loads(line(event)) for event in events}

    sent = {event["otel_span_id"]: event for event in recorded["events"]}
    for each in (*found.values(), *sent.values()):
        each.pop("segments", None)
        each["timestamp"] = datetime.fromisoformat(each["timestamp"]).timestamp()  # wherever it is looked at
    assert found == sent


def line(event: Any) -> bytes:
    import msgspec

    return msgspec.json.encode(event)


# -- paging


@pytest.mark.parametrize("page", [2, 3, 5, 400])
def test_every_span_comes_once_whatever_fits_into_an_answer(ask: Ask, page: int) -> None:
    """Bursts, deserts, traces over several services and over slices: in the order in which spans ended, by service."""
    groups = [
        *(group(number, seconds=number * 0.001) for number in range(20)),
        *(group(100 + number, trace=7, seconds=3_600 * number, service="other") for number in range(5)),
        *(group(200 + number, seconds=70_000 + number) for number in range(3)),
    ]

    found, _ = ask(groups, page=page)

    assert Counter(found) == Counter([*range(20), *range(100, 105), *range(200, 203)])


def test_time_is_cut_where_it_is_full_and_not_elsewhere(ask: Ask) -> None:
    """A day with one burst takes some dozen questions."""
    found, traces = ask([group(number, seconds=40_000 + number * 0.01) for number in range(64)], page=8)

    assert sorted(found) == list(range(64))
    assert len(traces.asked) < 80


def test_more_at_one_moment_than_fits_into_an_answer_is_told(
    reading_back: ModuleType, jaeger_server: ModuleType
) -> None:
    """Nothing else can be done about it."""
    traces = jaeger_server.Traces([group(number) for number in range(5)])
    with reading_back.serving(jaeger_server.handler(traces)) as address:
        events = events_of(f"jaeger://{address}?page=2", Query(since_ns=START_NS, until_ns=START_NS + SECOND))
        assert events is not None
        assert len(list(events)) == 2

    (note,) = events.account.notes
    assert note.startswith("shop has more traces within a microsecond than Jaeger gives at once")


@pytest.mark.parametrize("page", [2, 400])
def test_whole_traces_of_what_fits(ask: Ask, page: int) -> None:
    """Each once, whichever service and slice a span that fits is in; of the services that are wanted."""
    groups = [
        group(1, trace=1, seconds=10),
        group(2, trace=1, seconds=20, service="other", **{"dam.layer": "focus"}),
        group(3, trace=1, seconds=50_000, **{"dam.layer": "focus"}),
        group(4, trace=4, seconds=30),
        group(5, trace=5, seconds=40_000, service="other", **{"dam.layer": "focus"}),
    ]

    whole = {"layers": ("focus",), "whole_traces": True}
    assert Counter(ask(groups, page=page, **whole)[0]) == Counter([1, 2, 3, 5])
    assert Counter(ask(groups, page=page, services=("shop",), **whole)[0]) == Counter([1, 3])
    assert Counter(ask(groups, page=page, newest=1, **whole)[0]) >= Counter([1, 2, 3])


def test_only_what_is_asked_for_comes(ask: Ask) -> None:
    """By service, time, layer, status and run; a trace by its id is asked for alone."""
    groups = [
        group(1, seconds=1, **{"dam.status": "error"}),
        group(2, seconds=2, service="other"),
        group(3, seconds=3, **{"dam.layer": "focus", "dam.id": "foc_1768312803_0004"}),
    ]

    assert ask(groups, services=("other",))[0] == [2]
    assert ask(groups, statuses=("error",))[0] == [1]
    assert ask(groups, layers=("focus",))[0] == [3]
    assert ask(groups, until_ns=START_NS + 2 * SECOND)[0] == [1]
    by_id, traces = ask(groups, request=f"{3:032x}")
    assert (by_id, traces.asked) == ([2], [])
    by_handle, traces = ask(groups, since_ns=None, until_ns=None, request="foc_1768312803_0004", whole_traces=True)
    assert by_handle == [3]
    assert traces.asked[0]["query.start_time_min"] == "2026-01-13T13:00:03Z"


# -- what can be wrong


def test_nobody_answers(refused: Told) -> None:
    """One line."""
    assert refused("view", "--from", "jaeger://127.0.0.1:9") == (
        "jaeger://127.0.0.1:9 does not answer (Connection refused): look whether it runs, and correct host and port"
    )


def test_something_else_answers(server: tuple[str, Any], refused: Told) -> None:
    """Such as the pages of Jaeger, where the path is wrong."""
    uri = f"jaeger://{server[0]}/base"

    assert refused("stats", "--from", uri) == (
        f"{uri} is no query API of Jaeger v2 (its answer begins with '<!DOCTYPE html>'): correct host, port and path"
    )


def test_a_service_that_is_not_there(server: tuple[str, Any], refused: Told) -> None:
    """Those that are there are named."""
    uri = f"jaeger://{server[0]}"

    assert refused("stats", "--from", uri, "--service", "x") == f"{uri} knows no service 'x': there are shop"


def test_an_address_that_is_none(refused: Told) -> None:
    """What is wrong with it is said, with an example."""
    assert refused("view", "--from", "jaeger://host:x").startswith("jaeger://host:x is no address of a backend: Port")
    assert "'slow' is no option, there are ca, page" in refused("view", "--from", "jaeger://host?slow=1")


def test_who_asks_is_said_by_the_environment_alone(
    server: tuple[str, Any], told: Told, refused: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with it is told without it."""
    address, traces = server
    monkeypatch.setattr(traces, "authorization", "Bearer right")

    monkeypatch.setenv("JAEGER_AUTHORIZATION", "Bearer wrong")
    assert refused("stats", "--from", f"jaeger://{address}") == (
        f"jaeger://{address} does not let us in (who are you?): set JAEGER_AUTHORIZATION in the environment"
    )
    monkeypatch.setenv("JAEGER_AUTHORIZATION", "Bearer right")
    told("stats", "--from", f"jaeger://{address}")


@pytest.fixture
def with_tls(server: tuple[str, Any], jaeger_server: ModuleType, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The same with TLS; the port, and the file of who signed its certificate."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    http = ThreadingHTTPServer(("127.0.0.1", 0), jaeger_server.handler(server[1]))
    http.daemon_threads = True
    http.socket = context.wrap_socket(http.socket, server_side=True)
    from threading import Thread

    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield http.server_address[1], tmp_path / "ca.pem"
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def test_tls_is_refused_unless_its_signer_is_known(with_tls: tuple[int, Path], told: Told, refused: Told) -> None:
    """A certificate of nobody we know, of another host, and none at all: a line each."""
    port, ca = with_tls

    assert "for TLS fails (" in (said := refused("stats", "--from", f"jaeger+https://localhost:{port}"))
    assert said.endswith("name who signed its certificate with ?ca=FILE, or an address without TLS if it has none")
    assert "for TLS fails (" in refused("stats", "--from", f"jaeger+https://127.0.0.1:{port}?ca={ca}")
    assert "is no file of certificates" in refused("stats", "--from", f"jaeger+https://localhost:{port}?ca=none.pem")
    told("stats", "--from", f"jaeger+https://localhost:{port}?ca={ca}")


def test_what_a_backend_is_looked_at_for(server: tuple[str, Any]) -> None:
    """As the doctor says it."""
    assert Jaeger(f"jaeger://{server[0]}").look() == "1 service: shop"


def test_the_doctor_looks_at_a_backend(
    server: tuple[str, Any], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has, or the line that says why not."""
    monkeypatch.chdir(tmp_path)

    def source(uri: str) -> tuple[str, str, str]:
        main(["doctor", "--from", uri, "--json"])
        checks = json.loads(capsys.readouterr().out)["checks"]
        (one,) = [check for check in checks if check["name"] == "source"]
        return one["state"], one["says"], one["remedy"]

    uri = f"jaeger://{server[0]}"
    assert source(uri) == ("ok", f"{uri}: 1 service: shop", f"see its newest with `dam-obs view --from {uri}`")
    assert source("jaeger://127.0.0.1:9") == (
        "broken",
        "jaeger://127.0.0.1:9 does not answer (Connection refused)",
        "look whether it runs, and correct host and port",
    )
    assert source("tempo://x")[:2] == ("broken", "no plugin reads tempo://x")
