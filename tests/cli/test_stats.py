"""``dam-obs stats``."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


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


def mixed() -> list[TraceEvent]:
    """Spans of two layers, one of them blocked, and a moment."""
    return [
        *(event(f"alt_1_{n}", duration_ns=(n + 1) * 1_500_000, duration_ms=0) for n in range(20)),
        event("alt_1_x", operation="plan", duration_ns=2_000_000, status="error"),
        event(
            "foc_1_a", hrm_layer="focus", operation="gate_check", status="blocked", duration_ns=40_000, duration_ms=0
        ),
        event("sys_1_b", hrm_layer="system", operation="start", kind="event", duration_ms=0),
    ]


def sections(text: str) -> list[list[str]]:
    """What stands between blank lines, without blanks at the end of lines."""
    return [[line.rstrip() for line in part.splitlines()] for part in text.split("\n\n")]


def test_a_table_follows_with_what_the_seed_does_not_show() -> None:
    """Each layer and below it its operations: rates of errors and of what was blocked, and how times are spread."""
    write(*mixed())
    first, table = sections(stats("--slowest", "0")[0])

    assert first == [
        "HRM Layer Stats (last 23 events):",
        "- altitude: 21 ops, avg 15ms, 1 error",
        "- focus: 1 op, avg 0ms, 0 errors",
        "- system: 1 op, avg 0ms, 0 errors",
    ]
    assert table == [
        "Layer         Count      Errors     Blocked    p50    p90      p95    p99  Slowest   Total",
        "altitude         21    1 (4.8%)           0  15 ms  27 ms  28.5 ms  30 ms    30 ms  317 ms",
        "  transition     20           0           0  15 ms  27 ms  28.5 ms  30 ms    30 ms  315 ms",
        "  plan            1  1 (100.0%)           0   2 ms   2 ms     2 ms   2 ms     2 ms    2 ms",
        "focus             1           0  1 (100.0%)  40 µs  40 µs    40 µs  40 µs    40 µs   40 µs",
        "  gate_check      1           0  1 (100.0%)  40 µs  40 µs    40 µs  40 µs    40 µs   40 µs",
        "system            1           0           0",
        "  start           1           0           0",
    ]


@pytest.mark.parametrize(
    ("width", "header"),
    [
        ("100", "Layer         Count      Errors     Blocked    p50    p90      p95    p99  Slowest   Total"),
        ("80", "Layer         Count      Errors     Blocked    p50      p95  Slowest   Total"),
        ("70", "Layer         Count      Errors     Blocked    p50      p95  Slowest"),
        ("60", "Layer         Count      Errors     Blocked    p50      p95"),
        ("40", "Layer         Count      Errors      p95"),
        ("30", "Layer         Count"),
    ],
)
def test_a_table_fits_the_terminal(width: str, header: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What matters least is left out first."""
    monkeypatch.setenv("COLUMNS", width)
    write(*mixed())
    table = sections(stats("--slowest", "0")[0])[1]

    assert table[0] == header
    assert max(map(len, table)) <= int(width)


