"""
Our span: two clocks, an id, a context variable, a dict and an append; nothing else on the caller's thread.

It is current in OpenTelemetry's own context and is OpenTelemetry's API `Span`, so other
libraries nest under it and it under theirs. At its end it goes, as it is, onto the
recorder's queue; making the event, redacting and encoding happen on the drain thread.

It is a `msgspec.Struct` without garbage collection, the fastest object there is to make.
So it must never be part of a cycle: it keeps no exception, no traceback, no context that
it is current in, and drops its parent when it is drained.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

import msgspec
from opentelemetry import trace as otel_trace
from opentelemetry.context.context import Context
from opentelemetry.trace import TraceState

from dam_obs.trace import features, ids, roots
from dam_obs.trace.capture import SCALARS, capture, capture_data
from dam_obs.trace.context import DAM_KEY, SPAN_KEY, SUPPRESS_KEY, get_current, set_current
from dam_obs.trace.events import Scalar, SpanEvent, SpanLink, Status
from dam_obs.trace.handles import HandleBook
from dam_obs.trace.otel_face import OpenTelemetryFace, describe
from dam_obs.trace.queue import Queue
from dam_obs.trace.site import CallSite

if TYPE_CHECKING:
    from dam_obs.trace.meter import Meter

SHORT: Final = 8192
"""Strings up to this length are kept without a call."""

handles = HandleBook()
queue: Queue[Span] = Queue()
"""Finished spans on their way to the drain thread."""


class Span(OpenTelemetryFace, msgspec.Struct, gc=False, eq=False, kw_only=False):
    """
    One run of a trace point.

    Use it as a context manager, also around ``await``::

        with tracer.span("mem", "write", "manager.py", key) as span:
            ...
            span.set_output("written", tokens_saved=45)

    A span that is to stay open over a ``yield`` must not be current there: see `steps`.
    """

    site: CallSite
    input: Scalar = ""
    data: dict[str, Any] | None = None
    """The trace point's data by name."""
    output: Scalar = ""
    outcome: Status = "success"
    error: tuple[str, str] | None = None
    """Type and message of what it failed with."""

    otel_trace_id: int = 0
    span_id: int = 0
    otel_parent_id: int = 0
    recording: bool = True
    """Sampled. A span that is not is current like any other, and is dropped at its end."""
    start_wall_ns: int = 0
    start_ns: int = 0
    end_ns: int = 0
    thread: int = 0
    base: Context | None = None
    """The context that it was started in, to go back to."""
    enclosing: Span | None = None
    """The nearest dam-obs span around it, until it is drained."""
    enclosing_handle: str | None = None
    handle: str | None = None
    parent_is_remote: bool = False
    trace_state: TraceState | None = None

    component: str | None = None
    """Where it differs from the call site's."""
    renamed: str | None = None
    attributes: dict[str, Any] | None = None
    """What was set by OpenTelemetry's own calls."""
    events: list[SpanEvent] | None = None
    links: list[SpanLink] | None = None
    is_moment: bool = False
    meter: Meter | None = None
    features: dict[str, Scalar] | None = None
    command: str | None = None

    # -- start and end

    def start(self) -> None:
        """Start the clock under whatever is current, without becoming current."""
        context = get_current()
        self.base = context
        around = context.get(DAM_KEY)
        current = context.get(SPAN_KEY)
        if current is around and around is not None and SUPPRESS_KEY not in context:
            self.enclosing = around  # type: ignore[assignment]
            self.otel_trace_id = around.otel_trace_id  # type: ignore[attr-defined]
            self.otel_parent_id = around.span_id  # type: ignore[attr-defined]
            self.recording = around.recording  # type: ignore[attr-defined]
            self.trace_state = around.trace_state  # type: ignore[attr-defined]
        else:
            roots.adopt(self, context)
        self.span_id = ids.new_id(64)
        if self.recording:
            self.thread = ids.thread_id()
            self.start_wall_ns = ids.wall_ns()
            if roots.starters:
                roots.tell_starters(self, context)
        self.start_ns = ids.monotonic_ns()

    def __enter__(self) -> Span:
        self.start()
        set_current(Context({**self.base, SPAN_KEY: self, DAM_KEY: self}))  # type: ignore[dict-item]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.leave()
        self.finish(error)

    def leave(self) -> None:
        """Be current no more."""
        # Elsewhere than where it was entered (a generator that somebody else closes), something else is current.
        if get_current().get(DAM_KEY) is self:
            set_current(self.base)  # type: ignore[arg-type]

    def finish(self, error: BaseException | None = None, at_ns: int = 0) -> None:
        """
        End the span; a second end is no end.

        Args:
            error: What the work failed with.
            at_ns: When it ended by the monotonic clock; 0: now.
        """
        if self.end_ns:
            return
        self.end_ns = at_ns or ids.monotonic_ns()
        self.base = None
        if not self.recording:
            return
        if error is not None:
            self.fail(error)
        queue.put(self)

    def fail(self, error: BaseException) -> None:
        """Note what it failed with. A generator that its consumer closed early has not failed."""
        if isinstance(error, GeneratorExit):
            self.set_data("closed_early", True)
            return
        self.outcome = "error"
        self.error = describe(error)

    # -- what is said about it

    @property
    def trace_id(self) -> str:
        """The handle, ``alt_1705180800_a3f2``, under the seed's name for it."""
        if self.handle is None:
            self.handle = handles.issue(self.site.layer.code, self.start_wall_ns // 1_000_000_000, self.span_id)
        return self.handle

    def set_input(self, value: object) -> None:
        """Say what went in."""
        self.input = value if type(value) is str and len(value) < SHORT else capture(value)

    def set_output(self, output: object, /, **data: Any) -> None:
        """Say what came out, and add data by name."""
        self.output = output if type(output) is str and len(output) < SHORT else capture(output)
        if data:
            self.add_data(data)

    def set_data(self, name: str, value: object) -> None:
        """Set one piece of the trace point's data."""
        if self.data is None:
            self.data = {}
        self.data[name] = value if type(value) in SCALARS and type(value) is not str else capture_data(value)

    def add_data(self, data: dict[str, Any]) -> None:
        """Set several; `data` becomes the span's own."""
        keep(data)
        if self.data is None:
            self.data = data
        else:
            self.data.update(data)

    def set_component(self, name: object) -> None:
        """Name the component where the call site cannot."""
        self.component = str(capture(name))

    def set_command(self, command: object) -> None:
        """Name the command it runs for; in measured runs its features are taken for cost models."""
        if self.meter is not None:
            self.features = features.of(command)
            self.command = features.type_of(command)


otel_trace.Span.register(Span)


def keep(data: dict[str, Any]) -> None:
    """Make all values of `data` fit to be kept: what may change later is copied, bounded, now."""
    for name, value in data.items():
        kind = type(value)
        if kind is str:
            if len(value) >= SHORT:
                data[name] = capture(value)
        elif kind not in SCALARS:
            data[name] = capture_data(value)


class Nothing:
    """
    Stands in for a span while recording is off: false, and silent.

    So both ``if span:`` of code written against the seed and unguarded calls work.
    """

    __slots__ = ()
    trace_id = ""

    def __bool__(self) -> bool:
        return False

    def __enter__(self) -> Nothing:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def set_input(self, value: object) -> None:
        """Do nothing."""

    def set_output(self, output: object, /, **data: Any) -> None:
        """Do nothing."""

    def set_data(self, name: str, value: object) -> None:
        """Do nothing."""

    def set_component(self, name: object) -> None:
        """Do nothing."""

    def set_command(self, command: object) -> None:
        """Do nothing."""

    def set_status(self, status: object, description: str | None = None) -> None:
        """Do nothing."""

    def set_attribute(self, key: str, value: object) -> None:
        """Do nothing."""

    def finish(self, error: BaseException | None = None) -> None:
        """Do nothing."""


NOTHING: Final = Nothing()
