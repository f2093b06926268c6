"""Jaeger's query API over spans that are at hand; `tests/backends` holds it to the real one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

Group = dict[str, Any]
"""What OTLP's JSON has in ``resourceSpans``, with one span in it."""


@dataclass
class Traces:
    """Spans, and what was asked for."""

    groups: Sequence[Group]
    asked: list[dict[str, str]] = field(default_factory=list)
    authorization: str | None = None

    @classmethod
    def of_lines(cls, lines: Iterable[bytes]) -> Traces:
        """Take the spans of requests in JSON."""
        return cls([one for line in lines for one in _single(json.loads(line))])

    def services(self) -> list[str]:
        """Return the names of all services."""
        return sorted({_service(group) for group in self.groups})

    def find(self, asked: dict[str, str]) -> list[Group]:
        """Return whole traces with a span of the service that began in the time that is asked for, the newest first."""
        since, until = _ns(asked["query.start_time_min"]), _ns(asked["query.start_time_max"])
        found: dict[str, int] = {}
        for group in self.groups:
            start = int(_span(group)["startTimeUnixNano"])
            if _service(group) == asked["query.service_name"] and since <= start <= until:
                trace = _span(group)["traceId"]
                found[trace] = max(start, found.get(trace, 0))
        newest = sorted(found, key=found.__getitem__, reverse=True)[: int(asked["query.search_depth"])]
        return [group for trace in newest for group in self.groups if _span(group)["traceId"] == trace]


def handler(traces: Traces) -> type[BaseHTTPRequestHandler]:
    """Return what answers as Jaeger does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            asked = {name: values[0] for name, values in parse_qs(query).items()}
            if traces.authorization is not None and self.headers.get("Authorization") != traces.authorization:
                self._answer(401, b"who are you?\n")
            elif path == "/api/v3/services":
                self._answer(200, json.dumps({"services": traces.services()}).encode())
            elif path == "/api/v3/traces":
                traces.asked.append(asked)
                self._traces(traces.find(asked))
            elif found := re.fullmatch("/api/v3/traces/([0-9a-f]+)", urlsplit(path).path):
                self._traces([group for group in traces.groups if _span(group)["traceId"] == found[1]])
            else:
                self._answer(200, b"<!DOCTYPE html>\n<title>Jaeger UI</title>\n")

        def _traces(self, groups: Sequence[Group]) -> None:
            if groups:
                self._answer(200, json.dumps({"result": {"resourceSpans": groups}}).encode())
            else:
                self._answer(404, b'{"error":{"httpCode":404,"message":"No traces found"}}\n')

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _single(request: dict[str, Any]) -> Iterable[Group]:
    for group in request["resourceSpans"]:
        for scoped in group["scopeSpans"]:
            for span in scoped["spans"]:
                yield {**group, "scopeSpans": [{**scoped, "spans": [span]}]}


def _span(group: Group) -> dict[str, Any]:
    return group["scopeSpans"][0]["spans"][0]  # type: ignore[no-any-return]


def _service(group: Group) -> str:
    pairs = group["resource"]["attributes"]
    return next(str(pair["value"]["stringValue"]) for pair in pairs if pair["key"] == "service.name")


def _ns(moment: str) -> int:
    whole, _, fraction = moment.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(f"{whole}+00:00").timestamp()) * 1_000_000_000 + int(f"{fraction:0<9}")
