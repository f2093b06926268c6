"""
One program, run bare and observed: what it prints, how it ends, and what dam-obs counted meanwhile.

The program never knows: it imports `work`, whose functions are traced by hand (`by_hand`), or from outside by a
trace-point file (`run`, `diagnose`).
"""

import json
import os
import re
import subprocess
import sys
import textwrap
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

WORK = """
import asyncio

def step(value=None):
    return value

def call(function):
    return function()

def items(number):
    for each in range(number):
        yield each

async def later(value):
    await asyncio.sleep(0)
    return value

def wait_until_written():
    import os, sys, time
    path = os.environ.get("DAM_OBS_OUTPUT")
    for _ in range(600 if path and "dam_obs" in sys.modules else 0):
        if os.path.exists(path) and os.path.getsize(path):
            break
        time.sleep(0.05)

async def stream(number):
    for each in range(number):
        await asyncio.sleep(0)
        yield each
"""

ARGUMENTS = {"step": "value", "call": "function", "items": "number", "later": "value", "stream": "number"}

POINTS = """
[host]
name = "work"
""" + "".join(
    f"""
[[points]]
layer = "system"
operation = "{name}"
meaning = "A function of the program"
input = "args.{argument}"
output = "result"
command = "args.{argument}"

[points.data.given]
type = "str"
meaning = "What it was given"
from = "args.{argument}"

[[points.targets]]
function = "work:{name}"
"""
    for name, argument in ARGUMENTS.items()
)

BARE = """
import runpy
runpy.run_path("prog.py", run_name="__main__")
"""

BY_HAND = f"import by_hand{BARE}"

PRELUDE = """
import atexit, json, os

def tell(folder=os.environ["FAULTS_FOLDER"]):
    from dam_obs.trace import faults
    with open(f"{folder}/{os.getpid()}.json", "w") as file:
        json.dump(faults.counts(), file)

atexit.register(tell)  # so it is called after dam-obs has come to its end

import dam_obs, work
dam_obs.configure()

def step(value=None, step=work.step):
    with dam_obs.tracer.span("sys", "step", "work:step", value, given=value) as span:
        result = step(value)
        span.set_output(result, gave=result)
        span.set_attribute("given", value)
        return result

work.step = step
for name in ("call", "items", "later", "stream"):
    setattr(work, name, dam_obs.traced(f"system.{name}", output=True)(getattr(work, name)))
"""

TOLD = ("dam-obs:", "Transient error", "Failed to export")
"""How the lines begin by which dam-obs, or OpenTelemetry's exporters for it, tell once of a fault."""

OUR_FRAME = re.compile(r'  File "[^"]*/dam_obs/[^"]*", line.*\n(    .*\n)*')


@dataclass
class Outcome:
    """What a program did, and what dam-obs says of it."""

    status: int
    out: str
    err: str
    """Without the lines by which dam-obs tells of its own faults, and its frames in tracebacks."""

    told: list[str] = field(default_factory=list)
    """Those lines."""

    events: list[dict] = field(default_factory=list)
    faults: Counter = field(default_factory=Counter)
    notes: list[dict] = field(default_factory=list)

    @property
    def seen(self):
        """What the outside sees of it."""
        return self.status, self.out, self.err

    def operations(self):
        """Count the recorded events by operation."""
        return Counter(event["operation"] for event in self.events)


class Program:
    """A program in a folder of its own, to be run bare and observed."""

    def __init__(self, folder, text):
        self.folder = folder
        self.output = folder / "trace.jsonl"
        self.environ = {}
        self.flags = ("-W", "error")
        self.text = text
        (folder / "work.py").write_text(WORK)
        (folder / "prog.py").write_text(textwrap.dedent(text))
        (folder / "by_hand.py").write_text(PRELUDE)
        (folder / "points.toml").write_text(POINTS)

    def bare(self, **popen):
        """Run it without dam-obs."""
        return self._finish([sys.executable, *self.flags, "-c", BARE], {}, popen)

    def by_hand(self, **popen):
        """Run it with `dam_obs.configure()` and spans by hand."""
        faults = self._folder("faults")
        outcome = self._finish([sys.executable, *self.flags, "-c", BY_HAND], {"FAULTS_FOLDER": str(faults)}, popen)
        for path in faults.iterdir():
            outcome.faults.update(json.loads(path.read_text()))
        return outcome

    def run(self, **popen):
        """Run it under ``dam-obs run``, with a note of each process."""
        notes = self._folder("notes")
        command = [sys.executable, "-m", "dam_obs.cli", "run", "--points", str(self.folder / "points.toml"), "--"]
        variables = {"DAM_OBS_RUN_DIRECTORY": str(notes)}
        outcome = self._finish([*command, sys.executable, *self.flags, "-c", BARE], variables, popen)
        return self._with_notes(outcome, notes)

    def diagnose(self, **popen):
        """Run it under ``dam-obs diagnose``; what that prints itself goes to standard error."""
        notes = self.folder / "diagnosed"
        command = [sys.executable, "-m", "dam_obs.cli", "diagnose", "--points", str(self.folder / "points.toml")]
        command += ["--out", str(notes), "--no-stacks", "--no-draft", "--"]
        outcome = self._finish([*command, sys.executable, *self.flags, "-c", BARE], {}, popen)
        outcome.events = _events(notes / "trace.jsonl")
        return self._with_notes(outcome, notes)

    def start(self, *, by_hand=True, **popen):
        """Start it, to be sent signals; `finish` it then."""
        faults = self._folder("faults")
        code = BY_HAND if by_hand else BARE
        return subprocess.Popen(
            [sys.executable, *self.flags, "-c", code],
            env=self._environ({"FAULTS_FOLDER": str(faults)}), cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen,
        )  # fmt: skip

    def finish(self, process):
        """Wait for a started program."""
        out, err = process.communicate(timeout=90)
        return self._outcome(process.returncode, out, err)

    def _finish(self, command, variables, popen):
        ended = subprocess.run(
            command,
            **{
                "env": self._environ(variables), "cwd": self.folder, "timeout": 90, "text": True,
                "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **popen,
            },
        )  # fmt: skip
        return self._outcome(ended.returncode, ended.stdout or "", ended.stderr or "")

    def _outcome(self, status, out, err):
        lines = OUR_FRAME.sub("", err).splitlines()
        told = [line for line in lines if line.startswith(TOLD)]
        rest = [line for line in lines if not line.startswith(TOLD)]
        return Outcome(status, out, "\n".join(rest), told, _events(self.output))

    def _with_notes(self, outcome, folder):
        outcome.notes = [json.loads(path.read_text()) for path in (folder / "processes").glob("*.json")]
        for note in outcome.notes:
            outcome.faults.update(note.get("faults", {}))
        return outcome

    def _environ(self, variables):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAM_OBS", "OTEL", "PYTHON"))}
        # Long enough for a machine that is busy with other things.
        own = {"DAM_OBS_OUTPUT": str(self.output), "DAM_OBS_SHUTDOWN_TIMEOUT": "60", "PYTHONHASHSEED": "0"}
        return {**kept, **own, **variables, **self.environ}

    def _folder(self, name):
        number = sum(1 for _ in self.folder.glob(f"{name}*"))
        folder = self.folder / f"{name}{number}"
        folder.mkdir(mode=0o777)
        return folder


def _events(path):
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


@pytest.fixture
def program(tmp_path):
    """Make a program from its text."""

    def make(text):
        folder = Path(tmp_path) / "host"
        folder.mkdir()
        return Program(folder, text)

    return make
