"""``dam-obs diagnose``: the command's own face to the world is untouched, and a report comes after it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dam_obs.cli import main
from dam_obs.diagnose.report import DiagnosticReport
from dam_obs.sample import pyspy
from dam_obs.store.find import runs_below
from dam_obs.store.runs import RunFolder

PROGRAM = """
import sys, time
from dam_obs import traced

@traced("system.hash")
def busy():
    end = time.perf_counter() + 0.02
    while time.perf_counter() < end:
        sum(range(500))

print("ready", flush=True)
try:
    for _ in range(int(sys.argv[1])):
        busy()
except KeyboardInterrupt:
    print("interrupted")
    sys.exit(9)
sys.stdout.write(sys.stdin.read().upper())
print("to stderr", file=sys.stderr)
sys.exit(int(sys.argv[2]))
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def program(tmp_path: Path) -> list[str]:
    """A command: how many executions, and its exit status, are its arguments."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return [sys.executable, str(path)]


def the_run() -> RunFolder:
    """Return the one run there is."""
    (run,) = runs_below(Path.cwd())
    return run


def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that the command does."""
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_run_ends_with_a_report(program: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Everything is written; a trace as an example, quality, the system, where things are; on standard error."""
    status = main(["diagnose", "--rate", "200", "--", *program, "30", "0"])
    out, err = capfd.readouterr()
    run = the_run()
    report = DiagnosticReport.model_validate_json(run.report_json.read_bytes())
    profile = json.loads(run.profile.read_text())

    assert status == 0
    assert (report.exit_status, [system.executions for system in report.systems]) == (0, [30])
    assert (report.systems[0].samples or 0) > 5
    assert profile["profiles"][0]["name"] == f"{report.systems[0].system} (system.hash)"
    assert run.report_html.read_text().startswith("<!")
    assert (run.drafts / "review.md").is_file()
    assert out == "ready\n"
    quality = r"Quality: \w+; 30 executions; py-spy .* at .* of 200 Hz;"
    assert re.search(rf"^to stderr\n\[sys\] hash: success \(\d+ms\)\n{quality}", err, re.MULTILINE)
    assert re.findall(r"^Wrote \S+/(\S+)$", err, re.MULTILINE) == [
        "trace.jsonl",
        "report.json",
        "report.html",
        "profile.speedscope.json",
        "review.md",
    ]


def test_input_output_and_exit_status_are_the_commands(program: list[str]) -> None:
    """A pipe around it sees what it would see without us."""
    alone = subprocess.run([*program, "5", "7"], input=b"abc", capture_output=True, check=False)
    traced = subprocess.run(
        [sys.executable, "-m", "dam_obs.cli", "diagnose", "--no-draft", "--", *program, "5", "7"],
        input=b"abc",
        capture_output=True,
        check=False,
    )

    assert (traced.returncode, traced.stdout) == (alone.returncode, alone.stdout) == (7, b"ready\nABC")
    assert traced.stderr.startswith(alone.stderr)


def test_options_after_the_command_are_the_commands(capfd: pytest.CaptureFixture[str]) -> None:
    """Also without ``--`` before it."""
    status = main(["diagnose", "--no-stacks", sys.executable, "-c", "import sys; print(sys.argv[1:])", "--rate", "x"])

    assert status == 0
    assert capfd.readouterr().out == "['--rate', 'x']\n"


def test_json_is_for_other_programs(program: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """The report as it is in the file, after the command's own output."""
    main(["diagnose", "--json", "--no-draft", "--", *program, "5", "0"])
    own, _, text = capfd.readouterr().out.partition("\n")
    answer = json.loads(text)

    assert own == "ready"
    assert answer["report"] == json.loads(the_run().report_json.read_text())
    assert (answer["run"], answer["exit_status"]) == (str(the_run().path), 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_still_reports(program: list[str], number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end the command, its way; the report is made of what there was."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dam_obs.cli", "diagnose", "--no-draft", "--", *program, "100000", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    trace = the_run().trace
    until(lambda: trace.exists() and trace.read_bytes().count(b"\n") > 5)
    process.send_signal(number)
    out, err = process.communicate(timeout=100)
    report = DiagnosticReport.model_validate_json(the_run().report_json.read_bytes())

    assert (process.returncode, out) == ((9, "interrupted\n") if number == signal.SIGINT else (143, ""))
    assert report.exit_status == process.returncode
    assert report.systems[0].executions > 5
    assert "report.html" in err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "say what to measure"),
        (["--", "no-such-program"], 127, "no-such-program: command not found"),
        (["--", "./plain.txt"], 126, "./plain.txt cannot be run"),
        (["--pid", "4194303", "--duration", "1"], 2, "there is no process 4194303"),
        (["--pid", "1"], 2, "--pid needs --duration"),
        (["--duration", "1", "--", "true"], 2, "--duration goes with --pid"),
        (["--pid", "1", "--duration", "1", "--", "true"], 2, "a command or --pid, not both"),
        (["--rate", "0", "--", "true"], 2, "--rate"),
        (["--points", "nowhere.toml", "--", "true"], 2, "nowhere.toml"),
        (["--out", "full", "--", "true"], 2, "full is not an empty folder"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], status: int, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """With the exit status a shell would have, and no run folder left behind."""
    (tmp_path / "plain.txt").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")

    assert main(["diagnose", *arguments]) == status
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert runs_below(tmp_path) == []


def test_a_missing_sampler_is_no_error(
    program: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The report has all but stacks, and says what to do."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(pyspy, "SCRIPTS", tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    assert main(["diagnose", "--no-draft", "--", *program, "5", "0"]) == 0
    err = capfd.readouterr().err
    assert "no stacks" in err
    assert "Not measured: stacks: py-spy is not installed; to have it: pip install 'dam-obs[cli]'" in err
    assert not the_run().profile.exists()


def test_a_command_without_anything_to_measure_has_its_own_status(capfd: pytest.CaptureFixture[str]) -> None:
    """It did what it was to do; that there is no report is said."""
    assert main(["diagnose", "--", "true"]) == 0
    assert "holds neither executions nor samples" in capfd.readouterr().err


def test_a_running_process_has_stacks_and_says_what_it_lacks(capfd: pytest.CaptureFixture[str]) -> None:
    """One that does not run under dam-obs."""
    process = subprocess.Popen([sys.executable, "-c", "while True: sum(range(1000))"])
    try:
        status = main(["diagnose", "--no-draft", "--pid", str(process.pid), "--duration", "1"])
    finally:
        process.kill()
        process.wait()
    report = DiagnosticReport.model_validate_json(the_run().report_json.read_bytes())

    assert status == 0
    assert (report.quality.samples or 0) > 0
    assert "executions" in {one.evidence for one in report.quality.absent}
    assert [one.pid for one in report.processes] == [process.pid]
    assert "to have it: start it with `dam-obs run -- COMMAND`" in capfd.readouterr().err


def test_a_folder_that_is_named_is_the_runs(program: list[str], tmp_path: Path) -> None:
    """For a build server, which wants to know the path beforehand."""
    assert main(["diagnose", "--no-draft", "--out", "result", "--", *program, "5", "0"]) == 0
    assert (tmp_path / "result" / "report.json").is_file()
    assert not os.path.exists(tmp_path / ".dam-obs")
