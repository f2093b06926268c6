"""The scripted session of dam_hrm: it reaches every operation and every status, and runs observed as it runs alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dam_obs.points.load import load_file
from dam_obs.sinks.tree import render
from dam_obs.store.read import read_events

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "hrm_session"
POINTS = ROOT / "plugins" / "hrm" / "dam_hrm" / "trace_points"
LAYERS = ("altitude", "focus", "learning", "memory", "reasoning", "system")


class Observed:
    """One run of the example alone, and one under `dam-obs run --trace`."""

    def __init__(self, folder):
        command = [sys.executable, "-W", "error", str(EXAMPLE)]
        self.alone = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=folder)
        self.seen = subprocess.run(
            [sys.executable, "-m", "dam_obs.cli", "run", "--trace", "--", *command],
            capture_output=True, text=True, timeout=100, cwd=folder,
        )  # fmt: skip
        self.trace = folder / "trace.jsonl"
        self.events = list(read_events(self.trace))

    def named(self, name):
        return [event for event in self.events if f"{event.hrm_layer}.{event.operation}" == name]


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    return Observed(tmp_path_factory.mktemp("hrm_session"))


@pytest.fixture(scope="module")
def points():
    """The points of dam_hrm, by name."""
    files = [load_file(POINTS / f"{layer}.toml") for layer in LAYERS]
    return {point.name: point for file in files for point in file.points}


def test_it_runs_observed_as_it_runs_alone(observed):
    """It knows nothing of tracing; only the tree on standard error is new."""
    assert (observed.alone.returncode, observed.alone.stderr) == (0, "")
    assert (observed.seen.returncode, observed.seen.stdout) == (0, observed.alone.stdout)


def test_it_reaches_every_trace_point(observed, points):
    """All operations of the five layers, and nothing that is none of them."""
    assert {f"{event.hrm_layer}.{event.operation}" for event in observed.events} == set(points)


def test_it_reaches_all_three_statuses(observed):
    """By refusals of gates and rules, and by a plugin that fails."""
    failed = [f"{event.hrm_layer}.{event.operation}" for event in observed.events if event.status == "error"]

    assert {event.status for event in observed.events} == {"success", "blocked", "error"}
    assert sorted(failed) == ["altitude.execute", "system.turn"]


def test_each_event_carries_exactly_the_data_of_its_operation(observed, points):
    """And, where it failed, what the failure was."""
    for event in observed.events:
        data = {field.name for field in points[f"{event.hrm_layer}.{event.operation}"].data}
        if event.status == "error":
            assert set(event.metadata) - data == {"error", "error.type"}
        else:
            assert set(event.metadata) == data


def test_the_points_hold_what_they_promise(observed):
    """`dam-obs points check --events` finds data of every point, of the type that was declared."""
    files = [str(POINTS / f"{layer}.toml") for layer in LAYERS]
    done = subprocess.run(
        [sys.executable, "-m", "dam_obs.cli", "points", "check", "--events", str(observed.trace), *files],
        capture_output=True, text=True, timeout=60, cwd=observed.trace.parent,
    )  # fmt: skip

    assert (done.returncode, done.stdout.count("nothing wrong")) == (0, len(files)), done.stdout


LINE = re.compile(
    r"(?:(?: {4})*  └─)?\[(?:alt|foc|rsn|lrn|mem|sys)\] [a-z_]+: (?:.+ → )?.+ \(\d+ms\)(?: \[saved -?\d+ tokens\])?"
)
"""A line of the design's console output."""


def shape(line):
    """Return a line without its duration."""
    return re.sub(r" \(\d+ms\)", "", line)


def test_the_console_shows_the_designs_layout(observed):
    """Every line of it: code, operation, input, arrow, output, duration; children below with an elbow."""
    lines = observed.seen.stderr.splitlines()

    assert [line for line in lines if LINE.fullmatch(line) is None] == []
    assert sorted(map(shape, lines)) == sorted(map(shape, render(observed.events)))


def test_the_designs_own_tree_is_among_it(observed):
    """A change of level, the write of where it went, and the gate that this write passed."""
    lines = [shape(line) for line in observed.seen.stderr.splitlines()]
    at = lines.index("  └─[alt] transition: L3→L2 → success")

    write, gate = lines[at + 1 : at + 3]
    assert re.fullmatch(r"      └─\[mem\] write: altitude\.session → written \[saved \d+ tokens\]", write)
    assert gate == "          └─[foc] gate_check: WriteApprovalGate → allowed"


SEEN = {
    "altitude.transition": (
        "L3→L2", "success",
        {"from_level": "L3", "to_level": "L2", "reason": "the input speaks at L2"},
    ),
    "focus.gate_check": (
        "WriteApprovalGate", "denied",
        {"gate_type": "WriteApproval", "decision": "denied", "reason": "the diary is written by hand"},
    ),
    "focus.consent_check": (
        "memory.write on notes.*", "denied",
        {"operation": "memory.write", "allowed": False},
    ),
    "focus.stance_change": (
        "sensemaking→execution", "allowed",
        {"from_stance": "sensemaking", "to_stance": "execution", "gate": "Commitment"},
    ),
    "learning.generalize": (
        "('plan_weeks', 'plan_years')", "decomposition_2d121e",
        {"from_patterns": "plan_weeks, plan_years", "to_pattern": "decomposition_2d121e"},
    ),
    "memory.demote": (
        "guide.chapter-1: warm→cold", "moved",
        {"key": "chapter-1", "from_tier": "warm", "to_tier": "cold"},
    ),
    "altitude.execute": ("note", "Noted as printer.", {"altitude": "L1", "action_type": "note"}),
}  # fmt: skip


@pytest.mark.parametrize("name", SEEN)
def test_an_operation_is_seen_with_its_words_and_its_data(observed, name):
    """One of each kind, whole."""
    seen = [(event.input_summary, event.output_summary, event.metadata) for event in observed.named(name)]

    assert SEEN[name] in seen


def test_a_summary_says_what_it_saves(observed):
    """In the data, and in the line of the tree."""
    (write,) = [event for event in observed.named("memory.write") if event.input_summary == "guide.chapter-1"]
    saved = write.metadata["tokens_saved"]

    assert saved > 0
    assert write.metadata == {"namespace": "guide", "key": "chapter-1", "tier": "warm", "tokens_saved": saved}
    assert any(
        line.endswith(f"write: guide.chapter-1 → written ({write.duration_ms}ms) [saved {saved} tokens]")
        for line in observed.seen.stderr.splitlines()
    )


def test_a_refused_write_says_who_refused(observed):
    """The write is blocked, and its gate below it says why."""
    (write,) = [event for event in observed.named("memory.write") if event.input_summary == "diary.today"]
    (gate,) = [event for event in observed.events if event.parent_id == write.trace_id]

    assert (write.status, write.output_summary) == ("blocked", "denied")
    assert (gate.status, gate.metadata["reason"]) == ("blocked", "the diary is written by hand")


def test_its_plugins_are_the_ones_the_readme_names(observed):
    """The failure in the trace is the printer's."""
    (failed,) = [event for event in observed.named("altitude.execute") if event.status == "error"]

    assert failed.input_summary == "print"
    assert "plugin Printer raised OutOfPaper: the printer has no paper" in failed.metadata["error"]


def test_it_needs_dam_hrm_alone():
    """No file of the example names dam-obs."""
    sources = "".join(path.read_text(encoding="utf-8") for path in EXAMPLE.glob("*.py"))

    assert "dam_obs" not in sources
