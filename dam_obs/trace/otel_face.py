"""
The side of our span that OpenTelemetry's API asks for.

Other libraries meet our span as the current one, and call what `opentelemetry.trace.Span`
promises. None of it is needed to record a span of ours, so all of it may cost more.
Nothing here raises at a wrong argument: OpenTelemetry's API never does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceFlags, TraceState
from opentelemetry.trace import Status as OtelStatus

from dam_obs.trace import faults, ids
from dam_obs.trace.capture import capture, capture_data, error_message
from dam_obs.trace.events import SpanEvent, SpanLink, Status

if TYPE_CHECKING:
    from dam_obs.trace.roots import Origin
    from dam_obs.trace.site import CallSite

EVENTS_LIMIT = 128
"""Events and links that one span keeps; OpenTelemetry's own default."""

ATTRIBUTES_LIMIT = 128


_OUTCOMES: dict[str, Status] = {"success": "success", "error": "error", "blocked": "blocked"}


class OpenTelemetryFace:
    """What `opentelemetry.trace.Span` promises, for `dam_obs.trace.span.Span`."""

    if not TYPE_CHECKING:
        __slots__ = ()  # or `Span` would have a dict

    if TYPE_CHECKING:  # what `Span` has
        site: CallSite
        otel_trace_id: int
        span_id: int
        recording: bool
        end_ns: int
        outcome: Status
        error: tuple[str, str] | None
        origin: Origin | None
        renamed: str | None
        attributes: dict[str, Any] | None
        events: list[SpanEvent] | None
        links: list[SpanLink] | None

        @property
        def trace_id(self) -> str: ...  # noqa: D102

        def finish(self, error: BaseException | None = None, at_ns: int = 0) -> None: ...  # noqa: D102

    def get_span_context(self) -> SpanContext:
        """Return the ids; the trace state names our handle, so that another process finds its parent's."""
        state = TraceState([("dam", self.trace_id)])
        for key, value in (self.origin.state if self.origin and self.origin.state else {}).items():
            if key != "dam":
                state = state.add(key, value)
        flags = TraceFlags(TraceFlags.SAMPLED if self.recording else TraceFlags.DEFAULT)
        return SpanContext(self.otel_trace_id, self.span_id, is_remote=False, trace_flags=flags, trace_state=state)

    @property
    def context(self) -> SpanContext:
        """The ids, under the SDK's name for them."""
        return self.get_span_context()

    @property
    def name(self) -> str:
        """The span's name."""
        return self.renamed or self.site.name

    @property
    def kind(self) -> SpanKind:
        """Always internal."""
        return SpanKind.INTERNAL

    def is_recording(self) -> bool:
        """Say whether what is set on the span goes anywhere."""
        return self.recording and not self.end_ns

    def set_attribute(self, key: str, value: Any) -> None:
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
        self,
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

    def add_link(self, context: SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
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

    def update_name(self, name: str) -> None:
        """Give the span another name; its operation stays."""
        if self.is_recording():
            self.renamed = str(name)

    def set_status(
        self,
        status: OtelStatus | StatusCode | str,
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
        if isinstance(status, OtelStatus):
            description = description or status.description
            status = status.status_code
        if isinstance(status, StatusCode):
            status = "error" if status is StatusCode.ERROR else "success"
        outcome = _OUTCOMES.get(status)
        if outcome is None:
            faults.count("span.status.unknown")
            return
        self.outcome = outcome
        if description is not None and outcome == "error":
            self.error = (self.error[0] if self.error else "", str(capture(description)))

    def end(self, end_time: int | None = None) -> None:
        """End the span; a second end is no end. `end_time` is ignored: durations are ours to take."""
        self.finish()


def describe(error: BaseException) -> tuple[str, str]:
    """Return an exception's qualified type and its message, running no code of its class and never keeping it."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return name, error_message(error)
