"""Reports of a small asset pipeline, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dam_obs.diagnose.report import (
    CostModel,
    DiagnosticReport,
    HostFacts,
    InferredTrait,
    Point,
    Prediction,
    Quality,
    Quantiles,
    SystemDiagnosis,
    TimeSplit,
)

MS = 1_000_000


def make_cost(**changes: Any) -> CostModel:
    """A linear model: 3.1 ms and 2.1 us for each byte."""
    given = {
        "family": "linear",
        "features": ["size"],
        "coefficients": {"intercept": 3_100_000.0, "slope": 2_100.0},
        "expression": "3.1 + 0.0021 * size",
        "quantile": 0.9,
        "quantile_factor": 1.4,
        "executions": 240,
        "held_out": Prediction(mdape=0.08, bias=0.01, under_rate=0.1),
        "valid_range": {"size": (120.0, 5_000_000.0)},
        "warnings": [],
        "rejected": ["constant: error 64 %"],
    }
    return CostModel.model_validate(given | changes)


def make_trait(trait: str, confidence: float = 0.9, **arguments: Any) -> InferredTrait:
    """A trait with one sentence of evidence."""
    return InferredTrait(
        trait=trait,
        arguments=arguments,
        confidence=confidence,
        evidence=["240 of 240 executions showed it."],
        rival=None,
    )


def make_system(**changes: Any) -> SystemDiagnosis:
    """The extraction of members from archives, with all three traits said."""
    given: dict[str, Any] = {
        "system": "asset_pipeline.systems:ExtractMember",
        "layer": "system",
        "operation": "system.execute",
        "executions": 240,
        "by_status": {"success": 231, "error": 6, "blocked": 3},
        "latency": Quantiles(
            count=240,
            mean_ns=21.0 * MS,
            min_ns=3 * MS,
            p50_ns=18 * MS,
            p90_ns=41 * MS,
            p95_ns=52 * MS,
            p99_ns=80 * MS,
            max_ns=93 * MS,
        ),
        "time": TimeSplit(
            wall_ns=5_040 * MS,
            on_cpu_ns=1_000 * MS,
            run_queue_ns=None,
            block_io_ns=None,
            awaiting_ns=None,
            other_ns=4_040 * MS,
            measured=240,
        ),
        "on_cpu_share": 0.2,
        "devices": [],
        "files": [],
        "peers": [],
        "processes": [],
        "peak_memory_delta_bytes": None,
        "concurrency_peak": 4,
        "concurrency_mean": 2.0,
        "features": ["size"],
        "samples": None,
        "hot_stacks": [],
        "cost": make_cost(),
        "traits": [
            make_trait("IOBoundTrait"),
            make_trait("ExecutionCostTrait", priority=50),
            make_trait("ResourceUsageTrait", pool_path="disk/read/vda", amount=1),
            make_trait("ResourceUsageTrait", 0.41, pool_path="net/db.internal:5432", amount=1),
        ],
        "points": [
            Point(handle=f"sys_1768312800_{i:04x}", duration_ns=i * MS, status="success", features={"size": i})
            for i in (40, 3, 18, 93, 7)
        ],
        "errors": {"BadZipFile": 6},
        "source_file": None,
        "source_line": None,
        "source_function": None,
        "command_type": "asset_pipeline.commands:ExtractMemberCommand",
    }
    return SystemDiagnosis.model_validate(given | changes)


def make_report(*systems: SystemDiagnosis, **changes: Any) -> DiagnosticReport:
    """A usable report."""
    quality = Quality(
        verdict="usable",
        reasons=[],
        sampler=None,
        rate_asked_hz=None,
        rate_reached_hz=None,
        samples=None,
        samples_claimed=None,
        samples_unclaimed=None,
        samples_failed=None,
        samples_late=None,
        clock_residual_ns=None,
        privilege="same user",
        executions=240,
        executions_dropped=0,
        lines_skipped=0,
        absent=[],
    )
    given = {
        "run_id": "20260113-140000-4321",
        "dam_obs_version": "0.1.0",
        "started": "2026-01-13T14:00:00+00:00",
        "duration_ns": 9_000 * MS,
        "command": "asset_pipeline",
        "exit_status": 0,
        "quality": quality,
        "host": HostFacts(
            python="3.11.9", implementation="CPython", kernel="6.1", machine="x86_64", cpus=2, memory_bytes=None
        ),
        "processes": [],
        "systems": list(systems or [make_system()]),
        "faults": {},
        "flame": None,
    }
    return DiagnosticReport.model_validate(given | changes)


@pytest.fixture(scope="session")
def cost() -> Callable[..., CostModel]:
    """Make a cost model; arguments replace its fields."""
    return make_cost


@pytest.fixture(scope="session")
def trait() -> Callable[..., InferredTrait]:
    """Make an inferred trait."""
    return make_trait


@pytest.fixture(scope="session")
def system() -> Callable[..., SystemDiagnosis]:
    """Make a diagnosed system; arguments replace its fields."""
    return make_system


@pytest.fixture(scope="session")
def report() -> Callable[..., DiagnosticReport]:
    """Make a report of the given systems, or of one."""
    return make_report
