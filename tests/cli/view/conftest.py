"""A trace to look at, and the command that looks at it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from dam_obs.cli.view import command
from dam_obs.trace.events import TraceEvent

SEED = """\
{"trace_id":"alt_1705180800_a3f2","parent_id":null,"timestamp":"2026-01-13T14:00:00","hrm_layer":"altitude","operation":"transition","component":"altitude.py","input_summary":"L3→L2","output_summary":"success","duration_ms":5,"status":"success","metadata":{"reason":"user requested tactical"}}
{"trace_id":"foc_1705180801_b7c1","parent_id":"alt_1705180800_a3f2","timestamp":"2026-01-13T14:00:01","hrm_layer":"focus","operation":"gate_check","component":"gates.py","input_summary":"WriteApprovalGate","output_summary":"allowed","duration_ms":2,"status":"success","metadata":{"user_consent":true}}
{"trace_id":"mem_1705180802_c8d2","parent_id":"foc_1705180801_b7c1","timestamp":"2026-01-13T14:00:02","hrm_layer":"memory","operation":"write","component":"manager.py","input_summary":"altitude.session","output_summary":"written","duration_ms":3,"status":"success","metadata":{"tokens_saved":45,"tier":"warm"}}
"""  # noqa: E501 - as the seed has them

MakeEvent = Callable[..., TraceEvent]
Write = Callable[..., None]
View = Callable[..., str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "OTEL_SERVICE_NAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def seed(folder: Path) -> Path:
    """The seed's three lines."""
    trace = folder / "trace.jsonl"
    trace.write_text(SEED)
    return trace


@pytest.fixture
def event() -> MakeEvent:
    """A maker of events: handle, parent, start and duration in milliseconds."""

    def make(trace_id: str, parent_id: str | None = None, start: int = 0, took: int = 1, **fields: Any) -> TraceEvent:
        plain: dict[str, Any] = {
            "timestamp": f"2026-01-13T15:00:{start // 1000:02d}.{start % 1000:03d}000+00:00", "hrm_layer": "altitude",
            "operation": "plan", "component": "loop.py", "input_summary": "", "output_summary": "done",
            "duration_ms": took, "duration_ns": took * 1_000_000, "status": "success", "metadata": {}, "pid": 1,
        }  # fmt: skip
        return TraceEvent(trace_id=trace_id, parent_id=parent_id, **(plain | fields))

    return make


@pytest.fixture
def write() -> Write:
    """A writer of ``trace.jsonl``."""

    def put(*events: TraceEvent) -> None:
        Path("trace.jsonl").write_bytes(msgspec.json.Encoder().encode_lines(events))

    return put


@pytest.fixture
def turn(event: MakeEvent, write: Write) -> list[TraceEvent]:
    """A turn of 100 ms: 10 of its own, two reads at once, a gate after 20 ms of nothing, 10 of its own, an error."""
    events = [
        event("mem_1_b", "alt_1_a", 10, 20, hrm_layer="memory", operation="read", input_summary="session"),
        event("mem_1_c", "alt_1_a", 10, 40, hrm_layer="memory", operation="read", input_summary="patterns"),
        event("foc_1_d", "alt_1_a", 70, 20, hrm_layer="focus", operation="gate_check", status="blocked",
              output_summary="denied"),
        event("mem_1_e", "foc_1_d", 75, 10, hrm_layer="memory", operation="write", status="error",
              metadata={"error.type": "KeyError", "error": "'session'"}),
        event("lrn_1_f", "alt_1_a", 95, 0, hrm_layer="learning", operation="pattern_match", kind="event"),
        event("alt_1_a", None, 0, 100, input_summary="turn 1"),
    ]  # fmt: skip
    write(*events)
    return events


@pytest.fixture
def view() -> View:
    """The command: what it prints to standard output; standard error must be empty."""

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(command, arguments, catch_exceptions=False)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    return run
