"""What the gateway keeps, counts and writes."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

TABLE = tomllib.loads((Path(__file__).parents[3] / "collector-config" / "metrics.toml").read_text())
_traces = count(0xBEEF_0000)
OK = {"dam.layer": "system", "dam.operation": "execute", "dam.component": "c", "dam.status": "success"}

WaitUntil = Callable[..., None]


@pytest.fixture
def address(gateway: Any) -> str:
    """Where the gateway takes OTLP/HTTP."""
    return str(gateway.addresses["DAM_GATEWAY_HTTP"])


@pytest.fixture
def exposed(gateway: Any, otlp: SimpleNamespace) -> Callable[[], str]:
    """What the gateway has for Prometheus."""
    return lambda: str(otlp.scraped(gateway.addresses["DAM_GATEWAY_PROMETHEUS"]))


def series(text: str, name: str, **labels: str) -> dict[str, float]:
    """Return the samples of a metric that have these labels, by all their labels."""
    found = {}
    for line in text.splitlines():
        match = re.match(rf"{name}(\{{.*?\}})? (\S+)", line)
        if match and all(f'{label}="{value}"' in (match[1] or "") for label, value in labels.items()):
            found[match[1] or ""] = float(match[2])
    return found


# -- tail sampling


def test_what_is_kept(address: str, backend: Any, otlp: SimpleNamespace, wait_until: WaitUntil) -> None:
    """
    Traces with a failure, a refusal or a long span are kept whole; those with none of these are not.

    The share of the rest is 0 here. A last trace that is kept says that all before it were decided on.
    """
    kept = {
        "error": {"status": 2, "attributes": {**OK, "dam.status": "error"}},
        "blocked": {"attributes": {**OK, "dam.status": "blocked"}},
        "slow": {"ms": 1500, "attributes": OK},
    }
    left = {"quick": {"ms": 900, "attributes": OK}, "of others": {}}
    traces = {name: next(_traces) for name in (*kept, *left, "last")}
    for name, fields in {**kept, **left, "last": {"status": 2}}.items():
        if name == "last":
            wait_until(lambda: {traces[each] for each in kept} <= backend.taker.traces, "all that matters is kept")
        otlp.send(address, otlp.span(traces[name], 1, attributes=OK), otlp.span(traces[name], 2, parent=1, **fields))
    wait_until(lambda: traces["last"] in backend.taker.traces, "the last is kept")

    spans = Counter(int.from_bytes(each.trace_id, "big") for each in backend.taker.spans)
    assert {name: spans[trace] for name, trace in traces.items()} == {
        **dict.fromkeys(kept, 2),
        **dict.fromkeys(left, 0),
        "last": 2,
    }


def test_a_trace_is_decided_on_when_its_root_has_ended(
    address: str, backend: Any, otlp: SimpleNamespace, wait_until: WaitUntil
) -> None:
    """What came before the root waits for it, and is kept with it if it fails."""
    long, short = next(_traces), next(_traces)
    otlp.send(address, otlp.span(long, 2, parent=1, attributes=OK))
    otlp.send(address, otlp.span(short, 1, status=2))
    wait_until(lambda: short in backend.taker.traces, "other traces are decided on")

    otlp.send(address, otlp.span(long, 1, status=2))

    wait_until(lambda: long in backend.taker.traces, "the long one is kept")
    kept = [each.span_id[-1] for each in backend.taker.spans if int.from_bytes(each.trace_id, "big") == long]
    assert sorted(kept) == [1, 2]


def test_a_failure_after_the_decision(
    address: str, gateway: Any, backend: Any, otlp: SimpleNamespace, wait_until: WaitUntil
) -> None:
    """A trace that was left out since nothing had happened in it yet: what fails in it later is kept."""
    late = next(_traces)
    for trace in (late, next(_traces)):
        before = decided(gateway, sampled="false")
        otlp.send(address, otlp.span(trace, 1, attributes=OK))
        wait_until(lambda before=before: decided(gateway, sampled="false") > before, "the trace is left out")

    otlp.send(address, otlp.span(late, 2, parent=1, status=2), otlp.span(late, 3))

    wait_until(lambda: late in backend.taker.traces, "the failure is kept")


def decided(gateway: Any, **labels: str) -> float:
    """Return how many traces a gateway has decided on."""
    name = "otelcol_processor_tail_sampling_global_count_traces_sampled_total"
    return sum(series(gateway.metrics(), name, **labels).values())


def test_a_share_of_the_rest(
    start_collector: Any, start_backend: Any, otlp: SimpleNamespace, wait_until: WaitUntil
) -> None:
    """
    Of traces that nothing happened in about as many are kept as was asked for.

    The share goes by a hash of the trace's id, so these ids give the same each time.
    """
    backend = start_backend()
    gateway = start_collector("gateway", DAM_JAEGER=backend.address, DAM_GATEWAY_ROOT_WAIT="1s", DAM_GATEWAY_SHARE="25")
    ids = Random(8)
    traces = [ids.getrandbits(128) for _ in range(200)]
    otlp.send(gateway.addresses["DAM_GATEWAY_HTTP"], *(otlp.span(each, 1, attributes=OK) for each in traces))

    wait_until(lambda: decided(gateway) == len(traces), "all are decided on")
    kept = decided(gateway, sampled="true")
    assert 30 < kept < 70
    wait_until(lambda: len(backend.taker.traces) == kept, "those that are kept arrive")


# -- figures


def test_figures_are_of_all_spans(
    address: str, exposed: Callable[[], str], otlp: SimpleNamespace, wait_until: WaitUntil
) -> None:
    """Also of those that are not kept: by layer, operation, component and status, over all processes of a service."""
    for ms in (3, 30):
        otlp.send(address, otlp.span(next(_traces), 1, ms=ms, attributes=OK), service="figures")
    otlp.send(address, otlp.span(next(_traces), 1, attributes={**OK, "dam.status": "blocked"}), service="figures")

    def calls() -> dict[str, float]:
        return series(exposed(), "dam_calls_total", job="figures")

    wait_until(lambda: sum(calls().values()) == 3, "three calls are counted")
    common = (
        'dam_component="c",dam_layer="system",dam_operation="execute",dam_status="{}",job="figures",'
        'service_name="figures",span_kind="SPAN_KIND_INTERNAL",status_code="STATUS_CODE_UNSET"'
    )
    assert calls() == {f"{{{common.format('blocked')}}}": 1, f"{{{common.format('success')}}}": 2}
    text = exposed()
    success = {"job": "figures", "dam_status": "success"}
    assert list(series(text, "dam_duration_milliseconds_sum", **success).values()) == [33]
    assert list(series(text, "dam_duration_milliseconds_bucket", le="5.0", **success).values()) == [1]


def test_figures_lead_to_traces(
    address: str, exposed: Callable[[], str], otlp: SimpleNamespace, wait_until: WaitUntil
) -> None:
    """An exemplar stands beside a figure for as long as until the next flush."""
    seen: set[str] = set()
    traces: set[str] = set()

    def exemplar() -> bool:
        trace = next(_traces)
        traces.add(f"{trace:032x}")
        otlp.send(address, otlp.span(trace, 1, attributes=OK), service="exemplars")
        for line in exposed().splitlines():
            if line.startswith("dam_duration_milliseconds_bucket{") and 'job="exemplars"' in line:
                seen.update(re.findall(r'# \{.*trace_id="(\w+)"', line))
        return bool(seen)

    wait_until(exemplar, "an exemplar is shown")
    assert seen <= traces


def test_figures_are_bounded(
    address: str, exposed: Callable[[], str], otlp: SimpleNamespace, wait_until: WaitUntil
) -> None:
    """Names of spans make no series; beyond the limit of a service's series (50 here) the rest is one series."""
    spans = [
        otlp.span(next(_traces), 1, name=f"GET /users/{number}", attributes={**OK, "dam.component": f"c{number}"})
        for number in range(200)
    ]
    otlp.send(address, *spans, service="many")

    def calls() -> dict[str, float]:
        return series(exposed(), "dam_calls_total", job="many")

    wait_until(lambda: sum(calls().values()) == len(spans), "every call is counted")
    overflow = series(exposed(), "dam_calls_total", job="many", otel_metric_overflow="true")
    assert len(calls()) <= 51
    assert sum(overflow.values()) >= 150
    assert not any("/users/" in labels for labels in calls())


