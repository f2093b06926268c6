"""A process that is killed loses nothing that memory had acknowledged."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def deaths(opening):
    """What is left behind after each operation was killed at each of its steps."""
    folder = opening.folder()
    command = [sys.executable, str(PROGRAMS / "dies_at_each_step.py"), str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100)
    shutil.rmtree(folder)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


OPERATIONS = ["write warm", "write cold", "write cold over warm", "demote", "promote", "demote from hot"]
AFTERWARDS = {
    "write warm": ["new", "warm"],
    "write cold": ["new", "cold"],
    "write cold over warm": ["new", "cold"],
    "demote": ["old", "cold"],
    "promote": ["old", "warm"],
    "demote from hot": ["old", "warm"],
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_at_any_step(deaths, operation):
    """A write is there or the one before, a moved record is never gone, nothing else suffers, and work goes on."""
    left = [death for death in deaths if death["operation"] == operation]
    can_be = {"old", "new"} if operation.startswith("write") else {"old"}

    assert len(left) >= 5
    for death in left:
        assert death["found"][0] in can_be, death
        assert (death["same"], death["kept"]) == (True, "kept"), death
        assert death["after"][0] == AFTERWARDS[operation][0], death
        assert death["last"] == [AFTERWARDS[operation][0], "kept", "fine"], death
        assert death["faults"] in ([], ["torn"]), death
    assert left[-1]["ended"] == 0
    assert left[-1]["found"] == AFTERWARDS[operation]


def test_half_written_records_are_counted(deaths):
    """Some of those deaths left half a record behind; it was found as that."""
    assert any(death["faults"] == ["torn"] for death in deaths)


def test_killed_at_any_time(begin, folder, run):
    """Two processes write to one folder and are killed again and again; what they had said is there is there."""
    moments = random.Random(4)
    there = {}
    for start in range(0, 60_000, 10_000):
        there |= dict(killed(folder, start, moments.uniform(0, 0.2)))
        memory = begin()
        found = {key: run(memory.read("n", key)).value[0] for key in there}
        for name in "ab":
            # One more may have been written that there was no time to tell of.
            last = max(number for key, number in there.items() if key[0] == name)
            more = [found[key] for key, number in there.items() if key[0] == name and found[key] != number]
            assert more in ([], [last + 1])
        assert {fault.kind for fault in memory.faults} <= {"torn"}
        there = found
        run(memory.close())


def killed(folder, start, after_s):
    """Let two processes write for a time, kill them, and give what they had said."""
    command = [sys.executable, str(PROGRAMS / "writes_until_killed.py"), str(folder)]
    writers = [subprocess.Popen([*command, name, str(start)], stdout=subprocess.PIPE, text=True) for name in "ab"]
    said = [[writer.stdout.readline() for _ in range(5)] for writer in writers]  # each key once
    time.sleep(after_s)
    for lines, writer in zip(said, writers, strict=True):
        writer.kill()
        lines.extend(writer.communicate()[0].splitlines(keepends=True))
    whole = [line.split() for lines in said for line in lines if line.endswith("\n")]
    return [(key, int(number)) for key, number in whole]
