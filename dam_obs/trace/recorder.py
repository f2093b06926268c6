"""
The recorder: one drain thread between the queue of finished spans and the sinks.

The thread comes round every flush interval, in small batches, since under the
interpreter's lock what it does the program has to wait for. Around a fork it stands
still: the child starts with an empty queue, new sinks and new ids, and CPython has no
second thread to warn of.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Literal

from opentelemetry import context as otel_context

from dam_obs.config import Settings
from dam_obs.hookspecs import Sink, SinkFactory
from dam_obs.trace import faults, ids
from dam_obs.trace.context import suppressed
from dam_obs.trace.events import FinishedSpan
from dam_obs.trace.finish import Finisher
from dam_obs.trace.folding import fold
from dam_obs.trace.queue import Queue
from dam_obs.trace.redact import Redactor
from dam_obs.trace.span import Span, handles, queue
from dam_obs.trace.threads import wait_for_end

BATCH: Final = 512
"""Spans that are made into events before sinks get them."""

FORK_PATIENCE: Final = 0.5
"""Seconds that a fork waits for the drain thread to stand still."""

FOR_SINKS: Final = 0.8
"""Share of the last seconds that sinks may take; in the rest it is counted what they have lost."""

Order = Literal["run", "pause", "end"]
"""What the drain thread is to do."""

_START = faults.guard("recorder.start")
_ROUND = faults.guard("recorder.round")
_FINISH = faults.guard("recorder.finish")
_PERIODIC = faults.guard("recorder.periodic")


class Recorder:
    """Takes finished spans off the queue and hands them to the sinks."""

    def __init__(
        self,
        settings: Settings,
        factories: Sequence[SinkFactory],
        redactor: Redactor,
        *,
        spans: Queue[Span | FinishedSpan] = queue,
        periodic: Sequence[Callable[[], None]] = (),
    ) -> None:
        """
        Make a recorder that does not run yet.

        Args:
            settings: Flush interval, queue size, level.
            factories: Make the sinks, on the drain thread.
            redactor: Hides what must not leave the process.
            spans: Where finished spans come from; those of another process come redacted and in their last form.
            periodic: Called on the drain thread about once a flush interval, and at the end.
        """
        self._settings = settings
        self._factories = tuple(factories)
        self._redactor = redactor
        self._queue = spans
        self._periodic = tuple(periodic)
        self._interval = settings.flush_interval
        self._sinks: list[tuple[faults.Guard, Sink]] = []
        self._finisher = Finisher(redactor, os.getpid())
        self._thread: threading.Thread | None = None
        self._order: Order = "run"
        self._ordering = threading.RLock()
        self._is_late = False
        self._deadline = 0.0
        self._flushes: deque[tuple[float, threading.Event]] = deque()
        self._draining = threading.RLock()
        self._forked_ns = 0
        """When this process came out of a fork, by the monotonic clock."""
        self.recorded = 0
        """Spans that went to the sinks."""
        self._queue.resize(settings.queue_size)

    # -- running

    def start(self) -> None:
        """Start the drain thread, or let the one that was to stop go on; a second start is no start."""
        with self._ordering:
            self._order = "run"
            if self._thread is not None and self._thread.is_alive():
                return
            self._thread = None
            with _START:  # without a thread, what was recorded is written by whoever flushes, or at the end
                thread = threading.Thread(name="dam-obs-drain", daemon=True)
                # Not as `target`: that would be a frame or two more for a sampler to read each time, program held.
                thread.run = self._run  # type: ignore[method-assign]
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        faults.this_thread_is_ours()
        # Whatever the sinks call that is traced by somebody, an HTTP client for instance, is not to be.
        otel_context.attach(suppressed())
        while not self._leaves():
            self._queue.wake.wait(self._interval)
            with _ROUND:
                self._round()
            self._is_late = False
        if self._order == "end":
            with _ROUND:
                self._end()

    def _leaves(self) -> bool:
        with self._ordering:
            if self._order == "run":
                return False
            self._thread = None
            return True

    def _round(self) -> None:
        # Only what was asked for by now: later askers may have ended spans that this round does not see.
        asked = [self._flushes[index] for index in range(len(self._flushes))]
        with self._draining:
            if not self._drain():
                return
            if asked:
                self._flush_sinks(max(timeout for timeout, _ in asked))
        for _, done in asked:
            self._flushes.popleft()
            done.set()

    def _drain(self) -> bool:
        """Hand out what waits; say whether that is all, and not interrupted by a fork."""
        for call in self._periodic:
            with _PERIODIC:
                call()
        while spans := self._queue.take(BATCH):
            batch: list[FinishedSpan] = []
            for span in spans:
                if isinstance(span, FinishedSpan):
                    batch.append(span)
                elif self._keeps(span) and not fold(span):
                    with _FINISH:
                        batch.append(self._finisher(span))
            if batch:
                self._hand_out(batch)
            if self._order == "pause":
                return False
        return True

    def _keeps(self, span: Span) -> bool:
        if span.start_ns < self._forked_ns:
            return False  # it began before the fork: its end here is not its end, and the parent records it
        level = self._settings.level
        if level == "warn":
            return span.outcome != "success"
        return level == "debug" or not span.site.debug

    def _hand_out(self, batch: list[FinishedSpan]) -> None:
        if not self._sinks:
            self._open_sinks()
        self.recorded += len(batch)
        for guard, sink in self._sinks:
            with guard:
                sink(batch)

    def _open_sinks(self) -> None:
        for factory in self._factories:
            with faults.guard("sinks.open"):
                sink = factory()
                name = type(sink).__module__.rpartition(".")[2]
                self._sinks.append((faults.guard(f"sinks.{name}"), sink))

    def _flush_sinks(self, timeout: float) -> None:
        for guard, sink in self._sinks:
            with guard:
                sink.flush(timeout)

    # -- ending

    def flush(self, timeout: float = 5.0) -> bool:
        """
        Bring everything that has ended so far through the sinks.

        Returns:
            Whether that was done within `timeout` seconds.
        """
        if self._thread is None or not self._thread.is_alive():
            self._round_here(timeout)
            return True
        if threading.current_thread() is self._thread:
            return False
        done = threading.Event()
        self._flushes.append((timeout, done))
        self._queue.wake.set()
        return done.wait(timeout)

    def _round_here(self, timeout: float) -> None:
        """Do a round on this thread, when there is no drain thread (any more)."""
        with self._draining:
            token = otel_context.attach(suppressed())
            try:
                self._drain()
                self._flush_sinks(timeout)
            finally:
                otel_context.detach(token)

    def shutdown(self, timeout: float | None = None) -> None:
        """Flush, stop the thread and close the sinks, within `timeout` seconds (default: the setting)."""
        patience = self._settings.shutdown_timeout if timeout is None else timeout
        self._deadline = time.monotonic() + patience * FOR_SINKS
        thread = self._thread
        if thread is None or not thread.is_alive():
            self._end()
        elif not self._stop_thread(thread, "end", patience):
            faults.count("recorder.shutdown_timeout")
            if self._queue:
                faults.count("recorder.lost", len(self._queue))

    def _end(self) -> None:
        """Do the last round and close the sinks: on the drain thread, for a sink may never come back."""
        self._round_here(self._seconds_left())
        for guard, sink in self._sinks:
            with guard:
                sink.close(self._seconds_left())
        self._sinks.clear()

    def _seconds_left(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def _stop_thread(self, thread: threading.Thread, order: Order, timeout: float) -> bool:
        with self._ordering:
            self._order = order
        self._queue.wake.set()
        return wait_for_end(thread, timeout)

    # -- around a fork

    def before_fork(self) -> None:
        """Let the drain thread, and then the sinks' own, come to their end: the child inherits nothing half done."""
        thread = self._thread
        if thread is threading.current_thread():
            return
        # A sink that stalls is waited for once, not at each of the program's forks.
        if thread is not None and (self._is_late or not self._stop_thread(thread, "pause", FORK_PATIENCE)):
            self._is_late = True
            faults.count("recorder.fork_with_thread")
            return
        for guard, sink in self._sinks:
            with guard:
                before_fork = getattr(sink, "before_fork", None)
                if before_fork is not None:
                    before_fork(FORK_PATIENCE)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self.start()

    def after_fork_in_child(self) -> None:
        """Start afresh: what waits is the parent's to record, and its files and connections are its own."""
        self._forked_ns = ids.monotonic_ns()
        self._thread = None
        self._ordering = threading.RLock()
        self._draining = threading.RLock()
        self._is_late = False
        self._flushes.clear()
        handles.start_afresh()
        self._sinks = []
        self._finisher = Finisher(self._redactor, os.getpid())
        self.recorded = 0
        self._queue.start_afresh()
        self.start()
