"""When an event started and how long it took, in whole nanoseconds: what the relation ``events`` says in SQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from dam_obs.trace.events import TraceEvent

LONGEST_NS: Final = 2**63 - 1
"""What a BIGINT holds; nothing lasts longer."""

_LATEST_NS: Final = LONGEST_NS // 1_000 * 1_000
"""In the year 2262; a later time is taken for this one."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def duration_ns(event: TraceEvent) -> int | None:
    """Return how long an event took; `None` for a moment. A file of the seed's form has whole milliseconds alone."""
    if event.kind == "event":
        return None
    known = event.duration_ns if event.duration_ns is not None else event.duration_ms * 1_000_000
    return min(max(known, 0), LONGEST_NS)


def start_ns(event: TraceEvent) -> int:
    """Return when an event started, in nanoseconds since the epoch."""
    return max(-_LATEST_NS, min(epoch_ns(datetime.fromisoformat(event.timestamp)), _LATEST_NS))


def epoch_ns(moment: datetime) -> int:
    """Return a time in nanoseconds since the epoch; one without an offset, as the seed writes it, is local time."""
    if moment.tzinfo is None:
        try:
            moment = moment.astimezone()
        except (OverflowError, ValueError, OSError):  # in the year 1 or 9999, where a local time may be in no year
            moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000
