"""
Which span is current: a value in OpenTelemetry's own context variable, and nowhere else.

Other libraries' spans nest under ours and ours under theirs, since all of them look in
the same place. What a library finds there under OpenTelemetry's key is our span; under a
key of ours stands the nearest dam-obs span, which is still to be found when another
library's span has come in between.

Making an OpenTelemetry `Context` for each span costs as much as a third of the span, and
hardly anybody asks for one. So our span itself stands in the variable, and OpenTelemetry's
runtime context is replaced by one that makes the `Context` when it is asked for. Where
the runtime context is none of the usual kind, a `Context` is made for each span.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.context.context import Context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.trace.propagation import _SPAN_KEY

SPAN_KEY: Final[str] = _SPAN_KEY
"""OpenTelemetry's key of the current span."""

DAM_KEY: Final[str] = otel_context.create_key("dam-obs-span")
"""Our key of the nearest dam-obs span."""

SUPPRESS_KEY: Final[str] = otel_context._SUPPRESS_INSTRUMENTATION_KEY
"""Set by whoever wants no spans, such as an exporter around its own requests."""


class LazyRuntimeContext(ContextVarsRuntimeContext):
    """OpenTelemetry's runtime context, over the same variable, which may hold one of our spans."""

    def __init__(self, variable: ContextVar[Any]) -> None:
        self._current_context = variable

    def get_current(self) -> Context:
        """Return the current `Context`, made now if one of our spans is current."""
        value = self._current_context.get()
        return value if isinstance(value, Context) else value.inside()


def _doors() -> tuple[Callable[[], Any], Callable[[Any], Any], bool]:
    runtime = otel_context._RUNTIME_CONTEXT
    variable = getattr(runtime, "_current_context", None)
    if isinstance(runtime, ContextVarsRuntimeContext) and isinstance(variable, ContextVar):
        otel_context._RUNTIME_CONTEXT = LazyRuntimeContext(variable)
        return variable.get, variable.set, True
    return otel_context.get_current, otel_context.attach, False


get_current, set_current, lazy = _doors()
"""
Read and replace what is current: a `Context` or, where `lazy`, one of our spans.

What was read may be put back, also later and elsewhere; `value_for` makes what to put for a span.
"""


def value_for(span: Any) -> Any:
    """Return what to make current for `span`."""
    return span if lazy else span.inside()


def suppressed() -> Context:
    """Return the current context with a mark in it that no spans are wanted."""
    return Context({**otel_context.get_current(), SUPPRESS_KEY: True})
