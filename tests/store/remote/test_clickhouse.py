"""The table of the collector's ClickHouse exporter, read back from the embedded engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dam_obs.store.remote.clickhouse import ClickHouse
from dam_obs.store.remote.events import Account
from dam_obs.store.remote.opening import events_of
from dam_obs.store.remote.otlp_file import OtlpFiles
from dam_obs.store.remote.query import Query

Told = Callable[..., str]
TABLES = ("maps", "JSON", "before scopes")


@pytest.fixture(scope="module")
def server(
    recording: Any, reading_back: ModuleType, clickhouse_server: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Any]]:
    """The recorded run in a table of each kind; the address, and the database to look into."""
    with clickhouse_server.database(tmp_path_factory.mktemp("clickhouse") / "data") as database:
        for kind in TABLES:
            columns = clickhouse_server.SCHEMAS[kind]
            name = f"otel.`{kind}`"
            database.table(name, columns)
            database.insert(name, columns, recording.requests)
        database.session.query("CREATE TABLE otel.strange (SpanId String, Timestamp DateTime) ENGINE = Memory")
        with reading_back.serving(clickhouse_server.handler(database)) as address:
            yield address, database


@pytest.fixture(params=TABLES)
def uri(server: tuple[str, Any], request: pytest.FixtureRequest) -> str:
    """Of each table."""
    return f"clickhouse://{server[0]}/otel?table={request.param}"


def pairs(attributes: Any) -> dict[str, Any]:
    return {pair["key"]: pair["value"] for pair in attributes}


def spans_of(source: Any, query: Query | None = None) -> dict[str, Any]:
    """Return the spans that are found by their ids, with all that was sent of them."""
    account: Account = source.account(query or Query())
    return {
        span.span_id: (
            span.trace_id, span.parent_span_id, span.start_ns, span.end_ns, span.span["name"], span.scope,
            dict(span.attributes), dict(span.resource),
            (span.span.get("status") or {}).get("message") or "",
            [(e["name"], int(e["timeUnixNano"]), pairs(e["attributes"])) for e in span.span.get("events") or ()],
            [(link["traceId"], link["spanId"], pairs(link["attributes"])) for link in span.span.get("links") or ()],
        )
        for page in source.pages(account)
        for span in page
    }  # fmt: skip


def test_the_report_is_the_one_of_where_the_program_ran(
    recording: Any, reading_back: ModuleType, told: Told, uri: str, tmp_path: Path
) -> None:
    """Whichever table the exporter made."""
    assert told("diagnose", "--from", uri, "--no-draft", "--out", "back") == ""

    report = json.loads((tmp_path / "back" / "report.json").read_bytes())
    local = reading_back.comparable(recording.report())
    assert reading_back.differences(local, reading_back.comparable(report)) == []
    assert report["quality"]["source"]["kind"] == "ClickHouse"
    assert report["quality"]["source"]["loses"]


def test_spans_come_back_whole(recording: Any, uri: str, tmp_path: Path) -> None:
    """Ids, parents, times, resource, library, events, links, status, and attributes with their types."""
    (tmp_path / "otlp.jsonl").write_bytes(b"".join(recording.lines()))

    sent = spans_of(OtlpFiles(f"otlp-file:{tmp_path}/otlp.jsonl"))

    found = spans_of(ClickHouse(uri))

    # What is lost, and said to be: of events and links nobody knows which values were texts that look like numbers.
    lost = [] if "JSON" in uri else [{"intValue": "42"}]
    for *_, events, _ in found.values():
        for _, _, attributes in events:
            if attributes["key"] in lost:
                attributes["key"] = {"stringValue": "42"}
    for *_, resource, _, _, _ in found.values() if "JSON" in uri else ():
        moment = datetime.fromisoformat(resource["process.creation.time"])
        resource["process.creation.time"] = moment.isoformat(timespec="milliseconds")
    assert found == sent


def test_the_query_goes_to_the_database(recording: Any, server: tuple[str, Any], told: Told) -> None:
    """Time, service, run, layer, status and how many: what is not wanted does not come over the network."""
    address, database = server
    uri = f"clickhouse://{address}/otel?table=maps"
    del database.asked[:]

    counted = json.loads(
        told("stats", "--from", uri, "--service", "shop", "--run", recording.folder.name, "--since", "1h",
             "-f", "layer:system status:error component:*Refuser*", "--last", 2, "--json")
    )  # fmt: skip
    exact = json.loads(told("stats", "--from", uri, "-f", "status:error", "--last", 2, "--json"))

    assert (counted["events_in_trace"], counted["events"]) == (3, 2)
    assert (exact["events_in_trace"], exact["events"]) == (2, 2)
    rows = [query for query in database.asked if "SpanAttributes AS attributes" in query]
    assert [("LIMIT 2" in query, "ServiceName IN ({p0:String})" in query) for query in rows] == [
        (False, True),
        (True, False),
    ]


def test_a_trace_is_shown_whole(recording: Any, server: tuple[str, Any], told: Told) -> None:
    """What is asked for brings what it is in: by filter, by handle and by OpenTelemetry's ids."""
    uri = f"clickhouse://{server[0]}/otel?table=maps"
    local = [json.loads(line) for line in told("view", recording.folder, "--jsonl", "--last", 1000).splitlines()]
    packer = next(event for event in local if event["component"] == "<packing.Packer>" and event["parent_id"])

    for identity in (packer["trace_id"], packer["otel_span_id"], packer["otel_trace_id"]):
        shown = json.loads(told("view", "--from", uri, "--trace-id", identity, "--json"))
        assert shown == json.loads(told("view", recording.folder, "--trace-id", identity, "--json")) | {
            name: shown[name] for name in ("trace", "events_in_trace") if name in shown
        }


