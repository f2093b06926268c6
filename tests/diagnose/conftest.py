"""A run of the example pipeline, its report, and makers of smaller evidence."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.report import DiagnosticReport, SystemDiagnosis
from dam_obs.store.runs import RunFolder
from dam_obs.testing.runs import example_report
from dam_obs.trace.events import TraceEvent


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> DiagnosticReport:
    """The report on a run of the example pipeline: a complete one, of which the truth is known."""
    return example_report(tmp_path_factory.mktemp("example") / "run")


@pytest.fixture
def event() -> Callable[..., TraceEvent]:
    """A maker of events of one system, one after the other, each a millisecond long."""
    numbers = itertools.count()

    def make(**fields: Any) -> TraceEvent:
        number = next(numbers)
        plain: dict[str, Any] = {
            "trace_id": f"sys_1_{number:04x}",
            "parent_id": None,
            "timestamp": "2026-01-13T14:00:00+00:00",
            "hrm_layer": "system",
            "operation": "execute",
            "component": "demo:System",
            "input_summary": "",
            "output_summary": "",
            "duration_ms": 1,
            "status": "success",
            "metadata": {},
            "duration_ns": 1_000_000,
            "otel_span_id": f"{number + 1:016x}",
            "pid": 7,
            "start_mono_ns": number * 2_000_000,
        }
        return TraceEvent(**(plain | fields))

    return make


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., RunFolder]:
    """A writer of a run folder that holds some events and nothing else."""

    def write(*events: TraceEvent) -> RunFolder:
        folder = RunFolder(tmp_path / "run")
        folder.path.mkdir()
        folder.trace.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in events))
        return folder

    return write


@pytest.fixture
def diagnose(run: Callable[..., RunFolder]) -> Callable[..., SystemDiagnosis]:
    """Diagnose events of one system."""

    def one(*events: TraceEvent) -> SystemDiagnosis:
        (system,) = build_report(run(*events)).systems
        return system

    return one
