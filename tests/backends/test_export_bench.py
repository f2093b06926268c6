"""The benchmark of exporting, with few events: everything arrives, and the figures are there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "export.py"


def benchmark(*arguments: str) -> dict[str, Any]:
    """Run it, and return what it found."""
    done = subprocess.run(
        [sys.executable, BENCHMARK, "--json", *arguments], capture_output=True, text=True, timeout=110, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_events_arrive_through_agent_and_gateway(collector_program):
    """At a rate that any machine bears, nothing is lost on the way to the gateway's file."""
    found = benchmark("--only", "chain", "--rates", "200", "--step-seconds", "1", "--programs", "1", "--settle", "60")

    (step,) = found["chain"]
    losses = ("lost_by_programs", "lost_by_collectors", "missing_at_gateway", "missing_in_file")
    assert {name: step[name] for name in losses} == dict.fromkeys(losses, 0)
    assert step["recorded"] > 0
    assert min(step["program_us"], step["agent_us"], step["gateway_us"]) >= 0


def test_costs_are_told_for_each_way_of_sending(collector_program):
    """The file alone, and OTLP beside it by both protocols; where the collector is well nothing is lost."""
    found = benchmark("--only", "cost", "--rounds", "1", "--round-seconds", "0.5", "--rate", "200")

    assert [(each["kind"], each["lost"]) for each in found["cost"]] == [
        ("JSONL", 0),
        ("JSONL + OTLP/gRPC", 0),
        ("JSONL + OTLP/HTTP", 0),
    ]
    assert all(each["caller_us"] > 0 for each in found["cost"])


def test_memory_is_looked_at_while_the_collector_is_dead():
    """As long as was asked for; every event is counted as lost, and is in the file."""
    found = benchmark("--only", "dead", "--dead-seconds", "4", "--rate", "200")["dead"]

    assert (found["trouble"], found["protocol"], found["seconds"]) == ("refuses", "grpc", 4)
    assert 1 <= len(found["rss_mb"]) <= 4
    assert all(size > 10 for _, size in found["rss_mb"][:-1])
    assert found["counted_as_lost"] == found["in_file"] == found["sent"] > 200


def test_without_a_collector_the_reason_is_told():
    """And what needs none is measured all the same."""
    found = subprocess.run(
        [sys.executable, BENCHMARK, "--only", "cost"],
        capture_output=True, text=True, timeout=110, check=True,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere", "DAM_OBS_BACKENDS": "/proc/nowhere"},
    )  # fmt: skip

    assert "left out: " in found.stdout
