"""Off-CPU stretches find the executions that they fell into."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.evidence import COLUMNS, NOT_MEASURED, SystemEvidence, SystemKey
from dam_obs.diagnose.report import DiagnosticReport, OffCpuStack, TimeSplit
from dam_obs.diagnose.times import split
from dam_obs.diagnose.waits import OffCpuTimes
from dam_obs.sample.offcpu.causes import CAUSES, Cause
from dam_obs.sample.offcpu.read import OffCpu, collect
from dam_obs.sample.offcpu.record import DeviceRequests, Interval, Summary
from dam_obs.store.runs import RunFolder
from dam_obs.trace.events import TraceEvent
from dam_obs.trace.meter import MOST_SEGMENTS

MakeEvent = Callable[..., TraceEvent]
WriteRun = Callable[..., RunFolder]

SUMMARY = Summary(
    bpftrace="0.17.0",
    clock="boottime",
    clock_offset_ns=5,
    clock_residual_ns=3,
    from_ns=0,
    to_ns=1_000_000,
    intervals=0,
    lost=2,
    cut=1,
    ended_early=False,
    devices=[
        DeviceRequests(device="vda", direction="read", requests=4, bytes=4096, p50_ns=10, p99_ns=20, max_ns=30),
    ],
)


def lines(*intervals: Interval, summary: Summary = SUMMARY) -> list[bytes]:
    return [msgspec.json.encode(one) + b"\n" for one in (*intervals, summary)]


def off(thread: int, start: int, woken: int, end: int, cause: Cause) -> Interval:
    return Interval(thread, start, woken, end, cause)


def report_on(run: RunFolder, *intervals: Interval, summary: Summary = SUMMARY) -> DiagnosticReport:
    run.offcpu.write_bytes(gzip.compress(b"".join(lines(*intervals, summary=summary))))
    return build_report(run)


def test_by_thread_and_time(event: MakeEvent, run: WriteRun) -> None:
    """A stretch counts where it lies within a segment of its thread, cut at the segment's ends; others do not."""
    one = event(
        duration_ns=1_000, cpu_ns=100, wait_ns=300, segments=[(1_000, 1_400, 7), (1_700, 2_000, 8)], start_mono_ns=1_000
    )
    report = report_on(
        run(one),
        off(7, 900, 1_100, 1_150, "futex"),  # 100 of it within, 50 on the way to a CPU
        off(7, 1_350, 1_500, 1_600, "sleep"),  # 50 within
        off(8, 1_000, 1_300, 1_350, "sleep"),  # another thread then
        off(8, 1_700, 1_900, 1_910, "block_io"),
        off(9, 1_000, 2_000, 2_000, "poll"),
    )

    assert report.systems[0].time == TimeSplit(
        wall_ns=1_000,
        on_cpu_ns=100,
        awaiting_ns=300,
        block_io_ns=200,
        run_queue_ns=60,
        other_ns=340,
        measured=1,
        counted=1,
        causes={"futex": 100, "poll": 0, "sleep": 50, "pipe_socket": 0, "child": 0, "held": 0, "other": 0},
    )


def test_they_go_before_the_kernel_counters(event: MakeEvent, run: WriteRun) -> None:
    """Where bpftrace watched, the coarser counters of /proc are not used."""
    one = event(
        duration_ns=100, cpu_ns=10, wait_ns=0, segments=[(0, 100, 7)], io={"block_io_ns": 80, "run_queue_ns": 1}
    )
    time = report_on(run(one), off(7, 10, 30, 40, "block_io")).systems[0].time

    assert (time.block_io_ns, time.run_queue_ns, time.other_ns) == (20, 10, 60)


def test_the_watched_stand_for_all(event: MakeEvent, run: WriteRun) -> None:
    """One that ran before bpftrace watched, or beyond, takes the shares of those that it watched."""
    times = {"duration_ns": 100, "cpu_ns": 0, "wait_ns": 0}
    summary = msgspec.structs.replace(SUMMARY, from_ns=1_000, to_ns=2_000)
    time = (
        report_on(
            run(
                event(**times, segments=[(950, 1_050, 7)]),
                event(**times, segments=[(1_100, 1_200, 7)]),
                event(**times, segments=[(1_950, 2_050, 7)]),
                event(**times),
            ),
            off(7, 1_100, 1_150, 1_160, "futex"),
            summary=summary,
        )
        .systems[0]
        .time
    )

    assert (time.counted, time.measured) == (1, 4)
    assert (time.causes or {})["futex"] == 200
    assert (time.run_queue_ns, time.other_ns) == (40, 360)


def test_none_watched(event: MakeEvent, run: WriteRun) -> None:
    """A system that never ran while bpftrace watched has no causes, and keeps its counters."""
    one = event(duration_ns=100, cpu_ns=0, wait_ns=0, segments=[(2_000_000, 2_000_100, 7)], io={"block_io_ns": 80})
    time = report_on(run(one), off(7, 10, 30, 40, "block_io")).systems[0].time

    assert (time.causes, time.block_io_ns, time.run_queue_ns) == (None, 80, None)


def test_the_report_says_how_they_were_taken(event: MakeEvent, run: WriteRun) -> None:
    """Tool, clock, losses and the disks; and neither block I/O nor the run queue is called missing."""
    report = report_on(run(event(segments=[(0, 100, 7)])))

    assert report.offcpu is not None
    assert report.offcpu.model_dump() == {
        "tool": "bpftrace 0.17.0",
        "clock": "boottime",
        "clock_residual_ns": 3,
        "watched_ns": 1_000_000,
        "intervals": 0,
        "lost": 2,
        "cut": 1,
        "ended_early": False,
        "stacks_from_ns": 0,
        "stacks_left_out": 0,
        "disks": [
            {
                "device": "vda",
                "direction": "read",
                "requests": 4,
                "bytes": 4096,
                "p50_ns": 10,
                "p99_ns": 20,
                "max_ns": 30,
            }
        ],
    }
    assert {"block_io", "run_queue"}.isdisjoint(one.evidence for one in report.quality.absent)


