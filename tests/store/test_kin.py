"""Who descends from whom, in a table: must agree with the trees that are made of the same events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dam_obs.store.kin import Family, roots
from dam_obs.store.table import EventTable, table_of
from dam_obs.store.tree import traces
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]

handles = st.sampled_from(["alt_1_a", "alt_1_b", "foc_1_c", "mem_1_d", ""])
spans = st.sampled_from([None, "", "1" * 16, "2" * 16, "3" * 16])


@st.composite
def any_event(draw: st.DrawFn) -> TraceEvent:
    return TraceEvent(
        trace_id=draw(handles), parent_id=draw(st.none() | handles), timestamp="2026-01-13T14:00:00+00:00",
        hrm_layer="system", operation="o", component="c", input_summary="", output_summary="", duration_ms=0,
        status="success", metadata={}, pid=draw(st.sampled_from([None, 1, 2])),
        otel_trace_id=draw(st.sampled_from([None, "e" * 32, "f" * 32])),
        otel_span_id=draw(spans), otel_parent_id=draw(spans),
    )  # fmt: skip


def family(table: EventTable, *positions: int) -> Family:
    return table.kin.family(np.array(positions, dtype=np.int64))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(events=st.lists(any_event(), min_size=1, max_size=12))
def test_it_agrees_with_the_trees(events: list[TraceEvent]) -> None:
    """Handles may meet across processes, ids may be missing, parents may run in a circle: both see the same parents."""
    place = {id(event): position for position, event in enumerate(events)}
    trees = list(traces(events))
    with table_of(events, "events") as table:
        everything = family(table, *range(len(events)))

        assert table.kin.roots() == int((everything.parents < 0).sum())
        for trace in trees:
            members = {place[id(node.event)] for _, node in trace.root.walk()}
            found = family(table, place[id(trace.root.event)])
            assert members <= set(found.positions.tolist())
            assert len({int(root) for root in found.roots()[found.indices(np.array(sorted(members)))]}) == 1
            for _, node in trace.root.walk():
                below = [place[id(child.event)] for child in node.children]
                own = found.indices(np.array([place[id(node.event)]]))[0]
                assert set(found.parents[found.indices(np.array(below, dtype=np.int64))].tolist()) <= {int(own)}


@pytest.mark.parametrize(
    ("parents", "expected"),
    [
        ([], []),
        ([-1], [0]),
        ([-1, 0, 1, -1, 3], [0, 0, 0, 3, 3]),
        ([1, 2, 3, 4, -1], [4, 4, 4, 4, 4]),
        ([-1, 2, 1, 2], [0, 1, 1, 1]),
        ([1, 2, 0, 4, 3, 3], [0, 0, 0, 3, 3, 3]),
    ],
    ids=["none", "one", "children after", "children before", "a circle and what hangs on it", "two circles"],
)
def test_roots(parents: list[int], expected: list[int]) -> None:
    """Each event leads to the root above it, in whatever order they stand."""
    assert roots(np.array(parents, dtype=np.int64)).tolist() == expected


@pytest.mark.parametrize("with_spans", [True, False])
def test_a_long_chain_has_one_root(event: MakeEvent, with_spans: bool) -> None:
    """Depth costs no stack."""

    def ids(number: int) -> dict[str, str]:
        return {"otel_trace_id": "a" * 32, "otel_span_id": f"{number + 1:016x}", "otel_parent_id": f"{number:016x}"}

    events = [
        event(f"sys_1_{n}", parent_id=f"sys_1_{n - 1}" if n else None, **(ids(n) if with_spans else {}))
        for n in range(300)
    ]
    with table_of(events, "events") as table:
        assert set(family(table, 150).roots().tolist()) == {0}
        assert table.kin.roots() == 1


def test_a_family_leaves_others_alone(event: MakeEvent) -> None:
    """Only what is connected is taken in."""
    events = [
        event("foc_1_b", parent_id="alt_1_a"),
        event("alt_1_c"),
        event("alt_1_a"),
        event("mem_1_d", parent_id="x"),
    ]
    with table_of(events, "events") as table:
        assert family(table, 0).positions.tolist() == [0, 2]
        assert family(table, 1).positions.tolist() == [1]
        assert table.kin.roots() == 3


def test_ancestors_are_added_once_and_in_order() -> None:
    """Two children share what is above them; a circle ends."""
    made = Family(np.arange(7), np.array([-1, 0, 1, 1, -1, 6, 5], dtype=np.int64))

    assert made.with_ancestors(np.array([3, 2])).tolist() == [0, 1, 2, 3]
    assert made.with_ancestors(np.array([5])).tolist() == [5, 6]
    assert made.with_ancestors(np.array([], dtype=np.int64)).tolist() == []
