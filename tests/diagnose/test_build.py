from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pluggy
import pytest

from dam_obs import hookspecs
from dam_obs.diagnose.build import NothingMeasured, build_report
from dam_obs.diagnose.report import DiagnosticReport, HostFacts, InferredTrait, ProcessSummary, SystemDiagnosis
from dam_obs.hookspecs import Resource, hookimpl
from dam_obs.store.errors import BrokenManifest, NotATrace
from dam_obs.store.manifest import read_manifest, write_manifest
from dam_obs.store.runs import RunFolder
from dam_obs.testing.pipeline import PEER, SYSTEMS, ExampleSystem
from dam_obs.testing.runs import DISK, PID, write_example_run
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]
MakeRun = Callable[..., RunFolder]
Diagnose = Callable[..., SystemDiagnosis]


def system(report: DiagnosticReport, name: str) -> SystemDiagnosis:
    return next(one for one in report.systems if one.system.endswith(name))


class TestExample:
    def test_every_system_is_in_the_report(self, report: DiagnosticReport) -> None:
        """Each layer, operation and component that had spans, the longest total time first."""
        assert {one.system for one in report.systems} == {
            "gates.py",
            "asset_pipeline.systems:IngestAsset",
            *(f"asset_pipeline.systems:{one.name}" for one in SYSTEMS),
        }
        walls = [one.latency.mean_ns * one.executions for one in report.systems]
        assert walls == sorted(walls, reverse=True)

    def test_the_head_is_the_manifests(self, report: DiagnosticReport) -> None:
        """Who ran what, where."""
        assert (report.run_id, report.command, report.exit_status) == ("20260113-140000-example", "pipeline.py", 0)
        assert report.host == HostFacts(
            python="3.12.1", implementation="CPython", kernel="Linux 6.8.0", machine="x86_64", cpus=4,
            memory_bytes=16 * 2**30,
        )  # fmt: skip
        assert [(one.pid, one.executions) for one in report.processes] == [(PID, report.quality.executions)]

    def test_a_complete_run_is_usable(self, report: DiagnosticReport) -> None:
        """Nothing is held against it, and what it lacks is still told."""
        assert (report.quality.verdict, report.quality.reasons) == ("usable", [])
        assert [one.evidence for one in report.quality.absent] == ["off_cpu_causes", "memory"]

    @pytest.mark.parametrize("truth", SYSTEMS, ids=lambda truth: truth.name)
    def test_shares_of_time_are_the_known_ones(self, report: DiagnosticReport, truth: ExampleSystem) -> None:
        """CPU, await and block I/O come out as they were put in."""
        one = system(report, truth.name)
        wall = one.time.wall_ns

        shares = [
            part / wall for part in (one.time.on_cpu_ns, one.time.awaiting_ns, one.time.block_io_ns) if part is not None
        ]

        assert shares == pytest.approx([truth.on_cpu, truth.awaiting, truth.block_io], abs=1e-3)

    @pytest.mark.parametrize(
        ("name", "family", "features"),
        [
            ("HashAsset", "linear", ["size"]),
            ("SniffMime", "constant", []),
            ("WriteJournal", "constant", []),
            ("FetchMetadata", "category", ["kind"]),
            ("CompressAsset", "power", ["size"]),
        ],
    )
    def test_laws_of_cost_are_the_known_ones(
        self, report: DiagnosticReport, name: str, family: str, features: list[str]
    ) -> None:
        """Family and feature are found in spite of noise and outliers."""
        cost = system(report, name).cost

        assert (cost.family, cost.features) == (family, features)

    def test_extraction_costs_by_its_member(self, report: DiagnosticReport) -> None:
        """The feature that matters is found beside one that does not."""
        assert system(report, "ExtractMember").cost.features == ["member_size"]

    def test_traits_are_the_known_ones(self, report: DiagnosticReport) -> None:
        """What a draft will say of each system, and nothing else with confidence."""
        confident = {
            one.system.split(":")[-1]: sorted(
                trait.arguments.get("pool_path", trait.trait) for trait in one.traits if trait.confidence >= 0.6
            )
            for one in report.systems
        }

        read, write = f"disk/read/{DISK}", f"disk/write/{DISK}"
        assert confident == {
            "IngestAsset": ["ExecutionCostTrait"],
            "gates.py": ["ExecutionCostTrait", "cpu"],
            "HashAsset": ["ExecutionCostTrait", "cpu", read],
            "SniffMime": ["ExecutionCostTrait", "cpu", read],
            "ExtractMember": ["ExecutionCostTrait", "IOBoundTrait", read, write],
            "WriteJournal": ["ExecutionCostTrait", "IOBoundTrait", write],
            "FetchMetadata": ["ExecutionCostTrait", "IOBoundTrait", f"net/{PEER}"],
            "CompressAsset": ["ExecutionCostTrait", "IOBoundTrait", read, write, "process/gzip"],
        }

    def test_statuses_and_errors_are_counted(self, report: DiagnosticReport) -> None:
        """Failed ones by type, blocked ones apart."""
        extract, gate = system(report, "ExtractMember"), system(report, "gates.py")

        assert extract.by_status["error"] == extract.errors["zipfile.BadZipFile"] > 0
        assert gate.by_status["blocked"] > 0
        assert sum(gate.by_status.values()) == gate.executions

    def test_samples_in_the_flame_graph_are_those_claimed(self, report: DiagnosticReport) -> None:
        """No sample is lost or counted twice between quality, systems and graph."""
        assert report.flame is not None
        assert report.flame.samples == report.quality.samples_claimed
        assert report.flame.samples == sum(one.samples or 0 for one in report.systems)
        assert {child.name: child.samples for child in report.flame.children} == {
            one.system: one.samples for one in report.systems if one.samples
        }

    def test_hot_stacks_hold_no_frame_from_outside(self, report: DiagnosticReport) -> None:
        """A stack begins in the execution and has no frame of ours."""
        outermost = {stack.frames[0].function for one in report.systems for stack in one.hot_stacks}

        assert outermost == {"__call__"}

    def test_points_are_spread_over_the_run(self, tmp_path: Path) -> None:
        """At most five hundred, the first and the last among them."""
        run = write_example_run(tmp_path, assets=700)
        ingest = system(build_report(run), "IngestAsset")

        handles = [point.handle for point in ingest.points]
        seconds = [int(handle.split("_")[1]) for handle in handles]
        assert len(set(handles)) == 500
        assert seconds == sorted(seconds)

    def test_a_report_survives_json(self, report: DiagnosticReport) -> None:
        """What is read back is what was written."""
        assert DiagnosticReport.model_validate_json(report.model_dump_json()) == report

    def test_the_same_run_gives_the_same_report(self, tmp_path: Path) -> None:
        """Byte for byte."""
        run = write_example_run(tmp_path, assets=60)

        assert build_report(run).model_dump_json() == build_report(run).model_dump_json()


