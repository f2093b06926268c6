"""
A run folder as a measured run leaves it, made from a seed: for tests of whatever reads one.

It tells of an asset pipeline of which everything is known: what each system costs, by
which law, what it waits for: `pipeline` has that truth. The same seed gives the same bytes,
but for the folder's own path, on which the files of the pipeline are said to lie.
"""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from dam_obs.sample.samples import TAG
from dam_obs.store.manifest import AbsentEvidence, HostNote, Manifest, SamplerStats, write_manifest
from dam_obs.store.mounts import Mount, Mounts, save_mounts
from dam_obs.store.runs import RunFolder
from dam_obs.testing.pipeline import SYSTEMS, Asset, ExampleSystem
from dam_obs.trace.events import Status, TraceEvent
from dam_obs.trace.process import ProcessNote

if TYPE_CHECKING:
    from dam_obs.diagnose.report import DiagnosticReport

PID = 4321
DISK = "nvme0n1"
"""The disk that the pipeline's files lie on."""

SAMPLE_HZ = 100
MODULE = "asset_pipeline.systems"

_MILLISECOND = 1_000_000
_START = datetime(2026, 1, 13, 14, 0, 0, tzinfo=UTC)
_START_MONO_NS = 1_000_000_000_000
_GAP_NS = 2_500_000
"""Between the starts of two assets, so that many are in flight."""


