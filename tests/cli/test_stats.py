"""``dam-obs stats``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from dam_obs.cli import main
from dam_obs.cli.stats import command
from dam_obs.trace.events import TraceEvent

SEED_SHAPE = """\
HRM Layer Stats (last 1000 events):
- altitude: 150 ops, avg 8ms, 2 errors
- focus: 400 ops, avg 3ms, 0 errors
- memory: 450 ops, avg 2ms, 1 error

Slowest operations:
1. alt_transition: 45ms (L4→L2 skip)
2. mem_write: 23ms (cold tier archive)
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder."""
    monkeypatch.chdir(tmp_path)


def event(trace_id: str, **fields: Any) -> TraceEvent:
    plain: dict[str, Any] = {
        "parent_id": None, "timestamp": "2026-01-13T15:00:00+00:00", "hrm_layer": "altitude", "operation": "transition",
        "component": "altitude.py", "input_summary": "L3→L2", "output_summary": "success", "duration_ms": 5,
        "status": "success", "metadata": {},
    }  # fmt: skip
    return TraceEvent(trace_id=trace_id, **(plain | fields))


def write(*events: TraceEvent) -> None:
    Path("trace.jsonl").write_bytes(msgspec.json.Encoder().encode_lines(events))


def stats(*arguments: str) -> tuple[str, str]:
    """What goes to standard output and to standard error."""
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def seeds_run() -> list[TraceEvent]:
    """A run of which the seed's example tells."""
    slow = event("alt_1_slow", duration_ms=45, input_summary="L4→L2", metadata={"reason": "skip"})
    cold = event(
        "mem_1_cold", hrm_layer="memory", operation="write", duration_ms=23, input_summary="",
        metadata={"reason": "cold tier archive"},
    )  # fmt: skip
    altitude = [event(f"alt_1_{n}", duration_ms=8, status="error" if n < 2 else "success") for n in range(149)]
    focus = [event(f"foc_1_{n}", hrm_layer="focus", operation="gate_check", duration_ms=3) for n in range(400)]
    memory = [
        event(f"mem_1_{n}", hrm_layer="memory", operation="write", duration_ms=2, status="success" if n else "error")
        for n in range(449)
    ]
    return [*memory, *focus, slow, *altitude, cold]


def test_the_seeds_example_comes_out_to_the_letter() -> None:
    """What follows it is set off by a blank line."""
    write(*seeds_run())
    out, err = stats("--slowest", "2")

    assert out.startswith(SEED_SHAPE + "\n")
    assert err == ""


def test_a_table_follows_with_what_the_seed_does_not_show() -> None:
    """Blocked events, and how times are spread."""
    write(
        *(event(f"alt_1_{n}", duration_ns=(n + 1) * 1_500_000, duration_ms=0) for n in range(20)),
        event("foc_1_a", hrm_layer="focus", status="blocked", duration_ns=40_000, duration_ms=0),
        event("sys_1_b", hrm_layer="system", kind="event", duration_ms=0),
    )
    out, _ = stats("--slowest", "0")

    assert [line.rstrip() for line in out.splitlines()] == [
        "HRM Layer Stats (last 22 events):",
        "- altitude: 20 ops, avg 16ms, 0 errors",
        "- focus: 1 op, avg 0ms, 0 errors",
        "- system: 1 op, avg 0ms, 0 errors",
        "",
        "Layer     Blocked    p50      p95  Slowest",
        "altitude        0  15 ms  28.5 ms    30 ms",
        "focus           1  40 µs    40 µs    40 µs",
        "system          0",
    ]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "L3→L2"),
        ({"metadata": {"reason": "skip"}}, "L3→L2 skip"),
        ({"input_summary": "", "metadata": {"reason": "cold tier archive"}}, "cold tier archive"),
        ({"input_summary": "", "metadata": {"reason": 7}}, "altitude.py"),
        ({"input_summary": "a\x1b[2J"}, "a\\x1b[2J"),
    ],
)
def test_a_slow_operation_says_what_it_was_about(fields: dict[str, Any], text: str) -> None:
    """Its input and its reason, else its component; nothing in it drives the terminal."""
    write(event("alt_1_a", **fields))

    assert f"\n1. alt_transition: 5ms ({text})\n" in stats()[0]


