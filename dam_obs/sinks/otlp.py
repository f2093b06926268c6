"""
Send spans to a collector, without the program, or the other sinks, having to wait for it.

The drain thread encodes a batch and puts it into a bounded queue; a thread that lives as
long as there is something in it sends, through the official exporters. A collector that
does not answer is left alone for a growing time, in which spans are dropped and counted
before they are encoded. Why is told once for each kind of trouble, in the place of what the
exporters log.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol

from dam_obs.sinks.otlp_answers import Answer
from dam_obs.sinks.otlp_complaints import sending
from dam_obs.sinks.otlp_env import Otlp
from dam_obs.trace import faults
from dam_obs.trace.events import FinishedSpan
from dam_obs.trace.threads import wait_for_end

QUEUE_SPANS: Final = 16_384
"""Encoded spans that may wait for the collector; more are dropped and counted."""

REQUEST_SPANS: Final = 512
"""Spans in one request at most."""

REQUEST_BYTES: Final = 3 * 1024 * 1024
"""A larger request is halved: collectors refuse gRPC messages of more than 4 MiB."""

FIRST_REST: Final = 1.0
LONGEST_REST: Final = 60.0
"""Seconds that a collector is left alone after a failure: doubling from the first to the longest."""

LAST_SECONDS: Final = 2.0
"""Seconds that a request may take when the interpreter is on its way out and starts no thread."""

CANCEL_SECONDS: Final = 0.5
"""Seconds in which a request ends that was given up."""

LOOK_SECONDS: Final = 0.05
"""Between two looks whether what is waited for is in trouble."""

DROPPED: Final = "sinks.otlp.dropped"

REJECTED: Final = "sinks.otlp.rejected"
"""Spans that arrived, and that the collector said it did not take."""

_IMPORTED_LATE: Final = {
    "grpc": ("concurrent.futures.thread", "grpc.experimental", "grpc._channel"),
    "http/protobuf": ("concurrent.futures.thread", "requests", "netrc"),
}
"""What the exporters import when they are made or used: on a thread where a fork would leave it half imported."""

_SEND = faults.guard("sinks.otlp")


class Transport(Protocol):
    """An official exporter, with our encoder where it allows that."""

    @property
    def answer(self) -> Answer | None:
        """What the last attempt met; `None` if there was none, or the exporter cannot be listened to."""

    def prepare(self, batch: Sequence[FinishedSpan]) -> tuple[Any, int]:
        """Encode; return what to send and how many bytes it has."""

    def send(self, payload: Any, number: int) -> bool:
        """Send what was prepared, with `number` spans; say whether it arrived."""

    def limit(self, seconds: float) -> None:
        """Let no request take longer from now on."""

    def shutdown(self) -> None:
        """Give up what is being sent and close the connection."""

    def before_fork(self) -> None:
        """Let go of what no fork survives; what is sent afterwards may open it again."""


def otlp_factory(otlp: Otlp) -> Callable[[], OtlpSink]:
    """Return what makes the sink for these settings."""
    open_transport = transport_factory(otlp)
    return lambda: OtlpSink(open_transport(), otlp)


def transport_factory(otlp: Otlp) -> Callable[[], Transport]:
    """
    Return what opens the connection for these settings.

    The exporter is imported here (a quarter of a second for gRPC) and not when the connection is opened: a program
    may be so short that this is at its exit, when the exporters do not import any more, or may fork meanwhile.
    """
    if otlp.protocol == "grpc":
        with quiet_grpc():
            _import_late(otlp.protocol)
            from dam_obs.sinks.otlp_grpc import open_transport

        return open_transport
    _import_late(otlp.protocol)
    from dam_obs.sinks.otlp_http import HttpTransport

    return HttpTransport


def _import_late(protocol: str) -> None:
    for name in _IMPORTED_LATE[protocol]:
        with suppress(ImportError):
            importlib.import_module(name)


@contextmanager
def quiet_grpc() -> Iterator[None]:
    """
    Import gRPC so that its library prints no line for each TLS handshake that fails; errors it still prints.

    It reads the variable when it is imported. Where the program has done so, or has set the variable, all stays.
    """
    if "grpc" in sys.modules or _VERBOSITY in os.environ:
        yield
        return
    os.environ[_VERBOSITY] = "ERROR"
    try:
        yield
    finally:
        del os.environ[_VERBOSITY]


_VERBOSITY: Final = "GRPC_VERBOSITY"


class OtlpSink:
    """Hands batches to a collector."""

    def __init__(
        self,
        transport: Transport,
        otlp: Otlp | None = None,
        *,
        queue_spans: int = QUEUE_SPANS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._otlp = otlp or Otlp("grpc", None)
        self._queue_spans = queue_spans
        self._clock = clock
        self._lock = threading.Lock()
        self._payloads: deque[tuple[Any, int]] = deque()
        self._waiting = 0
        self._running = False
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._is_late = False
        self._settled = threading.Event()
        self._settled.set()
        self._rest = FIRST_REST
        self._awake_at = 0.0
        self.in_trouble = False
        """The exporter complained about what is being sent."""

    def __call__(self, batch: Sequence[FinishedSpan]) -> None:
        """Encode a batch and let it be sent."""
        if self._clock() < self._awake_at:
            faults.count(DROPPED, len(batch))
            return
        for start in range(0, len(batch), REQUEST_SPANS):
            self._prepare(batch[start : start + REQUEST_SPANS])
        self._start_sending()

    def flush(self, timeout: float) -> None:
        """Wait until everything was sent or given up; not for a collector that is known not to answer."""
        if self._payloads and not self._running:
            self._transport.limit(max(0.1, min(timeout, LAST_SECONDS)))
            self._send_all()
        self._wait(timeout)

    def _wait(self, timeout: float) -> None:
        # Counted in looks, not by a clock: tests of programs let clocks stand still.
        for _ in range(1 + int(timeout / LOOK_SECONDS)):
            if self._settled.is_set() or self.in_trouble:
                return
            self._settled.wait(LOOK_SECONDS)

    def close(self, timeout: float) -> None:
        """Flush, then close the connection; what has not arrived is dropped and counted."""
        self.flush(timeout)
        self._transport.shutdown()
        self._settled.wait(min(timeout, CANCEL_SECONDS))
        with self._lock:
            lost, self._waiting = self._waiting, 0
            self._payloads.clear()
            self._is_closed = True
        if lost:
            faults.count(DROPPED, lost)
            self._tell(self._transport.answer or Answer("silent"))

    def before_fork(self, timeout: float) -> None:
        """Let the sending thread come to its end, within `timeout` seconds, and what no fork survives be closed."""
        if not self._is_late:  # a collector that stalls is waited for once, not at each of the program's forks
            self._wait(timeout)
        self._transport.before_fork()
        if self._thread is not None and not wait_for_end(self._thread, 0 if self._is_late else CANCEL_SECONDS):
            self._is_late = True
            faults.count("sinks.otlp.fork_with_thread")
            return
        self._is_late = False

    @property
    def hears(self) -> bool:
        """Whether it is known what the last attempt met."""
        return self._transport.answer is not None

    # -- the drain thread's part

    def _prepare(self, batch: Sequence[FinishedSpan]) -> None:
        payload, size = self._transport.prepare(batch)
        if size > REQUEST_BYTES and len(batch) > 1:
            middle = len(batch) // 2
            self._prepare(batch[:middle])
            self._prepare(batch[middle:])
            return
        with self._lock:
            if self._waiting + len(batch) <= self._queue_spans:
                self._payloads.append((payload, len(batch)))
                self._waiting += len(batch)
                return
        faults.count(DROPPED, len(batch))

    def _start_sending(self) -> None:
        with self._lock:
            if self._running or not self._payloads:
                return
            self._running = True
            self._settled.clear()
        thread = threading.Thread(target=self._run, name="dam-obs-otlp", daemon=True)
        try:
            thread.start()
            self._thread = thread
        except RuntimeError:
            # The interpreter is on its way out and starts no thread: `flush` sends, once the other sinks have all.
            with self._lock:
                self._running = False
                self._settled.set()

    # -- the sending thread's part

    def _run(self) -> None:
        faults.this_thread_is_ours()
        self._send_all()

    def _send_all(self) -> None:
        with sending(self):
            while (following := self._next()) is not None:
                self._send(*following)

    def _next(self) -> tuple[Any, int] | None:
        with self._lock:
            if self._payloads:
                return self._payloads.popleft()
            self._running = False
            self._settled.set()
            return None

    def _send(self, payload: Any, number: int) -> None:
        arrived = False
        if self._clock() >= self._awake_at:
            with _SEND:
                arrived = self._transport.send(payload, number)
            self._learn(arrived)
            with _SEND:
                self._tell(self._transport.answer)
        with self._lock:
            if self._is_closed:
                return  # given up and counted by `close`
            self._waiting -= number
        if not arrived:
            faults.count(DROPPED, number)

    def _tell(self, answer: Answer | None) -> None:
        """Say, once for each kind, what is lost and why; count what the collector itself refused."""
        if answer is None or not answer.loses:
            return
        if answer.rejected:
            faults.count(REJECTED, answer.rejected)
        if answer.kind in _told:
            return
        _told.add(answer.kind)
        where, remedy = self._otlp.where or "its address", answer.remedy(self._otlp.variable)
        _logger.warning("dam-obs: spans are lost at the collector, %s: %s; %s", where, answer.says, remedy)

    def _learn(self, arrived: bool) -> None:
        self.in_trouble = not arrived
        if arrived:
            self._rest = FIRST_REST
            return
        self._awake_at = self._clock() + self._rest
        self._rest = min(self._rest * 2, LONGEST_REST)


# -- what is told

_logger: Final = logging.getLogger(__name__)

_told: Final[set[str]] = set()
"""Kinds of answers that this process, or one that it was forked from, has told of."""