def test_long_names_are_shortened_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ends of a path tell most; wide characters count as two. Figures are whole."""
    monkeypatch.setenv("COLUMNS", "36")
    write(event("alt_1_a", operation="src/very/long/path/file_1.py"), event("alt_1_b", operation="漢字" * 9))

    assert sections(stats("--slowest", "0")[0])[1] == [
        "Layer                  Count  Errors",
        "altitude                   2       0",
        "  src/very…/file_1.py      1       0",
        "  漢字漢字…字漢字漢字      1       0",
    ]


def test_the_slowest_come_with_their_handles() -> None:
    """And with the command that shows the first of them; it names the trace if that was named."""
    write(event("alt_1_a"), event("alt_1_b", duration_ns=1_500_000_000, status="error"))
    out, _ = stats("--slowest", "1")
    named, _ = stats("trace.jsonl")

    assert sections(out)[2] == [
        "    Handle    Took  Status  Component    Started",
        "1.  alt_1_b  1.5 s  error   altitude.py  2026-01-13T15:00:00+00:00",
        "See the first where it belongs: dam-obs view --trace-id alt_1_b",
    ]
    assert "\nSee the first where it belongs: dam-obs view trace.jsonl --trace-id alt_1_b\n" in named


def test_a_command_to_paste_does_nothing_else() -> None:
    """A handle is whatever the trace says."""
    write(event("$(reboot)\x1b[2J"))

    assert "\nSee the first where it belongs: dam-obs view --trace-id '$(reboot)\\x1b[2J'\n" in stats()[0]


def test_standard_input_cannot_be_read_again() -> None:
    """So no command is told that would."""
    content = msgspec.json.encode(event("alt_1_a"))
    result = CliRunner().invoke(command, ["-"], input=content, catch_exceptions=False)

    assert result.stdout.startswith("HRM Layer Stats (last 1 event):\n")
    assert "See the first" not in result.stdout


def test_a_filter_chooses_what_is_summed_up() -> None:
    """The first line says so; `--last` counts what fits."""
    write(*mixed())
    out, err = stats("--filter", "layer:altitude duration:>=27ms", "--last", "2")

    assert out.startswith(
        "HRM Layer Stats (last 2 events that fit layer:altitude duration:>=27ms):\n"
        "- altitude: 2 ops, avg 29ms, 0 errors\n"
    )
    assert err == "Left out: 1 older event; --last 3 sums up all.\n"


def test_nothing_that_fits_is_no_error() -> None:
    """A sentence says so."""
    write(*mixed())

    assert stats("-f", "layer:focus status:error") == (
        "",
        "None of the 23 events in trace.jsonl fits layer:focus status:error.\n",
    )


def test_a_filter_that_cannot_be_understood_is_pointed_at(capsys: pytest.CaptureFixture[str]) -> None:
    """The text stands below the sentence; a layer that not even the trace knows is such a mistake too."""
    write(event("bil_1_a", hrm_layer="billing"))

    assert main(["stats", "-f", "slow -stauts:error"]) == 2
    sentence, *excerpt = capsys.readouterr().err.splitlines()
    assert sentence == (
        "dam-obs: error: unknown field 'stauts': did you mean status? there are layer, status, operation, "
        "component, id, duration, since, before and @data.NAME; to look for text with a colon, quote it "
        "(column 7 of the filter)"
    )
    assert excerpt == ["  slow -stauts:error", "        ^^^^^^"]
    assert main(["stats", "-f", "layer:billing"]) == 0
    assert main(["stats", "-f", "layer:bilings"]) == 2
    assert "unknown layer 'bilings': did you mean billing? " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("by", "heading", "rows"),
    [
        ("component", "Component    Count", ["altitude.py      3", "gates.py         1"]),
        ("layer", "Layer     Count", ["altitude      3", "focus         1"]),
        ("operation", "Operation   Count", ["transition      4"]),
        ("status", "Status   Count", ["success      3", "error        1"]),
        ("@data.gate", "@data.gate  Count", ["write           2", "plan            1"]),
    ],
)
def test_events_by_what_the_user_names(by: str, heading: str, rows: list[str]) -> None:
    """What took the longest together comes first."""
    write(
        event("alt_1_a", metadata={"gate": "write"}, duration_ns=9_000_000),
        event("alt_1_b", metadata={"gate": "write"}),
        event("alt_1_c", metadata={"gate": "plan"}),
        event("foc_1_d", hrm_layer="focus", component="gates.py", status="error"),
    )
    table = sections(stats("--slowest", "0", "--by", by)[0])[2]

    assert table[0].startswith(heading)
    assert [line[: len(row)] for line, row in zip(table[1:], rows, strict=False)] == rows
    assert table[len(rows) + 1 :] == (["1 event without @data.gate."] if by == "@data.gate" else [])


def test_of_many_groups_the_heaviest_are_shown() -> None:
    """The others are counted; so are operations of a layer."""
    write(*(event(f"alt_1_{n}", operation=f"op{n}", component=f"c{n}", duration_ns=n * 1_000_000) for n in range(30)))
    _, layers, groups = sections(stats("--slowest", "0", "--by", "component", "--groups", "2")[0])

    assert [line.split()[0] for line in layers] == ["Layer", "altitude", "op29", "op28", "Left"]
    assert layers[-1] == "Left out: 28 operations of altitude that took less; --groups N shows more."
    assert [line.split()[0] for line in groups] == ["Component", "c29", "c28", "Left"]
    assert groups[-1] == "Left out: 28 groups that took less; --groups N shows more."


def test_what_cannot_be_grouped_by_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """With what can."""
    write(*mixed())

    assert main(["stats", "--by", "compnent"]) == 2
    assert capsys.readouterr().err == (
        "dam-obs: error: cannot group by 'compnent': did you mean component? "
        "there are layer, operation, component, status and @data.NAME\n"
    )


def spread(*moments: tuple[int, int]) -> None:
    """Write events: so many seconds after the first, taking so many milliseconds."""
    begin = datetime(2026, 1, 13, 15, 0, tzinfo=UTC)
    write(
        *(
            event(f"alt_1_{n}", timestamp=(begin + timedelta(seconds=at)).isoformat(), duration_ns=ms * 1_000_000)
            for n, (at, ms) in enumerate(moments)
        )
    )


def test_bars_show_how_it_went_over_time(utc: None) -> None:
    """One for each part of the time, from the first event to the last; nothing is no bar."""
    spread((0, 1), (0, 8), (1, 4), (3, 2), (3, 2), (3, 2), (3, 16))

    assert sections(stats("--slowest", "0", "--buckets", "4")[0])[2] == [
        "Over time: each bar is 750 ms, the first from 2026-01-13 15:00:00+00:00 on",
        "Layer     Operations  most  p95    most",
        "altitude  ▄▂ █           4  ▄▂ █  16 ms",
    ]


def test_bars_without_blocks() -> None:
    """Where the encoding has none."""
    spread((0, 1), (0, 8), (1, 4), (3, 2), (3, 2), (3, 2), (3, 16))
    result = CliRunner(charset="ascii").invoke(command, ["--slowest", "0", "--buckets", "4"], catch_exceptions=False)

    assert result.stdout_bytes.decode("ascii").splitlines()[-1].rstrip() == "altitude  =: @           4  =: @  16 ms"


def test_bars_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both tables stand below each other, with as many bars as fit."""
    monkeypatch.setenv("COLUMNS", "60")
    spread(*((second, second + 1) for second in range(100)))
    lines = sections(stats("--slowest", "0", "--buckets", "100")[0])[2]

    assert [line.split()[:2] for line in lines[1:]] == [
        ["Layer", "Operations"],
        ["altitude", "█" * 20],
        ["Layer", "p95"],
        ["altitude", "▁▁▂▂▂▃▃▄▄▄▅▅▆▆▆▇▇███"],
    ]
    assert max(map(len, lines[1:])) <= 60


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
        event("alt_1_a", duration_ns=5_400_000, otel_span_id="a" * 16, status="error", component="a.py"),
        event("alt_1_b", kind="event", timestamp="2026-01-13T15:00:01+00:00"),
    )
    with Path("trace.jsonl").open("a") as file:
        file.write('{"trace_id":"torn')
    took = dict.fromkeys(("mean_ns", "p50_ns", "p90_ns", "p95_ns", "p99_ns", "max_ns", "total_ns"), 5_400_000)
    both = {
        "operations": 2,
        "by_status": {"success": 1, "error": 1, "blocked": 0},
        "error_rate": 0.5,
        "blocked_rate": 0.0,
        "durations": took,
    }
    one = {"operations": 1, "blocked_rate": 0.0}
    a_py = one | {
        "name": "a.py", "by_status": {"success": 0, "error": 1, "blocked": 0}, "error_rate": 1.0, "durations": took,
    }  # fmt: skip
    altitude_py = one | {
        "name": "altitude.py", "by_status": {"success": 1, "error": 0, "blocked": 0}, "error_rate": 0.0,
        "durations": None,
    }  # fmt: skip

    assert json.loads(stats("--json", "--by", "component", "--buckets", "2", "-f", "L3")[0]) == {
        "schema_version": 2,
        "trace": str(Path.cwd() / "trace.jsonl"),
        "filter": "L3",
        "events_in_trace": 2,
        "events_fitting": 2,
        "events": 2,
        "skipped": {"torn": 1},
        "layers": [
            {"layer": "altitude", **both, "by_operation": [{"name": "transition", **both}], "operations_left_out": 0}
        ],
        "grouped": {"by": "component", "groups": [a_py, altitude_py], "groups_left_out": 0, "events_without": 0},
        "over_time": {
            "first_ns": 1768316400000000000,
            "bucket_ns": 500_000_001,
            "buckets": 2,
            "by": "component",
            "series": [
                {"name": "a.py", "operations": [1, 0], "p95_ns": [5_400_000, None]},
                {"name": "altitude.py", "operations": [0, 1], "p95_ns": [None, None]},
            ],
        },
        "slowest": [
            {
                "trace_id": "alt_1_a",
                "otel_span_id": "a" * 16,
                "timestamp": "2026-01-13T15:00:00+00:00",
                "layer": "altitude",
                "operation": "transition",
                "component": "a.py",
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
    empty = json.loads(stats("--json", "-f", "layer:whatever")[0])
    assert (empty["events_in_trace"], empty["layers"], empty["over_time"]) == (0, [], None)


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
