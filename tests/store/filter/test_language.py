"""What a filter's text means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dam_obs.store.filter import all_of, of_layers, parse_filter, with_statuses
from dam_obs.store.find import Source
from dam_obs.store.table import EventTable, open_table, table_of
from dam_obs.trace.events import TraceEvent

NOW = datetime(2026, 1, 13, 15, 10, tzinfo=UTC)

MakeEvent = Callable[..., TraceEvent]


@pytest.fixture(scope="module")
def told(event: MakeEvent) -> dict[str, TraceEvent]:
    """Four events by a letter: a gate, a plan that failed, a write, a moment of a plugin's layer."""
    return {
        "g": event(
            duration_ns=1_500_000,
            metadata={
                "gate_type": "WriteApproval", "reason": "needs consent", "confidence": 0.9,
                "bundle": ["critic", "planner"],
            },
        ),
        "p": event(
            trace_id="alt_1705180801_b1", hrm_layer="altitude", operation="plan", component="altitude.py",
            input_summary="L3→L2", output_summary="", status="error", duration_ns=2_000_000_000,
            timestamp="2026-01-13T15:05:00+00:00", otel_span_id="0123456789abcdef", otel_trace_id="f" * 32,
            metadata={
                "error.type": "ValueError", "error": {"retry": True}, "tokens_saved": 41,
                "plan": {"steps": [1, {"name": "read"}]},
            },
        ),
        "w": event(
            trace_id="mem_1705180802_C3", hrm_layer="memory", operation="write", component="memory/manager.py",
            input_summary="altitude.session", output_summary="written", status="blocked", duration_ms=23,
            timestamp="2026-01-13T16:08:00+01:00",
            metadata={"tokens_saved": 40, "data": {"x": None}, "note": 'say "hi"'},
        ),
        "m": event(
            trace_id="bil_1_a", hrm_layer="billing", operation="charge", component="", kind="event", duration_ms=0,
            timestamp="2026-01-13T15:09:59+00:00", input_summary="", output_summary="", metadata={"tokens_saved": "45"},
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def table(told: dict[str, TraceEvent]) -> Iterator[EventTable]:
    """The same in a table."""
    with table_of(told.values(), "here") as made:
        yield made


TEXTS = [
    ("", "gpwm"),
    ("   ", "gpwm"),
    ("gate", "g"),
    ("GATE_check", "g"),
    ("consent", "g"),
    ('"needs consent"', "g"),
    ('"consent needs"', ""),
    ("consent needs", "g"),
    ("altitude", "gpw"),
    ("planner", "g"),
    ("ValueError", "p"),
    ("tokens_saved", ""),
    ("41", "p"),
    ("0.9", "g"),
    ("true", "p"),
    ("null", ""),
    ("l3→l", "p"),
    ("n*d*consent", "g"),
    ('"n*d"', ""),
    ('"say \\"hi\\""', "w"),
]
FIELDS = [
    ("layer:focus", "g"),
    ("layer:FOC", "g"),
    ("Layer:alt", "p"),
    ("layer:billing", "m"),
    ("layer:bil", "m"),
    ("status:error", "p"),
    ("status:Blocked", "w"),
    ("operation:plan", "p"),
    ("operation:pla", ""),
    ("operation:*a*", "gpm"),
    ("operation:focus.gate_check", "g"),
    ("operation:altitude.*", "p"),
    ("operation:f*", ""),
    ("operation:f*.g*", "g"),
    ("component:writeapprovalgate", "g"),
    ("component:*.py", "pw"),
    ("component:memory/*", "w"),
    ('component:"*.py"', ""),
    ('component:""', "m"),
    ("id:mem_1705180802_C3", "w"),
    ("id:mem_1705180802_c3", ""),
    ("id:0123456789ABCDEF", "p"),
    (f"id:{'F' * 32}", "p"),
    ("duration:>1s", "p"),
    ("duration:>2s", ""),
    ("duration:>=2s", "p"),
    ("duration:<1.5ms", ""),
    ("duration:<=1.5ms", "g"),
    ("duration:=1500us", "g"),
    ("duration:1500µs", "g"),
    ("duration:1ms..23ms", "gw"),
    ("-duration:>1ns", "m"),
    ("since:10m", "gpwm"),
    ("since:5m", "pwm"),
    ("since:4.9m", "wm"),
    ("before:1s", "gpw"),
    ("before:1m", "gpw"),
    ("since:2026-01-13T15:08:00Z", "wm"),
    ("before:2026-01-13T16:08+01:00", "gp"),
    ("since:2026-01-13T15:05Z before:2026-01-13T15:09Z", "pw"),
]
DATA = [
    ("@data.gate_type:WriteApproval", "g"),
    ("@gate_type:writeapproval", "g"),
    ("@gate_type:write*", "g"),
    ("@gate_type:Write", ""),
    ("@Gate_type:*", ""),
    ("@data.tokens_saved:*", "pwm"),
    ("@data.tokens_saved:>40", "p"),
    ("@data.tokens_saved:>=40", "pw"),
    ("@data.tokens_saved:40..41", "pw"),
    ("@data.tokens_saved:=40", "w"),
    ("@data.tokens_saved:40.0", "w"),
    ("@data.tokens_saved:45", "m"),
    ('@data.tokens_saved:"40..41"', ""),
    ("@confidence:<1", "g"),
    ("@confidence:0.90", "g"),
    ("@error.type:ValueError", "p"),
    ("@error.retry:true", "p"),
    ('@"error.type":value*', "p"),
    ("@bundle:critic", "g"),
    ("@bundle:*", "g"),
    ("@bundle.1:planner", "g"),
    ("@bundle.2:*", ""),
    ("@plan.steps:1", "p"),
    ("@plan.steps.1.name:read", "p"),
    ("@plan:read", ""),
    ("@data.x:*", ""),
    ("@data.data:*", "w"),
    ("@data.data.x:*", ""),
    ("-@tokens_saved:*", "g"),
]
TOGETHER = [
    ("altitude -layer:focus", "pw"),
    ('-"altitude"', "m"),
    ("altitude and -status:error", "gw"),
    ("status:error or status:blocked", "pw"),
    ("layer:memory OR layer:focus gate", "gw"),
    ("(layer:memory or layer:focus) gate", "g"),
    ("-(layer:memory or layer:focus)", "pm"),
    ("(altitude(-plan))", "w"),
    ("altitude or altitude -status:error", "gpw"),
    ('"or"', "pw"),
    ("-needs", "pwm"),
    ("a-b", ""),
]


@pytest.mark.parametrize(("text", "wanted"), [*TEXTS, *FIELDS, *DATA, *TOGETHER])
def test_a_filter_lets_through(
    let_through: Any, told: dict[str, TraceEvent], table: EventTable, text: str, wanted: str
) -> None:
    """The same of an event and of a table."""
    read = parse_filter(text, now=NOW)

    assert "".join(letter for letter, each in told.items() if read.matches(each)) == wanted
    assert let_through(read, table) == [letter in wanted for letter in told]


def test_json_may_be_written_in_other_ways(let_through: Any, event: MakeEvent, tmp_path: Path) -> None:
    """With letters as escapes and numbers in other forms, as other programs write it."""
    raw = rb'{ "n\u0061me" : "caf\u00e9 \/x" , "cost": 1.50e1, "list" : [ "a" , 1 ] }'
    line = msgspec.json.encode(event()).replace(b'"metadata":{}', b'"metadata":' + raw)
    (tmp_path / "trace.jsonl").write_bytes(line)
    with open_table(Source(tmp_path / "trace.jsonl", None)) as written:
        found = [
            let_through(parse_filter(text), written)
            for text in ("CAFÉ", "é*x", "/x", "15.0", "@name:café*", "@cost:15", "@list:1")
        ]

    assert found == [[True]] * 7


def test_what_options_say_is_a_filter_too(told: dict[str, TraceEvent]) -> None:
    """Any of the layers and any of the statuses, together with what was typed; its text says the same."""
    both = all_of(of_layers(["alt", "memory"]), with_statuses(["error"]), parse_filter(""), parse_filter("41"))

    assert both.text == "(layer:alt or layer:memory) status:error 41"
    assert parse_filter(both.text).tree == both.tree
    assert [letter for letter, each in told.items() if both.matches(each)] == ["p"]


def test_nothing_said_is_everything() -> None:
    """So a command need not ask whether there is a filter."""
    nothing = all_of(of_layers([]), with_statuses([]), parse_filter("  "))

    assert (nothing.is_everything, nothing.text, nothing.condition().sql) == (True, "", "true")


def test_a_time_without_offset_is_local(told: dict[str, TraceEvent]) -> None:
    """As it is in a trace."""
    local = datetime(2026, 1, 13, 15, 5, tzinfo=UTC).astimezone().replace(tzinfo=None)

    wanted = parse_filter(f"since:{local.isoformat()}")

    assert [letter for letter, each in told.items() if wanted.matches(each)] == ["p", "w", "m"]


def test_now_is_now(event: MakeEvent) -> None:
    """If nothing else is said."""
    just_now = event(timestamp=datetime.now(UTC).isoformat())

    assert parse_filter("since:1h -before:1h").matches(just_now)
    assert not parse_filter("since:1h").matches(event())
