"""Events, and the table that a filter's condition is asked of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dam_obs.store.filter import Filter
from dam_obs.store.table import EventTable
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]


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
def let_through() -> Callable[[Filter, EventTable], list[bool]]:
    """Asks a filter in SQL, and says of each event of a table whether it was let through."""

    def ask(wanted: Filter, table: EventTable) -> list[bool]:
        condition = wanted.condition()
        found = table.connection.execute(
            f"select position from events where {condition.sql}", condition.parameters
        ).fetchall()
        through = {position for (position,) in found}
        return [position in through for position in range(len(table))]

    return ask