def test_services_and_who_calls_them(
    address: str, exposed: Callable[[], str], otlp: SimpleNamespace, wait_until: WaitUntil
) -> None:
    """A client's span and the server's below it are a request from one service to the other."""
    trace = next(_traces)
    otlp.send(address, otlp.span(trace, 1, kind=3), service="front")
    otlp.send(address, otlp.span(trace, 2, kind=2, parent=1, status=2), service="back")

    def requests() -> dict[str, float]:
        return series(exposed(), "traces_service_graph_request_total", client="front", server="back")

    wait_until(requests, "the request is counted")
    assert requests() == {'{client="front",connection_type="",failed="true",server="back"}': 1}


def test_metrics_of_two_processes_of_a_service(
    address: str, exposed: Callable[[], str], otlp: SimpleNamespace, wait_until: WaitUntil
) -> None:
    """Each process has its own series, also where only its number is known: sums over them are right."""
    for process in (101, 102):
        point = {
            "asInt": "7",
            "timeUnixNano": str(otlp.span(1)["startTimeUnixNano"]),
            "attributes": [{"key": "dam.obs.place", "value": {"stringValue": "sinks.otlp.dropped"}}],
        }
        resource = [
            {"key": "service.name", "value": {"stringValue": "twice"}},
            {"key": "process.pid", "value": {"intValue": str(process)}},
        ]
        total = {"dataPoints": [point], "aggregationTemporality": 2, "isMonotonic": True}
        metrics = [{"name": "dam.obs.faults", "unit": "{fault}", "sum": total}]
        body = {"resourceMetrics": [{"resource": {"attributes": resource}, "scopeMetrics": [{"metrics": metrics}]}]}
        otlp.post(address, body, "metrics")

    wait_until(lambda: len(series(exposed(), "dam_obs_faults_total", job="twice")) == 2, "two processes have counted")
    assert series(exposed(), "dam_obs_faults_total", job="twice") == {
        f'{{dam_obs_place="sinks.otlp.dropped",instance="{process}",job="twice"}}': 7 for process in (101, 102)
    }


