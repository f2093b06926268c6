"""What commands read from, beside files: standard input; and what they say of lines that are no events."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from dam_obs.trace.events import TraceEvent

EVENT = TraceEvent(
    trace_id="alt_1705180800_a3f2", parent_id=None, timestamp="2026-01-13T14:00:00+00:00", hrm_layer="altitude",
    operation="plan", component="loop.py", input_summary="a", output_summary="done", duration_ms=1, status="success",
    metadata={}, duration_ns=1_000_000,
)  # fmt: skip
LINE = msgspec.json.encode(EVENT) + b"\n"


def dam_obs(*arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "dam_obs.cli", *arguments], input=stdin, capture_output=True, cwd=cwd, check=False
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_a_dash_is_standard_input(tmp_path: Path) -> None:
    """A command that prints a trace can be piped into one that shows it; what is no event is told with its place."""
    status, out, err = dam_obs("view", "-", stdin=b"INFO\n" + LINE, cwd=tmp_path)

    assert (status, out.startswith("[alt] plan: a → done")) == (0, True)
    assert err == (
        "Skipped 1 line without an event (1 foreign), first standard input:1: foreign "
        "(JSON is malformed: invalid character (byte 0))\n"
    )


@pytest.mark.parametrize("content", [b"hello\n", b"\x00\x01\x02\x03" * 100])
def test_what_is_no_trace_in_standard_input_is_refused(tmp_path: Path, content: bytes) -> None:
    """In one line, with nothing from a library behind it."""
    status, out, err = dam_obs("view", "-", stdin=content, cwd=tmp_path)

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("dam-obs: error: standard input is not a trace: ")
