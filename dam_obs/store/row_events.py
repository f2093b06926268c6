"""
Make an event of a row of the relation ``events``.

The database takes some lines for events that are none to us, strictly speaking: a number where there should
be text, a time in another form. They are shown all the same, as it understood them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from dam_obs.trace.events import TraceEvent

_NAMES: Final = (
    "start_ns", "trace_id", "parent_id", "timestamp", "layer", "operation", "component", "input_summary",
    "output_summary", "status", "duration_ns", "kind", "metadata", "otel_trace_id", "otel_span_id", "otel_parent_id",
    "pid", "thread_id", "cpu_ns", "wait_ns",
)  # fmt: skip

COLUMNS: Final = ", ".join(_NAMES)
"""What `event_of_row` needs, in this order."""


def event_of_row(row: Sequence[Any]) -> TraceEvent:
    """Return the event that a row of `COLUMNS` is."""
    values = dict(zip(_NAMES, row, strict=True))
    start_ns, metadata, layer = values.pop("start_ns"), values.pop("metadata"), values.pop("layer")
    values["timestamp"] = _time(values["timestamp"], start_ns)
    duration_ms = ((values["duration_ns"] or 0) + 500_000) // 1_000_000
    return TraceEvent(hrm_layer=layer, metadata=_data(metadata), duration_ms=duration_ms, **values)


def _time(text: str, start_ns: int) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        try:
            return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=start_ns // 1000)).isoformat()
        except OverflowError:  # in a year beyond what a clock can show
            return "1970-01-01T00:00:00+00:00"
    return text


def _data(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        data = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
