"""``dam-obs view``."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from dam_obs.cli import main
from dam_obs.cli.view import command
from dam_obs.trace.events import TraceEvent

SEED = """\
{"trace_id":"alt_1705180800_a3f2","parent_id":null,"timestamp":"2026-01-13T14:00:00","hrm_layer":"altitude","operation":"transition","component":"altitude.py","input_summary":"L3→L2","output_summary":"success","duration_ms":5,"status":"success","metadata":{"reason":"user requested tactical"}}
{"trace_id":"foc_1705180801_b7c1","parent_id":"alt_1705180800_a3f2","timestamp":"2026-01-13T14:00:01","hrm_layer":"focus","operation":"gate_check","component":"gates.py","input_summary":"WriteApprovalGate","output_summary":"allowed","duration_ms":2,"status":"success","metadata":{"user_consent":true}}
{"trace_id":"mem_1705180802_c8d2","parent_id":"foc_1705180801_b7c1","timestamp":"2026-01-13T14:00:02","hrm_layer":"memory","operation":"write","component":"manager.py","input_summary":"altitude.session","output_summary":"written","duration_ms":3,"status":"success","metadata":{"tokens_saved":45,"tier":"warm"}}
"""  # noqa: E501 - as the seed has them

TREE = """\
[alt] transition: L3→L2 → success (5ms)
  └─[foc] gate_check: WriteApprovalGate → allowed (2ms)
      └─[mem] write: altitude.session → written (3ms) [saved 45 tokens]
