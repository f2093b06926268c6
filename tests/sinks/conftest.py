"""Finished spans, and a hypothesis strategy for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dam_obs.trace.events import FinishedSpan, TraceEvent


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test hears for the first time what is told once."""
    monkeypatch.setattr("dam_obs.sinks.otlp._told", set())


_EVENT_DEFAULTS: dict[str, Any] = {
    "trace_id": "alt_1705180800_a3f2",
    "parent_id": None,
    "timestamp": "2026-01-13T14:00:00+00:00",
    "hrm_layer": "altitude",
    "operation": "transition",
    "component": "altitude.py",
    "input_summary": "",
    "output_summary": "",
    "duration_ms": 0,
    "status": "success",
    "metadata": {},
}


_OF_EVENTS = frozenset(TraceEvent.__struct_fields__) - {"trace_id", "code"}


@pytest.fixture
def make_event() -> Callable[..., TraceEvent]:
    """Make an event of defaults and what is given."""
    return lambda **given: TraceEvent(**{**_EVENT_DEFAULTS, **given})


@pytest.fixture
def make_span(make_event: Callable[..., TraceEvent]) -> Callable[..., FinishedSpan]:
    """Make a finished span: arguments named as fields of the event go there, `handle` is the event's `trace_id`."""

    def make(**given: Any) -> FinishedSpan:
        handle = given.pop("handle", None)
        fields = {name: given.pop(name) for name in list(given) if name in _OF_EVENTS}
        if handle is not None:
            fields["trace_id"] = handle
        span: dict[str, Any] = {
            "name": "altitude.transition",
            "trace_id": 0xA,
            "span_id": 0xB,
            "parent_span_id": 0,
            "parent_is_remote": False,
            "trace_state": "",
            "start_ns": 1_768_312_800_000_000_000,
            "end_ns": 1_768_312_800_005_000_000,
            "code": {},
            "attributes": {},
            "span_events": (),
            "links": (),
        }

        return FinishedSpan(event=make_event(**fields), **{**span, **given})

    return make
