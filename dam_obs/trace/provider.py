"""
The host's OpenTelemetry provider, where it has set one: used, never replaced.

It may be set before us or after us, so it is looked up each time; that is one attribute.
"""

from __future__ import annotations

from opentelemetry import trace as otel_trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider


def installed() -> object:
    """Return whatever provider somebody has set, the SDK's or not; `None` for none."""
    # `get_tracer_provider()` would make one where OTEL_PYTHON_TRACER_PROVIDER asks for it: that is the host's to do.
    return otel_trace._TRACER_PROVIDER


def host_provider() -> TracerProvider | None:
    """Return the SDK provider that somebody has set, if any."""
    provider = installed()
    # Logfire and others put a proxy of theirs in front of the SDK's.
    provider = getattr(provider, "provider", provider)
    return provider if isinstance(provider, TracerProvider) else None


def processors(provider: TracerProvider) -> tuple[SpanProcessor, ...]:
    """Return the processors of a provider, one by one."""
    active = provider._active_span_processor
    return tuple(getattr(active, "_span_processors", (active,)))


def start_listeners(provider: TracerProvider) -> tuple[SpanProcessor, ...]:
    """Return the processors that do something when a span starts."""
    return tuple(processor for processor in processors(provider) if _own_on_start(processor))


def _own_on_start(processor: SpanProcessor) -> bool:
    """Say whether a processor has an `on_start` that is more than the SDK's empty ones."""
    owner = next((kind for kind in type(processor).__mro__ if "on_start" in kind.__dict__), SpanProcessor)
    return not owner.__module__.startswith("opentelemetry.sdk.trace")
