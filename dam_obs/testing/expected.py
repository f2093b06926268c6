"""
Whole events to compare with: what happened is compared in full, who counted and where only if asked.

    assert recorder.events() == [event("focus", "gate_check", "gates.py", duration_ns=3_000_000_000)]

Everything that a trace point says has a default here (no parent, no summaries, success, no
data, no duration), so that an event that says more than expected differs. Ids, times of
day, processes and threads are compared where they are named.
"""

from __future__ import annotations

from typing import Any

from dam_obs.trace.events import Scalar, Status, TraceEvent


class ExpectedEvent:
    """Equal to every `TraceEvent` that says the same; see `event`."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ExpectedEvent):
            return self._fields == other._fields
        if not isinstance(other, TraceEvent):
            return NotImplemented
        return self._fields == {name: getattr(other, name) for name in self._fields}

    def __repr__(self) -> str:
        return f"event({', '.join(f'{name}={value!r}' for name, value in self._fields.items())})"


def event(
    layer: str,
    operation: str,
    component: str,
    *,
    parent_id: str | None = None,
    input_summary: str = "",
    output_summary: str = "",
    status: Status = "success",
    metadata: dict[str, Any] | None = None,
    duration_ns: int = 0,
    features: dict[str, Scalar] | None = None,
    **more: Any,
) -> ExpectedEvent:
    """
    Return what an event is expected to be.

    Args:
        layer: The layer's full name.
        operation: Without the layer.
        component: What emitted it.
        parent_id: The parent's handle.
        input_summary: As in the event.
        output_summary: As in the event.
        status: As in the event.
        metadata: All the data, and ``error`` and ``error.type`` of a failure.
        duration_ns: Exact, by a `Clock` in the test's hand.
        features: Features of the command, in measured runs.
        **more: Any other field of `TraceEvent` that is to be compared too.

    Raises:
        AttributeError: when compared, if `more` names what is no field of `TraceEvent`.
    """
    return ExpectedEvent(
        {
            "hrm_layer": layer,
            "operation": operation,
            "component": component,
            "parent_id": parent_id,
            "input_summary": input_summary,
            "output_summary": output_summary,
            "status": status,
            "metadata": metadata or {},
            "duration_ns": duration_ns,
            "features": features,
            **more,
        }
    )
