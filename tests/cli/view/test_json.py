"""``--json``: one document, stable and versioned; ``--jsonl``: the events as they were recorded."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dam_obs.cli._view import document as document_module

View = Callable[..., str]
MS = 1_000_000

EVENT_FIELDS = {
    "depth", "parent", "context", "start_ns", "duration_ns", "self_ns", "covered_ns", "uncovered_ns", "longest_gap",
    "critical_ns", "children_at_once", "mean_children_at_once", "siblings_at_once", "event",
}  # fmt: skip


def test_the_document_has_the_trees_with_what_their_shape_says(turn: Any, view: View) -> None:
    """Whole values: the frame, a trace, its critical path, an event with children and one without."""
    document = json.loads(view("--json"))
    (trace,) = document.pop("traces")
    events = trace.pop("events")

    assert document == {
        "schema_version": 1, "trace": "trace.jsonl", "events_in_trace": 6, "skipped": {}, "left_out_events": 0,
        "left_out_traces": 0,
    }  # fmt: skip
    path = trace.pop("critical_path")
    assert trace == {
        "remarks": [],
        "start": "2026-01-13T15:00:00.000000+00:00",
        "duration_ns": 100 * MS,
        "events_in_trace": 6,
    }
    assert [(step["position"], step["start_ns"], step["duration_ns"]) for step in path] == [
        (0, 0, 10 * MS), (2, 10 * MS, 40 * MS), (0, 50 * MS, 20 * MS), (3, 70 * MS, 5 * MS), (4, 75 * MS, 10 * MS),
        (3, 85 * MS, 5 * MS), (0, 90 * MS, 10 * MS),
    ]  # fmt: skip
    assert path[1] == {
        "position": 2, "handle": "mem_1_c", "operation": "memory.read", "start_ns": 10 * MS, "duration_ns": 40 * MS
    }  # fmt: skip
    recorded = {event.trace_id: msgspec.to_builtins(event) for event in turn}
    assert events[0] == {
        "depth": 0, "parent": None, "context": False, "start_ns": 0, "duration_ns": 100 * MS, "self_ns": 40 * MS,
        "covered_ns": 60 * MS, "uncovered_ns": 40 * MS, "longest_gap": {"start_ns": 50 * MS, "duration_ns": 20 * MS},
        "critical_ns": 40 * MS, "children_at_once": 2, "mean_children_at_once": 1.333, "siblings_at_once": 1,
        "event": recorded["alt_1_a"],
    }  # fmt: skip
    assert events[4] == {
        "depth": 2, "parent": 3, "context": False, "start_ns": 75 * MS, "duration_ns": 10 * MS, "self_ns": 10 * MS,
        "covered_ns": 0, "uncovered_ns": None, "longest_gap": None, "critical_ns": 10 * MS, "children_at_once": 0,
        "mean_children_at_once": 0.0, "siblings_at_once": 1, "event": recorded["mem_1_e"],
    }  # fmt: skip


def test_of_a_selection_those_above_are_marked(turn: Any, view: View) -> None:
    """And the critical path says of whom it does not show that they are not."""
    (trace,) = json.loads(view("--json", "--status", "error"))["traces"]

    assert [(each["event"]["trace_id"], each["parent"], each["context"]) for each in trace["events"]] == [
        ("alt_1_a", None, True), ("foc_1_d", 0, True), ("mem_1_e", 1, False),
    ]  # fmt: skip
    assert [step["position"] for step in trace["critical_path"]] == [0, None, 0, 1, 2, 1, 0]
    assert trace["events_in_trace"] == 6


def test_a_moment_has_no_duration(turn: Any, view: View) -> None:
    """`null`, not 0."""
    (trace,) = json.loads(view("--json"))["traces"]

    assert (trace["events"][5]["duration_ns"], trace["events"][5]["start_ns"]) == (None, 95 * MS)


def test_a_partial_trace_says_so(event: Any, write: Any, view: View) -> None:
    """In the same words as the tree."""
    write(event("foc_1_b", "alt_1_lost"))
    (trace,) = json.loads(view("--json"))["traces"]

    assert trace["remarks"] == ["its parent is not in the trace"]


def test_every_event_has_every_field(turn: Any, view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the trace is too large to be taken apart: what is not known is `null`."""
    monkeypatch.setattr("dam_obs.cli.view.TAKEN_APART", 5)
    (trace,) = json.loads(view("--json"))["traces"]

    assert all(set(each) == EVENT_FIELDS for each in trace["events"])
    assert (trace["critical_path"], trace["events_in_trace"], trace["events"][0]["self_ns"]) == (None, None, None)
    assert trace["events"][0]["duration_ns"] == 100 * MS


def test_an_empty_trace_is_a_document_too(folder: Path, view: View) -> None:
    """Whoever reads it need not tell the cases apart."""
    from click.testing import CliRunner

    from dam_obs.cli.view import command

    (folder / "trace.jsonl").write_text("")
    result = CliRunner().invoke(command, ["--json"])

    assert json.loads(result.stdout)["traces"] == []
    assert result.stderr == "trace.jsonl holds no events yet.\n"


@pytest.mark.parametrize("struct", ["Document", "TraceDocument", "Step", "EventDocument"])
def test_the_guide_names_every_field(struct: str) -> None:
    """In the tables of docs/view.md."""
    guide = (Path(__file__).parents[3] / "docs/view.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", guide))

    assert set(getattr(document_module, struct).__struct_fields__) - named == set()


def test_json_lines_are_those_that_were_written(seed: Path, view: View) -> None:
    """Byte for byte, in their order."""
    assert view("--jsonl") == seed.read_text()


def test_a_dash_reads_standard_input(seed: Path, folder: Path) -> None:
    """What another program writes into a pipe."""
    text = seed.read_text()
    seed.unlink()
    done = subprocess.run(
        [sys.executable, "-m", "dam_obs.view", "-", "--jsonl"], input=text, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, text, "")
