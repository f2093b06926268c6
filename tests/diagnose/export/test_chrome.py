"""Chrome traces: executions and samples on the time line, as Perfetto wants them."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict

import msgspec
import pytest

from dam_obs.diagnose.export.chrome import chrome
from dam_obs.diagnose.export.samples import RunSamples
from dam_obs.trace.process import ProcessNote

WORK = ("work", "/app/work.py", 5)


def trace(run, **asked):
    """Return the file of a run."""
    return json.loads(b"".join(chrome(RunSamples(run, **asked))))


def of_kind(file, phase):
    """Return the events of one kind, the time of each cut off from the rest."""
    return [event for event in file["traceEvents"] if event["ph"] == phase]


def when_taken(file):
    """Return each sample: thread, microsecond, name of the innermost frame."""
    found, clocks, nodes = [], {}, {}
    for event in of_kind(file, "P"):
        data, session = event["args"]["data"], event["id"]
        if event["name"] == "Profile":
            clocks[session], nodes[session] = data["startTime"], {}
            continue
        nodes[session] |= {node["id"]: node for node in data["cpuProfile"].get("nodes", [])}
        for number, delta in zip(data["cpuProfile"]["samples"], data["timeDeltas"], strict=True):
            assert delta >= 0
            clocks[session] += delta
            found.append((event["tid"], clocks[session], nodes[session][number]["callFrame"]["functionName"]))
    return found


def test_an_execution_is_its_segments_on_their_threads(kit):
    """A coroutine is drawn where it ran, not where it waited; what it is stands beside."""
    event = kit.execution(0, (10, 20, 10), (50, 55, 10), (60, 61, 11), cpu_ns=15_000_000, wait_ns=30_000_000)
    file = trace(kit.run({"Process 10 Thread 10": [[WORK]]}, event))

    assert [(each["tid"], each["ts"], each["dur"], each["args"].pop("segment")) for each in of_kind(file, "X")] == [
        (10, 10_000, 10_000, "1 of 3"),
        (10, 50_000, 5_000, "2 of 3"),
        (11, 60_000, 1_000, "3 of 3"),
    ]
    assert [(each["name"], each["cat"], each["pid"]) for each in of_kind(file, "X")] == [
        ("app:System (system.execute)", "system", 10)
    ] * 3
    assert of_kind(file, "X")[0]["args"] == {
        "id": "sys_1_0000",
        "trace_id": f"{1:032x}",
        "span_id": kit.span_id(0),
        "status": "success",
        "duration_ns": 51_000_000,
        "cpu_ns": 15_000_000,
        "wait_ns": 30_000_000,
    }


def test_segments_that_overlap_in_part_are_cut(kit):
    """The ledger joins what nearly touches; viewers want what is on a thread nested."""
    events = kit.execution(0, (0, 120, 10)), kit.execution(1, (41, 200, 10)), kit.execution(2, (41, 200, 11))
    file = trace(kit.run({"Process 10 Thread 10": [[WORK]]}, *events))

    assert [(each["tid"], each["ts"], each["dur"]) for each in of_kind(file, "X")] == [
        (10, 0, 120_000),
        (10, 41_000, 79_000),
        (10, 120_000, 80_000),
        (11, 41_000, 159_000),
    ]


def test_what_has_no_segments_is_a_bar_or_a_moment(kit):
    """Placed by the wall clock where it has no other time; both clocks are lined up by the rest."""
    step = kit.execution(
        1, kind="step", start_mono_ns=None, timestamp="1970-01-01T00:16:40.030+00:00", duration_ns=5_000_000
    )
    moment = kit.execution(
        2, kind="event", start_mono_ns=35_000_000, timestamp="1970-01-01T00:16:40.035+00:00", thread_id=12
    )
    file = trace(kit.run({"Process 10 Thread 10": [[WORK]]}, kit.execution(0, (10, 20, 10)), step, moment))

    assert [(each["ph"], each["tid"], each["ts"]) for each in file["traceEvents"] if each["ph"] in "bei"] == [
        ("b", 10, 30_000),
        ("e", 10, 35_000),
        ("i", 12, 35_000),
    ]
    assert {each["id"] for each in file["traceEvents"] if each["ph"] in "be"} == {kit.span_id(1)}


def test_samples_lie_in_their_executions(small_run):
    """Between two anchors, in order, on the thread that they were taken on."""
    taken = when_taken(trace(small_run))

    assert [(tid, name) for tid, _, name in taken] == [
        (10, "<module>"), (10, "work"), (10, "work"), (10, "helper"), (10, "<module>"),
    ]  # fmt: skip
    times = [time for _, time, _ in taken]
    assert times == sorted(times)
    assert all(10_000 <= time <= 45_000 for time in times[1:3])
    assert 30_000 <= times[3] <= 40_000


def test_it_says_what_it_shows(small_run):
    """Counts, and what could not be placed."""
    file = trace(small_run)

    assert file["otherData"] == {
        "exporter": "dam-obs",
        "run": small_run.path.name,
        "samples": 10,
        "samples_in_executions": 3,
        "samples_outside_executions": 7,
        "samples_placed_in_time": 5,
        "samples_not_placed_in_time": 5,
        "clock": "CLOCK_MONOTONIC",
        "clock_residual": None,
        "unix_ns_less_clock": 1_000_000_000_000,
    }


def test_the_residual_is_stated(kit):
    """Of three anchors one can be checked: the others would have it at 26 ms, and it ran from 30 on."""
    run = kit.run(
        {"Process 10 Thread 10": [[kit.tag(number), WORK] for number in range(3)]},
        kit.execution(0, (10, 12, 10)),
        kit.execution(1, (30, 32, 10)),
        kit.execution(2, (40, 42, 10)),
    )
    samples = RunSamples(run)
    file = json.loads(b"".join(chrome(samples)))

    assert file["otherData"]["clock_residual"] == {
        "median_ns": 4_000_000, "p95_ns": 4_000_000, "largest_ns": 4_000_000, "anchors": 1,
    }  # fmt: skip
    assert samples.remarks == ["Placed 3 samples on the time line; the clock is off by 4.0 ms (median), 4.0 ms (95 %)"]


def test_one_system_is_placed_by_all_samples(small_run):
    """What is left out says when it was all the same."""
    everything = when_taken(trace(small_run))

    assert when_taken(trace(small_run, system="Inner")) == [one for one in everything if one[2] == "helper"]


def test_a_forked_child_tells_no_time_by_its_parents_executions(kit):
    """They stand on its stacks since the fork; when its samples were taken they do not say."""
    stacks = [[kit.tag(0), WORK]]
    run = kit.run({"Process 10 Thread 10": stacks, "Process 99 Thread 99": stacks}, kit.execution(0, (10, 20, 10)))

    assert [tid for tid, _, _ in when_taken(trace(run))] == [10]


def test_processes_and_threads_have_their_names(small_run):
    """From the processes' own notes and from the profile; a thread without a name is called so."""
    small_run.processes.mkdir()
    note = ProcessNote(pid=10, parent_pid=1, program="app.py", started_ns=0)
    (small_run.processes / "10.json").write_bytes(msgspec.json.encode(note))
    names = [(each["name"], each["pid"], each["tid"], each["args"]["name"]) for each in of_kind(trace(small_run), "M")]

    assert names == [("process_name", 10, 10, "app.py"), ("thread_name", 10, 10, "MainThread")]


