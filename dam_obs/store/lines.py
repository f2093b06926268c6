"""
What one line of a trace file holds: events, or a reason why it holds none.

An event is our `TraceEvent` as JSON, or the seed's with eleven fields, layers by code or by
name, times without an offset. A line may have been cut by a kill and gone on with by the next
writer: the event behind the torn one is found. A line of OTLP JSON holds many.

Where lines come from is the readers' business.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import msgspec

from dam_obs.store.otlp import NotOtlp, is_otlp, otlp_events
from dam_obs.trace.events import TraceEvent
from dam_obs.trace.layers import UnknownLayer, layer

SkipReason = Literal["torn", "foreign", "binary"]
"""
Why a line gives no event.

``torn`` for the beginning of an event without its end, ``foreign`` for text that is something else,
``binary`` for bytes that are no text.
"""

MAX_LINE_BYTES: Final = 16 * 1024 * 1024
"""A longer line is no event of ours; it is skipped without being held in memory."""

EVENT_START: Final = b'{"trace_id"'

_TEXT_CONTROLS: Final = frozenset(b"\t\n\r\f\b\x1b")
_TOO_DEEP: Final = "nested too deep"

_decoder = msgspec.json.Decoder(TraceEvent)


@dataclass(frozen=True, slots=True)
class Line:
    """What a line holds."""

    events: tuple[TraceEvent, ...] = ()
    skipped: SkipReason | None = None
    """Why it, or a part of it, is no event; `None` too for an empty line, which is nothing."""
    why: str = ""
    """What was wrong with it."""


def read_line(line: bytes) -> Line:
    """Return what `line` holds; whatever is in it, nothing is raised."""
    try:
        return Line((event_of(line),))
    except ValueError as error:
        why = str(error)
    if not line.strip():
        return Line()
    if is_otlp(line):
        return _otlp(line)
    reason = _why_not(line)
    found = None if reason == "foreign" else _glued(line)
    return Line(() if found is None else (found,), reason, why)


def event_of(line: bytes) -> TraceEvent:
    """
    Return the event that a line is, its layer by full name.

    Raises:
        ValueError: It is none.
    """
    try:
        event = _decoder.decode(line)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    datetime.fromisoformat(event.timestamp)  # raises on what is no time, which would fail whoever sorts by it
    if len(event.hrm_layer) != 3:
        return event
    try:
        event.hrm_layer = layer(event.hrm_layer).name
    except UnknownLayer:
        return event  # a plugin's layer, and the plugin is not here: the code stands for it
    return event


def is_binary(data: bytes) -> bool:
    """Tell bytes that are no text."""
    controls = sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in data)
    return b"\0" in data or controls * 20 > len(data)


def _otlp(line: bytes) -> Line:
    try:
        request = otlp_events(line)
    except NotOtlp as error:
        return Line((), "torn" if error.torn else "foreign", str(error))
    if request.unread:
        return Line(tuple(request.events), "foreign", f"{request.unread} of its spans cannot be read")
    return Line(tuple(request.events))


def _why_not(line: bytes) -> SkipReason:
    if is_binary(line):
        return "binary"
    try:
        msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return "torn" if line.lstrip().startswith(b"{") else "foreign"
    return "foreign"


def _glued(line: bytes) -> TraceEvent | None:
    """Find the whole event behind a torn one: the next writer appended to a line that a kill had cut."""
    start = line.rfind(EVENT_START, 1)
    if start < 0:
        return None
    try:
        return event_of(line[start:])
    except ValueError:
        return None
