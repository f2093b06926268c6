"""
Which span is current: a value in OpenTelemetry's own context, and nowhere else.

Our spans stand there under OpenTelemetry's key, so that other libraries' spans nest
under them, and under a key of ours, so that a dam-obs span finds its nearest dam-obs
ancestor through other libraries' spans in between.

OpenTelemetry's functions for this cost two Python calls each; where its runtime context
is the usual one we use the `ContextVar` inside it, and its functions everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context.context import Context
from opentelemetry.trace.propagation import _SPAN_KEY

SPAN_KEY: str = _SPAN_KEY
"""OpenTelemetry's key of the current span."""

DAM_KEY: str = otel_context.create_key("dam-obs-span")
"""Our key of the nearest enclosing dam-obs span."""

SUPPRESS_KEY: str = otel_context._SUPPRESS_INSTRUMENTATION_KEY
"""Set by whoever wants no spans, such as an exporter around its own requests."""


def _doors() -> tuple[Callable[[], Context], Callable[[Context], Any]]:
    runtime = otel_context._RUNTIME_CONTEXT
    variable = getattr(runtime, "_current_context", None)
    if isinstance(variable, ContextVar):
        return variable.get, variable.set
    return otel_context.get_current, otel_context.attach


get_current, set_current = _doors()
"""Read and replace the current OpenTelemetry context."""


def suppressed() -> Context:
    """Return the current context with a mark in it that no spans are wanted."""
    return Context({**get_current(), SUPPRESS_KEY: True})
