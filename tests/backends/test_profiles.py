"""OTLP Profiles and the real collector: what it takes, what it makes of them, and how it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dam_obs.cli import main
from dam_obs.diagnose.export.samples import RunSamples
from dam_obs.store.runs import RunFolder
from dam_obs.testing.runs import write_example_run

CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "${env:PROFILES_GRPC}"}
      http: {endpoint: "${env:PROFILES_HTTP}"}
exporters:
  file/traces: {path: "${env:PROFILES_FOLDER}/traces.jsonl", flush_interval: 100ms}
  file/profiles: {path: "${env:PROFILES_FOLDER}/profiles.jsonl", flush_interval: 100ms}
extensions:
  health_check: {endpoint: "${env:PROFILES_HEALTH}"}
service:
  extensions: [health_check]
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [file/traces]}
"""
WITH_PROFILES = CONFIG + "    profiles: {receivers: [otlp], exporters: [file/profiles]}\n"
GATE = "--feature-gates=service.profilesSupport"

POINTS = """
[host]
name = "work"

[[points]]
layer = "system"
operation = "execute"
meaning = "Work"

[[points.targets]]
function = "work:compute"
"""
WORK = """
def compute(seconds):
    import time
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(number * number for number in range(1000))
"""


class Collector:
    """A real collector, where it listens and what it wrote."""

    def __init__(self, folder: Path, http: str, grpc: str) -> None:
        self.folder = folder
        self.addresses = {"http": f"http://{http}/v1development/profiles", "grpc": f"http://{grpc}"}
        self.http = http

    def requests(self, signal: str) -> list[dict[str, Any]]:
        """Return the requests that it has written whole."""
        path = self.folder / f"{signal}.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]


@pytest.fixture
def start(
    collector_program: Path,
    free_address: Callable[[], str],
    wait_until: Callable[..., None],
    tmp_path: Path,
) -> Any:
    """Return a function that starts a collector with a configuration."""
    import urllib.request

    with ExitStack() as stack:

        def started(config: str, *arguments: str) -> Collector:
            folder = tmp_path / "collector"
            folder.mkdir()
            (folder / "config.yaml").write_text(config)
            health = free_address()
            collector = Collector(folder, free_address(), free_address())
            addresses = {
                "PROFILES_HTTP": collector.http,
                "PROFILES_GRPC": collector.addresses["grpc"].removeprefix("http://"),
                "PROFILES_HEALTH": health,
                "PROFILES_FOLDER": str(folder),
            }
            log = stack.enter_context((folder / "log").open("wb"))
            process = subprocess.Popen(
                [collector_program, f"--config={folder / 'config.yaml'}", *arguments],
                env={**os.environ, **addresses}, stdout=log, stderr=log,
            )  # fmt: skip
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)

            def answers() -> bool:
                assert process.poll() is None, (folder / "log").read_text()[-2000:]
                try:
                    with urllib.request.urlopen(f"http://{health}/", timeout=5) as response:
                        return bool(response.status == 200)
                except OSError:
                    return False

            wait_until(answers, "the collector answers")
            return collector

        yield started


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run whose samples are known."""
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return write_example_run(tmp_path / ".dam-obs" / "runs" / "r1", assets=60)


def linked(request: dict[str, Any]) -> tuple[int, dict[tuple[str, str], int]]:
    """Return how many samples a request has, and how many for each trace and span they are linked to."""
    links = request["dictionary"]["linkTable"]
    number, found = 0, dict[tuple[str, str], int]()
    for resource in request["resourceProfiles"]:
        for scope in resource["scopeProfiles"]:
            for profile in scope["profiles"]:
                for sample in profile["samples"]:
                    taken = sum(int(value) for value in sample["values"])
                    number += taken
                    link = links[sample.get("linkIndex", 0)]
                    if link.get("spanId"):
                        key = (link["traceId"], link["spanId"])
                        found[key] = found.get(key, 0) + taken
    return number, found


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_the_collector_has_every_sample_and_its_span(start, run, wait_until, protocol):
    """As many samples as the run has, each linked to the trace and span that it was taken in."""
    collector = start(WITH_PROFILES, GATE)
    samples = RunSamples(run)
    expected: dict[tuple[str, str], int] = {}
    for _, thread in samples.threads():
        for sampled in thread:
            execution = samples.executions.get(sampled.span) if sampled.span else None
            if sampled.span and execution and execution.trace_id:
                key = (execution.trace_id, sampled.span)
                expected[key] = expected.get(key, 0) + sampled.weight

    assert main(["export", "--format", "otlp-profiles", "--to", collector.addresses[protocol]]) == 0

    wait_until(lambda: collector.requests("profiles"), "profiles are written")
    (request,) = collector.requests("profiles")
    assert linked(request) == (samples.counts.total, expected)
    assert len(expected) > 50


@pytest.mark.parametrize(
    ("protocol", "refuses"), [("http", "no OTLP at that path (HTTP 404)"), ("grpc", "(gRPC UNIMPLEMENTED)")]
)
def test_a_collector_without_such_a_pipeline_is_told_in_one_line(start, run, capsys, protocol, refuses):
    """With what it would need."""
    collector = start(CONFIG)

    assert main(["export", "--format", "otlp-profiles", "--to", collector.addresses[protocol]]) == 2

    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert refuses in err
    assert f"start it with {GATE}" in err


def test_a_measured_program_sends_its_spans_and_their_samples(start, tmp_path, wait_until):
    """`dam-obs diagnose` with the setting: every link leads to a span that the collector has, too."""
    collector = start(WITH_PROFILES, GATE)
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "points.toml").write_text(POINTS)
    (tmp_path / "worker.py").write_text("import work\nfor _ in range(5): work.compute(0.3)\n")
    command = [sys.executable, "-m", "dam_obs.cli", "diagnose", "--no-draft", "--points", "points.toml", "--out", "run"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DAM_OBS", "OTEL"))}
    diagnosed = subprocess.run(
        [*command, "--", sys.executable, "worker.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=110,
        env={
            **environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.http}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "DAM_OBS_OTLP_PROFILES": "1",
        },
    )  # fmt: skip

    assert diagnosed.returncode == 0, diagnosed.stderr
    if "has no samples" in diagnosed.stderr:
        pytest.skip(diagnosed.stderr.splitlines()[-1])
    assert f"Sent profiles to {collector.http} over HTTP" in diagnosed.stderr.splitlines()
    wait_until(lambda: collector.requests("profiles"), "profiles are written")
    wait_until(lambda: len(spans(collector)) == 5, "five spans are written")
    (request,) = collector.requests("profiles")
    number, links = linked(request)
    assert number > 0
    assert links
    assert set(links) <= spans(collector)
    assert services(request) == ["worker"]


def spans(collector: Collector) -> set[tuple[str, str]]:
    """Return trace and span id of every span that arrived."""
    return {
        (span["traceId"], span["spanId"])
        for request in collector.requests("traces")
        for resource in request["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    }


def services(request: dict[str, Any]) -> list[str]:
    """Return the service of each resource; the collector keeps names and values in its table of strings."""
    strings = request["dictionary"]["stringTable"]
    return [
        attribute["value"].get("stringValue") or strings[attribute["value"]["stringValueStrindex"]]
        for resource in request["resourceProfiles"]
        for attribute in resource["resource"]["attributes"]
        if "service.name" in (attribute.get("key"), strings[attribute.get("keyStrindex", 0)])
    ]