def test_a_broken_file_is_told(event: MakeEvent, run: WriteRun) -> None:
    """The rest of the report is made, and it says that off-CPU evidence is absent, and why."""
    folder = run(event())
    folder.offcpu.write_bytes(b"something else")
    report = build_report(folder)

    (absent,) = [one for one in report.quality.absent if one.evidence == "off_cpu"]
    assert "it is damaged" in absent.why
    assert report.offcpu is None


STRETCH = st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.sampled_from(CAUSES))
SEGMENT = st.tuples(st.integers(0, 400), st.integers(0, 200), st.integers(1, 2))


def one_after_the_other(thread: int, gaps: list[tuple[int, int, int, Cause]]) -> list[Interval]:
    """Intervals of a thread: off the CPU, ready, and then on it for a while."""
    now, found = 0, []
    for gap, wait, ready, cause in gaps:
        start = now + gap
        now = start + wait + ready
        found.append(off(thread, start, start + wait, now, cause))
    return found


@given(st.lists(STRETCH, max_size=8), st.lists(STRETCH, max_size=8), st.lists(SEGMENT, min_size=1, max_size=5))
def test_every_nanosecond_is_given_as_it_would_be_one_by_one(
    first: list[tuple[int, int, int, Cause]],
    second: list[tuple[int, int, int, Cause]],
    segments: list[tuple[int, int, int]],
) -> None:
    """For any stretches and segments, each execution has what counting nanosecond by nanosecond gives it."""
    intervals = one_after_the_other(1, first) + one_after_the_other(2, second)
    causes = {}
    for one in intervals:
        causes.update({(one.thread_id, at): one.cause for at in range(one.start_ns, one.woken_ns)})
        causes.update({(one.thread_id, at): "run_queue" for at in range(one.woken_ns, one.end_ns)})
    system = SystemEvidence(SystemKey("system", "execute", "demo"))
    for row, (start, length, thread) in enumerate(segments):
        system.segments.extend((row, start, start + length, thread))
        for name in COLUMNS:
            system.numbers[name].append({"start_ns": start, "duration_ns": length}.get(name, NOT_MEASURED))

    waits = OffCpuTimes(_offcpu(intervals)).of(system)

    assert waits is not None
    for row, (start, length, thread) in enumerate(segments):
        counted = [causes.get((thread, at)) for at in range(start, start + length)]
        assert {cause: int(waits[cause][row]) for cause in CAUSES} == {cause: counted.count(cause) for cause in CAUSES}
    time = split(system, waits)
    assert time.causes is not None
    parts = (time.on_cpu_ns, time.run_queue_ns, time.block_io_ns, time.awaiting_ns, time.other_ns)
    assert sum(part or 0 for part in parts) == time.wall_ns
    assert sum(time.causes.values()) <= time.other_ns


def _offcpu(intervals: list[Interval]) -> OffCpu:
    return collect(lines(*reversed(intervals)))


@pytest.mark.parametrize(("left_out", "sleep_ns"), [(0, None), (1, 3)])
def test_of_an_execution_with_more_segments_than_are_kept_nothing_is_known(
    event: MakeEvent, run: WriteRun, left_out: int, sleep_ns: int | None
) -> None:
    """Its last segment was stretched over what others did on that thread: it would have their waits."""
    segments = [(start, start + 10, 7) for start in range(100 * left_out, 100 * MOST_SEGMENTS, 100)]
    one = event(duration_ns=100 * MOST_SEGMENTS, cpu_ns=0, wait_ns=0, segments=segments)
    summary = msgspec.structs.replace(SUMMARY, to_ns=100 * MOST_SEGMENTS)

    causes = report_on(run(one), off(7, 102, 105, 106, "sleep"), summary=summary).systems[0].time.causes

    assert (causes or {}).get("sleep") == sleep_ns


def test_where_in_the_kernel_a_system_waited(event: MakeEvent, run: WriteRun) -> None:
    """The waits of its threads within its segments, by stack and cause, the longest first; only where asked for."""
    folder = run(event(duration_ns=1_000, cpu_ns=0, wait_ns=0, segments=[(1_000, 2_000, 7)]))
    summary = msgspec.structs.replace(SUMMARY, stacks_from_ns=1)
    stacks = [b'{"kind":"stack","functions":["entry","sleep\\u001b"]}\n', b'{"kind":"stack","functions":["entry"]}\n']
    waits = [
        Interval(7, 900, 1_100, 1_150, "sleep", 0),
        Interval(7, 1_200, 1_250, 1_300, "futex", 1),
        Interval(7, 1_400, 1_500, 1_600, "futex", 1),
        Interval(8, 1_200, 1_900, 1_900, "sleep", 0),
        Interval(7, 1_700, 1_900, 1_900, "poll"),
    ]
    folder.offcpu.write_bytes(gzip.compress(b"".join([*stacks, *lines(*waits, summary=summary)])))

    (system,) = build_report(folder).systems

    assert system.off_cpu_stacks == [
        OffCpuStack(functions=["entry"], cause="futex", ns=150),
        OffCpuStack(functions=["entry", "sleep\\x1b"], cause="sleep", ns=100),
    ]
    assert report_on(folder, *waits[4:]).systems[0].off_cpu_stacks is None
