"""A terminal is told of a long work by a bar on standard error, and nobody else is."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from dam_obs.cli import main
from dam_obs.diagnose.build import build_report
from dam_obs.testing.runs import write_example_run

AT_ONCE = """
import sys
import dam_obs.cli._reading as reading
from dam_obs.cli import main

class AtOnce:
    def __init__(self, seconds, start): self.start = start
    def cancel(self): pass
    join = cancel

reading.threading.Timer = AtOnce
sys.exit(main(sys.argv[1:]))
"""
"""No work is too short for a bar."""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A diagnosed run with its drafts, and a source beside it."""
    folder = tmp_path_factory.mktemp("progress")
    made = write_example_run(folder / "run")
    made.report_json.write_text(build_report(made).model_dump_json())
    path = made.path
    (folder / "src").mkdir()
    (folder / "src" / "systems.py").write_text("class HashAsset:\n    pass\n")
    assert main(["draft", str(path)]) == 0
    return path


def on_terminal(*arguments: str) -> tuple[bytes, str]:
    """Return what a command writes to standard output, a pipe, and to standard error, a terminal."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "PYTHONUTF8": "1", "COLUMNS": "100"}
    process = subprocess.Popen(
        [sys.executable, "-c", AT_ONCE, *arguments],
        stdout=subprocess.PIPE, stderr=theirs, stdin=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # how Linux says that nobody writes there any more
            break
        if not part:
            break
        written += part
    os.close(ours)
    out = process.stdout.read()
    process.stdout.close()
    process.wait(60)
    return out, written.decode()


COMMANDS = {
    "backtest": (["backtest", "{run}/drafts", "{run}", "--json"], ["Reading ", "Asking drafts"]),
    "diff": (["diff", "{run}", "{run}", "--json"], ["Reading ", "Comparing"]),
    "check": (["check", "{run}", "--source", "{run}/../src", "--json"], ["Checking "]),
    "draft": (["draft", "{run}", "--stdout"], ["Drafting"]),
    "draft into sources": (["draft", "{run}", "--patch", "--source", "{run}/../src"], ["Drafting", "Reading source"]),
    "draft by a model": (
        ["draft", "{run}", "HashAsset", "--answer", "{run}/drafts/review.md"],
        ["Reading ", "Judging the answer"],
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_terminal_is_told_what_takes_long(run, name):
    """By a bar that is gone in the end, with the cursor back; standard output has nothing of it."""
    arguments, works = COMMANDS[name]

    out, err = on_terminal(*(each.format(run=run) for each in arguments))

    assert [work for work in works if work not in err] == [], err
    assert err.rindex("\x1b[?25h") > err.rindex(works[-1])
    assert b"\x1b" not in out


@pytest.mark.parametrize("name", COMMANDS)
def test_without_a_terminal_there_is_no_bar(run, name, capsys):
    """However long it takes."""
    arguments, works = COMMANDS[name]

    main([each.format(run=run) for each in arguments])

    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert [work for work in works if work.strip() in told.split("\n")] == []
