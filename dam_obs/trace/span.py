"""
Our span: two clocks, an id, a context variable, a dict and an append; nothing else on the caller's thread.

It is current in OpenTelemetry's own context and is OpenTelemetry's API `Span`, so other
libraries nest under it and it under theirs. At its end it goes, as it is, onto the
recorder's queue; making the event, redacting and encoding happen on the drain thread.

It is a `msgspec.Struct` without garbage collection, the fastest object there is to make.
So it must never be part of a cycle: it keeps no exception, no traceback, no context that
it is current in, and drops its parent when it is drained. Spans that a program enters and
never leaves hold each other only up to a depth: see `DEEPEST`.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

import msgspec
from opentelemetry import trace as otel_trace
from opentelemetry.context.context import Context

from dam_obs.trace import faults, features, ids, roots
from dam_obs.trace.capture import SCALARS, capture, capture_data
from dam_obs.trace.context import DAM_KEY, SPAN_KEY, get_current, lazy, set_current
from dam_obs.trace.events import FinishedSpan, Kind, Scalar, SpanEvent, SpanLink, Status
from dam_obs.trace.handles import HandleBook
from dam_obs.trace.otel_face import OpenTelemetryFace, describe
from dam_obs.trace.queue import Queue
from dam_obs.trace.roots import Origin
from dam_obs.trace.site import CallSite

if TYPE_CHECKING:
    from dam_obs.trace.folding import Below
    from dam_obs.trace.meter import Meter

SHORT: Final = 8192
"""Strings up to this length are kept without a call."""

DEEPEST: Final = 1000
"""
Spans open in each other that hold each other.

A span below that knows its parent by its ids, and when it is left, none of those around it is current again. Else
spans that are entered and never left would take ever more memory, and more stack at their end than there is.
"""

handles = HandleBook()
queue: Queue[Span | FinishedSpan] = Queue()
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

    # The first ones are given by `begin`, in this order: setting one later costs a third of making the whole span.
    site: CallSite
    input: Scalar
    data: dict[str, Any] | None
    """The trace point's data by name."""
    base: Context | Span | None
    """What was current when it started, to go back to."""
    enclosing: Span | None
    """The nearest dam-obs span around it; dropped when drained."""
    otel_trace_id: int
    otel_parent_id: int
    recording: bool
    """Sampled. A span that is not is current like any other, and is dropped at its end."""
    span_id: int
    thread: int
    start_wall_ns: int
    start_ns: int
    depth: int = 0
    """Spans that it holds by `base`."""
    end_ns: int = 0

    output: Scalar = ""
    outcome: Status = "success"
    error: tuple[str, str] | None = None
    """Type and message of what it failed with."""
    component: str | None = None
    """Where it differs from the call site's."""
    code: dict[str, str | int] | None = None
    """Likewise; shared by all spans of one system."""
    handle: str | None = None
    origin: Origin | None = None
    """Set where the parent is no dam-obs span."""
    renamed: str | None = None
    attributes: dict[str, Any] | None = None
    """What was set by OpenTelemetry's own calls."""
    events: list[SpanEvent] | None = None
    links: list[SpanLink] | None = None
    event_kind: Kind = "span"
    meter: Meter | None = None
    features: dict[str, Scalar] | None = None
    command: str | None = None
    below: Below | None = None
    """Spans that were counted on it; the drain thread's alone."""

    # -- being current, and the end

    def __enter__(self) -> Span:
        set_current(self if lazy else self.inside())
        return self

    def inside(self) -> Context:
        """Return the OpenTelemetry context in which this span is current, for who asks for one."""
        return Context({**self.real_base(), SPAN_KEY: self, DAM_KEY: self})

    def real_base(self) -> Context:
        """Return the nearest context below that is no span of ours."""
        base: Any = self.base
        while type(base) is Span:
            base = base.base
        return base if base is not None else Context()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        current = get_current()
        # Elsewhere than where it was entered (a generator that somebody else closes), something else is current.
        if current is self or (type(current) is not Span and current.get(DAM_KEY) is self):
            set_current(self.base)
        if self.end_ns == 0:
            if error is not None:
                self.fail(error)
            self.end_ns = ids.monotonic_ns()
            if self.recording:
                queue.put(self)

    def leave(self) -> None:
        """Be current no more, and go on."""
        current = get_current()
        if current is self or (type(current) is not Span and current.get(DAM_KEY) is self):
            set_current(self.base)

    def let_go(self) -> None:
        """Once drained: keep neither parents nor contexts, however long somebody keeps this span current."""
        base = self.real_base()
        if DAM_KEY in base:
            base = Context({key: value for key, value in base.items() if key not in (SPAN_KEY, DAM_KEY)})
        self.base = base
        self.enclosing = None

    def finish(self, error: BaseException | None = None, at_ns: int = 0) -> None:
        """
        End the span; a second end is no end.

        Args:
            error: What the work failed with.
            at_ns: When it ended by the monotonic clock; 0: now.
        """
        if self.end_ns == 0:
            if error is not None:
                self.fail(error)
            self.end_ns = at_ns or ids.monotonic_ns()
            if self.meter is not None:
                self.meter.settle()
            if self.recording:
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
        if self.meter is not None and command is not None:
            self.features = features.of(command)
            self.command = features.type_of(command)


