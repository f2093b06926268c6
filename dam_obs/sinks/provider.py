"""
Hand spans to the processors of a provider that the host has set.

They get each span as the SDK would have made it, at its end, from the drain thread.
"""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk.trace import TracerProvider

from dam_obs.sinks.readable import readable_span
from dam_obs.trace import faults
from dam_obs.trace.events import FinishedSpan
from dam_obs.trace.provider import processors

_ON_END = faults.guard("sinks.provider")


class HostProviderSink:
    """Feeds one provider; it is the host's, so it is flushed and never shut down."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    def __call__(self, batch: Sequence[FinishedSpan]) -> None:
        """Hand over a batch; a processor that raises keeps nothing from the others."""
        resource = self._provider.resource
        # Asked for each time: the host may add one at any time.
        receivers = processors(self._provider)
        for span in batch:
            with _ON_END:
                readable = readable_span(span, resource)
                for processor in receivers:
                    with _ON_END:
                        processor.on_end(readable)

    def flush(self, timeout: float) -> None:
        """Let the provider bring what it holds to its place."""
        self._provider.force_flush(int(timeout * 1000))

    def close(self, timeout: float) -> None:
        """Flush: the host ends its provider itself."""
        self.flush(timeout)
