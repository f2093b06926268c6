"""How the collector comes to be built: once, and whole or not at all. A script that notes its calls plays Go."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "collector-config" / "backends" / "build-collector"
GO = """#!/usr/bin/env bash
set -eu
echo "$1" >>"$CALLS"
[ "${FAILS:-}" != "$1" ] || { echo "$1 does not work" >&2; exit 1; }
case $1 in
    install)
        printf '#!/bin/sh\\nmkdir -p "$4"; echo module >"$4/go.mod"; echo sums >"$4/go.sum"\\n' >"$GOBIN/builder"
        chmod +x "$GOBIN/builder"
        ;;
    build)
        while [ "$1" != -o ]; do shift; done
        mkdir -p "$(dirname "$2")"
        sleep "${SLOW:-0}"
        printf '#!/bin/sh\\necho a collector\\n' >"$2"
        chmod +x "$2"
        ;;
esac
"""


class Machine:
    """A machine with a Go of ours, and an empty cache."""

    def __init__(self, folder: Path) -> None:
        self.cache, self._calls = folder / "cache", folder / "calls"
        (folder / "go").write_text(GO)
        (folder / "go").chmod(0o755)
        self._environ = {
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "CALLS": str(self._calls),
            "DAM_BACKENDS_CACHE": str(self.cache),
        }

    def build(self, **variables: str) -> subprocess.Popen[str]:
        """Start the script."""
        pipe = subprocess.PIPE
        return subprocess.Popen([SCRIPT], env={**self._environ, **variables}, stdout=pipe, stderr=pipe, text=True)

    @property
    def calls(self) -> list[str]:
        """What Go was asked to do."""
        return self._calls.read_text().split()

    @property
    def kept(self) -> list[str]:
        """What is in the cache, but for the lock."""
        return sorted(str(p.relative_to(self.cache)) for p in self.cache.rglob("*") if p.name != ".collector.lock")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine that has built nothing yet."""
    return Machine(tmp_path)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for a script: its status, what it printed, and its last word."""
    output, errors = process.communicate(timeout=60)
    return process.returncode, output, (errors.splitlines() or [""])[-1]


def test_it_is_built_once(machine: Machine) -> None:
    """The program's path is all that is printed; beside it is what it was built from. A second time nothing is done."""
    first, second = ended(machine.build()), ended(machine.build())

    (folder,) = machine.cache.glob("collector-*")
    assert first[:2] == second[:2] == (0, f"{folder / 'otelcol-dam'}\n")
    assert machine.calls == ["install", "list", "build"]
    assert machine.kept == [
        folder.name,
        *(f"{folder.name}/{n}" for n in ("builder.yaml", "go.mod", "go.sum", "otelcol-dam")),
    ]


def test_two_at_once(machine: Machine) -> None:
    """Both get the one program, and no half of another is left."""
    results = [ended(each) for each in [machine.build(SLOW="0.5"), machine.build(SLOW="0.5")]]

    (folder,) = machine.cache.glob("collector-*")
    assert [each[:2] for each in results] == [(0, f"{folder / 'otelcol-dam'}\n")] * 2
    assert machine.calls.count("build") == 1
    assert {name.partition("/")[0] for name in machine.kept} == {folder.name}


@pytest.mark.parametrize(
    ("fails", "says"),
    [
        ("install", "the Go module proxy did not give the builder v"),
        ("list", "the Go module proxy did not give all modules of builder.yaml"),
    ],
)
def test_what_cannot_be_had(machine: Machine, fails: str, says: str) -> None:
    """Is the machine's lack, by which callers skip: status 3, and a line that names it."""
    status, output, last = ended(machine.build(FAILS=fails))

    assert (status, output) == (3, "")
    assert last.startswith(f"build-collector: {says}")
    assert machine.kept == []


def test_what_does_not_compile(machine: Machine) -> None:
    """Is our fault: a failure and no reason to skip. The next try begins anew."""
    status, output, last = ended(machine.build(FAILS="build"))
    assert (status, output, last) == (1, "", "build does not work")
    assert machine.kept == []

    assert ended(machine.build())[0] == 0


def test_help_and_mistakes() -> None:
    """`--help` says what it does; what it does not know is status 2 with the same text."""
    help_ = subprocess.run([SCRIPT, "--help"], capture_output=True, text=True, check=True).stdout
    wrong = subprocess.run([SCRIPT, "--quick"], capture_output=True, text=True)

    assert help_.startswith("Usage: build-collector [--where]\n")
    assert (wrong.returncode, wrong.stderr) == (2, help_)
