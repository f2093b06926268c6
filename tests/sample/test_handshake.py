"""The program's half of the handshake, and the sampler's."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dam_obs.sample.gate import Gate
from dam_obs.store.runs import RunFolder
from dam_obs.trace import handshake

CODE = """
import os, time
from dam_obs.trace.handshake import wait_for_sampler
begun = time.monotonic()
wait_for_sampler(os.environ)
print(time.monotonic() - begun)
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run's folder."""
    folder = RunFolder(tmp_path / "run")
    folder.processes.mkdir(parents=True)
    return folder


@pytest.fixture
def programs() -> Iterator[list[subprocess.Popen[str]]]:
    """Programs that are gone after the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for program in started:
        program.kill()
        program.communicate()


def start(run: RunFolder, timeout_s: float, sampler: int | None = None) -> subprocess.Popen[str]:
    """Start a program that waits."""
    environ = {**os.environ, **handshake.variables(str(run.path), timeout_s, sampler or os.getpid())}
    return subprocess.Popen([sys.executable, "-c", CODE], env=environ, stdout=subprocess.PIPE, text=True)


def wait_until_ready(gate: Gate, pid: int) -> None:
    """Wait until a program has said that it is there."""
    deadline = time.monotonic() + 30
    while pid not in {ready.pid for ready in gate.ready()} and time.monotonic() < deadline:
        time.sleep(0.01)


def waited(program: subprocess.Popen[str]) -> float:
    """Return how long a program waited, by its own clock."""
    return float(program.communicate(timeout=60)[0])


def test_a_program_waits_until_the_gate_opens(run: RunFolder, programs: list[subprocess.Popen[str]]) -> None:
    """It says that it is there and which Python it is, and goes on no sooner than it may."""
    gate = Gate(run)
    programs.append(start(run, 60))
    wait_until_ready(gate, programs[0].pid)

    assert programs[0].poll() is None
    assert [(ready.implementation, ready.python) for ready in gate.ready()] == [
        (sys.implementation.name, ".".join(map(str, sys.version_info[:3])))
    ]
    gate.open()
    assert waited(programs[0]) < 60


def test_no_program_waits_for_ever(run: RunFolder, programs: list[subprocess.Popen[str]]) -> None:
    """The time-out ends the wait."""
    programs.append(start(run, 0.2))

    assert waited(programs[0]) >= 0.2


def test_no_program_waits_for_a_sampler_that_is_gone(run: RunFolder, programs: list[subprocess.Popen[str]]) -> None:
    """A daemon that outlives its run starts Pythons without delay."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    programs.append(start(run, 60, sampler=gone.pid))

    assert waited(programs[0]) < 30


@pytest.mark.parametrize("folder", ["", "/no/such/folder"])
def test_without_a_run_nothing_is_waited_for(folder: str) -> None:
    """Neither without the variable nor for a folder that is gone; and no folder is made."""
    handshake.wait_for_sampler(handshake.variables(folder, 60, os.getpid()))

    assert not os.path.exists("/no")


def test_an_open_gate_holds_nobody_but_who_was_replaced(run: RunFolder) -> None:
    """A child's parent is watched, and it with it; after ``exec`` the sampler has to look anew."""
    Gate(run).open()
    environ = handshake.variables(str(run.path), 0.3, os.getpid())
    begun = time.monotonic()
    handshake.wait_for_sampler(environ)
    first = time.monotonic() - begun
    handshake.wait_for_sampler(environ)  # the same pid once more, as after exec

    assert first < 0.3
    assert time.monotonic() - begun - first >= 0.3


def test_the_gate_forgets_who_has_ended(run: RunFolder, programs: list[subprocess.Popen[str]]) -> None:
    """A script that starts thousands of Pythons does not fill the folder."""
    gate = Gate(run)
    programs.append(start(run, 0))
    waited(programs[0])

    assert gate.ready() == []
    assert gate.first is not None
    assert gate.pids == {programs[0].pid}
    assert list(run.processes.iterdir()) == []