def test_time_is_asked_for_in_pieces(recording: Any, server: tuple[str, Any]) -> None:
    """Each has so many spans at least; together they are all, each once."""
    address, database = server
    uri = f"clickhouse://{address}/otel?table=maps&at_once=2"
    del database.asked[:]

    whole = spans_of(ClickHouse(f"clickhouse://{address}/otel?table=maps"))
    in_pieces = spans_of(ClickHouse(uri))

    assert in_pieces == whole
    assert len([query for query in database.asked if "minute" in query]) == 2


# -- what can be wrong


def test_a_table_that_is_not_there(server: tuple[str, Any], refused: Told) -> None:
    """Those that are like it are named."""
    uri = f"clickhouse://{server[0]}/otel?table=none"

    assert refused("view", "--from", uri) == (
        f"{uri} has no table otel.none: there are JSON, before scopes, maps, strange; name another with ?table=NAME"
    )


def test_a_database_that_is_not_there(server: tuple[str, Any], refused: Told) -> None:
    """Is told likewise."""
    uri = f"clickhouse://{server[0]}/nowhere"

    assert refused("stats", "--from", uri).startswith(f"{uri} has no table nowhere.otel_traces: it has none")


def test_a_table_of_another_schema(server: tuple[str, Any], refused: Told) -> None:
    """What is missing is named."""
    uri = f"clickhouse://{server[0]}/otel?table=strange"

    assert refused("diagnose", "--from", uri) == (
        f"{uri}: table strange is not one of the collector's ClickHouse exporter (it has no TraceId, ParentSpanId, "
        "SpanName, ServiceName, ResourceAttributes, SpanAttributes, Duration, StatusCode and 1 more): name the table "
        "of its traces with ?table=NAME"
    )


def test_nothing_in_the_window(server: tuple[str, Any], refused: Told, tmp_path: Path) -> None:
    """Is said with the window, and leaves no folder behind."""
    uri = f"clickhouse://{server[0]}/otel?table=maps"

    assert refused("diagnose", "--from", uri, "--until", "2026-01-13T15:00Z", "--service", "x") == (
        f"{uri} has no span of service x from 2026-01-12T15:00:00Z to 2026-01-13T15:00:00Z: widen that with --since, "
        "or see what it has with `dam-obs doctor --from`"
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".gitignore"] == []


def test_a_password_comes_from_the_environment(
    server: tuple[str, Any], told: Told, refused: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never from the address; one that is wrong is told in a line that does not show it."""
    address, database = server
    uri = f"clickhouse://reader@{address}/otel?table=maps"
    monkeypatch.setattr(database, "password", "hunter2")

    monkeypatch.setenv("CLICKHOUSE_PASSWORD", "wrong one")
    said = refused("stats", "--from", uri)
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", "hunter2")
    told("stats", "--from", uri)

    assert said == (
        f"{uri} does not let us in (default: Authentication failed: password is incorrect.): set CLICKHOUSE_USER and "
        "CLICKHOUSE_PASSWORD in the environment"
    )
    with_password = refused("stats", "--from", f"clickhouse://reader:hunter2@{address}/otel")
    assert "hunter2" not in with_password
    assert "a password does not belong into it but into the environment" in with_password


@pytest.mark.parametrize(
    "after",
    [
        b"Code: 241. DB::Exception: Memory limit exceeded (version 26.1)\n",
        b"\r\n__exception__\r\nabcdef\r\nCode: 241. DB::Exception: Memory limit exceeded\r\n",
    ],
    ids=["as older ones say it", "as newer ones say it"],
)
def test_a_failure_in_the_midst_of_an_answer(
    server: tuple[str, Any], clickhouse_server: ModuleType, reading_back: ModuleType, refused: Told, after: bytes
) -> None:
    """What came until then is not taken for all."""
    with reading_back.serving(clickhouse_server.handler(server[1], after=after)) as address:
        uri = f"clickhouse://{address}/otel?table=maps"

        assert refused("stats", "--from", uri) == (
            f"{uri} failed: Memory limit exceeded; ask for less with --since, --until or --service"
        )


def test_a_name_that_is_sql_stays_a_name(server: tuple[str, Any], refused: Told) -> None:
    """What a user writes is a parameter, or quoted."""
    uri = f"clickhouse://{server[0]}/otel?table=maps`%20UNION%20ALL%20SELECT%201"
    assert "has no table otel.maps` UNION ALL SELECT 1" in refused("stats", "--from", uri)

    events = events_of(f"clickhouse://{server[0]}/otel?table=maps", Query(services=("x') OR 1=1 --",)))
    with pytest.raises(Exception, match="has no span of service"):
        list(events or ())
