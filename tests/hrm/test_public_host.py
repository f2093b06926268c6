"""
The trace points of locked_system and the_assist, on a stand-in of our own that has their modules, classes and methods.

It is run as a program, unmodified. That the files fit the projects themselves was tried by hand, see
docs/hrm/public-host.md.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dam_obs.points.load import load_file
from dam_obs.sinks.tree import render
from dam_obs.store.read import read_events

STAND_IN = Path(__file__).parent / "stand_in"
FILES = [
    Path(__file__).parents[2] / "plugins" / "hrm" / "dam_hrm" / "trace_points" / f"{name}.toml"
    for name in ("locked_system", "the_assist")
]

SEEN = """
[sys] turn: What is due? → You said: What is due?
  └─[alt] assess: What is due? → L2
  └─[alt] execute: What is due? → You said: What is due?
      └─[mem] write: success
  └─[alt] evaluate: What is due? → healthy
  └─[foc] consent_check: conversation → True
[sys] turn:   → error: ValueError
  └─[alt] assess:   → L2
  └─[alt] execute:   → error: ValueError
      └─[mem] write: success
[sys] turn: write a report → not done
  └─[foc] signal: write a report → formal_work
  └─[alt] execute: fs.write → APPROVAL_REQUIRED
[sys] turn: read it → done
  └─[foc] signal: read it → none
  └─[alt] execute: fs.read → a2
[mem] write: the report → success
[foc] gate_check: commitment → go
  └─[foc] stance_change: execution → go
  └─[mem] write: commitment → success
[foc] gate_check: framing → framing does not lead to execution
  └─[foc] stance_change: execution → x
[foc] gate_check: stop → stop
  └─[mem] write: stop: stop → success
[foc] gate_check: stop → it was used just now
[foc] stance_change: execution → no way
[foc] gate_check: framing → True
[foc] gate_check: commitment → False
[foc] gate_check: g1 → approved
[foc] gate_check: g1 → denied
[foc] consent_check: agent → False
[foc] lane_switch: report → create
[foc] lane_switch: taxes → no bookmark
[foc] lane_switch: taxes → switch
[foc] lane_switch: taxes → complete
[rsn] route: Should I? → clarify
  └─[rsn] classify: Should I? → framing
[lrn] pattern_add: ask first → pat_1
  └─[mem] write: ask first → success
      └─[foc] gate_check: semantic → True
[lrn] pattern_add: ask first → blocked
  └─[mem] write: ask first → blocked
      └─[foc] gate_check: semantic → False
[lrn] pattern_match: ask first
[mem] write: draft → success
[mem] read: draft → success
[mem] write: fact → success
  └─[foc] gate_check: shared → True
[mem] write: lie → blocked
  └─[foc] gate_check: shared → False
[mem] read: fact → success
[foc] route: go on → a proposes, b proposes
  └─[mem] write: answer → success
  └─[mem] write: answer → success
[foc] route: go on → an agent decided
  └─[mem] write: answer → success
  └─[mem] write: answer → success
[alt] transition: L2 → there is no ground
  └─[rsn] classify: plan my week → derivative
[alt] transition: L2 → there is ground
  └─[rsn] classify: plan my week → derivative
[alt] transition: L2 → the user asked
"""


class Run:
    """One run of the stand-in with its points, and one without."""

    def __init__(self, folder):
        program = [sys.executable, str(STAND_IN / "program.py")]
        self.bare = subprocess.run(program, capture_output=True, text=True, timeout=60, cwd=folder, check=True)
        points = [part for path in FILES for part in ("--points", str(path))]
        self.seen = subprocess.run(
            [sys.executable, "-m", "dam_obs.cli", "run", *points, "--", *program],
            capture_output=True, text=True, timeout=60, cwd=folder, check=True,
        )  # fmt: skip
        self.events = list(read_events(folder / "trace.jsonl"))


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("public_host"))


def test_the_program_is_what_it_was(ran):
    """What it prints is the same, on both streams."""
    assert (ran.seen.stdout, ran.seen.stderr) == (ran.bare.stdout, ran.bare.stderr)


def test_every_operation_is_seen_below_who_asked_for_it(ran):
    """Turns, gates and agents on threads of a pool nest as they call each other, with words of the host's own."""
    lines = [re.sub(r" \(\d+ms\)", "", line) for line in render(ran.events)]

    assert lines == SEEN.strip("\n").splitlines()


def test_every_target_has_been_seen(ran):
    """Each class that a file names stands in the trace under its point; no name in a file is out of date."""
    named = {
        (point.name, str(target.place).rpartition(".")[0])
        for path in FILES
        for point in load_file(path).points
        for target in point.targets
    }

    assert {(f"{event.hrm_layer}.{event.operation}", event.component) for event in ran.events} == named


def test_refusals_are_blocked_and_failures_are_errors(ran):
    """However the host says no: False, None, a denied status, an object that did not succeed."""
    refused = [(event.operation, event.input_summary) for event in ran.events if event.status == "blocked"]
    failed = [event.operation for event in ran.events if event.status == "error"]

    assert sorted(refused) == [
        ("consent_check", "agent"),
        ("execute", "fs.write"),
        ("gate_check", "commitment"),
        ("gate_check", "framing"),
        ("gate_check", "g1"),
        ("gate_check", "semantic"),
        ("gate_check", "shared"),
        ("gate_check", "stop"),
        ("lane_switch", "taxes"),
        ("pattern_add", "ask first"),
        ("route", "go on"),
        ("stance_change", "execution"),
        ("stance_change", "execution"),
        ("transition", "L2"),
        ("write", "ask first"),
        ("write", "lie"),
    ]
    assert sorted(failed) == ["execute", "turn"]


@pytest.mark.parametrize(
    ("operation", "input_summary", "data"),
    [
        ("stance_change", "execution", {"from_stance": "sensemaking", "to_stance": "execution", "gate": "commitment"}),
        ("transition", "L2", {"from_level": "L3", "to_level": "L2", "reason": "there is no ground"}),
        ("classify", "Should I?", {"input_type": "general, technical", "confidence": 0.5}),
        ("pattern_add", "ask first", {"pattern_code": "pat_1", "source": "turn 1, turn 2"}),
        ("write", "draft", {"namespace": "p1", "key": "draft"}),
        ("route", "go on", {"agents": "a, b", "bundle": "merge"}),
    ],
)
def test_data_is_read_from_the_hosts_own_objects(ran, operation, input_summary, data):
    """Under the names that dam_hrm's operations have."""
    events = [event for event in ran.events if (event.operation, event.input_summary) == (operation, input_summary)]

    assert min(events, key=lambda event: event.timestamp).metadata == data
