"""Programs to observe, and py-spies that misbehave."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dam_obs.sample import pyspy

PROGRAM = """
import sys, threading, time
from dam_obs import traced

@traced("system.hash")
def busy(seconds):
    end = time.thread_time() + seconds  # of CPU: on a busy machine it takes longer, and is seen all the same
    while time.thread_time() < end:
        sum(range(500))

for _ in range(int(sys.argv[1])):
    busy(0.05)
print("done")
sys.exit(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
"""


@pytest.fixture
def program(tmp_path: Path) -> list[str]:
    """A command that runs as many executions of 50 ms as its argument says; a second one is its exit status."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return [sys.executable, str(path)]


@pytest.fixture
def fake_pyspy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a shell script in py-spy's place; it answers ``--version`` rightly, and then runs what it is given."""
    folder = tmp_path / "fake-bin"
    folder.mkdir()
    monkeypatch.setattr(pyspy, "SCRIPTS", folder)

    def put(script: str) -> None:
        path = folder / "py-spy"
        path.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "py-spy 0.0.1" && exit 0\n{script}\n')
        path.chmod(0o755)

    return put


@pytest.fixture
def no_pyspy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be no py-spy at all."""
    folder = tmp_path / "no-bin"
    folder.mkdir()
    for name in ("sh", "sleep", "true"):
        (folder / name).symlink_to(shutil.which(name) or "/missing")
    monkeypatch.setattr(pyspy, "SCRIPTS", folder)
    monkeypatch.setenv("PATH", str(folder))
