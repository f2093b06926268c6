"""
Make ``docs/tui.svg``, what ``dam-obs view --tui`` looks like, from made-up events.

Run it again when the screen changes: ``python docs/_ext/tui_screenshot.py [FILE [COLUMNS ROWS [KEYS...]]]``.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dam_obs.cli._tui.app import TraceApp
from dam_obs.cli._tui.load import loaded
from dam_obs.trace.events import TraceEvent

PAGE = Path(__file__).parents[1] / "tui.svg"
COLUMNS, ROWS = 132, 32
KEYS = ("e", "tab")
BEGIN = datetime(2026, 1, 13, 14, 0, tzinfo=UTC)

_TURN = (
    ("reasoning", "rsn", "classify", "a request", "strategic", {"input_type": "request", "confidence": 0.82}, 1),
    ("altitude", "alt", "transition", "L3→L2", "success", {"from_level": "L3", "to_level": "L2"}, 1),
    ("focus", "foc", "gate_check", "WriteApprovalGate", "allowed",
     {"gate_type": "WriteApproval", "decision": "allowed", "reason": "the user agreed to it"}, 2),
    ("memory", "mem", "write", "altitude.session", "written",
     {"namespace": "altitude", "key": "session", "tier": "warm", "tokens_saved": 45}, 3),
    ("altitude", "alt", "execute", "draft the plan", "done", {"altitude": "L2", "action_type": "draft"}, 1),
    ("memory", "mem", "read", "patterns.recent", "12 patterns",
     {"namespace": "patterns", "key": "recent", "tier": "cold"}, 2),
    ("learning", "lrn", "pattern_match", "weekly report", "", {"pattern_code": "P17", "confidence": 0.91}, 2),
)  # fmt: skip


def example_events(turns: int = 40) -> list[TraceEvent]:
    """Return the events of made-up turns, the same at each call."""
    dice = random.Random(4)  # noqa: S311  (an example)
    return [event for turn in range(turns) for event in _turn(turn, dice)]


def _turn(turn: int, dice: random.Random) -> list[TraceEvent]:
    began = BEGIN + timedelta(seconds=7.3 * turn)
    root = _event(f"sys_{turn}_root", None, "system", "turn", began, "", "answered", {"turn": turn})
    above, offset, made = [root], 0.0, []
    for number, (layer, code, operation, given, output, data, depth) in enumerate(_TURN):
        took = dice.lognormvariate(1.2, 0.8)
        failed = operation == "read" and turn % 7 == 4
        blocked = operation == "gate_check" and turn % 5 == 2
        del above[depth:]
        event = _event(
            f"{code}_{turn}_{number}", above[-1].trace_id, layer, operation, began + timedelta(milliseconds=offset),
            given, "denied" if blocked else output, dict(data), took,
        )  # fmt: skip
        if failed:
            event.status = "error"
            event.metadata |= {
                "error.type": "ChecksumMismatch",
                "error": "record 4,711 of cold.log: 9f3a… expected, 9f3b… read\nit was set aside, the rest is readable",
            }
        elif blocked:
            event.status = "blocked"
        above.append(event)
        offset += took
        made.append(event)
    root.duration_ns = round((offset + 0.4) * 1e6)
    root.duration_ms = round(offset + 0.4)
    _cover(made)
    return [*made, root]


def _cover(events: list[TraceEvent]) -> None:
    """Let each event last as long as what it called."""
    by_handle = {event.trace_id: event for event in events}
    for event in reversed(events):
        parent = by_handle.get(event.parent_id or "")
        if parent is not None:
            gone = datetime.fromisoformat(event.timestamp) - datetime.fromisoformat(parent.timestamp)
            parent.duration_ns = max(
                parent.duration_ns or 0, gone // timedelta(microseconds=1) * 1000 + (event.duration_ns or 0)
            )
            parent.duration_ms = round(parent.duration_ns / 1e6)


def _event(
    handle: str, parent: str | None, layer: str, operation: str, began: datetime, given: str, output: str,
    data: dict[str, Any], took_ms: float = 0,
) -> TraceEvent:  # fmt: skip
    return TraceEvent(
        trace_id=handle, parent_id=parent, timestamp=began.isoformat(), hrm_layer=layer, operation=operation,
        component=f"{layer}.py", input_summary=given, output_summary=output, duration_ms=round(took_ms),
        status="success", metadata=data, duration_ns=round(took_ms * 1e6), pid=4711, thread_id=4711,
    )  # fmt: skip


async def screenshot(columns: int, rows: int, keys: tuple[str, ...]) -> str:
    """Return the screen as SVG after some keys."""
    app = TraceApp(loaded("trace.jsonl", example_events()))
    async with app.run_test(size=(columns, rows)) as pilot:
        await pilot.press(*keys)
        await pilot.pause(0.3)
        picture = app.export_screenshot(title="dam-obs view --tui")
    # The fonts would be loaded from the network; the reader's own will do.
    return re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)


if __name__ == "__main__":
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    size = (int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 3 else (COLUMNS, ROWS)
    path.write_text(asyncio.run(screenshot(*size, tuple(sys.argv[4:]) or KEYS)), encoding="utf-8")
