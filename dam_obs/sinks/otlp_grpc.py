"""OTLP over gRPC: the official exporter with our encoder in the place of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from grpc import RpcError, StatusCode  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult

from dam_obs.errors import DamObsError
from dam_obs.sinks import otlp_fork
from dam_obs.sinks.otlp_answers import TAKEN, Answer, of_grpc, partly
from dam_obs.sinks.otlp_encoding import Encoder
from dam_obs.sinks.resource import own_resource
from dam_obs.trace import faults
from dam_obs.trace.events import FinishedSpan

Service = Callable[[Any], Any]
"""Makes what calls a service, of a channel."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    request: ExportTraceServiceRequest
    number: int


class _Exporter(OTLPSpanExporter):
    """The official exporter, given requests instead of spans, with an ear of ours."""

    def __init__(self, hear: Callable[[Answer], None], service: Service | None = None, **given: Any) -> None:
        self._hear = hear
        self._service = service
        super().__init__(**given)
        self._listen()  # where the exporter connects in another way than by the method below

    def _initialize_channel_and_stub(self) -> None:
        super()._initialize_channel_and_stub()  # type: ignore[no-untyped-call]
        self._listen()

    def _listen(self) -> None:
        if not isinstance(self._client, _Listening):
            client: Any = self._service(self._channel) if self._service else self._client
            self._client: Any = _Listening(client, self._hear)

    def _translate_data(self, data: Any) -> ExportTraceServiceRequest:
        request: ExportTraceServiceRequest = data.request
        return request

    def _count_data(self, data: Any) -> int:
        number: int = data.number
        return number


class _Listening:
    """What the exporter calls, with an ear of ours."""

    def __init__(self, client: Any, hear: Callable[[Answer], None]) -> None:
        self._client = client
        self._hear = hear

    def Export(self, *args: Any, **kwargs: Any) -> Any:
        try:
            response = self._client.Export(*args, **kwargs)
        except RpcError as error:
            failed: Any = error
            if failed.code() is not StatusCode.CANCELLED:  # which is our own doing: the connection was closed
                self._hear(of_grpc(failed.code().name, failed.details() or ""))
            raise
        self._hear(_read(response))
        return response


def _read(response: Any) -> Answer:
    """Return what a collector says of what it took; the field for what was rejected is named after the signal."""
    said = response.partial_success
    rejected = next((value for field, value in said.ListFields() if field.name.startswith("rejected_")), 0)
    return partly(rejected, said.error_message) if said.ListFields() else TAKEN


class GrpcAfterFork(DamObsError):
    """gRPC was at work when this process was forked."""

    def __init__(self) -> None:
        super().__init__(
            "gRPC does not survive a fork while the program itself uses it, so spans of the child are not sent: "
            "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
        )


class GrpcTransport:
    """Sends requests by the official exporter, and is disconnected while the process forks."""

    def __init__(
        self, resource: Resource | None = None, *, endpoint: str | None = None, service: Service | None = None
    ) -> None:
        """
        Make the exporter.

        Args:
            resource: Who sends.
            endpoint: Another address than the environment's.
            service: What makes the caller of another service than that of traces, of a channel.
        """
        self.answer: Answer | None = None
        self._given: dict[str, Any] = {"service": service, "endpoint": endpoint}
        self._encode = Encoder(resource or own_resource())
        self._most_seconds: float | None = None
        self._exporter: _Exporter | None = None
        self._opened()

    def _opened(self) -> _Exporter:
        if self._exporter is None:
            self._threads_are_ours = not otlp_fork.at_work()
            self._exporter = _Exporter(self._hear, **self._given)
            self._apply_limit()
        return self._exporter

    def prepare(self, batch: Sequence[FinishedSpan]) -> tuple[Any, int]:
        """Encode; return what to send and how many bytes it has."""
        request = self._encode(batch)
        return request, request.ByteSize()

    def send(self, payload: Any, number: int) -> bool:
        """Send what was prepared, with `number` spans; say whether it arrived."""
        prepared: Any = _Prepared(payload, number)
        self.answer = None
        return self._opened().export(prepared) is SpanExportResult.SUCCESS

    def _hear(self, answer: Answer) -> None:
        self.answer = answer.after(self.answer)

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

    answer = None

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