def test_perfettos_rules_hold_for_a_whole_run(example):
    """Numbers are whole where they must be, nodes are known before they are used, slices of a thread are nested."""
    file = trace(example)
    slices = defaultdict(list)
    for event in file["traceEvents"]:
        assert type(event["pid"]) is type(event["tid"]) is int
        if event["ph"] == "X":
            slices[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    named = {(each["pid"], each["tid"]) for each in of_kind(file, "M") if each["name"] == "thread_name"}

    assert named == {(each["pid"], each["tid"]) for each in file["traceEvents"] if each["ph"] in "XPbi"}
    assert len(when_taken(file)) == file["otherData"]["samples_placed_in_time"]
    for ran in slices.values():
        ran.sort(key=lambda piece: (piece[0], -piece[1]))
        open_until = []
        for start, end in ran:
            while open_until and open_until[-1] <= start + 0.001:
                open_until.pop()
            assert not open_until or end <= open_until[-1] + 0.001
            open_until.append(end)


def test_many_samples_come_in_parts(kit, monkeypatch):
    """Together they are all, on one clock."""
    monkeypatch.setattr("dam_obs.diagnose.export.chrome.SAMPLES_AT_ONCE", 7)
    run = kit.run({"Process 10 Thread 10": [[kit.tag(0), WORK]] * 20}, kit.execution(0, (0, 190, 10)))
    file = trace(run)
    times = [time for _, time, _ in when_taken(file)]

    assert [each["name"] for each in of_kind(file, "P")] == ["Profile"] + ["ProfileChunk"] * 3
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {10_000}


@pytest.mark.parametrize("segments", [[(5, 1, 10)], [(-5, 10, 10)], [(0, 2**63, 10)], [(0, 10, -3)]])
def test_a_broken_ledger_breaks_no_export(kit, segments):
    """Segments that no clock has made are left out."""
    event = kit.execution(0, segments=segments, duration_ns=2**62, start_mono_ns=-5)
    file = trace(kit.run({"Process 10 Thread 10": [[kit.tag(0), WORK]]}, event))

    assert file["otherData"]["samples_in_executions"] == 1