# -- the file


def test_the_file_has_what_was_sent(address: str, gateway: Any, otlp: SimpleNamespace, wait_until: WaitUntil) -> None:
    """Every span, kept by sampling or not, with all its parts."""
    trace = next(_traces)
    sent = [
        otlp.span(trace, 1, name="system.dispatch", ms=20, attributes={**OK, "dam.data.n": 3, "dam.steps": 0}),
        otlp.span(
            trace,
            2,
            parent=1,
            status=2,
            message="it broke",
            attributes={"dam.awaited.kind": ["lock", "socket"], "dam.data.ratio": 0.25, "dam.data.ok": False},
            events=[{"timeUnixNano": "1700000000000000001", "name": "retry"}],
            links=[{"traceId": "0" * 31 + "7", "spanId": "0" * 15 + "9"}],
        ),
    ]
    otlp.send(address, *sent, service="file")

    def there() -> list[dict[str, Any]]:
        return [each for each in otlp.written(gateway.file) if each["traceId"] == f"{trace:032x}"]

    wait_until(lambda: len(there()) == 2, "both are written")
    assert [_whole(each) for each in there()] == [_whole(each) for each in sent]


def test_a_full_file_is_followed_by_another(
    start_collector: Any, start_backend: Any, otlp: SimpleNamespace, wait_until: WaitUntil
) -> None:
    """Nothing is lost between two files."""
    gateway = start_collector("gateway", DAM_JAEGER=start_backend().address, DAM_GATEWAY_FILE_MB="1")
    traces = [next(_traces) for _ in range(12)]

    def files() -> list[Path]:
        return sorted(gateway.file.parent.glob("dam-obs*.jsonl"))

    def number() -> int:
        return sum(len(otlp.written(path)) for path in files())

    for sent, trace in enumerate(traces, 1):
        span = otlp.span(trace, 1, attributes={**OK, "dam.output": "x" * 250_000})
        otlp.send(gateway.addresses["DAM_GATEWAY_HTTP"], span)
        # One at a time: a request that is larger than a file may get cannot be written.
        wait_until(lambda sent=sent: number() == sent, "the span is written")

    assert len(files()) >= 3
    found = Counter(each["traceId"] for path in files() for each in otlp.written(path))
    assert found == Counter(f"{trace:032x}" for trace in traces)


