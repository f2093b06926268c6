"""
Ask a collector whether it takes spans, by a request without any, sent as a program's sink would send it.

For `dam-obs doctor`. Address, headers and certificates are read by the exporters from the environment of this
process, as they are in a program.
"""

from __future__ import annotations

from typing import Any, Final

from dam_obs.sinks.otlp import Transport, transport_factory
from dam_obs.sinks.otlp_answers import TAKEN, Answer
from dam_obs.sinks.otlp_complaints import sending
from dam_obs.sinks.otlp_env import Otlp

ASK_SECONDS: Final = 5.0
"""How long an answer is waited for."""


def ask(otlp: Otlp) -> Answer:
    """Return what became of an empty request."""
    transport = transport_factory(otlp)()
    transport.limit(ASK_SECONDS)
    payload, _ = transport.prepare([])
    return send_once(transport, payload)


def send_once(transport: Transport, payload: Any, number: int = 0) -> Answer:
    """Try once to send `payload`, with `number` things in it, and close the connection; return what became of it."""
    attempt = _Once(transport)
    try:
        with sending(attempt):
            arrived = transport.send(payload, number)
    finally:
        attempt.close()
    return transport.answer or (TAKEN if arrived else Answer("failed", "the exporter does not say why"))


class _Once:
    """Closes the connection when the exporter complains for the first time, so that it tries no more."""

    hears = True

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._is_open = True

    @property
    def in_trouble(self) -> bool:
        return not self._is_open

    @in_trouble.setter
    def in_trouble(self, _: bool) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, if it is open."""
        if self._is_open:
            self._is_open = False
            self._transport.shutdown()
