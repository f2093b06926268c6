"""
A finished span as the SDK's `ReadableSpan`, for processors and exporters that know no other.

Making one costs several times what recording did; so it is only made on the drain thread,
for a provider of the host's or where our own encoder cannot be used.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from dam_obs.sinks.attributes import attributes, carried, error_description, is_error
from dam_obs.trace.events import FinishedSpan, SpanLink


def _own_version() -> str:
    try:
        return version("dam-obs")
    except PackageNotFoundError:
        return ""


SCOPE: Final = InstrumentationScope("dam_obs", _own_version())
"""Says who made the spans."""

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_UNSET: Final = Status(StatusCode.UNSET)


def readable_span(span: FinishedSpan, resource: Resource, scope: InstrumentationScope = SCOPE) -> ReadableSpan:
    """Return `span` as the SDK has it, under `resource`."""
    state = TraceState.from_header([span.trace_state]) if span.trace_state else TraceState()
    return ReadableSpan(
        name=span.name,
        context=SpanContext(span.trace_id, span.span_id, is_remote=False, trace_flags=_SAMPLED, trace_state=state),
        parent=_parent(span, state),
        resource=resource,
        attributes=attributes(span),
        events=[Event(event.name, carried(event.attributes), event.timestamp_ns) for event in span.span_events],
        links=[_link(link) for link in span.links],
        kind=SpanKind(span.otel_kind),
        status=Status(StatusCode.ERROR, error_description(span)) if is_error(span) else _UNSET,
        start_time=span.start_ns,
        end_time=span.end_ns,
        instrumentation_scope=scope,
    )


def _parent(span: FinishedSpan, state: TraceState) -> SpanContext | None:
    if not span.parent_span_id:
        return None
    return SpanContext(
        span.trace_id, span.parent_span_id, is_remote=span.parent_is_remote, trace_flags=_SAMPLED, trace_state=state
    )


def _link(link: SpanLink) -> Link:
    context = SpanContext(link.trace_id, link.span_id, is_remote=False, trace_flags=_SAMPLED)
    return Link(context, carried(link.attributes))
