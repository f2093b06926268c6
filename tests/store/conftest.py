"""Events and files to read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]


@pytest.fixture
def event() -> MakeEvent:
    """A maker of events: only the handle must be given."""

    def make(trace_id: str, **fields: Any) -> TraceEvent:
        plain: dict[str, Any] = {
            "parent_id": None,
            "timestamp": "2026-01-13T14:00:00+00:00",
            "hrm_layer": "altitude",
            "operation": "transition",
            "component": "altitude.py",
            "input_summary": "L3→L2",
            "output_summary": "success",
            "duration_ms": 5,
            "status": "success",
            "metadata": {},
        }
        return TraceEvent(trace_id=trace_id, **(plain | fields))

    return make


@pytest.fixture
def write() -> Callable[..., Path]:
    """A writer of lines: events are encoded, bytes are written as they are."""

    def put(path: Path, *lines: TraceEvent | bytes) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = [line if isinstance(line, bytes) else msgspec.json.encode(line) + b"\n" for line in lines]
        path.write_bytes(b"".join(content))
        return path

    return put
