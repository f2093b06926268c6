"""
From a finished span to what sinks get: the event is made and redacted here, on the drain thread.

Redaction comes first, cutting to length after it: a secret that was cut in half is no
longer known for one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dam_obs.trace import folding
from dam_obs.trace.awaited_names import AwaitedNames
from dam_obs.trace.events import FinishedSpan, SpanEvent, SpanLink, TraceEvent
from dam_obs.trace.redact import Redactor, cut, summary

if TYPE_CHECKING:
    from dam_obs.trace.site import Standard
    from dam_obs.trace.span import Span

_SECOND = 1_000_000_000
_MOST_REMEMBERED = 1000
_stamps: dict[int, tuple[str, str]] = {}


class Finisher:
    """Makes `FinishedSpan` values; one for each recorder."""

    def __init__(self, redactor: Redactor, pid: int) -> None:
        self._redactor = redactor
        self._pid = pid
        self._awaited = AwaitedNames(redactor.text)
        self._constants: dict[int, tuple[Standard, dict[str, Any]]] = {}

    def __call__(self, span: Span) -> FinishedSpan:
        """Make the finished form of `span`, which lets go of its parent."""
        redactor = self._redactor
        attributes = redactor.mapping(span.attributes) if span.attributes else {}
        event = self._event(span, attributes)
        origin = span.origin
        span.below = folding.OVER
        span.let_go()
        return FinishedSpan(
            event=event,
            name=redactor.text("name", span.renamed) if span.renamed else redactor.operation(span.site.name),
            trace_id=span.otel_trace_id,
            span_id=span.span_id,
            parent_span_id=span.otel_parent_id,
            parent_is_remote=origin is not None and origin.is_remote,
            trace_state=origin.state.to_header() if origin is not None and origin.state else "",
            start_ns=span.start_wall_ns,
            end_ns=span.start_wall_ns + (event.duration_ns or 0),
            code=span.code or span.site.code,
            attributes=attributes,
            span_events=tuple(self._span_event(each) for each in span.events) if span.events else (),
            links=tuple(self._link(each) for each in span.links) if span.links else (),
            standard=self._standard(span.site.standard) if span.site.standard is not None else None,
        )

    def _standard(self, standard: Standard) -> dict[str, Any]:
        """Return a call site's constants, redacted once. Those it had are kept beside, so that the id stays theirs."""
        found = self._constants.get(id(standard))
        if found is None:
            if len(self._constants) >= _MOST_REMEMBERED:
                self._constants.clear()
            found = self._constants[id(standard)] = (standard, self._redactor.mapping(standard.constants))
        return found[1]

    def _event(self, span: Span, attributes: dict[str, Any]) -> TraceEvent:
        site = span.site
        redactor = self._redactor
        start, end = _interval(span)
        duration = end - start
        around = span.enclosing
        event = TraceEvent(
            trace_id=span.trace_id,
            parent_id=around.trace_id if around is not None else (span.origin.handle if span.origin else None),
            timestamp=_timestamp(span.start_wall_ns),
            hrm_layer=site.layer.name,
            operation=redactor.operation(site.operation),
            component=redactor.text("component", span.component or site.component),
            input_summary=self._summary("input", span.input) if span.input != "" else "",
            output_summary=self._summary("output", span.output) if span.output != "" else "",
            duration_ms=(duration + 500_000) // 1_000_000,
            status=span.outcome,
            metadata=self._metadata(span, attributes)
            if span.data or attributes or span.error is not None or span.below is not None
            else {},
            duration_ns=duration,
            otel_trace_id=f"{span.otel_trace_id:032x}",
            otel_span_id=f"{span.span_id:016x}",
            otel_parent_id=f"{span.otel_parent_id:016x}" if span.otel_parent_id else None,
            pid=self._pid,
            thread_id=span.thread,
            kind=span.event_kind,
        )
        if span.meter is not None:
            self._add_evidence(event, span, start)
        return event

    def _summary(self, key: str, value: Any) -> str:
        if value is None:
            return ""
        return summary(self._redactor.text(key, value if type(value) is str else str(value)))

    def _metadata(self, span: Span, attributes: dict[str, Any]) -> dict[str, Any]:
        metadata = self._redactor.mapping(span.data) if span.data else {}
        if span.error is not None:
            kind, message = span.error
            if message:
                metadata["error"] = cut(self._redactor.text("error", message))
            if kind:
                metadata["error.type"] = kind
        if span.below is not None and span.below.sums:
            metadata[folding.DATA] = span.below.as_data()
        standard = span.site.standard
        if standard is None:
            metadata.update(attributes)
        else:
            metadata.update({name: value for name, value in attributes.items() if name not in standard.read})
        return metadata

    def _add_evidence(self, event: TraceEvent, span: Span, start_ns: int) -> None:
        meter = span.meter
        event.start_mono_ns = start_ns
        event.code = span.code or span.site.code or None
        event.command = span.command
        if span.features:
            event.features = self._redactor.mapping(span.features)
        if meter is None or not meter.steps:
            return
        event.cpu_ns = meter.cpu_ns
        event.wait_ns = max(0, (event.duration_ns or 0) - meter.running_ns)
        event.steps = meter.steps
        event.segments = meter.segments
        event.io = meter.io
        if meter.awaited is not None and meter.steps > 1:
            event.awaited = self._awaited.of(meter.awaited, event.wait_ns)
        if meter.touched:
            event.touched = {
                kind: [self._redactor.text(kind, name) for name in names] for kind, names in meter.touched.items()
            }

    def _span_event(self, event: SpanEvent) -> SpanEvent:
        redactor = self._redactor
        return SpanEvent(redactor.text("name", event.name), event.timestamp_ns, redactor.mapping(event.attributes))

    def _link(self, link: SpanLink) -> SpanLink:
        return SpanLink(link.trace_id, link.span_id, self._redactor.mapping(link.attributes))


def _interval(span: Span) -> tuple[int, int]:
    """Return start and end by the monotonic clock; where it was measured, without what measuring cost around it."""
    if span.event_kind == "event":
        return span.start_ns, span.start_ns
    if span.meter is not None and span.meter.steps:
        return span.meter.first_ns, span.meter.last_ns
    return span.start_ns, span.end_ns


def _timestamp(wall_ns: int) -> str:
    """Return ISO 8601 with microseconds and offset; all but the fraction is made once a second."""
    second, fraction = divmod(wall_ns, _SECOND)
    stamp = _stamps.get(second)
    if stamp is None:
        if len(_stamps) > 64:
            _stamps.clear()
        local = datetime.fromtimestamp(second, UTC).astimezone()
        stamp = _stamps[second] = (local.strftime("%Y-%m-%dT%H:%M:%S."), local.isoformat()[19:])
    return f"{stamp[0]}{fraction // 1000:06d}{stamp[1]}"
