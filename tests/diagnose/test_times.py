from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.evidence import SystemEvidence, SystemKey
from dam_obs.diagnose.report import Quantiles, SystemDiagnosis, TimeSplit
from dam_obs.diagnose.times import concurrency, quantiles, split
from dam_obs.store.runs import RunFolder
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]
Diagnose = Callable[..., SystemDiagnosis]

MAYBE = st.one_of(st.just(-1), st.integers(0, 10**12))


def test_quantiles_are_observed_values() -> None:
    """Of a hundred durations the 90 % quantile is the ninetieth, to the nanosecond."""
    assert quantiles(np.arange(100, 0, -1, dtype=np.int64)) == Quantiles(
        count=100, mean_ns=50.5, min_ns=1, p50_ns=50, p90_ns=90, p95_ns=95, p99_ns=99, max_ns=100
    )


@given(rows=st.lists(st.tuples(st.integers(0, 10**12), MAYBE, MAYBE, MAYBE, MAYBE), min_size=1, max_size=30))
def test_the_split_adds_up(rows: list[tuple[int, int, int, int, int]]) -> None:
    """Whatever was measured and however wrong: no part is negative, and together they are the wall time."""
    system = SystemEvidence(SystemKey("system", "execute", "demo"))
    for row in rows:
        names = ("duration_ns", "cpu_ns", "wait_ns", "run_queue_ns", "block_io_ns")
        for name, value in zip(names, row, strict=True):
            system.numbers[name].append(value)

    parts = split(system)

    shown = [parts.on_cpu_ns, parts.run_queue_ns, parts.block_io_ns, parts.awaiting_ns, parts.other_ns]
    measured = [row for row in rows if row[1] >= 0] or rows
    assert all(part is None or part >= 0 for part in shown)
    assert sum(part or 0 for part in shown) == parts.wall_ns
    assert (parts.run_queue_ns is None) == all(row[3] < 0 for row in measured)
    assert (parts.measured, parts.wall_ns) == (len(measured), sum(row[0] for row in measured))


def test_the_split_is_over_what_was_measured(diagnose: Diagnose, event: MakeEvent) -> None:
    """An execution without CPU time is not counted as one that used none."""
    one = diagnose(
        event(duration_ns=100, cpu_ns=30, wait_ns=20, io={"block_io_ns": 10, "run_queue_ns": 5}),
        event(duration_ns=50, cpu_ns=50, wait_ns=0, io={"block_io_ns": 40, "run_queue_ns": 1}),
        event(duration_ns=1_000),
    )

    assert one.time == TimeSplit(
        wall_ns=150,
        on_cpu_ns=80,
        run_queue_ns=5,
        block_io_ns=10,
        awaiting_ns=20,
        other_ns=35,
        measured=2,
        counted=2,
    )
    assert one.on_cpu_share == 80 / 150


def test_counters_of_some_stand_for_all(diagnose: Diagnose, event: MakeEvent) -> None:
    """The kernel's parts are projected by their share of the time off the CPU, and how many were counted is told."""
    times = {"duration_ns": 100, "cpu_ns": 20, "wait_ns": 0}
    one = diagnose(event(**times, io={"block_io_ns": 40, "run_queue_ns": 20}), *(event(**times) for _ in range(3)))

    assert one.time == TimeSplit(
        wall_ns=400, on_cpu_ns=80, run_queue_ns=80, block_io_ns=160, awaiting_ns=0, other_ns=80, measured=4, counted=1
    )


@pytest.mark.parametrize(
    ("spans", "peak", "mean"),
    [
        ([(0, 10)], 1, 1.0),
        ([(0, 10), (10, 10)], 1, 1.0),
        ([(0, 10), (5, 10)], 2, 20 / 15),
        ([(0, 10), (100, 10)], 1, 1.0),
        ([(0, 30), (0, 30), (0, 30)], 3, 3.0),
        ([(5, 0)], 1, 1.0),
        ([(0, 10), (5, 0)], 2, 11 / 10),
    ],
    ids=["one", "after one another", "overlap", "apart", "together", "no time", "no time inside"],
)
def test_concurrency(spans: list[tuple[int, int]], peak: int, mean: float) -> None:
    """How many at once, at most and on average while there was any; one that ends as another starts is not with it."""
    starts, durations = (np.array(column, dtype=np.int64) for column in zip(*spans, strict=True))

    assert concurrency(starts, durations) == (peak, pytest.approx(mean))


@pytest.mark.parametrize(
    ("children", "waited"),
    [
        ([(10, 90)], 60),
        ([(10, 40), (40, 90)], 60),
        ([(10, 60), (20, 90)], 60),
        ([(10, 50)], 20),
        ([(-50, 10)], 0),
        ([(90, 500)], 0),
        ([], 0),
    ],
    ids=["one", "after one another", "overlapping", "half", "before", "beyond", "none"],
)
def test_waiting_on_children(
    run: Callable[..., RunFolder], event: MakeEvent, children: list[tuple[int, int]], waited: int
) -> None:
    """Of 80 ns off the CPU, what children surely cover: as if the CPU was only used while they ran."""
    parent = event(component="parent", duration_ns=100, cpu_ns=20, start_mono_ns=1_000, trace_id="sys_1_parent")
    below = [
        event(component="child", parent_id="sys_1_parent", start_mono_ns=1_000 + start, duration_ns=end - start)
        for start, end in children
    ]
    report = build_report(run(*below, parent))

    found = {one.system: one.waiting_on_children_ns for one in report.systems}
    assert found["parent"] == waited


def test_steps_between_an_execution_and_its_children_are_passed_over(
    run: Callable[..., RunFolder], event: MakeEvent
) -> None:
    """A step of the host's own is no system, and who started a child is the execution above the steps."""
    parent = event(component="parent", duration_ns=100, cpu_ns=20, start_mono_ns=1_000)
    outer = event(kind="step", parent_id=parent.trace_id, otel_parent_id=parent.otel_span_id)
    inner = event(kind="step", parent_id=outer.trace_id, otel_parent_id=outer.otel_span_id)
    child = event(
        component="child",
        parent_id=inner.trace_id,
        otel_parent_id=inner.otel_span_id,
        start_mono_ns=1_010,
        duration_ns=80,
    )
    report = build_report(run(child, inner, outer, parent))

    assert {one.system: one.waiting_on_children_ns for one in report.systems} == {"parent": 60, "child": None}
