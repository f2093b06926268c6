"""Time that nothing below an execution covers, and what it was spent on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.diagnose import gaps
from dam_obs.diagnose.evidence import SystemKey
from dam_obs.diagnose.gaps import GapFinder
from dam_obs.diagnose.report_where import Gaps
from dam_obs.trace.events import TraceEvent

STAMP = "2026-01-13T14:00:00+00:00"
THREAD = 7


def execution(name: str, parent: str | None, start: int, end: int, **fields: Any) -> TraceEvent:
    """An execution from `start` to `end` by the monotonic clock, all of it one step, on the CPU; nanoseconds."""
    plain: dict[str, Any] = {
        "hrm_layer": "system", "operation": "execute", "component": name.split("_")[0], "input_summary": "",
        "output_summary": "", "duration_ms": 0, "duration_ns": end - start, "status": "success", "metadata": {},
        "timestamp": STAMP, "pid": 1, "thread_id": THREAD, "start_mono_ns": start, "cpu_ns": end - start,
        "segments": [(start, end, THREAD)],
    }  # fmt: skip
    return TraceEvent(trace_id=name, parent_id=parent, **(plain | fields))


def found(*events: TraceEvent, system: str = "a") -> Gaps | None:
    """Feed events as they end, and return the gaps of a system."""
    finder = GapFinder()
    for event in events:
        finder.add(event)
    return finder.of(SystemKey("system", "execute", system))


def summed(gap: Gaps | None) -> tuple[int, int | None, int | None, int, int]:
    assert gap is not None
    return gap.uncovered_ns, gap.on_cpu_ns, gap.awaiting_ns, gap.other_ns, gap.longest_ns


def test_without_others_below_there_is_nothing_to_say() -> None:
    """Of an execution that started nothing all time is its own: no trace point is missing in that."""
    assert found(execution("a", None, 0, 100)) is None


def test_what_is_left_between_children_is_its_own() -> None:
    """Calls inside one step: their CPU time is theirs, the rest is the execution's."""
    children = [execution("b", "a", 10, 30), execution("c", "a", 40, 90)]

    assert summed(found(*children, execution("a", None, 0, 100))) == (30, 30, 0, 0, 10)


def test_children_at_once_cover_a_moment_once() -> None:
    """Two that overlap cover their union."""
    children = [execution("b", "a", 10, 50, thread_id=8), execution("c", "a", 30, 70, thread_id=9)]

    assert summed(found(*children, execution("a", None, 0, 100, cpu_ns=5)))[0] == 40


def test_a_blocking_call_of_its_own_is_not_known() -> None:
    """In a step and not on the CPU, with nothing below: that is where a trace point would help."""
    parent = execution("a", None, 0, 100, cpu_ns=30)

    assert summed(found(execution("b", "a", 0, 20), parent)) == (80, 10, 0, 70, 80)


def test_awaiting_is_what_lies_between_its_steps() -> None:
    """A coroutine that awaits a task, and then something that nobody observes."""
    task = execution("b", "a", 10, 40, segments=[(10, 40, THREAD)])
    parent = execution("a", None, 0, 100, cpu_ns=20, segments=[(0, 10, THREAD), (90, 100, THREAD)])

    assert summed(found(task, parent)) == (70, 20, 50, 0, 60)


def test_one_that_outlives_its_parent_covers_what_they_share() -> None:
    """It comes after its parent, and counts nevertheless."""
    parent = execution("a", None, 0, 100, cpu_ns=10, segments=[(0, 10, THREAD)])

    assert summed(found(execution("b", "a", 20, 30), parent, execution("c", "a", 50, 200)))[0] == 40
    assert summed(found(parent, execution("c", "a", 50, 200))) == (50, 10, 40, 0, 50)
    assert summed(found(execution("b", "a", 0, 10), parent, execution("c", "a", 50, 200)))[-1] == 40


def test_steps_of_the_host_in_between_are_seen_through() -> None:
    """What is below a step of the host's own is below the execution that the step is in, whichever comes first."""
    step = execution("s", "a", 0, 90, kind="step")
    child = execution("b", "s", 10, 90)
    parent = execution("a", None, 0, 100)

    assert summed(found(child, step, parent)) == summed(found(step, parent, child)) == (20, 20, 0, 0, 10)


def test_not_measured_is_not_known() -> None:
    """Without CPU time and steps, it is told how much is uncovered and no more."""
    plain = {"cpu_ns": None, "segments": None}

    gap = found(execution("b", "a", 0, 40, **plain), execution("a", None, 0, 100, **plain))

    assert summed(gap) == (60, None, None, 60, 60)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children whose parents never come, and parents that had their time, are forgotten at some point."""
    monkeypatch.setattr(gaps, "MOST_WAITING", 10)
    monkeypatch.setattr(gaps, "MOST_PARENTS", 10)
    finder = GapFinder()
    for number in range(1_000):
        finder.add(execution(f"b_{number}", f"gone_{number}", number, number + 1))
    finder.add(execution("b_last", "a", 0, 50))
    finder.add(execution("a", None, 0, 100))

    assert (len(finder._waiting), len(finder._parents)) == (9, 10)
    assert summed(finder.of(SystemKey("system", "execute", "a")))[0] == 50


Spans = Sequence[tuple[int, int]]
times = st.integers(0, 200)
intervals = st.tuples(times, times).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(intervals, min_size=1), st.lists(intervals), st.integers(0, 300), st.integers(0, 10))
def test_parts_add_up(children: Spans, steps: Spans, cpu_ns: int, late: int) -> None:
    """Whatever ran when, and whichever children come late: parts add up to what is uncovered, and none is negative."""
    late = min(late, len(children) - 1)
    below = [execution(f"b_{place}", "a", *span) for place, span in enumerate(children)]
    parent = execution("a", None, 50, 150, cpu_ns=cpu_ns, segments=[(*span, THREAD) for span in steps])

    gap = found(*below[late:], parent, *below[:late])

    covered = {moment for start, end in children for moment in range(start, end)}
    assert gap is not None
    assert gap.uncovered_ns == len(set(range(50, 150)) - covered)
    assert (gap.on_cpu_ns or 0) + (gap.awaiting_ns or 0) + gap.other_ns == gap.uncovered_ns
    assert min(gap.on_cpu_ns or 0, gap.awaiting_ns or 0, gap.other_ns, gap.longest_ns) >= 0
