"""What is said about one event in the viewer."""

from __future__ import annotations

from dam_obs.cli._tui.details import details_of
from dam_obs.trace.events import Awaited, TraceEvent


def test_what_was_awaited_is_laid_out_place_by_place() -> None:
    """Kind, function, file and line, each on a line of its own."""
    event = TraceEvent(
        trace_id="sys_1_a", parent_id=None, timestamp="2026-01-13T14:00:00+00:00", hrm_layer="system",
        operation="execute", component="demo", input_summary="", output_summary="", duration_ms=0, status="success",
        metadata={}, awaited=[Awaited(kind="lock", what="asyncio.locks:Lock.acquire", wait_ns=5, by="m:f", line=3)],
    )  # fmt: skip

    lines = details_of(event).plain.split("\n")

    assert lines[lines.index("awaited") :] == [
        "awaited",
        "  0: ",
        '    kind: "lock"',
        '    what: "asyncio.locks:Lock.acquire"',
        "    wait_ns: 5",
        '    by: "m:f"',
        "    line: 3",
    ]
