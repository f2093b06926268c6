"""
`TraceEvent`: the finished record of a span or of a moment; one line of ``trace.jsonl``.

The first eleven fields are the seed's, in its order, and every event has them. The rest
is left out of the line where it was not measured: evidence that was not measured is
absent, not zero. A reader accepts a line with only the first eleven.

`FinishedSpan` is what sinks get: an event together with what OpenTelemetry wants to know
of the span beside it. Everything in both is redacted already.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Status = Literal["success", "error", "blocked"]

Kind = Literal["span", "event", "step"]
"""``event``: a moment, which has no duration. ``step``: a span of the host's own workings, which is no system's run."""

Scalar = str | bool | int | float | None


AwaitedKind = Literal[
    "sleep", "lock", "queue", "network", "process", "thread", "task", "future", "turn", "consumer", "unknown"
]
"""
What an execution was suspended for.

``network`` is a stream or socket, ``thread`` work handed to a thread or another executor, ``future`` one that does
not tell whose it is, ``turn`` the event loop's next round (``sleep(0)``), ``consumer`` whoever takes the items that it
yields.
"""


class Awaited(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A place at which an execution was suspended, summed over its waits there of a millisecond or more."""

    kind: AwaitedKind

    what: str
    """What was awaited: ``asyncio.tasks:sleep``, another task's coroutine, or an object's type; may be empty."""

    wait_ns: int

    times: int = 1

    by: str | None = None
    """``module:qualname`` of the last function outside the event loop's machinery: it stands at the ``await``."""

    file: str | None = None

    line: int | None = None
    """Of the ``await`` in it."""


class TraceEvent(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What happened once, at one trace point."""

    trace_id: str
    """The handle of this span or moment, ``alt_1705180800_a3f2``. Not an OpenTelemetry trace id."""

    parent_id: str | None
    """The handle of the nearest enclosing dam-obs span; `None` for a root."""

    timestamp: str
    """When it started: ISO 8601 with offset, by the wall clock."""

    hrm_layer: str
    """The layer's full name."""

    operation: str
    """The operation without its layer: ``gate_check``."""

    component: str
    """The file, class or system that emitted it."""

    input_summary: str
    """At most 100 characters, redacted."""

    output_summary: str
    """At most 100 characters, redacted."""

    duration_ms: int
    """`duration_ns` in whole milliseconds, rounded half up; 0 for a moment."""

    status: Status

    metadata: dict[str, Any]
    """The trace point's data by name, and ``error``/``error.type`` where it failed. JSON values only."""

    duration_ns: int | None = None
    """By a monotonic clock."""

    otel_trace_id: str | None = None
    """32 hex digits."""

    otel_span_id: str | None = None
    """16 hex digits; the handle's last part is a prefix of it."""

    otel_parent_id: str | None = None
    """16 hex digits: the parent in OpenTelemetry's sense, which may be another library's span."""

    pid: int | None = None

    thread_id: int | None = None
    """The native id of the thread it started on."""

    cpu_ns: int | None = None
    """Thread CPU time over all steps, nested executions included."""

    wait_ns: int | None = None
    """Time in which it was suspended at an ``await`` or a ``yield``: `duration_ns` less all steps."""

    steps: int | None = None
    """How many uninterrupted stretches it ran in; 1 for a plain call."""

    segments: list[tuple[int, int, int]] | None = None
    """``(start_ns, end_ns, native thread id)`` by the monotonic clock, in order; near ones are merged."""

    io: dict[str, int] | None = None
    """
    What the kernel counted on its threads during its steps.

    Any of ``read_bytes`` and ``write_bytes`` (block layer), ``rchar`` and ``wchar`` (bytes through read and
    write calls, page cache and pipes included), ``syscr`` and ``syscw``, ``run_queue_ns``, ``block_io_ns``,
    ``minor_faults``, ``major_faults``, ``voluntary_switches``, ``involuntary_switches``, and of the process
    ``peak_growth_bytes``: by how much the most memory that it ever had resident grew.
    """

    touched: dict[str, list[str]] | None = None
    """``files_read``, ``files_written``, ``peers`` (``host:port``) and ``processes`` (program names), each once."""

    features: dict[str, Scalar] | None = None
    """Features of the command, for cost models."""

    start_mono_ns: int | None = None
    """When it started by the monotonic clock (`CLOCK_MONOTONIC`); measured runs only."""

    kind: Kind = "span"
    """See `Kind`."""

    code: dict[str, str | int] | None = None
    """``function`` (``module:qualname``), ``file`` and ``line`` of what ran; measured runs only."""

    command: str | None = None
    """``module:qualname`` of the command's class, where the trace point names a command; measured runs only."""

    awaited: list[Awaited] | None = None
    """
    What `wait_ns` was spent on, the longest first, at most nine; waits below a millisecond are in none of them.

    One without a name stands for what is beyond the others. `None`: not named, or never suspended.
    """


class SpanEvent(msgspec.Struct, frozen=True):
    """Something that happened within a span, in OpenTelemetry's sense."""

    name: str
    timestamp_ns: int
    """Wall clock, nanoseconds since the epoch."""
    attributes: dict[str, Any]


class SpanLink(msgspec.Struct, frozen=True):
    """A link to another span."""

    trace_id: int
    span_id: int
    attributes: dict[str, Any]


class FinishedSpan(msgspec.Struct, gc=False):
    """A finished span as sinks get it, redacted."""

    event: TraceEvent
    name: str
    """``focus.gate_check``"""
    trace_id: int
    span_id: int
    parent_span_id: int
    """0 for a root."""
    parent_is_remote: bool
    trace_state: str
    start_ns: int
    """Wall clock, nanoseconds since the epoch."""
    end_ns: int
    code: dict[str, str | int]
    """``function`` (``module:qualname``), ``file`` and ``line`` where known; the call site's own dictionary."""
    attributes: dict[str, Any]
    """What was set by OpenTelemetry's own calls, under the names it was set with."""
    span_events: tuple[SpanEvent, ...]
    links: tuple[SpanLink, ...]
    standard: dict[str, Any] | None = None
    """Constants under a convention's names, which all spans of the call site share; the event has none of them."""
    otel_kind: int = 0
    """`opentelemetry.trace.SpanKind` value: 0 is internal."""