class TestIncomplete:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> RunFolder:
        return write_example_run(tmp_path / "run", assets=60)

    def test_without_a_profile_stacks_are_absent(self, folder: RunFolder) -> None:
        """Everything else stays, and the report says what is missing."""
        folder.raw_profile.unlink()
        report = build_report(folder)

        assert report.quality.verdict == "weak"
        assert report.quality.reasons == ["there are no stacks: where the time went in code is not known"]
        assert "stacks" in [one.evidence for one in report.quality.absent]
        assert (report.quality.samples, report.quality.samples_claimed, report.flame) == (None, None, None)
        assert {one.samples for one in report.systems} == {None}

    def test_a_broken_profile_is_an_absent_one(self, folder: RunFolder) -> None:
        """The sampler was killed while it wrote."""
        folder.raw_profile.write_bytes(folder.raw_profile.read_bytes()[:500])

        assert "stacks" in [one.evidence for one in build_report(folder).quality.absent]

    def test_without_a_manifest_the_events_tell_the_head(self, folder: RunFolder) -> None:
        """A kill may leave none: what is unknown says so."""
        folder.manifest.unlink()
        report = build_report(folder)

        assert (report.run_id, report.command, report.exit_status) == ("run", "unknown", None)
        assert report.started.startswith("2026-01-13T14:00:00")
        assert report.duration_ns > 0
        assert report.host.cpus is None
        assert report.quality.verdict == "weak"
        assert "the run folder has no manifest: what made it is unknown" in report.quality.reasons

    def test_without_events_only_stacks_are_left(self, folder: RunFolder) -> None:
        """Samples of executions whose events are lost are shown under that name."""
        folder.trace.unlink()
        report = build_report(folder)

        assert report.systems == []
        assert report.flame is not None
        assert [child.name for child in report.flame.children] == ["(executions without an event)"]
        assert [one.evidence for one in report.quality.absent] == ["off_cpu_causes", "executions"]

    def test_without_anything_there_is_no_report(self, folder: RunFolder) -> None:
        """The error names the folder and the way out."""
        folder.trace.unlink()
        folder.raw_profile.unlink()

        with pytest.raises(NothingMeasured, match=r"run holds neither executions nor samples.*`dam-obs doctor`"):
            build_report(folder)

    def test_an_empty_folder_is_no_report(self, tmp_path: Path) -> None:
        """Whatever is given, the error is ours."""
        with pytest.raises(NothingMeasured):
            build_report(RunFolder(tmp_path))

    def test_broken_files_are_named(self, folder: RunFolder) -> None:
        """A file that is not what its name says is an error, not a hole in the report."""
        folder.trace.write_bytes(b"\0\1\2" * 500)
        with pytest.raises(NotATrace):
            build_report(folder)

        folder.manifest.write_bytes(b"{")
        with pytest.raises(BrokenManifest):
            build_report(folder)

    def test_too_many_failed_samples_leave_stacks_out(self, folder: RunFolder) -> None:
        """Counters stay: they do not come from the sampler."""
        manifest = read_manifest(folder)
        assert manifest is not None
        assert manifest.sampler is not None
        manifest.sampler = msgspec.structs.replace(manifest.sampler, failed=manifest.sampler.samples // 10)
        write_manifest(folder, manifest)
        report = build_report(folder)

        assert report.quality.verdict == "refuse"
        assert report.quality.reasons[0].endswith("stacks are left out")
        assert (report.flame, report.systems[0].hot_stacks) == (None, [])
        assert report.systems[0].time.on_cpu_ns is not None

    def test_a_copied_run_names_the_disk_it_ran_on(self, folder: RunFolder, tmp_path: Path) -> None:
        """The mounts are kept with the run: this machine's own do not matter."""
        shutil.copytree(folder.path, tmp_path / "copy")
        report = build_report(RunFolder(tmp_path / "copy"))

        assert {use.device for one in report.systems for use in one.devices} == {DISK}


class TestPlainEvents:
    def test_the_seeds_bare_lines_make_a_report(self, run: MakeRun) -> None:
        """Durations and statuses are there; what was not measured is absent."""
        bare = TraceEvent(
            trace_id="alt_1_a", parent_id=None, timestamp="2026-01-13T14:00:00", hrm_layer="alt",
            operation="transition", component="altitude.py", input_summary="", output_summary="", duration_ms=5,
            status="success", metadata={},
        )  # fmt: skip
        report = build_report(run(bare))

        (one,) = report.systems
        assert (one.layer, one.latency.p50_ns, one.time.on_cpu_ns, one.time.other_ns) == (
            "altitude", 5_000_000, None, 5_000_000,
        )  # fmt: skip
        assert [trait.trait for trait in one.traits] == ["ExecutionCostTrait"]
        assert [one.evidence for one in report.quality.absent] == [
            "stacks", "cpu_time", "run_queue", "block_io", "bytes", "touched", "memory",
        ]  # fmt: skip

    def test_moments_are_no_executions(self, run: MakeRun, event: MakeEvent) -> None:
        """A gate that was only noted has no duration to diagnose."""
        report = build_report(run(event(), event(kind="event", component="gates.py", duration_ns=None)))

        assert [one.system for one in report.systems] == ["demo:System"]

    def test_components_of_the_same_name_are_told_apart(self, run: MakeRun, event: MakeEvent) -> None:
        """A system is a layer, an operation and a component."""
        report = build_report(run(event(), event(operation="plan"), event(hrm_layer="memory")))

        assert sorted((one.layer, one.operation) for one in report.systems) == [
            ("memory", "execute"), ("system", "execute"), ("system", "plan"),
        ]  # fmt: skip

    def test_where_it_is_in_code(self, diagnose: Diagnose, event: MakeEvent) -> None:
        """Function, file, line and the command's class, as most executions say."""
        code = {"function": "demo:System.__call__", "file": "demo.py", "line": 4}
        odd = {"function": "demo:Old.__call__", "file": "old.py", "line": 1}
        one = diagnose(*(event(code=place, command="demo:Do") for place in (odd, code, code)))

        assert (one.source_function, one.source_file, one.source_line, one.command_type) == (
            "demo:System.__call__", "demo.py", 4, "demo:Do",
        )  # fmt: skip

    def test_a_process_without_a_note_is_still_counted(self, run: MakeRun, event: MakeEvent) -> None:
        """It was killed before it could say anything."""
        report = build_report(run(event(pid=8), event(pid=7), event(pid=8)))

        assert report.processes == [
            ProcessSummary(
                pid=pid, executions=count, cpu_ns=None, max_rss_bytes=None, read_bytes=None, write_bytes=None
            )
            for pid, count in ((7, 1), (8, 2))
        ]

    def test_cost_is_of_what_succeeded(self, diagnose: Diagnose, event: MakeEvent) -> None:
        """Failures are quick or slow for reasons of their own."""
        one = diagnose(
            *(event(duration_ns=2_000_000) for _ in range(30)),
            *(event(duration_ns=9_000_000, status="error", metadata={"error.type": "OSError"}) for _ in range(40)),
            *(event(duration_ns=1_000, status="blocked") for _ in range(40)),
        )

        assert (one.cost.executions, one.cost.coefficients) == (30, {"intercept": 2_000_000.0})
        assert one.errors == {"OSError": 40}


class Plugin:
    """A plugin with a view on pools and traits of its own."""

    def __init__(self) -> None:
        self.asked: list[Resource] = []

    @hookimpl
    def dam_obs_pool_for(self, resource: Resource) -> str | None:
        self.asked.append(resource)
        return "net/database" if resource.kind == "peer" else None

    @hookimpl
    def dam_obs_infer_traits(self, diagnosis: SystemDiagnosis) -> list[InferredTrait]:
        return [
            InferredTrait(
                trait="PureTrait", arguments={}, confidence=confidence, evidence=[diagnosis.system], rival=None
            )
            for confidence in (0.2, 0.7)
        ]


class Broken:
    """A plugin that raises."""

    @hookimpl
    def dam_obs_pool_for(self, resource: Resource) -> str | None:
        raise ValueError(resource.name)

    @hookimpl
    def dam_obs_infer_traits(self, diagnosis: SystemDiagnosis) -> list[InferredTrait]:
        raise ValueError(diagnosis.system)


class TestHooks:
    @pytest.fixture
    def rules(self) -> pluggy.PluginManager:
        manager = pluggy.PluginManager("dam_obs")
        manager.add_hookspecs(hookspecs)
        return manager

    def test_dam_obs_pool_for(self, rules: pluggy.PluginManager, run: MakeRun, event: MakeEvent) -> None:
        """A plugin names pools, is asked once for each resource, and may leave one to the built-in rules."""
        plugin = Plugin()
        rules.register(plugin)
        touched = {"peers": ["10.0.0.1:5432"], "processes": ["gzip"]}

        (one,) = build_report(run(*(event(touched=touched) for _ in range(3))), rules=rules).systems

        assert [peer.pool for peer in one.peers] == ["net/database"]
        assert [process.pool for process in one.processes] == ["process/gzip"]
        assert plugin.asked == [
            Resource(kind="peer", name="10.0.0.1:5432", direction=None),
            Resource(kind="process", name="gzip", direction=None),
        ]

    def test_dam_obs_infer_traits(self, rules: pluggy.PluginManager, run: MakeRun, event: MakeEvent) -> None:
        """All answers count; of two that say the same the more confident one is kept."""
        rules.register(Plugin())

        (one,) = build_report(run(event()), rules=rules).systems

        assert [(trait.trait, trait.confidence, trait.evidence) for trait in one.traits] == [
            ("PureTrait", 0.7, ["demo:System"])
        ]

    def test_a_plugin_that_raises_costs_only_its_own_answer(
        self, rules: pluggy.PluginManager, run: MakeRun, event: MakeEvent
    ) -> None:
        """The report is made all the same."""
        rules.register(Plugin())
        rules.register(Broken())

        (one,) = build_report(run(event(touched={"peers": ["db:1"]})), rules=rules).systems

        assert [peer.pool for peer in one.peers] == ["net/database"]
        assert [trait.trait for trait in one.traits] == ["PureTrait"]
