"""
Spans on their way out by OpenTelemetry: by the host's provider if it has set one, else by OTLP if that is asked for.

Looked up with each batch, since a host may set its provider after us. Never both: the
host's exporter would send what ours has sent already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from opentelemetry.sdk.trace import TracerProvider

from dam_obs.hookspecs import Sink
from dam_obs.sinks import metric
from dam_obs.sinks.provider import HostProviderSink
from dam_obs.trace.events import FinishedSpan
from dam_obs.trace.provider import host_provider


class OpenTelemetrySink:
    """Hands each batch to the host's provider or to OTLP."""

    def __init__(self, open_otlp: Callable[[], Sink] | None) -> None:
        """
        Make a sink.

        Args:
            open_otlp: Makes the OTLP sink, at the first batch that needs it; `None` where OTLP is off.
        """
        self._open_otlp = open_otlp
        self._otlp: Sink | None = None
        self._host: tuple[TracerProvider, HostProviderSink] | None = None
        metric.offer()

    def __call__(self, batch: Sequence[FinishedSpan]) -> None:
        """Hand over a batch."""
        sink = self._sink()
        if sink is not None:
            sink(batch)

    def _sink(self) -> Sink | None:
        provider = host_provider()
        if provider is not None:
            if self._host is None or self._host[0] is not provider:
                self._host = (provider, HostProviderSink(provider))
            return self._host[1]
        if self._otlp is None and self._open_otlp is not None:
            self._otlp = self._open_otlp()
        return self._otlp

    def flush(self, timeout: float) -> None:
        """Flush what has been used."""
        for sink in self._used():
            sink.flush(timeout)

    def close(self, timeout: float) -> None:
        """Close what has been used; the host's provider stays the host's."""
        for sink in self._used():
            sink.close(timeout)

    def before_fork(self, timeout: float) -> None:
        """Let what has been used stand still."""
        for sink in self._used():
            before_fork = getattr(sink, "before_fork", None)
            if before_fork is not None:
                before_fork(timeout)

    def _used(self) -> list[Sink]:
        return [sink for sink in (self._host[1] if self._host else None, self._otlp) if sink is not None]
