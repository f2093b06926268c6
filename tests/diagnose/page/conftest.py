"""Reports for the page: a whole one, and makers of parts that a test changes where it matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dam_obs.diagnose.report import (
    CostModel,
    DiagnosticReport,
    FrameNode,
    HostFacts,
    Point,
    Quality,
    Quantiles,
    SystemDiagnosis,
    TimeSplit,
)
from dam_obs.testing.runs import example_report

MS = 1_000_000

Maker = Callable[..., Any]


def make_cost(**changes: Any) -> CostModel:
    plain: dict[str, Any] = {
        "family": "constant",
        "features": [],
        "coefficients": {"intercept": 4.0 * MS},
        "expression": "4",
        "quantile": 0.9,
        "quantile_factor": 1.5,
        "executions": 3,
        "held_out": None,
        "valid_range": {},
        "warnings": [],
        "rejected": [],
    }
    return CostModel(**plain | changes)


def make_quality(**changes: Any) -> Quality:
    plain: dict[str, Any] = {
        "verdict": "usable",
        "reasons": [],
        "sampler": "py-spy 0.4.3",
        "rate_asked_hz": 100.0,
        "rate_reached_hz": 98.0,
        "samples": 1000,
        "samples_claimed": 900,
        "samples_unclaimed": 100,
        "samples_failed": 0,
        "samples_late": 0,
        "clock_residual_ns": None,
        "privilege": "root",
        "executions": 3,
        "executions_dropped": 0,
        "lines_skipped": 0,
        "absent": [],
    }
    return Quality(**plain | changes)


def make_system(**changes: Any) -> SystemDiagnosis:
    """Make a system with three executions of 2, 4 and 6 ms."""
    plain: dict[str, Any] = {
        "system": "demo:System",
        "layer": "system",
        "operation": "execute",
        "executions": 3,
        "by_status": {"success": 3, "error": 0, "blocked": 0},
        "latency": Quantiles(
            count=3,
            mean_ns=4.0 * MS,
            min_ns=2 * MS,
            p50_ns=4 * MS,
            p90_ns=6 * MS,
            p95_ns=6 * MS,
            p99_ns=6 * MS,
            max_ns=6 * MS,
        ),
        "time": TimeSplit(
            wall_ns=12 * MS,
            on_cpu_ns=3 * MS,
            run_queue_ns=0,
            block_io_ns=None,
            awaiting_ns=6 * MS,
            other_ns=3 * MS,
            measured=3,
        ),
        "on_cpu_share": 0.25,
        "devices": [],
        "files": [],
        "peers": [],
        "processes": [],
        "peak_memory_delta_bytes": None,
        "concurrency_peak": 1,
        "concurrency_mean": 1.0,
        "features": ["size"],
        "samples": 0,
        "hot_stacks": [],
        "cost": make_cost(),
        "traits": [],
        "points": [
            Point(handle=f"sys_1_{size:04x}", duration_ns=size * MS, status="success", features={"size": size})
            for size in (2, 4, 6)
        ],
        "errors": {},
        "source_file": None,
        "source_line": None,
        "source_function": None,
        "command_type": None,
    }
    return SystemDiagnosis(**plain | changes)


def make_report(**changes: Any) -> DiagnosticReport:
    plain: dict[str, Any] = {
        "run_id": "20260113-140000-demo",
        "dam_obs_version": "0.1.0",
        "started": "2026-01-13T14:00:00+00:00",
        "duration_ns": 1_500 * MS,
        "command": "demo.py",
        "exit_status": 0,
        "quality": make_quality(),
        "host": HostFacts(
            python="3.12.1",
            implementation="CPython",
            kernel="Linux 6.8.0",
            machine="x86_64",
            cpus=4,
            memory_bytes=2**34,
        ),
        "processes": [],
        "systems": [make_system()],
        "faults": {},
        "flame": node("all executions", 10, [node("demo:System", 10, [node("work", 7), node("rest", 3)])]),
    }
    return DiagnosticReport(**plain | changes)


def node(name: str, samples: int, children: list[FrameNode] | None = None) -> FrameNode:
    return FrameNode(name=name, file="demo.py", line=3, samples=samples, children=children or [])


@pytest.fixture
def cost() -> Maker:
    return make_cost


@pytest.fixture
def quality() -> Maker:
    return make_quality


@pytest.fixture
def system() -> Maker:
    return make_system


@pytest.fixture
def report() -> Maker:
    return make_report


@pytest.fixture
def frame() -> Maker:
    return node


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> DiagnosticReport:
    """The report on a run of the example pipeline: all kinds of systems, of which the truth is known."""
    return example_report(tmp_path_factory.mktemp("example") / "run", assets=60)
