"""OTLP over HTTP: the official exporter with our encoder before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from dam_obs.sinks.otlp_encoding import Encoder
from dam_obs.sinks.readable import readable_span
from dam_obs.sinks.resource import own_resource
from dam_obs.trace.events import FinishedSpan


class HttpTransport:
    """Sends requests by the official exporter; one without a client of known shape encodes for itself."""

    def __init__(self, resource: Resource | None = None) -> None:
        self._resource = resource or own_resource()
        self._exporter: Any = OTLPSpanExporter()
        self._client: Any = getattr(self._exporter, "_client", None)
        self._takes_bytes = callable(getattr(self._client, "export", None))
        self._encode = Encoder(self._resource)

    def prepare(self, batch: Sequence[FinishedSpan]) -> tuple[Any, int]:
        """Encode; return what to send and how many bytes it has."""
        request = self._encode(batch)
        if not self._takes_bytes:
            # Encoded here for its size alone.
            return [readable_span(span, self._resource) for span in batch], request.ByteSize()
        body = request.SerializeToString()
        return body, len(body)

    def send(self, payload: Any, number: int) -> bool:
        """Send what was prepared; say whether it arrived."""
        if not self._takes_bytes:
            return self._exporter.export(payload) is SpanExportResult.SUCCESS
        return bool(self._client.export(payload).success)

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
