"""Names in a trace are hostile, stacks are of any shape: every format holds them, and loses no sample."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dam_obs.diagnose.export.formats import FORMATS
from dam_obs.diagnose.export.otlp_check import wrong_indices
from dam_obs.diagnose.export.otlp_classes import profiles_pb2
from dam_obs.diagnose.export.samples import RunSamples

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NASTY = (
    "a;b 12", "</script><script>", "\x1b]0;x\x07", "\n1", "\u202egpj", "x 1.5", "\"}],", "\\", "\ud7ff", "dam:",
    "dam:00000000000000zz", "process 12:\"x\"", "thread (1): x", "\u2028", "{{7*7}}", "$(id)", "\0", " 3", ";",
)  # fmt: skip
names = st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
frames = st.tuples(names, st.one_of(st.just(""), names), st.one_of(st.none(), st.integers(-5, 2**40)))
stacks = st.lists(st.one_of(st.integers(0, 3), frames), max_size=6)
"""A number stands for the tag of an execution."""


def export(run, name, suffix=".json"):
    """Return what a format makes of a run."""
    return b"".join(FORMATS[name].parts(RunSamples(run), Path(f"x{suffix}")))


@FEW
@given(
    threads=st.dictionaries(names, st.lists(stacks, min_size=1, max_size=6), min_size=1, max_size=3),
    components=st.lists(names, min_size=3, max_size=3),
)
@example(threads={"Process 10 Thread 10": [[0, ("f\n;g 3", "\x1b", 1)], []]}, components=["c;d 7", "\r", ""])
def test_every_format_holds_every_sample(kit, threads, components):
    """Counted by what a reader of each format reads, against what went in."""
    written = {
        f'Process 10 Thread {number} "{name}"': [
            [kit.tag(frame) if isinstance(frame, int) else frame for frame in stack] for stack in taken
        ]
        for number, (name, taken) in enumerate(threads.items(), start=10)
    }
    events = [
        kit.execution(number, (number * 10, number * 10 + 15, 10), component=component)
        for number, component in enumerate(components)
    ]
    run = kit.run(written, *events)
    total = sum(map(len, threads.values()))
    samples = RunSamples(run)
    assert samples.counts.total == total

    by_stack = Counter()
    for _, in_row in samples.threads():
        for one in in_row:
            by_stack[one.branch, one.frames] += one.weight
    of_folded = folded_lines(export(run, "folded"))
    assert of_folded.total() == total
    assert Counter(stack.count(";") for stack in of_folded.elements()) == Counter(
        {depth: sum(count for (_, found), count in by_stack.items() if len(found) == depth)
         for depth in {len(found) for _, found in by_stack}}
    )  # fmt: skip
    assert speedscope_stacks(export(run, "speedscope")) == by_stack

    chrome = json.loads(export(run, "chrome"))
    shown = sum(
        len(e["args"]["data"]["cpuProfile"]["samples"]) for e in chrome["traceEvents"] if e["name"] == "ProfileChunk"
    )
    assert shown + chrome["otherData"]["samples_not_placed_in_time"] == total

    data = profiles_pb2().ProfilesData.FromString(export(run, "otlp-profiles", ".pb"))
    assert list(wrong_indices(data)) == []
    assert (
        sum(
            sum(sample.values)
            for resource in data.resource_profiles
            for profile in resource.scope_profiles[0].profiles
            for sample in profile.samples
        )
        == total
    )
    json.loads(export(run, "otlp-profiles"))


def folded_lines(content):
    """Read folded stacks as flamegraph.pl does, which would take a second number for another profile's."""
    counts = Counter()
    lines = content.decode().split("\n")
    assert lines.pop() == ""
    for line in lines:
        stack, count = re.fullmatch(r"(.*)\s+?(\d+(?:\.\d*)?)", line).groups()
        assert re.fullmatch(r"(.*)\s+?(\d+(?:\.\d*)?)", stack) is None
        counts[stack] += int(count)
    return counts


def speedscope_stacks(content):
    """Read the profiles of systems as the viewer does: by branch, stacks of frames with their number."""
    file = json.loads(content)
    table = [_frame(frame) for frame in file["shared"]["frames"]]
    counts = Counter()
    for profile in file["profiles"]:
        if profile["name"].startswith("system "):
            for stack, weight in zip(profile["samples"], profile["weights"], strict=True):
                counts[profile["name"][7:], tuple(table[number] for number in stack)] += round(weight / 10)
    return counts


def _frame(frame):
    from dam_obs.sample.samples import Frame

    return Frame(frame["name"], frame.get("file", ""), frame.get("line"))


@FEW
@given(texts=st.lists(names, min_size=5, max_size=5))
def test_nothing_in_any_file_can_move_a_cursor(kit, texts):
    """A file that is printed in a terminal prints as one would expect."""
    layer, operation, component, function, thread = texts
    run = kit.run(
        {f'Process 10 Thread 10 "{thread}"': [[kit.tag(0), (function, function, 1)]]},
        kit.execution(0, (0, 5, 10), hrm_layer=layer, operation=operation, component=component, trace_id=component),
    )
    for name in FORMATS:
        shown = export(run, name).decode()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", shown), name
