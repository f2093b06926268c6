"""Runs to export: the example pipeline, and small ones of which every sample is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from dam_obs.sample.samples import TAG
from dam_obs.store.manifest import AbsentEvidence, HostNote, Manifest, SamplerStats, write_manifest
from dam_obs.store.runs import RunFolder
from dam_obs.testing.runs import write_example_run
from dam_obs.trace.events import TraceEvent

MS = 1_000_000
SECOND = 1_000 * MS
HZ = 100

Stack = Sequence[tuple[str, str, int | None]]
"""Name, file and line of each frame, outermost first."""


def span_id(number: int) -> str:
    """The OTel span id of execution `number`."""
    return f"{number + 1:016x}"


def tag(number: int) -> tuple[str, str, int | None]:
    """The frame that names execution `number`."""
    return (f"{TAG}{span_id(number)}", "/app/dam_obs/trace/meter.py", 7)


def execution(number: int, *segments: tuple[int, int, int], **fields: Any) -> TraceEvent:
    """The event of execution `number`, which ran on threads from millisecond to millisecond."""
    ran = [(start * MS, end * MS, tid) for start, end, tid in segments]
    begun, ended = (ran[0][0], ran[-1][1]) if ran else (0, 0)
    plain: dict[str, Any] = {
        "trace_id": f"sys_1_{number:04x}",
        "parent_id": None,
        "timestamp": f"1970-01-01T00:16:40.{begun // 1000:06d}+00:00",
        "hrm_layer": "system",
        "operation": "execute",
        "component": "app:System",
        "input_summary": "",
        "output_summary": "",
        "duration_ms": (ended - begun) // MS,
        "status": "success",
        "metadata": {},
        "duration_ns": ended - begun,
        "otel_trace_id": f"{number + 1:032x}",
        "otel_span_id": span_id(number),
        "pid": 10,
        "start_mono_ns": begun,
        "segments": ran or None,
    }
    return TraceEvent(**(plain | fields))


def manifest(*, sampler: SamplerStats | None, absent: Sequence[AbsentEvidence] = ()) -> Manifest:
    """A manifest of a run of a second."""
    return Manifest(
        run_id="r1",
        dam_obs_version="0.1.0",
        versions={},
        started="1970-01-01T00:16:40+00:00",
        duration_ns=SECOND,
        command="app.py",
        exit_status=0,
        host=HostNote(python="3.12.1", implementation="CPython", kernel="Linux", machine="x86_64", cpus=2),
        settings={},
        privilege="same user",
        sampler=sampler,
        absent=list(absent),
        complete=True,
    )


SAMPLER = SamplerStats(sampler="py-spy 0.4.3", rate_asked_hz=HZ, samples=HZ, failed=0, late=0, seconds=1.0)

OF_A_SECOND = manifest(sampler=SAMPLER)


def write_profile(path: Path, threads: dict[str, list[Stack]]) -> None:
    """Write stacks as py-spy does."""
    frames: dict[tuple[str, str, int | None], int] = {}
    profiles = []
    for name, stacks in threads.items():
        numbers = [[frames.setdefault(frame, len(frames)) for frame in stack] for stack in stacks]
        profiles.append({"type": "sampled", "name": name, "unit": "seconds", "samples": numbers, "weights": []})
    table = [{"name": name, "file": file, "line": line} for name, file, line in frames]
    path.write_bytes(msgspec.json.encode({"profiles": profiles, "shared": {"frames": table}}))


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., RunFolder]:
    """A writer of runs: stacks by thread as the profile names it, and events."""

    def write(
        threads: dict[str, list[Stack]], *events: TraceEvent, manifest: Manifest | None = OF_A_SECOND
    ) -> RunFolder:
        run = RunFolder(tmp_path_factory.mktemp("run"))
        write_profile(run.raw_profile, threads)
        if events:
            run.trace.write_bytes(b"".join(msgspec.json.encode(event) + b"\n" for event in events))
        if manifest is not None:
            write_manifest(run, manifest)
        return run

    return write


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of the example pipeline."""
    return write_example_run(tmp_path_factory.mktemp("example") / "run", assets=60)


@pytest.fixture
def small_run(make_run: Callable[..., RunFolder]) -> RunFolder:
    """Two systems on one thread, one nested in the other, samples outside them, and an idle thread."""
    main, work, helper = ("<module>", "/app/main.py", 1), ("work", "/app/work.py", 5), ("helper", "/app/work.py", 9)
    return make_run(
        {
            'Process 10 Thread 10 "MainThread"': [
                [main],
                [main, tag(0), work],
                [main, tag(0), work],
                [main, tag(0), work, tag(1), helper],
                [main],
            ],
            'Process 10 Thread 11 "pool_0"': [[("wait", "/lib/threading.py", 3)]] * 5,
        },
        execution(0, (10, 45, 10), component="app:Outer"),
        execution(1, (30, 40, 10), component="app:Inner", operation="load"),
    )


@pytest.fixture(scope="session")
def kit(make_run: Callable[..., RunFolder]) -> SimpleNamespace:
    """What tests make small runs of."""
    return SimpleNamespace(
        run=make_run, tag=tag, span_id=span_id, execution=execution, manifest=manifest, sampler=SAMPLER, ms=MS
    )
