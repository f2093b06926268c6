"""OTLP over gRPC: the official exporter with our encoder in the place of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from dam_obs.sinks.otlp_encoding import Encoder
from dam_obs.sinks.resource import own_resource
from dam_obs.trace.events import FinishedSpan


@dataclass(frozen=True, slots=True)
class _Prepared:
    request: ExportTraceServiceRequest
    number: int


class _Exporter(OTLPSpanExporter):
    """The official exporter, given requests instead of spans."""

    def _translate_data(self, data: Any) -> ExportTraceServiceRequest:
        request: ExportTraceServiceRequest = data.request
        return request

    def _count_data(self, data: Any) -> int:
        number: int = data.number
        return number


class GrpcTransport:
    """Sends requests by the official exporter."""

    def __init__(self, resource: Resource | None = None) -> None:
        self._encode = Encoder(resource or own_resource())
        self._exporter = _Exporter()

    def prepare(self, batch: Sequence[FinishedSpan]) -> tuple[Any, int]:
        """Encode; return what to send and how many bytes it has."""
        request = self._encode(batch)
        return request, request.ByteSize()

    def send(self, payload: Any, number: int) -> bool:
        """Send what was prepared, with `number` spans; say whether it arrived."""
        prepared: Any = _Prepared(payload, number)
        return self._exporter.export(prepared) is SpanExportResult.SUCCESS

    def limit(self, seconds: float) -> None:
        """Let no request take longer from now on."""
        holder: Any = self._exporter
        if isinstance(getattr(holder, "_timeout", None), int | float):
            holder._timeout = min(holder._timeout, seconds)

    def shutdown(self) -> None:
        """Give up what is being sent and close the connection."""
        self._exporter.shutdown()
