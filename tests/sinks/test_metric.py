"""The metric of our own faults, by the host's provider of metrics and by no other."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json
import dam_obs
from dam_obs.trace import faults
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

reader = InMemoryMetricReader()
def set_provider():
    metrics.set_meter_provider(MeterProvider([reader]))

{before}
dam_obs.configure(jsonl=False)
with dam_obs.tracer.span("sys", "execute", "c"): pass
dam_obs.flush()
{after}
faults.count("here", 2)
faults.count("there")
data = reader.get_metrics_data() if metrics._internal._METER_PROVIDER else None
points = [
    (metric.name, point.attributes["dam.obs.place"], point.value)
    for resource in (data.resource_metrics if data else ())
    for scope in resource.scope_metrics
    for metric in scope.metrics
    for point in metric.data.data_points
]
print(json.dumps(sorted(points)), type(metrics._internal._METER_PROVIDER).__name__)
"""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("set_provider()", "", "MeterProvider"),
        ("", "set_provider()", "MeterProvider"),
        ("", "", "NoneType"),
    ],
    ids=["set before", "set after", "never set"],
)
def test_faults_are_a_metric_of_the_host(tmp_path, before, after, expected):
    """Set before us or after us; where there is none, we make none, whatever the environment asks for."""
    program = PROGRAM.format(before=before, after=after)
    environ = {"OTEL_PYTHON_METER_PROVIDER": "sdk_meter_provider"}
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=tmp_path, env=environ
    )
    points, provider = result.stdout.strip().rsplit(" ", 1)

    assert (result.returncode, result.stderr, provider) == (0, "", expected)
    if expected == "MeterProvider":
        assert json.loads(points) == [["dam.obs.faults", "here", 2], ["dam.obs.faults", "there", 1]]
