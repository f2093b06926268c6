"""Running the user's command as if we were not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dam_obs.sample.command import Command, CommandNotFound, NotExecutable, find_program

ENVIRON = {"PATH": os.environ["PATH"]}


def run(*command: str) -> int:
    """Return the exit status of a command when it has ended."""
    child = Command(command, ENVIRON)
    deadline = time.monotonic() + 30
    with child.run(ENVIRON):
        while child.exit_status is None and time.monotonic() < deadline:
            child.wait(0.05)
    assert child.exit_status is not None
    return child.exit_status


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", 143), ("kill -KILL $$", 137)]
)
def test_exit_statuses_are_the_shells(script: str, status: int) -> None:
    """A number as it is, a signal as 128 and its number."""
    assert run("sh", "-c", script) == status


def test_a_program_that_is_not_there_is_127() -> None:
    """As a shell has it."""
    with pytest.raises(CommandNotFound, match="nosuch: command not found") as caught:
        find_program("nosuch", ENVIRON)

    assert caught.value.exit_status == 127


@pytest.mark.parametrize(("make", "why"), [("file", "may not be executed"), ("folder", "is a folder")])
def test_what_cannot_be_run_is_126(tmp_path: Path, make: str, why: str) -> None:
    """As a shell has it, with the way out."""
    path = tmp_path / "thing"
    path.mkdir() if make == "folder" else path.write_text("x")
    with pytest.raises(NotExecutable, match=why) as caught:
        find_program(str(path), ENVIRON)

    assert caught.value.exit_status == 126


@pytest.mark.parametrize(
    ("content", "why"), [("#!/no/such/interpreter\n", "interpreter is missing"), ("\0\1\2", "Exec format error")]
)
def test_a_file_that_only_looks_like_a_program_is_126(tmp_path: Path, content: str, why: str) -> None:
    """The kernel's refusal is an error of ours, not a traceback."""
    path = tmp_path / "thing"
    path.write_text(content)
    path.chmod(0o755)
    with pytest.raises(NotExecutable, match=why):
        run(str(path))


def test_our_own_signals_are_as_they_were() -> None:
    """Afterwards Ctrl-C ends us again."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    run("true")

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


PROGRAM = """
import os, sys
from dam_obs.sample.command import Command
child = Command(["sh", "-c", sys.argv[1]], os.environ)
with child.run(os.environ):
    while child.exit_status is None:
        child.wait(0.02)
print("still here", child.exit_status, flush=True)
"""


class Tracer:
    """A process that runs a command and owns its signals, as `dam-obs diagnose` does."""

    def __init__(self, script: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, script], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def end(self) -> list[str]:
        """Return what was printed after the command was ready."""
        return self.process.communicate(timeout=30)[0].splitlines()

    def remove(self) -> None:
        """Leave nothing behind, however the test ended."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def trace() -> Iterator[Callable[[str], Tracer]]:
    """Start tracers that are gone after the test."""
    tracers: list[Tracer] = []

    def start(script: str) -> Tracer:
        tracers.append(Tracer(script))
        return tracers[-1]

    yield start
    for tracer in tracers:
        tracer.remove()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT])
def test_signals_are_handed_on(trace: Callable[[str], Tracer], number: signal.Signals) -> None:
    """The command gets what we got, once, and we are still there to report."""
    name = number.name.removeprefix("SIG")
    tracer = trace(f"trap 'echo got; exit 7' {name}; echo ready; while :; do sleep 0.05; done")
    tracer.process.send_signal(number)

    assert tracer.end() == ["got", "still here 7"]


def test_a_second_interrupt_kills(trace: Callable[[str], Tracer]) -> None:
    """A command that goes on after Ctrl-C can still be stopped."""
    tracer = trace("trap 'echo got' INT; echo ready; while :; do sleep 0.05; done")
    tracer.process.send_signal(signal.SIGINT)
    assert tracer.process.stdout is not None
    assert tracer.process.stdout.readline() == "got\n"
    tracer.process.send_signal(signal.SIGINT)

    assert tracer.end() == ["still here 137"]
