"""
What the official exporters log while they send for us: heard, and kept out of the program's log.

They complain at each attempt. Our own thread of sending tells once, in plain words, what was met; so
their lines are dropped while it is at work, and those of the program's own exporters are left alone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from opentelemetry import context as otel_context

from dam_obs.trace.context import suppressed

_LOGGERS: Final = (
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
    "opentelemetry.exporter.otlp.common.http",
)


class Sender(Protocol):
    """Who sends."""

    in_trouble: bool
    """Set when the exporter complains: it is trying again and again, or has given up."""

    @property
    def hears(self) -> bool:
        """Whether what was met is known without the exporter's words."""


@contextmanager
def sending(sender: Sender) -> Iterator[None]:
    """Let this thread send for `sender`: nothing is traced meanwhile, and complaints go to it."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_ONCE)
    token = otel_context.attach(suppressed())
    _thread.sender = sender
    try:
        yield
    finally:
        _thread.sender = None
        otel_context.detach(token)


_thread = threading.local()


class _Once(logging.Filter):
    """Drop complaints to a sender that hears; let one through to one that does not."""

    said = False

    def filter(self, record: logging.LogRecord) -> bool:
        sender: Sender | None = getattr(_thread, "sender", None)
        if sender is None or record.levelno < logging.WARNING:
            return True
        sender.in_trouble = True
        if sender.hears:
            return False
        first, self.said = not self.said, True
        return first


_ONCE: Final = _Once()
