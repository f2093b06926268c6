"""All formats have the same samples, and the report counts the same."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.export.formats import FORMATS
from dam_obs.diagnose.export.otlp_classes import profiles_pb2
from dam_obs.diagnose.export.samples import RunSamples


def export(run, name, suffix=".json", system=None):
    """Return what a format makes of a run."""
    samples = RunSamples(run, system=system)
    return b"".join(FORMATS[name].parts(samples, Path(f"x{suffix}")))


def in_folded(run, **asked):
    """Samples by the outermost frame of each line."""
    counts = Counter()
    for line in export(run, "folded", **asked).decode().splitlines():
        stack, _, count = line.rpartition(" ")
        counts[stack.split(";")[0]] += int(count)
    return counts


def in_speedscope(run, kind="system", **asked):
    """Samples by profile of systems, or of threads."""
    file = json.loads(export(run, "speedscope", **asked))
    return Counter(
        {
            re.sub("^system ", "", profile["name"]): round(sum(profile["weights"]) / 10)
            for profile in file["profiles"]
            if profile["name"].startswith(kind)
        }
    )


def in_chrome(run, **asked):
    """Samples on the time line by the system that they are under, and those that are left out."""
    file = json.loads(export(run, "chrome", **asked))
    counts = Counter()
    nodes = {}
    for event in file["traceEvents"]:
        if event["name"] != "ProfileChunk":
            continue
        profile = event["args"]["data"]["cpuProfile"]
        nodes.setdefault(event["id"], {}).update({node["id"]: node for node in profile.get("nodes", [])})
        for sample in profile["samples"]:
            counts[outermost(nodes[event["id"]], sample)] += 1
    return counts, file["otherData"]["samples_not_placed_in_time"]


def outermost(nodes, number):
    """Return the name of the node below the root that a node is under."""
    node = nodes[number]
    while node["parent"] != 1:
        node = nodes[node["parent"]]
    return node["callFrame"]["functionName"]


def in_otlp(run, **asked):
    """Samples by system, from what the classes read."""
    data = profiles_pb2().ProfilesData.FromString(export(run, "otlp-profiles", ".pb", **asked))
    counts = Counter()
    for profile in data.resource_profiles[0].scope_profiles[0].profiles:
        for sample in profile.samples:
            counts[system_in(data.dictionary, sample)] += sum(sample.values)
    return counts


def system_in(tables, sample):
    """Return the name of a sample's system, put together of its attributes."""
    attributes = {
        tables.string_table[tables.attribute_table[index].key_strindex]: tables.attribute_table[index].value
        for index in sample.attribute_indices
    }
    if "dam.component" not in attributes:
        return "(outside executions)"
    layer, operation, component = (
        attributes[f"dam.{part}"].string_value for part in ("layer", "operation", "component")
    )
    return f"{component} ({layer}.{operation})"


def test_every_format_has_each_sample_of_each_system(example):
    """And speedscope has them once more, by thread."""
    folded = in_folded(example)
    placed, left_out = in_chrome(example)

    assert in_speedscope(example) == folded
    assert in_otlp(example) == folded
    assert {name: count for name, count in folded.items() if name != "(outside executions)"} == dict(placed)
    assert left_out == folded["(outside executions)"]
    assert in_speedscope(example, "process").total() == folded.total()


def test_the_report_counts_the_same(example):
    """Claimed and unclaimed, as in its quality block; and each system's branch of its flame graph is as wide."""
    report = build_report(example)
    folded = in_folded(example)
    outside = folded.pop("(outside executions)")

    assert (folded.total(), outside) == (report.quality.samples_claimed, report.quality.samples_unclaimed)
    assert {name.rpartition(" (")[0]: count for name, count in folded.items()} == {
        branch.name: branch.samples for branch in report.flame.children
    }


@pytest.mark.parametrize("count", [in_folded, in_speedscope, in_otlp, lambda *a, **k: in_chrome(*a, **k)[0]])
def test_one_system_has_its_own_samples_in_every_format(example, count):
    """No more and no fewer than among all."""
    everything = in_folded(example)
    (name,) = [name for name in everything if "CompressAsset" in name]

    assert count(example, system="CompressAsset") == {name: everything[name]}


def test_the_same_run_gives_the_same_bytes(example):
    """So that two exports can be compared."""
    for name in FORMATS:
        assert export(example, name) == export(example, name)
