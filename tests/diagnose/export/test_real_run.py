"""A real program under `dam-obs diagnose` with the real py-spy, exported in every format."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dam_obs.diagnose.export.formats import FORMATS
from dam_obs.diagnose.export.otlp_check import wrong_indices
from dam_obs.diagnose.export.otlp_classes import profiles_pb2
from dam_obs.diagnose.export.samples import RunSamples
from dam_obs.diagnose.report import DiagnosticReport
from dam_obs.store.manifest import read_manifest
from dam_obs.store.read import read_events
from dam_obs.store.runs import RunFolder

PROGRAM = """
import asyncio, threading, time
from dam_obs import traced

def burn(seconds):
    end = time.thread_time() + seconds  # of CPU: on a busy machine it takes longer, and is seen all the same
    while time.thread_time() < end:
        sum(range(500))

@traced("system.inner")
def inner():
    burn(0.03)

@traced("system.outer")
def outer():
    burn(0.03)
    inner()

@traced("system.step")
async def step():
    for _ in range(3):
        burn(0.02)
        await asyncio.sleep(0.001)

async def main():
    await asyncio.gather(*(step() for _ in range(5)))

threads = [threading.Thread(target=lambda: [outer() for _ in range(8)], name=f"worker {n}") for n in range(2)]
for thread in threads:
    thread.start()
asyncio.run(main())
for thread in threads:
    thread.join()
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The run of a program with threads, nested executions and coroutines."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "dam_obs.cli", "diagnose", "--rate", "200", "--no-draft", "--out", "run"]
    done = subprocess.run(
        [*command, "--", sys.executable, "program.py"], cwd=folder, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    made = RunFolder(folder / "run")
    why = [one.why for one in read_manifest(made).absent if one.evidence == "stacks"]
    if why:
        pytest.skip(f"no stacks here: {why[0]}")
    return made


def export(run, name, suffix=".json"):
    """Return what a format makes of a run."""
    return b"".join(FORMATS[name].parts(RunSamples(run), Path(f"x{suffix}")))


@pytest.mark.slow
class TestARealRun:
    """What holds however busy the machine was."""

    def test_all_formats_and_the_report_agree(self, run):
        """On the number of samples in executions and outside."""
        quality = DiagnosticReport.model_validate_json(run.report_json.read_bytes()).quality
        if quality.verdict == "refuse":
            pytest.skip("the sampler failed too often")
        total = quality.samples_claimed + quality.samples_unclaimed
        counts = RunSamples(run).counts
        assert (counts.claimed, counts.unclaimed) == (quality.samples_claimed, quality.samples_unclaimed)

        assert sum(int(line.rpartition(" ")[2]) for line in export(run, "folded").decode().splitlines()) == total
        weights = {"system": 0.0, "process": 0.0}
        for profile in json.loads(export(run, "speedscope"))["profiles"]:
            weights[profile["name"].split()[0]] += sum(profile["weights"]) / 5
        assert {kind: round(weight) for kind, weight in weights.items()} == {"system": total, "process": total}
        chrome = json.loads(export(run, "chrome"))
        about = chrome["otherData"]
        chunks = [event for event in chrome["traceEvents"] if event["name"] == "ProfileChunk"]
        shown = sum(len(event["args"]["data"]["timeDeltas"]) for event in chunks)
        assert shown == about["samples_placed_in_time"]
        assert shown + about["samples_not_placed_in_time"] == total

    def test_linked_samples_lie_in_their_spans(self, run):
        """By the tables alone: each linked sample was taken while its span lasted, to the microsecond."""
        data = profiles_pb2().ProfilesData.FromString(export(run, "otlp-profiles", ".pb"))
        assert list(wrong_indices(data)) == []
        offset = RunSamples(run).wall_offset_ns
        spans = {event.otel_span_id: event for event in read_events(run.trace)}
        linked = 0
        for sample in data.resource_profiles[0].scope_profiles[0].profiles[0].samples:
            if not sample.link_index:
                continue
            link = data.dictionary.link_table[sample.link_index]
            event = spans[link.span_id.hex()]
            assert link.trace_id.hex() == event.otel_trace_id
            for time in sample.timestamps_unix_nano:
                assert any(start <= time - offset <= end for start, end, _ in event.segments)
                linked += 1

        assert linked > 0

    def test_no_frame_of_ours_is_shown(self, run):
        """Neither tags nor the meter."""
        for name in FORMATS:
            content = export(run, name).decode()
            assert "dam_obs/trace/meter.py" not in content
            assert "dam:" not in content
