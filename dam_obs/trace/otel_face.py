"""
The side of our span that OpenTelemetry's API asks for.

Other libraries meet our span as the current one, and call what `opentelemetry.trace.Span`
promises. None of it is needed to record a span of ours, so all of it may cost more.
Nothing here raises at a wrong argument: OpenTelemetry's API never does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from dam_obs.trace import faults, ids
from dam_obs.trace.capture import capture, capture_data
from dam_obs.trace.events import SpanEvent, SpanLink

if TYPE_CHECKING:
    from dam_obs.trace.span import Span

EVENTS_LIMIT = 128
"""Events and links that one span keeps; OpenTelemetry's own default."""

ATTRIBUTES_LIMIT = 128


class OpenTelemetryFace:
    """What `opentelemetry.trace.Span` promises, for `dam_obs.trace.span.Span`."""

    __slots__ = ()

    def get_span_context(self: Span) -> SpanContext:  # type: ignore[misc]
        """Return the ids; the trace state names our handle, so that another process finds its parent's."""
        state = TraceState([("dam", self.trace_id)])
        for key, value in (self.trace_state or {}).items():
            if key != "dam":
                state = state.add(key, value)
        flags = TraceFlags(TraceFlags.SAMPLED if self.recording else TraceFlags.DEFAULT)
        return SpanContext(self.otel_trace_id, self.span_id, is_remote=False, trace_flags=flags, trace_state=state)

    @property
    def context(self: Span) -> SpanContext:  # type: ignore[misc]
        """The ids, under the SDK's name for them."""
        return self.get_span_context()

    @property
    def name(self: Span) -> str:  # type: ignore[misc]
        """The span's name."""
        return self.renamed or self.site.name

    @property
    def kind(self) -> SpanKind:
        """Always internal."""
        return SpanKind.INTERNAL

    def is_recording(self: Span) -> bool:  # type: ignore[misc]
        """Say whether what is set on the span goes anywhere."""
        return self.recording and not self.end_ns

    def set_attribute(self: Span, key: str, value: Any) -> None:  # type: ignore[misc]
        """Set an attribute under its own name."""
        if not self.is_recording():
            return
        if self.attributes is None:
            self.attributes = {}
        if len(self.attributes) >= ATTRIBUTES_LIMIT and key not in self.attributes:
            faults.count("span.attributes.dropped")
            return
        self.attributes[str(key)] = capture_data(value)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set several attributes."""
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def add_event(
        self: Span,  # type: ignore[misc]
        name: str,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
    ) -> None:
        """Note a moment within the span; `timestamp` is in nanoseconds since the epoch."""
        if not self.is_recording():
            return
        if self.events is None:
            self.events = []
        if len(self.events) >= EVENTS_LIMIT:
            faults.count("span.events.dropped")
            return
        data = {str(key): capture_data(value) for key, value in (attributes or {}).items()}
        self.events.append(SpanEvent(str(name), timestamp or ids.wall_ns(), data))

    def add_link(self: Span, context: SpanContext, attributes: Mapping[str, Any] | None = None) -> None:  # type: ignore[misc]
        """Link to another span."""
        if not self.is_recording():
            return
        if self.links is None:
            self.links = []
        if len(self.links) >= EVENTS_LIMIT:
            faults.count("span.links.dropped")
            return
        data = {str(key): capture_data(value) for key, value in (attributes or {}).items()}
        self.links.append(SpanLink(context.trace_id, context.span_id, data))

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Note an exception as an event, by OpenTelemetry's names; its traceback is not taken."""
        kind, message = describe(exception)
        data: dict[str, Any] = {"exception.type": kind, "exception.message": message}
        if escaped:
            data["exception.escaped"] = "True"
        data.update(attributes or {})
        self.add_event("exception", data, timestamp)

    def update_name(self: Span, name: str) -> None:  # type: ignore[misc]
        """Give the span another name; its operation stays."""
        if self.is_recording():
            self.renamed = str(name)

    def set_status(
        self: Span,  # type: ignore[misc]
        status: Status | StatusCode | str,
        description: str | None = None,
    ) -> None:
        """
        Say how it went.

        Args:
            status: ``success``, ``error`` or ``blocked``, or OpenTelemetry's own.
            description: What went wrong, for an error.
        """
        if not self.recording:
            return
        if isinstance(status, Status):
            status, description = status.status_code, description or status.description
        if isinstance(status, StatusCode):
            status = "error" if status is StatusCode.ERROR else "success"
        if status not in ("success", "error", "blocked"):
            faults.count("span.status.unknown")
            return
        self.outcome = status
        if description is not None and status == "error":
            self.error = (self.error[0] if self.error else "", str(capture(description)))

    def end(self: Span, end_time: int | None = None) -> None:  # type: ignore[misc]
        """End the span; a second end is no end. `end_time` is ignored: durations are ours to take."""
        self.finish()


def describe(error: BaseException) -> tuple[str, str]:
    """Return an exception's qualified type and its message, bounded, never raising and never keeping the exception."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    with _DESCRIBE:
        return name, str(capture(str(error)))
    return name, "(its message could not be made)"


_DESCRIBE = faults.guard("span.exception_message")
