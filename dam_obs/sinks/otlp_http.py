"""
OTLP over HTTP: the official exporter with our encoder before it.

What it answers to is looked at on the way, since the exporter takes a web page, a redirection and a
response that says that spans were rejected for success.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from dam_obs.sinks.otlp_answers import TAKEN, Answer, of_http, of_words, partly
from dam_obs.sinks.otlp_encoding import Encoder
from dam_obs.sinks.readable import readable_span
from dam_obs.sinks.resource import own_resource
from dam_obs.trace.events import FinishedSpan


class HttpTransport:
    """Sends requests by the official exporter; one without a client of known shape encodes for itself."""

    def __init__(self, resource: Resource | None = None, *, endpoint: str | None = None) -> None:
        """
        Make the exporter.

        Args:
            resource: Who sends.
            endpoint: Another address than the environment's, path included.
        """
        self.answer: Answer | None = None
        self._resource = resource or own_resource()
        self._exporter: Any = OTLPSpanExporter(endpoint=endpoint)
        self._client: Any = getattr(self._exporter, "_client", None)
        self.takes_bytes = callable(getattr(self._client, "export", None))
        if self._client is not None and hasattr(self._client, "_transport"):
            self._client._transport = _Listening(self._client._transport, self._hear)
        self._encode = Encoder(self._resource)

    def prepare(self, batch: Sequence[FinishedSpan]) -> tuple[Any, int]:
        """Encode; return what to send and how many bytes it has."""
        request = self._encode(batch)
        if not self.takes_bytes:
            # Encoded here for its size alone.
            return [readable_span(span, self._resource) for span in batch], request.ByteSize()
        body = request.SerializeToString()
        return body, len(body)

    def send(self, payload: Any, number: int) -> bool:
        """Send what was prepared; say whether it arrived."""
        if not self.takes_bytes:
            return self._exporter.export(payload) is SpanExportResult.SUCCESS
        self.answer = None
        success = bool(self._client.export(payload).success)
        return success if self.answer is None else self.answer.arrived

    def _hear(self, result: Any) -> None:
        self.answer = _answer(result).after(self.answer)

    def limit(self, seconds: float) -> None:
        """Let no request take longer from now on."""
        for holder in (self._exporter, self._client):
            if isinstance(getattr(holder, "_timeout", None), int | float):
                holder._timeout = min(holder._timeout, seconds)

    def shutdown(self) -> None:
        """Give up what is being sent and close the connection."""
        self._exporter.shutdown()

    def before_fork(self) -> None:
        """Do nothing: a child that makes its own connections is not hurt by this one."""


class _Listening:
    """What the exporter sends by, with an ear of ours."""

    def __init__(self, transport: Any, hear: Callable[[Any], None]) -> None:
        self._transport = transport
        self._hear = hear

    def request(self, *args: Any, **kwargs: Any) -> Any:
        result = self._transport.request(*args, **kwargs)
        self._hear(result)
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def _answer(result: Any) -> Answer:
    if result.status_code is None:
        return of_words(repr(result.error))
    body: bytes = result.content()
    kind = result.headers().get("content-type") or ""
    answer = of_http(result.status_code, kind, body)
    return _read(body) if answer is TAKEN and "protobuf" in kind else answer


def _read(body: bytes) -> Answer:
    """Return what a collector says of what it took; every signal's response has the same shape."""
    try:
        said = ExportTraceServiceResponse.FromString(body).partial_success
    except DecodeError:
        return TAKEN
    return partly(said.rejected_spans, said.error_message)
