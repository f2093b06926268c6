"""
How a span starts that has no dam-obs span right around it.

Then it is a root, or its parent is another library's span, or one in another process.
Roots ask the sampler: the one of the provider that the host has set, or else the one
that the usual ``OTEL_TRACES_SAMPLER`` variables name. Everything below follows its parent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from opentelemetry.sdk.trace import SpanProcessor, sampling
from opentelemetry.trace import Span as ApiSpan
from opentelemetry.trace import SpanContext, TraceState

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


class Origin(msgspec.Struct, gc=False, frozen=True):
    """Where a span's trace comes from, when that is not the dam-obs span right around it."""

    trace_id: int
    parent_id: int
    """0 for a root."""
    recording: bool
    enclosing: Span | None = None
    """The nearest dam-obs span, with another library's in between."""
    is_remote: bool = False
    """The parent is in another process."""
    state: TraceState | None = None
    """W3C trace state, handed on to children."""

    @property
    def tells(self) -> bool:
        """Whether it says more than the ids do."""
        return self.state is not None or self.is_remote

    @property
    def handle(self) -> str | None:
        """The handle of the parent in another process, which its trace state names."""
        return self.state.get(HANDLE_STATE) if self.state is not None else None

    def inherited(self) -> Origin | None:
        """Return what a child takes over."""
        return None if self.state is None else Origin(0, 0, True, state=self.state)


def find(context: Context, name: str) -> Origin:
    """
    Find where a span's trace comes from.

    Args:
        context: What the span starts in.
        name: The span's name, for a sampler that asks.
    """
    wanted = not context.get(SUPPRESS_KEY)
    current: Any = context.get(SPAN_KEY)
    around: Any = context.get(DAM_KEY)
    if current is not None:
        if current is around:
            return Origin(around.otel_trace_id, around.span_id, wanted and around.recording, around)
        foreign = _foreign(current)
        if foreign is not None:
            same_trace = around is not None and around.otel_trace_id == foreign.trace_id
            return Origin(
                foreign.trace_id,
                foreign.span_id,
                wanted and foreign.trace_flags.sampled,
                around if same_trace else None,
                foreign.is_remote,
                foreign.trace_state or None,
            )
    trace_id = ids.new_id(128)
    return Origin(trace_id, 0, wanted and _sample(context, trace_id, name))


def below(around: Span) -> Origin:
    """Return the origin of a span right below `around` that does not hold it: it is known by its ids and handle."""
    state = around.get_span_context().trace_state
    return Origin(around.otel_trace_id, around.span_id, around.recording, state=state)


def _foreign(current: Any) -> SpanContext | None:
    """Return the ids of a span that is not ours, if it is a valid one."""
    with _GUARD:
        context = current.get_span_context() if isinstance(current, ApiSpan) else None
        if context is not None and context.is_valid:
            return context
    return None


def takes_all() -> bool:
    """Say whether every root is sampled, so that nobody has to be asked: the usual case."""
    if provider.installed() is not _seen:
        _meet()
    return _all


def _sample(context: Context, trace_id: int, name: str) -> bool:
    if takes_all():
        return True
    with _GUARD:
        return _sampler.should_sample(context, trace_id, name).decision is sampling.Decision.RECORD_AND_SAMPLE
    return True


_NEVER_SEEN = object()
_seen: object = _NEVER_SEEN
_sampler: sampling.Sampler = sampling.ALWAYS_ON
_all = True


def _meet() -> None:
    """Note the sampler and the processors of the provider that the host has just set, or of none."""
    global _seen, _sampler, _all, starters
    _seen = provider.installed()
    host = provider.host_provider()
    with _GUARD:
        _sampler = host.sampler if host is not None else sampling._get_from_env_or_default()
        starters = provider.start_listeners(host) if host is not None else ()
    root = getattr(_sampler, "_root", _sampler) if isinstance(_sampler, sampling.ParentBased) else _sampler
    _all = root is sampling.ALWAYS_ON


def tell_starters(span: Span, context: Context) -> None:
    """Call the processors that want to know of a span's start."""
    for processor in starters:
        with _GUARD:
            processor.on_start(span, context)  # type: ignore[arg-type]
