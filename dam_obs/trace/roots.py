"""
How a span starts that has no dam-obs span right around it.

Then it is a root, or its parent is another library's span, or one in another process.
Roots ask the sampler: the one of the provider that the host has set, or else the one
that the usual ``OTEL_TRACES_SAMPLER`` variables name. Everything below follows its parent.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import SpanProcessor, TracerProvider, sampling
from opentelemetry.trace import Span as ApiSpan

from dam_obs.trace import faults, ids, provider
from dam_obs.trace.context import DAM_KEY, SPAN_KEY, SUPPRESS_KEY

if TYPE_CHECKING:
    from opentelemetry.context.context import Context

    from dam_obs.trace.span import Span

HANDLE_STATE = "dam"
"""Our entry in the W3C trace state: the handle of the nearest dam-obs span."""

starters: tuple[SpanProcessor, ...] = ()
"""Processors of the host's provider that want to know of a span's start, on the caller's thread."""

_GUARD = faults.guard("span.start")
_seen_provider: TracerProvider | None = None


def adopt(span: Span, context: Context) -> None:
    """Find the parent of a span in `context`, and ask the sampler if there is none."""
    if context.get(SUPPRESS_KEY):
        span.recording = False
    current: Any = context.get(SPAN_KEY)
    if current is None or not _under(span, context, current):
        span.otel_trace_id = ids.new_id(128)
        if span.recording:
            span.recording = _sample(span, context)


def _under(span: Span, context: Context, current: Any) -> bool:
    """Make `span` a child of another library's or another process's span."""
    around: Any = context.get(DAM_KEY)
    if around is current:
        span.otel_parent_id, span.otel_trace_id = around.span_id, around.otel_trace_id
        span.recording = span.recording and around.recording
        span.trace_state = around.trace_state
    elif not _under_foreign(span, current):
        return False
    if around is not None and around.otel_trace_id == span.otel_trace_id:
        span.enclosing = around
    return True


def _under_foreign(span: Span, current: Any) -> bool:
    """Make `span` a child of a span that is not ours, if that is a valid one."""
    if not isinstance(current, ApiSpan):
        return False
    with _GUARD:
        foreign = current.get_span_context()
        if foreign.is_valid:
            span.otel_parent_id, span.otel_trace_id = foreign.span_id, foreign.trace_id
            span.recording = span.recording and foreign.trace_flags.sampled
            span.trace_state = foreign.trace_state or None
            span.parent_is_remote = foreign.is_remote
            if span.trace_state:
                span.enclosing_handle = span.trace_state.get(HANDLE_STATE)
            return True
    return False


def _sample(span: Span, context: Context) -> bool:
    host = provider.host_provider()
    if host is not _seen_provider:
        _meet(host)
    sampler = host.sampler if host is not None else _own_sampler()
    if _takes_all(sampler):
        return True
    with _GUARD:
        return bool(
            sampler.should_sample(context, span.otel_trace_id, span.site.name).decision.is_sampled()
        )
    return True


def _takes_all(sampler: sampling.Sampler) -> bool:
    """Say, for the samplers that nearly everybody has, that asking would be for nothing."""
    root = getattr(sampler, "_root", sampler) if isinstance(sampler, sampling.ParentBased) else sampler
    return root is sampling.ALWAYS_ON


@cache
def _own_sampler() -> sampling.Sampler:
    from opentelemetry.sdk.trace.sampling import _get_from_env_or_default

    return _get_from_env_or_default()


def _meet(host: TracerProvider | None) -> None:
    """Note the processors of a provider that the host has just set."""
    global _seen_provider, starters
    _seen_provider = host
    starters = provider.start_listeners(host) if host is not None else ()


def tell_starters(span: Span, context: Context) -> None:
    """Call the processors that want to know of a span's start."""
    for processor in starters:
        with _GUARD:
            processor.on_start(span, context)  # type: ignore[arg-type]
