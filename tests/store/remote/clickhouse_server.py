"""ClickHouse's HTTP interface over the embedded engine: what is asked is run by it as it is."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MAP = "Map(LowCardinality(String), String)"
NEEDED = {
    "Timestamp": "DateTime64(9)", "TraceId": "String", "SpanId": "String", "ParentSpanId": "String",
    "SpanName": "LowCardinality(String)", "ServiceName": "LowCardinality(String)", "ResourceAttributes": "@map",
    "SpanAttributes": "@map", "Duration": "UInt64", "StatusCode": "LowCardinality(String)", "StatusMessage": "String",
}  # fmt: skip
LATER = {
    "TraceState": "String", "SpanKind": "LowCardinality(String)", "ScopeName": "String", "ScopeVersion": "String",
    "Events": "Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes @map)",
    "Links": "Nested (TraceId String, SpanId String, TraceState String, Attributes @map)",
}  # fmt: skip

SCHEMAS: dict[str, dict[str, str]] = {
    "maps": {name: kind.replace("@map", MAP) for name, kind in (NEEDED | LATER).items()},
    "JSON": {name: kind.replace("@map", "JSON") for name, kind in (NEEDED | LATER).items()},
    "before scopes": {
        name: kind.replace("@map", MAP)
        for name, kind in (NEEDED | LATER | {"Duration": "Int64"}).items()
        if not name.startswith("Scope")
    },
}  # fmt: skip
"""Tables of the exporter: today's, with attributes as JSON, and of its early releases."""


class Refused(Exception):
    """The engine's own words for what is wrong with a query."""


class Engine:
    """The embedded engine, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("clickhouse_engine.py")), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def query(self, query: str, parameters: Mapping[str, str] | None = None) -> bytes:
        """Run a query as it is."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"query": query, "parameters": dict(parameters or {})}) + "\n")
        stdin.flush()
        told = json.loads(stdout.readline())
        if "error" in told:
            raise Refused(told["error"])
        return base64.b64decode(told["answer"])

    def close(self) -> None:
        """Let it end."""
        self._process.communicate(timeout=60)


@dataclass
class Database:
    """An engine with tables, and what was asked of it."""

    session: Engine
    asked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    password: str | None = None

    def table(self, name: str, columns: Mapping[str, str]) -> None:
        """Make a table as the exporter does."""
        written = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        order = "(ServiceName, SpanName, toDateTime(Timestamp))" if "ServiceName" in columns else "tuple()"
        self.session.query(f"CREATE TABLE {name} ({written}) ENGINE = MergeTree ORDER BY {order}")

    def insert(self, name: str, columns: Mapping[str, str], requests: Iterable[ExportTraceServiceRequest]) -> None:
        """Put the spans of requests into a table as the exporter does."""
        as_json = columns["SpanAttributes"] == "JSON"
        rows = [row for request in requests for row in _rows(request, as_json, "ScopeName" in columns)]
        nested = tuple(name.partition(".")[0] for name in columns)
        lines = "\n".join(
            json.dumps({key: value for key, value in row.items() if key.partition(".")[0] in nested}) for row in rows
        )
        self.session.query(f"INSERT INTO {name} FORMAT JSONEachRow {lines}")

    def ask(self, query: str, parameters: Mapping[str, str], settings: Mapping[str, str]) -> bytes:
        """Run a query as it is."""
        with self.lock:
            self.asked.append(query)
            for setting, value in settings.items():
                self.session.query(f"SET {setting} = '{value}'")
            return self.session.query(query, parameters)


@contextmanager
def database(folder: Path) -> Iterator[Database]:
    """Open an engine with an empty database ``otel``."""
    session = Engine(folder)
    try:
        session.query("CREATE DATABASE otel")
        yield Database(session)
    finally:
        session.close()


def handler(database: Database, *, after: bytes = b"") -> type[BaseHTTPRequestHandler]:
    """Return what answers as ClickHouse does; `after` stands behind the rows of each answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = dict(parse_qsl(urlsplit(self.path).query))
            parameters = {
                name.removeprefix("param_"): text for name, text in given.items() if name.startswith("param_")
            }
            settings = {name: value for name, value in given.items() if not name.startswith("param_")}
            query = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if database.password is not None and self.headers.get("X-ClickHouse-Key") != database.password:
                said = "Code: 516. DB::Exception: default: Authentication failed: password is incorrect. (version 26.1)"
                self._answer(403, said.encode(), "516")
                return
            try:
                self._answer(200, database.ask(query, parameters, settings) + after)
            except Refused as error:
                code = re.search(r"Code: (\d+)", str(error))
                self._answer(500, str(error).encode(), code[1] if code else "0")

        def _answer(self, status: int, body: bytes, code: str | None = None) -> None:
            self.send_response(status)
            if code is not None:
                self.send_header("X-ClickHouse-Exception-Code", code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


# -- a request as the exporter's rows


def _rows(request: ExportTraceServiceRequest, as_json: bool, with_scope: bool) -> Iterator[dict[str, Any]]:
    values = _raw if as_json else _texts
    for group in request.resource_spans:
        resource = _plain_attributes(group.resource.attributes)
        for scoped in group.scope_spans:
            for span in scoped.spans:
                attributes = _plain_attributes(span.attributes)
                if not with_scope:
                    attributes |= {"otel.scope.name": scoped.scope.name, "otel.scope.version": scoped.scope.version}
                yield {
                    "Timestamp": _time(span.start_time_unix_nano),
                    "TraceId": span.trace_id.hex(),
                    "SpanId": span.span_id.hex(),
                    "ParentSpanId": span.parent_span_id.hex(),
                    "TraceState": span.trace_state,
                    "SpanName": span.name,
                    "SpanKind": "Internal",
                    "ServiceName": resource.get("service.name", ""),
                    "ResourceAttributes": values(resource),
                    "ScopeName": scoped.scope.name,
                    "ScopeVersion": scoped.scope.version,
                    "SpanAttributes": values(attributes),
                    "Duration": span.end_time_unix_nano - span.start_time_unix_nano,
                    "StatusCode": ("Unset", "Ok", "Error")[span.status.code],
                    "StatusMessage": span.status.message,
                    "Events.Timestamp": [_time(event.time_unix_nano) for event in span.events],
                    "Events.Name": [event.name for event in span.events],
                    "Events.Attributes": [values(_plain_attributes(event.attributes)) for event in span.events],
                    "Links.TraceId": [link.trace_id.hex() for link in span.links],
                    "Links.SpanId": [link.span_id.hex() for link in span.links],
                    "Links.TraceState": [link.trace_state for link in span.links],
                    "Links.Attributes": [values(_plain_attributes(link.attributes)) for link in span.links],
                }


def _time(at_ns: int) -> str:
    return f"{at_ns // 1_000_000_000}.{at_ns % 1_000_000_000:09d}"


def _plain_attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: _plain(pair.value) for pair in pairs}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return _plain_attributes(value.kvlist_value.values)
    return getattr(value, kind)


def _raw(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as Go's JSON has them: a whole number has no point."""
    return {name: _go(value) for name, value in values.items()}


def _go(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_go(each) for each in value]
    return {key: _go(each) for key, each in sorted(value.items())} if isinstance(value, dict) else value


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return attributes as texts: all but texts as JSON."""
    return {
        name: value if isinstance(value, str) else json.dumps(_go(value), separators=(",", ":"), ensure_ascii=False)
        for name, value in values.items()
    }