def test_ten_slow_operations_are_named_by_default() -> None:
    """Slowest first."""
    write(*(event(f"alt_1_{n}", duration_ms=n) for n in range(12)))
    lines = stats()[0].split("Slowest operations:\n")[1].split("\n\n")[0].splitlines()

    assert lines == [f"{rank}. alt_transition: {12 - rank}ms (L3→L2)" for rank in range(1, 11)]


def test_older_events_are_left_out_and_counted() -> None:
    """The number that would sum up all is told; one is singular."""
    write(event("foc_1_a", hrm_layer="focus"), event("foc_1_b", hrm_layer="focus"), event("alt_1_c"))
    out, err = stats("--last", "1")

    assert out.startswith("HRM Layer Stats (last 1 event):\n- altitude: 1 op, avg 5ms, 0 errors\n\n")
    assert err == "Left out: 2 older events; --last 3 sums up all.\n"


def test_a_plugins_layer_follows_the_built_in_ones() -> None:
    """With the code of its handles, although the plugin is not here."""
    write(
        event("bil_1_a", hrm_layer="billing", operation="charge"), event("sys_1_b", hrm_layer="system", duration_ms=1)
    )
    out, _ = stats()

    assert out.splitlines()[1:3] == ["- system: 1 op, avg 1ms, 0 errors", "- billing: 1 op, avg 5ms, 0 errors"]
    assert "1. bil_charge: 5ms (L3→L2)" in out


def test_json_for_other_programs() -> None:
    """The same numbers, finer, with a version and with what leads back to the events."""
    write(
        event("alt_1_a", duration_ns=5_400_000, otel_span_id="a" * 16, status="error"), event("alt_1_b", kind="event")
    )
    with Path("trace.jsonl").open("a") as file:
        file.write('{"trace_id":"torn')

    assert json.loads(stats("--json")[0]) == {
        "schema_version": 1,
        "trace": str(Path.cwd() / "trace.jsonl"),
        "events_in_trace": 2,
        "events": 2,
        "skipped": {"torn": 1},
        "layers": [
            {
                "layer": "altitude",
                "operations": 2,
                "by_status": {"success": 1, "error": 1, "blocked": 0},
                "durations": {"mean_ns": 5_400_000, "p50_ns": 5_400_000, "p95_ns": 5_400_000, "max_ns": 5_400_000},
            }
        ],
        "slowest": [
            {
                "trace_id": "alt_1_a",
                "otel_span_id": "a" * 16,
                "timestamp": "2026-01-13T15:00:00+00:00",
                "layer": "altitude",
                "operation": "transition",
                "component": "altitude.py",
                "status": "error",
                "duration_ns": 5_400_000,
                "what": "L3→L2",
            }
        ],
    }


def test_an_empty_file_is_no_error() -> None:
    """A sentence for a person, an empty document for a program."""
    write()

    assert stats() == ("", "trace.jsonl holds no events yet.\n")
    assert json.loads(stats("--json")[0])["layers"] == []


def test_no_trace_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    """It says how to get one."""
    assert main(["stats"]) == 2
    out, err = capsys.readouterr()

    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"dam-obs: error: no trace at or below {Path.cwd()}: make one with ")


def test_it_runs_as_a_module() -> None:
    """As the seed has it."""
    write(event("alt_1_a"))
    done = subprocess.run([sys.executable, "-m", "dam_obs.stats"], capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith("HRM Layer Stats (last 1 event):\n- altitude: 1 op, avg 5ms, 0 errors\n")
