"""
Record into memory, with the clock and the ids in the test's hand.

    def test_check_is_recorded(recorder):          # from dam_obs.testing.fixtures
        check_gate("write")

        assert recorder.events() == [event("focus", "gate_check", "gates.py", duration_ns=3_000_000_000)]

While a recording runs, faults of dam-obs itself are let through, so that they fail the test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

from dam_obs.config import Settings
from dam_obs.trace import _collection, audit, faults, ids, meter
from dam_obs.trace.events import FinishedSpan, TraceEvent
from dam_obs.trace.recorder import Recorder
from dam_obs.trace.redact import Redactor
from dam_obs.trace.span import queue
from dam_obs.trace.tracer import tracer

EPOCH_NS = 1_705_180_800_000_000_000
"""Where a test's clock starts: the second in the seed's examples."""


class Clock:
    """A clock that stands still until it is told to go on; wall time and monotonic time in step."""

    def __init__(self, wall_ns: int = EPOCH_NS, monotonic_ns: int = 1_000_000_000) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns

    def advance(self, *, seconds: float = 0, nanoseconds: int = 0) -> None:
        """Let time pass."""
        passed = round(seconds * 1_000_000_000) + nanoseconds
        self._wall_ns += passed
        self._monotonic_ns += passed

    def wall_ns(self) -> int:
        """Return nanoseconds since the epoch."""
        return self._wall_ns

    def monotonic_ns(self) -> int:
        """Return nanoseconds by the monotonic clock."""
        return self._monotonic_ns


class Ids:
    """
    Ids that count up, so that each is known beforehand.

    The n-th id is ``n`` in its four upper hex digits (a handle's last part) and in its lower ones.
    """

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(self, bits: int) -> int:
        """Return the next id of so many bits."""
        number = next(self._numbers)
        return (number << (bits - 16)) | number


class Memory:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.spans: list[FinishedSpan] = []

    def __call__(self, batch: Sequence[FinishedSpan]) -> None:
        """Keep a batch."""
        self.spans.extend(batch)

    def flush(self, timeout: float) -> None:
        """Nothing is held back."""

    def close(self, timeout: float) -> None:
        """Nothing to let go of."""


class Recording:
    """What has been recorded so far."""

    def __init__(self, recorder: Recorder, memory: Memory) -> None:
        self._recorder = recorder
        self._memory = memory

    def spans(self) -> list[FinishedSpan]:
        """Return the finished spans, in the order in which they ended."""
        self._recorder.flush()
        return list(self._memory.spans)

    def events(self, **wanted: Any) -> list[TraceEvent]:
        """Return the events, in the order in which they ended; with arguments only those with these field values."""
        events = [span.event for span in self.spans()]
        return [event for event in events if all(getattr(event, name) == value for name, value in wanted.items())]

    def event(self, **wanted: Any) -> TraceEvent:
        """Return the one event with these field values."""
        found = self.events(**wanted)
        if len(found) != 1:
            raise AssertionError(f"{len(found)} events with {wanted}, of {[each.operation for each in self.events()]}")
        return found[0]

    def parents(self) -> dict[str, str | None]:
        """Return the parent's component by component; components must differ."""
        by_handle = {event.trace_id: event.component for event in self.events()}
        return {event.component: by_handle.get(event.parent_id or "") for event in self.events()}

    def clear(self) -> None:
        """Forget what has been recorded."""
        self._recorder.flush()
        self._memory.spans.clear()


@contextmanager
def recording(
    *,
    clock: Clock | None = None,
    span_ids: Ids | None = None,
    measure: bool = False,
    settings: Settings | None = None,
    let_faults_through: bool = True,
) -> Iterator[Recording]:
    """
    Record into memory while the block runs, instead of wherever this process records to.

    Args:
        clock: A clock in the test's hand; default: the real one.
        span_ids: Ids in the test's hand; default: random ones.
        measure: Take evidence, as in a measured run.
        settings: Level, queue size and so on; the sinks are not taken from them.
        let_faults_through: Raise dam-obs's own faults instead of counting them.
    """
    memory = Memory()
    before = (tracer.enabled, tracer.with_debug, ids.new_id, ids.wall_ns, ids.monotonic_ns, meter.measuring)
    # The queue is the process's: what waits in it belongs to nobody here.
    queue.start_afresh()
    faults.reset()
    recorder = Recorder(settings or Settings(), [lambda: memory], Redactor())
    faults.let_through(let_faults_through)
    _collection.protect()
    try:
        if clock is not None:
            ids.wall_ns, ids.monotonic_ns = clock.wall_ns, clock.monotonic_ns
        if span_ids is not None:
            ids.new_id = span_ids
        meter.switch(measure)
        if measure:
            audit.install()
        tracer.with_debug = settings is not None and settings.level == "debug"
        tracer.enabled = True
        yield Recording(recorder, memory)
    finally:
        tracer.enabled, tracer.with_debug, ids.new_id, ids.wall_ns, ids.monotonic_ns, measuring = before
        meter.switch(measuring)
        faults.let_through(False)
        _collection.leave()
        recorder.shutdown()
