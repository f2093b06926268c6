"""Events, and the relation that a filter's condition is asked over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import msgspec
import pytest

from dam_obs.store.filter import Filter
from dam_obs.store.timing import duration_ns, start_ns
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]
AskTable = Callable[..., list[bool]]


@pytest.fixture(scope="session")
def event() -> MakeEvent:
    """A maker of events: nothing must be given."""

    def make(**fields: Any) -> TraceEvent:
        plain: dict[str, Any] = {
            "trace_id": "foc_1705180800_a3f2",
            "parent_id": None,
            "timestamp": "2026-01-13T15:00:00+00:00",
            "hrm_layer": "focus",
            "operation": "gate_check",
            "component": "WriteApprovalGate",
            "input_summary": "altitude.session",
            "output_summary": "allowed",
            "duration_ms": 2,
            "status": "success",
            "metadata": {},
        }
        return TraceEvent(**(plain | fields))

    return make


@pytest.fixture(scope="session")
def ask_table() -> AskTable:
    """Asks a filter in SQL, and says of each event whether it was let through."""
    connection = duckdb.connect()

    def ask(wanted: Filter, events: Sequence[TraceEvent], raw_metadata: str | None = None) -> list[bool]:
        connection.execute(
            "create or replace temp table events (position bigint, trace_id varchar, start_ns bigint, layer varchar,"
            " operation varchar, component varchar, input_summary varchar, output_summary varchar, status varchar,"
            " duration_ns bigint, metadata json, otel_trace_id varchar, otel_span_id varchar)"
        )
        rows = [
            (
                position, each.trace_id, start_ns(each), each.hrm_layer, each.operation, each.component,
                each.input_summary, each.output_summary, each.status, duration_ns(each),
                raw_metadata or msgspec.json.encode(each.metadata).decode(), each.otel_trace_id, each.otel_span_id,
            )
            for position, each in enumerate(events)
        ]  # fmt: skip
        if rows:
            connection.executemany(f"insert into events values ({', '.join('?' * len(rows[0]))})", rows)
        condition = wanted.condition()
        found = connection.execute(
            f"select position from events where {condition.sql}", condition.parameters
        ).fetchall()
        through = {position for (position,) in found}
        return [position in through for position in range(len(events))]

    return ask
