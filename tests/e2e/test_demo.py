"""
The whole loop on the demo: what dam-obs says about the pipeline, held against the pipeline's own log.

One measured run serves all claims here.
"""

import ast
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from dam_obs.diagnose.report import DiagnosticReport
from dam_obs.store.read import read_events
from dam_obs.store.runs import RunFolder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
PIPELINE = ROOT / "examples" / "asset_pipeline"


class Demo:
    """One run of the demo: its output, its log, its run folder."""

    def __init__(self, folder):
        self.log = folder / "calls.jsonl"
        self.process = subprocess.run(
            [
                sys.executable, "-m", "dam_obs.cli", "diagnose", "--",
                sys.executable, str(PIPELINE), "--log", str(self.log),
            ],
            capture_output=True, text=True, timeout=280, cwd=folder, env={**os.environ, "COLUMNS": "120"},
        )  # fmt: skip
        assert self.process.returncode == 0, self.process.stderr
        (run,) = (folder / ".dam-obs" / "runs").iterdir()
        self.run = RunFolder(run)
        self.calls = [json.loads(line) for line in self.log.read_text().splitlines()]
        self.all_events = list(read_events(self.run.trace))
        self.events = [event for event in self.all_events if event.kind == "span"]
        """The runs of systems, without the steps between them."""
        self.report = DiagnosticReport.model_validate_json(self.run.report_json.read_bytes())

    def system(self, name):
        """Return the diagnosis of the system whose class has this name."""
        return next(each for each in self.report.systems if each.system.endswith(f":{name}"))

    def caller(self, event):
        """Return the nearest run of a system above a span."""
        above = {each.trace_id: each for each in self.all_events}
        found = above.get(event.parent_id)
        while found is not None and found.kind == "step":
            found = above.get(found.parent_id)
        return found

    def traits(self, name):
        """Return the traits of a system that a draft would not comment out."""
        return {
            (each.trait, each.arguments.get("pool_path")) for each in self.system(name).traits if each.confidence >= 0.6
        }


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Run the demo once."""
    return Demo(tmp_path_factory.mktemp("demo"))


def test_every_command_has_a_span_with_its_status_and_parent(demo):
    """Span by span: the same calls, under the same callers, with the same outcome as in the program's own log."""
    statuses = {"ok": "success", "raised": "error", "refused": "blocked"}

    def call_of(event):
        return None if event is None else event.features["call_id"]

    seen = {call_of(event): (call_of(demo.caller(event)), event.component, event.status) for event in demo.events}

    assert seen == {call["call_id"]: (call["caller"], call["system"], statuses[call["status"]]) for call in demo.calls}
    assert len(demo.events) == len(demo.calls) > 1000
    assert set(Counter(event.status for event in demo.events)) == {"success", "error", "blocked"}


def test_nothing_went_wrong_on_the_way(demo):
    """No context failed to detach, no span was lost, dam-obs had no fault of its own."""
    assert "Failed to detach" not in demo.process.stderr
    assert demo.report.faults == {}
    assert demo.report.quality.executions_dropped == 0


def test_the_report_has_every_system(demo):
    """Each system of the program's log is in the report, with as many executions."""
    assert {each.system: each.executions for each in demo.report.systems} == Counter(
        call["system"] for call in demo.calls
    )


def test_time_adds_up(demo):
    """The parts of each system's wall time add up to it."""
    for each in demo.report.systems:
        time = each.time
        parts = (time.on_cpu_ns, time.run_queue_ns, time.block_io_ns, time.awaiting_ns, time.other_ns)
        assert sum(part or 0 for part in parts) == time.wall_ns


def test_the_cpu_system_computes_and_the_http_system_waits(demo):
    """
    Shares of CPU time tell them apart, and the one that waits is marked so.

    That a busy machine lets a ready thread wait for a core, and that the sampler holds it while it reads, is not the
    system's doing, so it is taken off the wall time.
    """
    time = demo.system("Hasher").time
    held_ns = time.wall_ns * demo.report.quality.held_share
    assert time.on_cpu_ns / (time.wall_ns - held_ns - (time.run_queue_ns or 0)) > 0.8
    assert ("IOBoundTrait", None) not in demo.traits("Hasher")
    assert demo.system("MetadataFetcher").on_cpu_share < 0.2
    assert ("IOBoundTrait", None) in demo.traits("MetadataFetcher")
    (peer,) = demo.system("MetadataFetcher").peers
    assert peer.address.startswith("127.0.0.1:")


def test_the_disk_systems_name_the_device_their_files_lie_on(demo, tmp_path_factory):
    """The device is the one that the kernel says the temporary folder is on."""
    device = os.stat(tmp_path_factory.getbasetemp()).st_dev
    block = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
    if not block.exists():
        pytest.skip("the temporary folder is on no block device (tmpfs or overlay): nothing to compare with")
    whole = block.resolve()
    name = whole.parent.name if (whole / "partition").exists() else whole.name

    for system, direction in (("MemberExtractor", "read"), ("MemberExtractor", "write"), ("JournalWriter", "write")):
        assert name in {each.device for each in demo.system(system).devices if each.direction == direction}
        assert ("ResourceUsageTrait", f"disk/{direction}/{name}") in demo.traits(system)


def test_the_cost_of_extraction_depends_on_size(demo):
    """The model's feature is the size, and so is what the draft computes from."""
    assert "size" in demo.system("MemberExtractor").cost.features
    (draft,) = (
        path for path in demo.run.drafts.glob("*.py") if "MemberExtractor" in path.name or "extractor" in path.name
    )
    tree = ast.parse(draft.read_text())
    costs = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ExecutionCostTrait"
    ]
    (time_ms,) = (keyword.value for keyword in costs[0].keywords if keyword.arg == "time_ms")
    assert "cmd.size" in ast.unparse(tree)
    assert not isinstance(time_ms, ast.Constant)


def test_drafts_type_check(demo):
    """What is drafted passes mypy --strict against the trait classes."""
    pytest.importorskip("mypy")
    drafts = sorted(map(str, demo.run.drafts.glob("*.py")))
    assert len(drafts) == len(demo.report.systems)
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", *drafts],
        capture_output=True, text=True, timeout=200, cwd=demo.run.path,
        env={**os.environ, "MYPYPATH": str(PIPELINE.parent)},
    )  # fmt: skip
    assert result.returncode == 0, result.stdout


def test_samples_are_claimed_where_py_spy_may_attach(demo):
    """With stacks, those inside executions are claimed; without, the report says why."""
    if demo.report.quality.sampler is None:
        assert "stacks" in {each.evidence for each in demo.report.quality.absent}
        pytest.skip(f"no stacks here: {demo.report.quality.privilege}")
    assert demo.report.quality.samples_claimed > 100
    assert demo.system("Hasher").samples > 20
    profile = json.loads(demo.run.profile.read_text())
    assert profile["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert "dam:" not in demo.run.profile.read_text()


def test_what_was_written_is_said(demo):
    """All paths are printed, and each file is there."""
    for path in (
        demo.run.trace,
        demo.run.report_json,
        demo.run.report_html,
        demo.run.profile,
        demo.run.drafts / "review.md",
    ):
        assert path.is_file()
        assert path.name in demo.process.stderr + demo.process.stdout