otel_trace.Span.register(Span)


def begin(site: CallSite, around: Any, input_data: Scalar = "", data: dict[str, Any] | None = None) -> Span:
    """
    Start a span under what is current, without making it current.

    Args:
        site: Where it comes from.
        around: What is current, as `get_current` says.
        input_data: What goes in, already captured.
        data: Data by name, already captured; it becomes the span's own.
    """
    if type(around) is not Span:
        return _begin_elsewhere(site, input_data, data, around)
    if around.depth >= DEEPEST:
        return _begin_too_deep(site, input_data, data, around)
    span = Span(
        site,
        input_data,
        data,
        around,
        around,
        around.otel_trace_id,
        around.span_id,
        around.recording,
        ids.new_id(64),
        ids.thread_id(),
        ids.wall_ns(),
        ids.monotonic_ns(),
        around.depth + 1,
    )
    if around.origin is not None:
        span.origin = around.origin.inherited()
    if roots.starters:
        roots.tell_starters(span, around.inside())
    return span


def _begin_elsewhere(site: CallSite, input_data: Scalar, data: dict[str, Any] | None, context: Context) -> Span:
    """Start a span that is a root, or whose parent is no dam-obs span."""
    if not context and roots.takes_all() and not roots.starters:  # a plain root: the common case
        return Span(
            site,
            input_data,
            data,
            context,
            None,
            ids.new_id(128),
            0,
            True,
            ids.new_id(64),
            ids.thread_id(),
            ids.wall_ns(),
            ids.monotonic_ns(),
        )
    origin = roots.find(context, site.name)
    span = Span(
        site,
        input_data,
        data,
        context,
        origin.enclosing,
        origin.trace_id,
        origin.parent_id,
        origin.recording,
        ids.new_id(64),
        ids.thread_id(),
        ids.wall_ns(),
        ids.monotonic_ns(),
        origin.enclosing.depth + 1 if origin.enclosing is not None else 0,
    )
    if origin.tells:
        span.origin = origin
    if roots.starters and origin.recording:
        roots.tell_starters(span, context)
    return span


def _begin_too_deep(site: CallSite, input_data: Scalar, data: dict[str, Any] | None, around: Span) -> Span:
    """Start a span that does not hold the one around it."""
    faults.count("span.too_deep")
    span = Span(
        site,
        input_data,
        data,
        around.real_base(),
        None,
        around.otel_trace_id,
        around.span_id,
        around.recording,
        ids.new_id(64),
        ids.thread_id(),
        ids.wall_ns(),
        ids.monotonic_ns(),
        0,
    )
    span.origin = roots.below(around)
    if roots.starters:
        roots.tell_starters(span, around.inside())
    return span


def unwanted(around: Any) -> bool:
    """
    Say whether nothing is to be recorded under what is current, because its root was not sampled.

    Then no span is needed at all: what is current hands the decision on to whoever asks.
    """
    return type(around) is Span and not around.recording


def current_span() -> Span | None:
    """Return the nearest dam-obs span around the caller."""
    current = get_current()
    if type(current) is Span:
        return current
    return current.get(DAM_KEY)  # type: ignore[no-any-return]


def keep(data: dict[str, Any]) -> None:
    """Make all values of `data` fit to be kept: what may change later is copied, bounded, now."""
    for value in data.values():
        kind = type(value)
        if kind is str:
            if len(value) >= SHORT:
                break
        elif kind not in SCALARS:
            break
    else:
        return
    for name, value in data.items():
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