def write_example_run(folder: Path, seed: int = 0, assets: int = 200) -> RunFolder:
    """
    Write a run of the example pipeline into `folder`, which is made if need be.

    Everything is there that a complete run leaves before it is diagnosed: manifest, mounts,
    a process note, the events, the raw profile of the sampler.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run = RunFolder(folder)
    pipeline = _Pipeline(random.Random(seed), str(folder.resolve()))  # noqa: S311 (an example, not a secret)
    for number in range(assets):
        pipeline.ingest(number)

    lines = [msgspec.json.encode(event) for event in pipeline.events]
    run.trace.write_bytes(b"".join(line + b"\n" for line in lines))
    run.raw_profile.write_bytes(msgspec.json.encode(pipeline.profile()))
    save_mounts(run, Mounts([Mount(point="/", filesystem="ext4", source=f"/dev/{DISK}p1", disks=[DISK])]))
    write_manifest(run, _manifest(pipeline))
    run.processes.mkdir(exist_ok=True)
    (run.processes / f"{PID}.json").write_bytes(msgspec.json.encode(_note(pipeline)))
    return run


def example_report(folder: Path, seed: int = 0, assets: int = 200) -> DiagnosticReport:
    """Return the report on a run of the example pipeline, which is written into `folder` for it."""
    from dam_obs.diagnose.build import build_report

    return build_report(write_example_run(folder, seed, assets))


class _Pipeline:
    """Plays the pipeline: keeps the time, writes down events and the stacks a sampler would have seen."""

    def __init__(self, chance: random.Random, folder: str) -> None:
        self.chance = chance
        self.folder = folder
        self.events: list[TraceEvent] = []
        self.end_ns = 0
        self._frames: dict[tuple[str, str, int], int] = {}
        self._samples: dict[str, list[list[int]]] = {"MainThread": [], "pool_0": []}

    def ingest(self, number: int) -> None:
        """Take one asset through gate and systems."""
        asset = self._asset(number)
        start = number * _GAP_NS + self.chance.randrange(_GAP_NS)
        span = self._span_id()
        handle = f"alt_{self._seconds(start)}_{span[:6]}"
        now = start + 50_000

        now, allowed = self._gate(asset, now, handle, span)
        busy = 0
        if allowed:
            for system in SYSTEMS:
                if system.name == "ExtractMember" and asset.kind != "zip":
                    continue
                now, cpu = self._execute(system, asset, now, handle, span)
                busy += cpu
        now += 20_000
        self._finish(now)
        self.events.append(
            self._event(
                handle=handle,
                span=span,
                parent=None,
                layer="altitude",
                operation="execute",
                component=f"{MODULE}:IngestAsset",
                start=start,
                duration=now - start,
                status="success" if allowed else "blocked",
                cpu=busy + 40_000,
                wait=max(0, now - start - busy - 70_000),
                code={"function": f"{MODULE}:IngestAsset.__call__", "file": f"{self.folder}/systems.py", "line": 20},
                command=f"{MODULE}:IngestAssetCommand",
                features={"size": asset.size, "kind": asset.kind},
            )
        )

    def profile(self) -> dict[str, Any]:
        """Return what py-spy writes with ``--format speedscope``."""
        return {
            "$schema": "https://www.speedscope.app/file-format-schema.json",
            "profiles": [
                {
                    "type": "sampled",
                    "name": f'Process {PID} Thread {index} "{thread}"',
                    "unit": "seconds",
                    "startValue": 0.0,
                    "endValue": len(samples) / SAMPLE_HZ,
                    "samples": samples,
                    "weights": [1 / SAMPLE_HZ] * len(samples),
                }
                for index, (thread, samples) in enumerate(self._samples.items(), start=PID)
            ],
            "shared": {
                "frames": [{"name": name, "file": file, "line": line, "col": None} for name, file, line in self._frames]
            },
            "activeProfileIndex": None,
            "exporter": "py-spy@0.4.3",
            "name": f"py-spy profile - pid {PID}",
        }

    def _asset(self, number: int) -> Asset:
        kind = self.chance.choice(["text", "zip", "png", "random"])
        size = int(math.exp(self.chance.uniform(math.log(2_000), math.log(8_000_000))))
        member = int(math.exp(self.chance.uniform(math.log(1_000), math.log(3_000_000))))
        return Asset(f"{number:04d}.{kind}", kind, size, member if kind == "zip" else 0)

    def _gate(self, asset: Asset, now: int, parent: str, parent_span: str) -> tuple[int, bool]:
        span = self._span_id()
        allowed = self.chance.random() > 0.05
        duration = 30_000 + self.chance.randrange(10_000)
        self.events.append(
            self._event(
                handle=f"foc_{self._seconds(now)}_{span[:6]}",
                span=span,
                parent=(parent, parent_span),
                layer="focus",
                operation="gate_check",
                component="gates.py",
                start=now,
                duration=duration,
                status="success" if allowed else "blocked",
                cpu=duration - 2_000,
                wait=0,
                metadata={"gate_type": "SizeGate", "decision": "allowed" if allowed else "denied"},
            )
        )
        return now + duration, allowed

    def _execute(self, system: ExampleSystem, asset: Asset, now: int, parent: str, parent_span: str) -> tuple[int, int]:
        span = self._span_id()
        wall = int(system.median_ms(asset) * math.exp(self.chance.gauss(0, system.noise)) * _MILLISECOND)
        if self.chance.random() < 0.03:
            wall *= self.chance.randrange(3, 8)  # the outliers that every machine has
        failed = system.name == "ExtractMember" and self.chance.random() < 0.08
        if failed:
            wall = min(wall, 300_000)
        cpu = int(wall * system.on_cpu)
        wait = int(wall * system.awaiting)
        io = {
            "read_bytes": system.read_bytes(asset),
            "write_bytes": system.write_bytes(asset),
            "rchar": system.read_bytes(asset) + 64,
            "wchar": system.write_bytes(asset),
            "run_queue_ns": int(wall * 0.01),
            "block_io_ns": int(wall * system.block_io),
        }
        self._sample(system, span, wall - wait)
        self._finish(now + wall)
        self.events.append(
            self._event(
                handle=f"sys_{self._seconds(now)}_{span[:6]}",
                span=span,
                parent=(parent, parent_span),
                layer="system",
                operation="execute",
                component=f"{MODULE}:{system.name}",
                start=now,
                duration=wall,
                status="error" if failed else "success",
                cpu=cpu,
                wait=wait,
                io=io,
                metadata={"error": "File is not a zip file", "error.type": "zipfile.BadZipFile"} if failed else {},
                touched=system.touches(asset, self.folder),
                features=system.features(asset),
                code={
                    "function": f"{MODULE}:{system.name}.__call__",
                    "file": f"{self.folder}/systems.py",
                    "line": system.line,
                },
                command=f"{MODULE}:{system.command}",
            )
        )
        return now + wall + 5_000, cpu

    def _event(
        self,
        *,
        handle: str,
        span: str,
        parent: tuple[str, str] | None,
        layer: str,
        operation: str,
        component: str,
        start: int,
        duration: int,
        status: Status,
        cpu: int,
        wait: int,
        **more: Any,
    ) -> TraceEvent:
        mono = _START_MONO_NS + start
        # One stretch on the CPU before and one after the wait, as a coroutine has them.
        first = mono + (duration - wait) // 2
        segments = [(mono, mono + duration, PID)]
        if wait:
            segments = [(mono, first, PID), (first + wait, mono + duration, PID)]
        return TraceEvent(
            trace_id=handle,
            parent_id=parent[0] if parent else None,
            timestamp=(_START + timedelta(microseconds=start // 1_000)).isoformat(),
            hrm_layer=layer,
            operation=operation,
            component=component,
            input_summary="",
            output_summary="",
            duration_ms=(duration + _MILLISECOND // 2) // _MILLISECOND,
            status=status,
            metadata=more.pop("metadata", {}),
            duration_ns=duration,
            otel_trace_id=f"{int(span, 16):032x}",
            otel_span_id=span,
            otel_parent_id=parent[1] if parent else None,
            pid=PID,
            thread_id=PID,
            cpu_ns=cpu,
            wait_ns=wait,
            steps=len(segments),
            segments=segments,
            start_mono_ns=mono,
            **more,
        )

    def _sample(self, system: ExampleSystem, span: str, on_thread_ns: int) -> None:
        """Write down the stacks that a sampler sees of an execution that holds its thread so long."""
        expected = on_thread_ns * SAMPLE_HZ / 1_000_000_000
        seen = int(expected) + (self.chance.random() < expected % 1)
        for _ in range(seen):
            leaf = self.chance.choice(
                [("work", system.line + 5), ("work", system.line + 6), ("check", system.line + 9)]
            )
            stack = [
                ("<module>", "pipeline.py", 1),
                ("run", "asyncio/runners.py", 118),
                (f"{TAG}{span}", "<dam_obs>", 1),
                ("__call__", "asset_pipeline/systems.py", system.line),
                (leaf[0], "asset_pipeline/systems.py", leaf[1]),
            ]
            self._samples["MainThread"].append([self._frame(*frame) for frame in stack])
        if seen:
            self._samples["pool_0"].append([self._frame("_worker", "concurrent/futures/thread.py", 81)])

    def _frame(self, name: str, file: str, line: int) -> int:
        return self._frames.setdefault((name, file, line), len(self._frames))

    def _span_id(self) -> str:
        return f"{self.chance.getrandbits(64) | 1:016x}"

    def _seconds(self, offset_ns: int) -> int:
        return int(_START.timestamp()) + offset_ns // 1_000_000_000

    def _finish(self, offset_ns: int) -> None:
        self.end_ns = max(self.end_ns, offset_ns)


def _manifest(pipeline: _Pipeline) -> Manifest:
    seconds = pipeline.end_ns / 1_000_000_000
    return Manifest(
        run_id="20260113-140000-example",
        dam_obs_version="0.1.0",
        versions={"py-spy": "0.4.3", "opentelemetry-sdk": "1.40.0", "pluggy": "1.6.0"},
        started=_START.isoformat(),
        duration_ns=pipeline.end_ns,
        command="pipeline.py",
        exit_status=0,
        host=HostNote(
            python="3.12.1",
            implementation="CPython",
            kernel="Linux 6.8.0",
            machine="x86_64",
            cpus=4,
            memory_bytes=16 * 2**30,
        ),
        settings={"rate_hz": str(SAMPLE_HZ)},
        privilege="same user",
        sampler=SamplerStats(
            sampler="py-spy 0.4.3",
            rate_asked_hz=SAMPLE_HZ,
            samples=int(seconds * SAMPLE_HZ * 0.98),
            failed=1,
            late=2,
            seconds=seconds,
        ),
        absent=[
            AbsentEvidence(
                evidence="off_cpu_causes",
                why="bpftrace is not installed",
                remedy="install bpftrace and run as root",
            )
        ],
        complete=True,
    )


def _note(pipeline: _Pipeline) -> ProcessNote:
    return ProcessNote(
        pid=PID,
        parent_pid=1,
        program="python3",
        started_ns=int(_START.timestamp() * 1_000_000_000),
        executions=len(pipeline.events),
        cpu_ns=sum(event.cpu_ns or 0 for event in pipeline.events if event.parent_id),
        max_rss_bytes=96 * 2**20,
        read_bytes=sum((event.io or {}).get("read_bytes", 0) for event in pipeline.events),
        write_bytes=sum((event.io or {}).get("write_bytes", 0) for event in pipeline.events),
        ended=True,
    )
