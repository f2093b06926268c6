"""
Ask a collector whether it takes spans, by a request without any, sent as a program's sink would send it.

For `dam-obs doctor`. Address, headers and certificates are read by the exporters from the environment of this
process, as they are in a program.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from dam_obs.sinks.otlp import Transport, transport_factory
from dam_obs.sinks.otlp_answers import TAKEN, Answer, partly
from dam_obs.sinks.otlp_complaints import sending
from dam_obs.sinks.otlp_env import Otlp

ASK_SECONDS: Final = 5.0
"""How long an answer is waited for."""


def ask(otlp: Otlp) -> Answer:
    """Return what became of an empty request."""
    transport = transport_factory(otlp)()
    transport.limit(ASK_SECONDS)
    payload, _ = transport.prepare([])
    return send_in_turn(transport, [payload])


def send_in_turn(transport: Transport, payloads: Iterable[Any]) -> Answer:
    """
    Send one payload after the other, each in one attempt, until one does not arrive; then close the connection.

    Returns:
        What became of the one that did not arrive; else of all: what was rejected of any is in it.
    """
    attempt = _Once(transport)
    whole = TAKEN
    try:
        with sending(attempt):
            for payload in payloads:
                arrived = transport.send(payload, 0)
                answer = transport.answer or (TAKEN if arrived else _UNKNOWN)
                if not answer.arrived:
                    return answer
                whole = _together(whole, answer)
    finally:
        attempt.close()
    return whole


def _together(earlier: Answer, answer: Answer) -> Answer:
    if "partly" in (earlier.kind, answer.kind):
        return partly(earlier.rejected + answer.rejected, answer.message or earlier.message)
    return answer if earlier is TAKEN else earlier


_UNKNOWN: Final = Answer("failed", "the exporter does not say why")


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
