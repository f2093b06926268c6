"""OTLP over gRPC: the official exporter with our encoder in the place of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from dam_obs.errors import DamObsError
from dam_obs.sinks import otlp_fork
from dam_obs.sinks.otlp_encoding import Encoder
from dam_obs.sinks.resource import own_resource
from dam_obs.trace import faults
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


class GrpcAfterFork(DamObsError):
    """gRPC was at work when this process was forked."""

    def __init__(self) -> None:
        super().__init__(
            "gRPC does not survive a fork while the program itself uses it, so spans of the child are not sent: "
            "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
        )


class GrpcTransport:
    """Sends requests by the official exporter, and is disconnected while the process forks."""

    def __init__(self, resource: Resource | None = None) -> None:
        self._encode = Encoder(resource or own_resource())
        self._most_seconds: float | None = None
        self._exporter: _Exporter | None = None
        self._opened()

    def _opened(self) -> _Exporter:
        if self._exporter is None:
            self._threads_are_ours = not otlp_fork.at_work()
            self._exporter = _Exporter()
            self._apply_limit()
        return self._exporter

    def prepare(self, batch: Sequence[FinishedSpan]) -> tuple[Any, int]:
        """Encode; return what to send and how many bytes it has."""
        request = self._encode(batch)
        return request, request.ByteSize()

    def send(self, payload: Any, number: int) -> bool:
        """Send what was prepared, with `number` spans; say whether it arrived."""
        prepared: Any = _Prepared(payload, number)
        return self._opened().export(prepared) is SpanExportResult.SUCCESS

    def limit(self, seconds: float) -> None:
        """Let no request take longer from now on."""
        self._most_seconds = seconds
        self._apply_limit()

    def _apply_limit(self) -> None:
        holder: Any = self._exporter
        if self._most_seconds is not None and isinstance(getattr(holder, "_timeout", None), int | float):
            holder._timeout = min(holder._timeout, self._most_seconds)

    def shutdown(self) -> None:
        """Give up what is being sent and close the connection."""
        if self._exporter is not None:
            self._exporter.shutdown()
            if self._threads_are_ours:
                otlp_fork.wait_until_gone()

    def before_fork(self) -> None:
        """Disconnect; what is sent next opens a new connection."""
        self.shutdown()
        self._exporter = None
        otlp_fork.look()


class NoTransport:
    """Sends nothing, where gRPC is not to be used."""

    def __init__(self) -> None:
        faults.report("sinks.otlp", GrpcAfterFork())

    def prepare(self, batch: Sequence[FinishedSpan]) -> tuple[Any, int]:
        """Make nothing of them."""
        return None, 0

    def send(self, payload: Any, number: int) -> bool:
        """Say that they did not arrive."""
        return False

    def limit(self, seconds: float) -> None:
        """Do nothing."""

    def shutdown(self) -> None:
        """Do nothing."""

    def before_fork(self) -> None:
        """Do nothing."""


def open_transport() -> GrpcTransport | NoTransport:
    """Return the transport for this process."""
    return NoTransport() if otlp_fork.is_lost() else GrpcTransport()