"""


DIM, PLAIN = "\x1b[2m", "\x1b[0m"


@pytest.fixture(autouse=True)
def seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The seed's three lines, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    trace = tmp_path / "trace.jsonl"
    trace.write_text(SEED)
    return trace


def event(trace_id: str, **fields: Any) -> TraceEvent:
    plain: dict[str, Any] = {
        "parent_id": None, "timestamp": "2026-01-13T15:00:00+00:00", "hrm_layer": "altitude", "operation": "plan",
        "component": "loop.py", "input_summary": trace_id, "output_summary": "done", "duration_ms": 1,
        "status": "success", "metadata": {},
    }  # fmt: skip
    return TraceEvent(trace_id=trace_id, **(plain | fields))


def write(*events: TraceEvent, name: str = "trace.jsonl") -> None:
    Path(name).write_bytes(msgspec.json.Encoder().encode_lines(events))


def view(*arguments: str) -> tuple[str, str]:
    """What goes to standard output and to standard error."""
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that an error of the user's makes."""
    assert main(["view", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err.removeprefix("dam-obs: error: ").rstrip("\n")


# -- trees


def test_the_seeds_file_gives_the_seeds_tree() -> None:
    """To the letter, with nothing else on either stream."""
    assert view() == (TREE, "")


@pytest.mark.parametrize("handle", ["alt_1705180800_a3f2", "foc_1705180801_b7c1", "mem_1705180802_c8d2"])
def test_any_handle_of_a_request_shows_it_whole(handle: str) -> None:
    """The root's or that of any span in it."""
    assert view("--trace-id", handle) == (TREE, "")


@pytest.mark.parametrize("word", ["memory", "mem", "Memory"])
def test_a_layer_is_shown_below_what_led_to_it(word: str) -> None:
    """What was not asked for is marked where no colour can tell."""
    assert view("--hrm", word) == (
        """\
[alt] transition: L3→L2 → success (5ms) [context]
  └─[foc] gate_check: WriteApprovalGate → allowed (2ms) [context]
      └─[mem] write: altitude.session → written (3ms) [saved 45 tokens]
""",
        "",
    )


def test_statuses_and_layers_can_be_combined() -> None:
    """Any of the layers and any of the statuses; what is below without being asked for is left out."""
    write(
        event("alt_1_a"),
        event("foc_1_b", hrm_layer="focus", parent_id="alt_1_a", status="error", metadata={"error.type": "KeyError"}),
        event("mem_1_c", hrm_layer="memory", parent_id="alt_1_a", status="blocked", output_summary="denied"),
        event("mem_1_d", hrm_layer="memory", parent_id="mem_1_c"),
        event("sys_1_e", hrm_layer="system", status="error"),
    )

    out, _ = view("--hrm", "foc", "--hrm", "memory", "--status", "error", "--status", "BLOCKED")

    assert out == (
        "[alt] plan: alt_1_a → done (1ms) [context]\n"
        "  └─[foc] plan: foc_1_b → error: KeyError (1ms)\n"
        "  └─[mem] plan: mem_1_c → denied (1ms)\n"
    )


def test_the_newest_whole_traces_are_shown_and_the_rest_is_counted() -> None:
    """No tree is cut; the number that would show all is told."""
    pairs = [
        (
            event(f"foc_{n}_b", hrm_layer="focus", parent_id=f"alt_{n}_a"),
            event(f"alt_{n}_a", timestamp=f"2026-01-13T15:00:0{n}"),
        )
        for n in range(4)
    ]
    write(*(each for pair in pairs for each in pair))

    assert view("--last", "5") == (
        (
            "[alt] plan: alt_2_a → done (1ms)\n"
            "  └─[foc] plan: foc_2_b → done (1ms)\n"
            "[alt] plan: alt_3_a → done (1ms)\n"
            "  └─[foc] plan: foc_3_b → done (1ms)\n"
        ),
        "Left out: 2 older traces with 4 events; --last 8 shows all.\n",
    )
    assert view("--last", "8")[1] == ""


def test_a_hundred_events_are_the_default_and_of_a_request_all() -> None:
    """A request is shown whole however large it is."""
    write(*(event(f"foc_1_{n}", parent_id="alt_1_a") for n in range(150)), event("alt_1_a"), event("alt_2_z"))
    out, err = view()

    assert out == "[alt] plan: alt_2_z → done (1ms)\n"
    assert err == "Left out: 1 older trace with 151 events; --last 152 shows all.\n"
    out, err = view("--trace-id", "foc_1_77")
    assert (out.count("\n"), err) == (151, "")


def test_a_trace_that_is_too_large_says_that_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its newest events are shown, and what shows the rest is named."""
    monkeypatch.setattr("dam_obs.store.select.MOST_OF_A_TRACE", 3)
    write(*(event(f"foc_1_{n}", parent_id="alt_1_a") for n in range(6)), event("alt_1_a"))
    out, err = view("--last", "2")

    assert out.count("\n") == 3
    assert err.startswith("Cut: the newest trace is too large to show, so here are its newest 3 events")
    assert err.endswith("--last 7 shows all.\n")


def test_of_many_that_fit_the_newest_are_shown() -> None:
    """The bound counts what was asked for."""
    write(*(event(f"alt_{n}_a", status="error") for n in range(5)))

    assert view("--status", "error", "--last", "2") == (
        "[alt] plan: alt_3_a → error (1ms)\n[alt] plan: alt_4_a → error (1ms)\n",
        "Left out: 3 older events; --last 5 shows all.\n",
    )


def test_a_tree_without_its_root_says_so() -> None:
    """After a kill, or with a file that was rotated away."""
    write(event("foc_1_b", hrm_layer="focus", parent_id="alt_1_lost"))

    assert view()[0] == "[foc] plan: foc_1_b → done (1ms) [its parent is not in the trace]\n"


def test_equal_handles_of_two_processes_are_all_shown() -> None:
    """With the ids that tell them apart, each of which shows one."""
    write(
        event("alt_1_a", pid=11, otel_trace_id="1" * 32, otel_span_id="a" * 16),
        event("alt_1_a", pid=12, otel_trace_id="2" * 32, otel_span_id="b" * 16, output_summary="other"),
    )
    one, other = "[alt] plan: alt_1_a → done (1ms)\n", "[alt] plan: alt_1_a → other (1ms)\n"

    assert view("--trace-id", "alt_1_a") == (
        one + other,
        (
            "2 events have the handle alt_1_a; --trace-id with a span id shows one: "
            "aaaaaaaaaaaaaaaa (process 11), bbbbbbbbbbbbbbbb (process 12)\n"
        ),
    )
    assert view("--trace-id", "b" * 16) == (other, "")
    assert view("--trace-id", "2" * 32) == (other, "")


def test_a_trace_cannot_drive_the_terminal() -> None:
    """Control characters and turned text are shown as escapes."""
    write(event("alt_1_a", input_summary="\x1b[2J\r\u202e", operation="a\nb"))

    assert view()[0] == "[alt] a\\nb: \\x1b[2J\\r\\u202e → done (1ms)\n"


# -- JSON


def test_json_lines_are_those_that_were_written(seed: Path) -> None:
    """Byte for byte, in their order."""
    assert view("--jsonl") == (SEED, "")


def test_json_has_what_was_asked_for_and_no_ancestors() -> None:
    """Another program asked for events of one kind."""
    assert view("--jsonl", "--hrm", "foc")[0] == SEED.splitlines(keepends=True)[1]


def test_json_of_more_events_than_are_encoded_at_once_is_whole() -> None:
    """Every line is there, once."""
    write(*(event(f"alt_1_{n}") for n in range(2_500)))

    lines = view("--jsonl", "--last", "9999")[0].splitlines()

    assert [json.loads(line)["trace_id"] for line in lines] == [f"alt_1_{n}" for n in range(2_500)]


# -- what goes wrong


def test_lines_that_are_no_events_are_told_in_one_line(seed: Path) -> None:
    """The rest is shown all the same."""
    seed.write_text('{"trace_id":"torn\n' + SEED + "hello\nhello\n")
    out, err = view()

    assert out == TREE
    assert err.count("\n") == 1
    assert err.startswith(f"Skipped 3 lines without an event (2 foreign, 1 torn), first {seed}:1: torn (")


def test_nothing_found_is_no_error() -> None:
    """A plain sentence says what was looked for, and where."""
    assert view("--status", "error", "--hrm", "foc") == (
        "",
        "None of the 3 events in trace.jsonl fits --hrm foc --status error.\n",
    )
    assert view("--status", "error", "--jsonl")[0] == ""


def test_an_empty_file_is_no_error(seed: Path) -> None:
    """A program may just have begun."""
    seed.write_text("")

    for options in ([], ["--hrm", "xyzzy"], ["--trace-id", "alt_1_a"], ["--jsonl"]):
        assert view(*options) == ("", "trace.jsonl holds no events yet.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.jsonl"], "no trace at nowhere.jsonl: make one with "),
        (["notes.txt"], "notes.txt is not a trace: none of its lines is an event, the first is "),
        (["--hrm", "altitud"], "unknown layer 'altitud': did you mean altitude? there are altitude (alt), "),
        (["--status", "erorr"], "Invalid value for '--status': 'erorr' is not one of 'success', 'error', 'blocked'"),
        (["--last", "0"], "Invalid value for '--last': 0 is not in the range x>=1"),
        (
            ["--trace-id", "alt_1_gone"],
            "trace.jsonl (3 events) has nothing with the id 'alt_1_gone': give a handle such as alt_1705180800_a3f2,",
        ),
        (["--trace-id", "0" * 32], f"trace.jsonl (3 events) has nothing with the id '{'0' * 32}': "),
    ],
)
def test_what_the_user_can_mend_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """With the way out, and exit status 2."""
    Path("notes.txt").write_text("hello\n")

    assert message in refused(capsys, *arguments)


def test_no_trace_anywhere_is_one_line(seed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says how to get one."""
    seed.unlink()

    assert refused(capsys).startswith(f"no trace at or below {seed.parent}: make one with `dam-obs run -- COMMAND`")


# -- on a terminal, as a module


def test_it_runs_as_a_module() -> None:
    """As the seed has it."""
    done = subprocess.run([sys.executable, "-m", "dam_obs.view", "--last", "100"], capture_output=True, check=False)

    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, TREE, b"")


def on_terminal(*arguments: str, columns: int = 80, **environ: str) -> str:
    """What a terminal so wide gets of the command."""
    return typed("-m", "dam_obs.view", *arguments, columns=columns, **environ)


def typed(*arguments: str, columns: int = 80, **environ: str) -> str:
    """What a terminal so wide gets of a Python program."""
    main_end, other_end = pty.openpty()
    fcntl.ioctl(other_end, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=other_end, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        env=os.environ | {"TERM": "xterm", "PYTHONUTF8": "1"} | environ,
    )  # fmt: skip
    os.close(other_end)
    written = b""
    while True:
        try:
            part = os.read(main_end, 65536)
        except OSError:  # how Linux says that nobody writes there any more
            break
        if not part:
            break
        written += part
    os.close(main_end)
    assert process.wait(60) == 0, written
    return written.decode().replace("\r\n", "\n")


def test_a_terminal_shows_troubles_in_colour_and_the_way_to_them_dimmed() -> None:
    """Errors red, blocked ones yellow; no words are added."""
    write(
        event("alt_1_a"),
        event("foc_1_b", hrm_layer="focus", parent_id="alt_1_a", status="error"),
        event("mem_1_c", hrm_layer="memory", status="blocked", output_summary="denied"),
    )

    assert on_terminal("--status", "error", "--status", "blocked") == (
        f"\x1b[2m[alt] plan: alt_1_a → done\x1b[0m{' ' * 41}\x1b[2m         1 ms\x1b[0m\n"
        f"\x1b[2m  └─\x1b[0m\x1b[31m[foc] plan: foc_1_b → error\x1b[0m{' ' * 45}1 ms\n"
        f"\x1b[33m[mem] plan: mem_1_c → denied\x1b[0m{' ' * 48}1 ms\n"
    )


def test_a_terminal_without_colours_gets_the_mark_and_no_colour() -> None:
    """NO_COLOR is honoured; what is dim stays dim."""
    out = on_terminal("--hrm", "foc", NO_COLOR="1")

    assert "[alt] transition: L3→L2 → success [context]" in out
    assert "\x1b[3" not in out


def test_long_texts_go_on_below_themselves_on_a_terminal() -> None:
    """The shape of the tree stays, whatever the width, and no word is lost."""
    words = "one two three four five six seven eight nine ten eleven twelve thirteen"
    write(
        event("alt_1_a", input_summary=words),
        event("foc_1_b", hrm_layer="focus", parent_id="alt_1_a", input_summary=words),
    )

    assert on_terminal(columns=50, NO_COLOR="1").replace(DIM, "").replace(PLAIN, "") == (
        "[alt] plan: one two three four five six seven\n"
        "      eight nine ten eleven twelve thirteen → done\n"
        "      (1ms)\n"
        "  └─[foc] plan: one two three four five six seven\n"
        "          eight nine ten eleven twelve thirteen →\n"
        "          done (1ms)\n"
    )


def test_a_terminal_is_told_of_a_long_read() -> None:
    """The line is gone at the end, and the cursor is there again."""
    write(*(event(f"alt_1_{n}") for n in range(5_000)))
    impatient = "import dam_obs.cli._reading as r; r.QUIET_SECONDS = 0; from dam_obs.cli import main; "
    impatient += "main(['view', '--last', '1'])"

    out = typed("-c", impatient)

    assert "Reading trace.jsonl" in out
    assert out.rindex("\x1b[?25h") > out.rindex("Reading")
    assert out.endswith("1 ms\nLeft out: 4,999 older traces with 4,999 events; --last 5000 shows all.\n")
