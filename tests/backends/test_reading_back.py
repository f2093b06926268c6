"""A run that went to the real programs, read back from them: the report is the one of where the program ran."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

REMOTE = Path(__file__).parents[1] / "store" / "remote"
FILE_OF_ALL = """
exporters:
  file/compressed:
    path: {path}
    format: {format}
    compression: zstd
service:
  pipelines:
    traces/compressed:
      receivers: [otlp]
      exporters: [file/compressed]
"""


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"reading_back_{name}", REMOTE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def reading_back() -> ModuleType:
    """The helpers of the tests that need no backend."""
    return _load("recording")


def same_report(reading_back: ModuleType, folder: Path, uri: str, wait_until: Callable[..., None]) -> None:
    """Wait until all spans have arrived, and compare."""
    local = json.loads((folder / "report.json").read_bytes())
    found: dict[str, Any] = {}

    def has_arrived() -> bool:
        done = reading_back.dam_obs("diagnose", "--from", uri, "--no-draft", "--json", cwd=folder.parent)
        if done.returncode == 0:
            found["report"] = json.loads(done.stdout)["report"]
        return bool(found) and found["report"]["quality"]["executions"] == local["quality"]["executions"]

    wait_until(has_arrived, f"{uri} has all spans")
    assert reading_back.differences(reading_back.comparable(local), reading_back.comparable(found["report"])) == []


def test_from_jaeger_in_memory(reading_back: Any, start_jaeger: Any, wait_until: Any, tmp_path: Path) -> None:
    """By its query API. A Jaeger of its own: the one of all tests has other programs' spans."""
    jaeger = start_jaeger()
    reading_back.record(tmp_path / "run", f"http://{jaeger.otlp}", protocol="grpc")

    same_report(reading_back, tmp_path / "run", f"jaeger://{jaeger.query}?page=5", wait_until)


def test_from_jaeger_on_disk(
    reading_back: Any, start_jaeger: Any, config: Path, wait_until: Any, tmp_path: Path
) -> None:
    """Its own model makes texts of lists and maps; those that are ours come back as they were."""
    on_disk = start_jaeger(config / "jaeger" / "badger.yaml")
    reading_back.record(tmp_path / "run", f"http://{on_disk.otlp}", protocol="grpc")

    same_report(reading_back, tmp_path / "run", f"jaeger://{on_disk.query}", wait_until)


def test_the_stand_in_of_the_tests_without_backends_answers_as_jaeger_does(
    reading_back: Any, start_jaeger: Any, wait_until: Any, tmp_path: Path
) -> None:
    """The same traces, for the same questions: all, few, of a moment, of a service that is not there."""
    import urllib.error
    import urllib.parse
    import urllib.request

    stand_in = _load("jaeger_server")
    real = start_jaeger()
    made = reading_back.Recording(tmp_path / "run")
    with reading_back.receiver(made) as endpoint:
        reading_back.record(made.folder, endpoint)
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=f"http://{real.otlp}", insecure=True)
    for request in made.requests:
        exporter._client.Export(request)
    exporter.shutdown()
    traces = stand_in.Traces.of_lines(made.lines())
    starts = sorted(int(group["scopeSpans"][0]["spans"][0]["startTimeUnixNano"]) for group in traces.groups)

    def answer(address: str, service: str, since: int, until: int, most: int) -> object:
        asked = {
            "query.service_name": service, "query.start_time_min": moment(since), "query.start_time_max": moment(until),
            "query.num_traces": str(most), "query.search_depth": str(most), "query.raw_traces": "true",
        }  # fmt: skip
        try:
            with urllib.request.urlopen(f"http://{address}/api/v3/traces?{urllib.parse.urlencode(asked)}") as found:
                groups = json.loads(found.read())["result"]["resourceSpans"]
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        spans = [span for group in groups for scoped in group["scopeSpans"] for span in scoped["spans"]]
        return sorted((span["traceId"], span["spanId"], span.get("parentSpanId", "")) for span in spans)

    from dam_obs.store.remote.query import moment

    wait_until(lambda: len(answer(real.query, "shop", starts[0], starts[-1], 400)) == len(starts), "Jaeger has all")
    with reading_back.serving(stand_in.handler(traces)) as address:
        for question in (
            ("shop", starts[0], starts[-1], 400),
            ("shop", starts[0], starts[-1], 2),
            ("shop", starts[3], starts[3], 400),
            ("shop", starts[-1] + 10**9, starts[-1] + 10**10, 400),
            ("nobody", starts[0], starts[-1], 400),
        ):
            ours, theirs = answer(address, *question), answer(real.query, *question)
            if question[3] == 2:  # which ones, where there are more, is Jaeger's own affair
                ours, theirs = len({one[0] for one in ours}), len({one[0] for one in theirs})
            assert ours == theirs


@pytest.mark.parametrize("written", ["json", "proto"])
def test_from_a_collectors_files(
    written: str, reading_back: Any, start_collector: Any, wait_until: Any, tmp_path: Path
) -> None:
    """Compressed by the real exporter, in both of its formats."""
    more = tmp_path / "more.yaml"
    more.write_text(FILE_OF_ALL.format(path=tmp_path / "spans.bin", format=written))
    gateway = start_collector("gateway", more, DAM_JAEGER="127.0.0.1:9", DAM_GATEWAY_SHARE="100")
    reading_back.record(tmp_path / "run", f"http://{gateway.addresses['DAM_GATEWAY_HTTP']}")

    same_report(reading_back, tmp_path / "run", f"otlp-file:{tmp_path}/spans.bin", wait_until)


def test_from_the_gateways_own_file(reading_back: Any, start_collector: Any, wait_until: Any, tmp_path: Path) -> None:
    """Through agent and gateway as they are configured: redaction, sampling and batches change nothing of it."""
    gateway = start_collector(
        "gateway", DAM_JAEGER="127.0.0.1:9", DAM_GATEWAY_SHARE="100", DAM_GATEWAY_DECISION_WAIT="1s"
    )
    agent = start_collector("agent", DAM_GATEWAY=gateway.addresses["DAM_GATEWAY_GRPC"])
    reading_back.record(tmp_path / "run", f"http://{agent.addresses['DAM_AGENT_HTTP']}")

    same_report(reading_back, tmp_path / "run", f"otlp-file:{gateway.file}", wait_until)