def _whole(span: dict[str, Any]) -> dict[str, Any]:
    """Return a span without what is empty, which the writer may leave out or put in."""
    status = {name: value for name, value in span["status"].items() if value}
    rest = {name: value for name, value in span.items() if name not in ("flags", "status") and value not in ([], "")}
    for name in ("events", "links"):
        rest[name] = [{key: value for key, value in each.items() if value} for each in span.get(name, [])]
    return {**rest, "status": status}


# -- the table of metrics


def labels_by_metric(text: str) -> dict[str, set[frozenset[str]]]:
    """Return which sets of labels the series of each metric have, by the metric's name as the table has it."""
    found: dict[str, set[frozenset[str]]] = {}
    for line in text.splitlines():
        match = re.match(r"(\w+)(?:\{(.*?)\})? \S+", line)
        if not match or line.startswith("#"):
            continue
        name = re.sub(r"_(bucket|sum|count)$", "", match[1]) if match[1] not in TABLE else match[1]
        found.setdefault(name, set()).add(frozenset(re.findall(r'(\w+)="', match[2] or "")) - {"le"})
    return found


def test_the_table_says_what_is_emitted(
    address: str,
    exposed: Callable[[], str],
    gateway: Any,
    agent: Any,
    otlp: SimpleNamespace,
    wait_until: WaitUntil,
) -> None:
    """Every metric of figures and collectors is there, with the labels that the table gives, and no figure besides."""
    trace = next(_traces)
    otlp.send(agent.addresses["DAM_AGENT_HTTP"], otlp.span(trace, 1, kind=3), service="table-front")
    otlp.send(address, otlp.span(trace, 2, kind=2, parent=1, status=2), service="table-back")
    otlp.send(address, otlp.span(next(_traces), 1, status=2, attributes=OK), service="table-front")
    wait_until(lambda: 'client="table-front"' in exposed(), "the graph is there")
    wait_until(lambda: "global_count_traces_sampled" in gateway.metrics(), "decisions are counted")

    figures = labels_by_metric(exposed())
    own = labels_by_metric(gateway.metrics())
    for name, row in TABLE.items():
        if row["from"] == "programs" or "once" in row:
            continue
        seen = (figures if row["from"] in ("spans", "graph") else own)[name]
        always, sometimes = set(row["always"]), set(row.get("sometimes", []))
        assert all(always <= labels <= always | sometimes for labels in seen), (name, seen)
    assert {name for name in figures if name.startswith(("dam_", "traces_"))} <= set(TABLE)


PROGRAM = """
import asyncio
from dam_traits import ResourceUsageTrait, World, system
from opentelemetry import metrics
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

provider = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())])
metrics.set_meter_provider(provider)
import dam_obs
from dam_obs.trace import faults

dam_obs.configure(output="trace.jsonl")
dam_obs.tracer.event("sys", "execute", "program")
dam_obs.flush()
faults.count("sinks.otlp.dropped", 3)

@system(on_command=int)
async def answer(command: int) -> int:
    return command

async def main():
    async with World("one", capacities={"disk": 2}) as world:
        world.register_system(answer)
        with world.pools.acquire([ResourceUsageTrait("disk", 1)]):
            await world.dispatch_command(1).get_all_results()
            provider.force_flush()

asyncio.run(main())
provider.shutdown()
"""


def test_the_table_says_what_programs_count(
    agent: Any, exposed: Callable[[], str], wait_until: WaitUntil, tmp_path: Path
) -> None:
    """A program that has set a provider for its metrics sends dam-obs' own, and those of its world, the same way."""
    variables = {
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"http://{agent.addresses['DAM_AGENT_HTTP']}/v1/metrics",
        "OTEL_SERVICE_NAME": "program",
    }
    command = [sys.executable, "-c", PROGRAM]
    subprocess.run(command, env=variables, cwd=tmp_path, check=True, capture_output=True, timeout=60)

    def seen() -> dict[str, set[frozenset[str]]]:
        return labels_by_metric("\n".join(line for line in exposed().splitlines() if 'job="program"' in line))

    expected = {name: row for name, row in TABLE.items() if row["from"] == "programs"}
    wait_until(lambda: set(expected) <= set(seen()), "all that the program counts is there")
    for name, row in expected.items():
        always, sometimes = set(row["always"]), set(row.get("sometimes", []))
        assert all(always <= labels <= always | sometimes for labels in seen()[name]), (name, seen()[name])
    assert set(seen()) == set(expected)
