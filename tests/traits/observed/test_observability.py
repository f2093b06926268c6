"""dam_traits and dam-obs, each without the other and together."""

import asyncio
import os
import subprocess
import sys

import pytest

from dam_obs.config import Settings
from dam_obs.points.files import point_paths


def python(program, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


WORLD = """
import asyncio, sys
from dataclasses import dataclass
from dam_traits import World, system

@dataclass
class Ask:
    size: int

@system(on_command=Ask)
async def answer(command: Ask) -> int:
    return command.size

async def main():
    async with World() as world:
        world.register_system(answer)
        print(await world.dispatch_command(Ask(3)).get_all_results())
        print([carried for carried in world.plugin_manager.hook.dam_traits_carry() if carried])
        print([each for each in world.plugin_manager.hook.dam_traits_resume(carried={}) if each])
asyncio.run(main())
"""


def test_a_world_does_not_load_dam_obs():
    """Where nothing observes, nothing of dam-obs or OpenTelemetry is imported."""
    *answers, loaded = python(
        WORLD + "print(sorted(name for name in sys.modules if name.startswith(('dam_obs', 'opentelemetry'))))"
    )

    assert (answers, loaded) == (["[3]", "[]", "[]"], "[]")


def test_a_worker_without_dam_obs_works_on():
    """What came along for a trace is left aside where dam-obs is not installed."""
    program = """
import sys
sys.modules["dam_obs"] = None
from dam_traits import carrying
print(carrying.dam_traits_resume({"traceparent": "00-%s-%s-01" % ("ab" * 16, "cd" * 8)}))
carrying.dam_traits_bring(b"anything")
"""
    assert python(program) == ["None"]


def test_what_is_installed_brings_its_points():
    """Whoever has both installed names no file."""
    assert {"dam_traits.toml", "gameltb_dam.toml"} <= {path.name for path in point_paths(Settings())}


PROVIDER = """
import asyncio
from dam_traits import ResourceUsageTrait, World
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
import dam_obs
dam_obs.configure(output="trace.jsonl")
dam_obs.configure(output="trace.jsonl")

def seen():
    found = {}
    for resource in reader.get_metrics_data().resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    if metric.name.startswith("dam.traits"):
                        found[metric.name, *point.attributes.values()] = point.value
    return sorted(found.items())
"""

METRICS = (
    PROVIDER
    + """

async def main():
    world = World("one", capacities={"disk": 2})
    need = [ResourceUsageTrait("disk/read", 2)]
    lease = world.pools.acquire(need)
    waiting = asyncio.create_task(world.pools.acquire(need))
    await asyncio.sleep(0)
    for each in seen():
        print(*each)
    lease.release()
    (await waiting).release()
    await world.aclose()
asyncio.run(main())
"""
)


def test_pools_are_metrics(tmp_path, monkeypatch):
    """Use, capacity and queue of every pool of every world, looked at when metrics are collected."""
    monkeypatch.chdir(tmp_path)

    assert python(METRICS) == [
        "('dam.traits.pool.capacity', 'one', 'disk') 2",
        "('dam.traits.pool.used', 'one', 'disk') 2",
        "('dam.traits.pool.used', 'one', 'disk/read') 2",
        "('dam.traits.pool.waiting', 'one', 'disk') 1",
        "('dam.traits.pool.waiting', 'one', 'disk/read') 1",
    ]


@pytest.mark.slow
def test_one_trace_spans_a_dask_cluster(observed, systems, record):
    """What runs on a worker of a cluster, which knows nothing of recording, is below the dispatch."""
    distributed = pytest.importorskip("distributed")
    from dam_traits.executor.dask import DaskExecutor

    async def main(address):
        async with observed(systems.far, executor=DaskExecutor(address)) as world:
            return await world.dispatch_command(systems.Far(10)).get_all_results()

    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        assert asyncio.run(main(cluster.scheduler_address)) == [45]
    dispatch = record.event(operation="dispatch")
    execute = record.event(operation="execute")

    assert (execute.component, execute.parent_id) == ("observed_systems:far", dispatch.trace_id)
    assert (execute.otel_trace_id, execute.otel_parent_id) == (dispatch.otel_trace_id, dispatch.otel_span_id)
    assert execute.pid != os.getpid()


SYSTEMS = (
    PROVIDER
    + """
from dam_traits.learning import ExecutionRecord

def record(system, status="success", predicted_ms=None, ms=0, wait_ms=0):
    return ExecutionRecord(
        system=system, version="1", command="m:C", status=status, started_unix_s=0.0,
        duration_ns=ms * 1_000_000, wait_ns=wait_ms * 1_000_000, predicted_ms=predicted_ms,
    )

one, same, two = World("one"), World("one"), World("two")
for world, each in [
    (one, record("m:f", predicted_ms=1000, ms=1500, wait_ms=250)),
    (same, record("m:f", predicted_ms=1000, ms=500)),
    (one, record("m:f", predicted_ms=1000, ms=9000, status="error")),
    (two, record("m:f", ms=4000)),
]:
    world.plugin_manager.hook.dam_traits_observe(world=world, record=each)
for each in seen():
    print(*each)
"""
)


def test_what_was_reckoned_with_is_a_metric_beside_what_was_seen(tmp_path, monkeypatch):
    """Sums by world and system; only what succeeded and had been reckoned with tells how good the reckoning is."""
    monkeypatch.chdir(tmp_path)

    assert python(SYSTEMS) == [
        "('dam.traits.executions', 'one', 'm:f', 'error') 1",
        "('dam.traits.executions', 'one', 'm:f', 'success') 2",
        "('dam.traits.executions', 'two', 'm:f', 'success') 1",
        "('dam.traits.reckoned', 'one', 'm:f') 2",
        "('dam.traits.reckoned', 'two', 'm:f') 0",
        "('dam.traits.time.observed', 'one', 'm:f') 2.0",
        "('dam.traits.time.observed', 'two', 'm:f') 0.0",
        "('dam.traits.time.predicted', 'one', 'm:f') 2.0",
        "('dam.traits.time.predicted', 'two', 'm:f') 0.0",
        "('dam.traits.time.waited', 'one', 'm:f') 0.25",
        "('dam.traits.time.waited', 'two', 'm:f') 0.0",
        "('dam.traits.underestimated', 'one', 'm:f') 1",
        "('dam.traits.underestimated', 'two', 'm:f') 0",
    ]
