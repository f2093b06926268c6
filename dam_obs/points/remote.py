"""
One trace over several processes that hand work to each other, whichever way they do it.

Whoever sends work off asks `carry` what goes along. Where the work runs, `resume` goes on
with the trace: a process that records by itself is only told its parent; any other one
records for the time of the work, and what it recorded is given to `bring` by whoever gets
the answer. So a worker on another machine needs dam-obs installed, and nothing else.

Spans come back redacted, and are pickled: `bring` is for what a trusted worker sent.
"""

from __future__ import annotations

import pickle
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, cast

from opentelemetry.context.context import Context
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from dam_obs.config import load_settings
from dam_obs.points.attach import attach
from dam_obs.points.files import point_paths, usable_files
from dam_obs.points.threads import ThreadWatch
from dam_obs.trace import _collection, audit, faults, meter, session
from dam_obs.trace.context import get_current, set_current
from dam_obs.trace.events import FinishedSpan
from dam_obs.trace.recorder import Recorder
from dam_obs.trace.redact import Redactor
from dam_obs.trace.span import queue
from dam_obs.trace.tracer import tracer

MOST_SPANS: Final = 10_000
"""Spans of one trace that wait to be taken back; more are dropped and counted."""

_MEASURE: Final = "dam-obs-measure"
_GUARD: Final = faults.guard("points.remote")
_propagator = TraceContextTextMapPropagator()


def carry() -> dict[str, str]:
    """Return what must go along so that work done elsewhere belongs to the current span; empty where none is."""
    carried: dict[str, str] = {}
    with _GUARD:
        if tracer.enabled:
            _propagator.inject(carried)
            if carried and meter.measuring:
                carried[_MEASURE] = "1"
    return carried


def resume(carried: Mapping[str, str]) -> Resumed | None:
    """Return a context manager that goes on with the trace that `carried` names; `None` where it names none."""
    return Resumed(carried) if "traceparent" in carried else None


def bring(brought: bytes) -> None:
    """Give to this process's sinks what `Resumed.brought` held."""
    with _GUARD:
        if brought and tracer.enabled:
            for span in cast("Sequence[FinishedSpan]", pickle.loads(brought)):  # noqa: S301 - see above
                queue.put(span)


class Resumed:
    """Work for another process, while it lasts."""

    def __init__(self, carried: Mapping[str, str]) -> None:
        self._carried = carried
        self._visit: int | None = None
        self._before: Any = None
        self.brought = b""
        """Set at the end: finished spans, where this process does not record by itself."""

    def __enter__(self) -> Resumed:
        self._before = get_current()
        with _GUARD:
            parent = _propagator.extract(dict(self._carried), context=Context())
            if session.current() is None:
                trace_id = get_current_span(parent).get_span_context().trace_id
                _recording.join(trace_id, measure=_MEASURE in self._carried)
                self._visit = trace_id
            set_current(parent)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        set_current(self._before)
        with _GUARD:
            if self._visit is not None:
                spans = _recording.leave(self._visit)
                self.brought = pickle.dumps(spans) if spans else b""


class _Collected:
    """A sink that keeps the spans of the traces that are visited, until they are taken."""

    def __init__(self, visits: Counter[int]) -> None:
        self._visits = visits
        self._spans: dict[int, list[FinishedSpan]] = {}

    def __call__(self, batch: Sequence[FinishedSpan]) -> None:
        """Keep those that somebody wants."""
        for span in batch:
            if not self._visits[span.trace_id]:
                continue
            spans = self._spans.setdefault(span.trace_id, [])
            if len(spans) < MOST_SPANS:
                spans.append(span)
            else:
                faults.count("points.remote.dropped")

    def take(self, trace_id: int) -> list[FinishedSpan]:
        """Give the spans of a trace, once."""
        return self._spans.pop(trace_id, [])

    def flush(self, timeout: float) -> None:
        """Nothing is held back from `take`."""

    def close(self, timeout: float) -> None:
        """Nothing to let go of."""


class _Recording:
    """Recording in a process that works for others, on while at least one visit lasts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._visits: Counter[int] = Counter()
        self._collected = _Collected(self._visits)
        self._recorder: Recorder | None = None
        self._with_debug = False

    def join(self, trace_id: int, *, measure: bool) -> None:
        """Record for a trace."""
        with self._lock:
            if self._recorder is None:
                self._prepare()
            if not self._visits.total():
                _collection.protect()
                tracer.with_debug = self._with_debug
                tracer.enabled = True
            if measure:
                audit.install()
                meter.switch(True)
            self._visits[trace_id] += 1

    def leave(self, trace_id: int) -> list[FinishedSpan]:
        """Give what was recorded for a trace."""
        with self._lock:
            if self._recorder is not None:
                self._recorder.flush()
            spans = self._collected.take(trace_id)
            self._visits[trace_id] -= 1
            if not self._visits[trace_id]:
                del self._visits[trace_id]
            if not self._visits and session.current() is None:
                tracer.enabled = False
                meter.switch(False)
                _collection.leave()
            return spans

    def _prepare(self) -> None:
        """Attach the points that plugins and this process's settings name; they stay, and cost little while off."""
        settings = replace(load_settings(lenient=True).settings, enabled=True)
        self._with_debug = settings.level == "debug"
        files = usable_files(point_paths(settings))
        attach(files)
        if any(point.own_threads for file in files for point in file.points):
            ThreadWatch().open()
        redactor = Redactor(settings.redact_off, settings.redact_safe_keys)
        # Without a drain thread: at the end of each visit the spans are made into events on its own thread.
        self._recorder = Recorder(settings, [lambda: self._collected], redactor)


_recording = _Recording()
