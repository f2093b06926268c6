"""
The trace points of gameltb/dam, on a stand-in of our own that behaves as that project does.

Its systems are functions in a registry known by identity, its dispatch is lazy, its executor
reads meaning from when its tasks end. It is run as a program, unmodified.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dam_obs.diagnose.report import DiagnosticReport
from dam_obs.store.read import read_events
from dam_obs.store.runs import RunFolder

STAND_IN = Path(__file__).parent / "stand_in"
POINTS = Path(__file__).parents[2] / "plugins" / "traits" / "dam_traits" / "trace_points" / "gameltb_dam.toml"


class Run:
    """One measured run of the stand-in: what it printed, its events, its report."""

    def __init__(self, folder):
        self.process = subprocess.run(
            [
                sys.executable, "-m", "dam_obs.cli", "diagnose", "--no-stacks", "--points", str(POINTS),
                "--out", str(folder / "run"), "--", sys.executable, str(STAND_IN / "program.py"),
            ],
            capture_output=True, text=True, timeout=100, cwd=folder, env={**os.environ, "COLUMNS": "120"},
        )  # fmt: skip
        assert self.process.returncode == 0, self.process.stderr
        self.run = RunFolder(folder / "run")
        self.events = list(read_events(self.run.trace))
        self.report = DiagnosticReport.model_validate_json(self.run.report_json.read_bytes())

    def tree(self, event):
        """Return a span as its operation, its system where it is one's run, its status and what is below, in order."""
        below = sorted(
            (each for each in self.events if each.parent_id == event.trace_id), key=lambda each: each.timestamp
        )
        name = event.operation if event.kind == "step" else event.component.partition(":")[2]
        return (name, event.status, [self.tree(each) for each in below])

    def roots(self):
        """Return the trees of all spans without a parent, in order."""
        roots = sorted((each for each in self.events if not each.parent_id), key=lambda each: each.timestamp)
        return [self.tree(each) for each in roots]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("stand_in"))


def ok(name, *below):
    return (name, "success", list(below))


INGESTED = ok(
    "run",
    ok(
        "ingest",
        ok("dispatch"),
        ok("run", ok("approve")),
        ok("dispatch"),
        ok("run", ok("hash_in_a_thread"), ok("hash_later")),
        ok("dispatch"),
        ok("run", ok("walk")),
        ok("dispatch_event", ok("run", ok("hear"))),
    ),
)

REFUSED = ok("run", ok("ingest", ok("dispatch"), ok("run", ("approve", "blocked", []))))


def test_each_system_has_a_span_below_who_asked_for_it(ran):
    """Parents are right over lazy dispatch, parallel tasks, threads and generators; a refusal is blocked."""
    assert ran.roots() == [
        ok("run_stage", ok("run", ok("prepare"))),
        ok("dispatch"),
        INGESTED,
        ok("dispatch"),
        INGESTED,
        ok("dispatch"),
        REFUSED,
        ok("dispatch"),
    ]


def test_the_program_is_what_it_was(ran):
    """Its output is its own, and nothing went wrong in dam-obs."""
    assert ran.process.stdout.splitlines()[:3] == ["[0, 1]", "[0, 1]", "[]"]
    assert "Failed to detach" not in ran.process.stderr
    assert ran.report.faults == {}


def test_the_report_has_the_systems_and_no_steps(ran):
    """Each system is there by its function, with as many executions and the place where it stands."""
    lines = (STAND_IN / "program.py").read_text().splitlines()

    def line_of(name):
        return next(
            number for number, line in enumerate(lines) if line.startswith((f"async def {name}(", f"def {name}("))
        )

    runs = {"prepare": 1, "ingest": 3, "approve": 3, "hash_in_a_thread": 2, "hash_later": 2, "walk": 2, "hear": 2}
    assert {each.system: (each.executions, each.source_file, each.source_line) for each in ran.report.systems} == {
        f"program:{name}": (count, str(STAND_IN / "program.py"), line_of(name)) for name, count in runs.items()
    }


def test_a_system_in_a_thread_is_on_the_cpu(ran):
    """What the default thread pool does for a system is its own time; a system that waits has none."""
    share = {each.system: each.on_cpu_share for each in ran.report.systems}

    assert share["program:hash_in_a_thread"] > 0.2
    assert share["program:hash_later"] < 0.2


def test_each_system_that_runs_for_a_command_or_event_is_drafted(ran):
    """A draft is for the function and takes its command; a system that runs for a stage has none to go by."""
    drafts = {path.name for path in ran.run.drafts.glob("*.py")}
    names = ("ingest", "approve", "hash_in_a_thread", "hash_later", "walk", "hear")

    assert drafts == {f"program_{name}.py" for name in names}
    assert "cmd: Hash" in (ran.run.drafts / "program_hash_in_a_thread.py").read_text()
