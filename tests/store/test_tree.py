from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dam_obs.store.tree import Trace, traces
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]


def at(second: int) -> str:
    return f"2026-01-13T14:00:{second:02d}+00:00"


def drawn(trace: Trace) -> list[str]:
    """A trace as indented handles."""
    return [f"{'  ' * depth}{node.event.trace_id}" for depth, node in trace.root.walk()]


def test_children_stand_below_their_parents_by_start(event: MakeEvent) -> None:
    """Spans are written as they end; a tree shows them as they began."""
    events = [
        event("mem_1_c", parent_id="foc_1_b", timestamp=at(3)),
        event("foc_1_d", parent_id="alt_1_a", timestamp=at(4)),
        event("foc_1_b", parent_id="alt_1_a", timestamp=at(2)),
        event("alt_1_a", timestamp=at(1)),
    ]

    (trace,) = traces(events)

    assert drawn(trace) == ["alt_1_a", "  foc_1_b", "    mem_1_c", "  foc_1_d"]
    assert not trace.partial


def test_traces_come_by_their_start(event: MakeEvent) -> None:
    """The root that started first comes first, whichever ended first."""
    events = [event("alt_1_b", timestamp=at(2)), event("alt_1_a", timestamp=at(1))]

    assert [trace.root.event.trace_id for trace in traces(events)] == ["alt_1_a", "alt_1_b"]


def test_a_missing_parent_makes_a_partial_trace(event: MakeEvent) -> None:
    """What is left of a tree is shown, and marked."""
    (trace,) = traces([event("foc_1_b", parent_id="alt_1_lost")])

    assert trace.partial
    assert drawn(trace) == ["foc_1_b"]


def test_equal_handles_of_two_processes_are_told_apart(event: MakeEvent) -> None:
    """A child belongs to the parent in its own process."""
    events = [
        event("alt_1_a", pid=1, timestamp=at(1)),
        event("alt_1_a", pid=2, timestamp=at(2)),
        event("foc_1_b", parent_id="alt_1_a", pid=2, timestamp=at(3)),
    ]

    assert [drawn(trace) for trace in traces(events)] == [["alt_1_a"], ["alt_1_a", "  foc_1_b"]]


def test_a_parent_in_another_process_is_found_by_its_span(event: MakeEvent) -> None:
    """OpenTelemetry's own id leads across processes."""
    events = [
        event("alt_1_a", pid=1, otel_span_id="a" * 16, timestamp=at(1)),
        event("alt_1_a", pid=3, otel_span_id="c" * 16, timestamp=at(1)),
        event("foc_1_b", pid=2, parent_id="alt_1_a", otel_parent_id="a" * 16, timestamp=at(2)),
    ]

    assert [drawn(trace) for trace in traces(events)] == [["alt_1_a", "  foc_1_b"], ["alt_1_a"]]


def test_a_circle_of_parents_loses_no_event(event: MakeEvent) -> None:
    """A forged file shows as a partial trace and ends."""
    events = [event("a", parent_id="b"), event("b", parent_id="a"), event("c", parent_id="c")]

    found = list(traces(events))

    assert sorted(line.strip() for trace in found for line in drawn(trace)) == ["a", "b", "c"]
    assert all(trace.partial for trace in found)


def test_a_deep_trace_needs_no_stack(event: MakeEvent) -> None:
    """Ten thousand calls deep is walked all the same."""
    events = [event(f"sys_1_{n}", parent_id=f"sys_1_{n - 1}" if n else None) for n in range(10_000)]

    (trace,) = traces(events)

    assert [depth for depth, _ in trace.root.walk()] == list(range(10_000))


@given(parents=st.lists(st.one_of(st.none(), st.integers(0, 12)), max_size=12))
def test_every_event_is_in_one_place(parents: list[Any]) -> None:
    """Whoever claims whom as parent, each event stands in exactly one trace, once."""
    events = [
        TraceEvent(
            trace_id=f"h{n}", parent_id=None if parent is None else f"h{parent}", timestamp=at(n),
            hrm_layer="system", operation="o", component="c", input_summary="", output_summary="",
            duration_ms=0, status="success", metadata={},
        )
        for n, parent in enumerate(parents)
    ]  # fmt: skip

    placed = [node.event.trace_id for trace in traces(events) for _, node in trace.root.walk()]

    assert sorted(placed) == sorted(one.trace_id for one in events)
