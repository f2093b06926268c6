"""Who descends from whom, by position: must agree with the trees that are made of the same events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.store.lineage import Lineage, roots, with_ancestors
from dam_obs.store.tree import traces
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]


def lineage(events: list[TraceEvent]) -> Lineage:
    made = Lineage()
    for event in events:
        made.add(event)
    return made


handles = st.sampled_from(["alt_1_a", "alt_1_b", "foc_1_c", "mem_1_d", ""])
spans = st.sampled_from([None, "", "1" * 16, "2" * 16, "3" * 16])


@st.composite
def any_event(draw: st.DrawFn) -> TraceEvent:
    return TraceEvent(
        trace_id=draw(handles), parent_id=draw(st.none() | handles), timestamp="2026-01-13T14:00:00+00:00",
        hrm_layer="system", operation="o", component="c", input_summary="", output_summary="", duration_ms=0,
        status="success", metadata={}, pid=draw(st.sampled_from([None, 1, 2])),
        otel_span_id=draw(spans), otel_parent_id=draw(spans),
    )  # fmt: skip


@given(events=st.lists(any_event(), max_size=12))
def test_it_agrees_with_the_trees(events: list[TraceEvent]) -> None:
    """Handles may meet across processes, ids may be missing, parents may run in a circle: both see the same parents."""
    place = {id(event): position for position, event in enumerate(events)}
    parents = lineage(events).parents()
    root_of = roots(parents)

    for trace in traces(events):
        members = [place[id(node.event)] for _, node in trace.root.walk()]
        assert len({int(root_of[member]) for member in members}) == 1
        for _, node in trace.root.walk():
            below = [place[id(child.event)] for child in node.children]
            assert [int(parents[position]) for position in below] == [place[id(node.event)]] * len(below)


@pytest.mark.parametrize(
    ("parents", "expected"),
    [
        ([], []),
        ([-1], [0]),
        ([-1, 0, 1, -1, 3], [0, 0, 0, 3, 3]),
        ([1, 2, 3, 4, -1], [4, 4, 4, 4, 4]),
        ([-1, 2, 1, 2], [0, 1, 1, 1]),
    ],
    ids=["none", "one", "children after parents", "children before parents", "a circle and what hangs on it"],
)
def test_roots(parents: list[int], expected: list[int]) -> None:
    """Each event leads to the root above it, in whatever order they stand."""
    assert roots(np.array(parents, dtype=np.int64)).tolist() == expected


def test_a_long_chain_has_one_root(event: MakeEvent) -> None:
    """Depth costs no stack."""
    events = [event(f"sys_1_{n}", parent_id=f"sys_1_{n - 1}" if n else None) for n in range(5_000)]

    assert set(roots(lineage(events).parents()).tolist()) == {0}


def test_ancestors_are_added_once_and_in_order() -> None:
    """Two children share what is above them; a circle ends."""
    parents = np.array([-1, 0, 1, 1, -1, 6, 5], dtype=np.int64)

    assert with_ancestors(np.array([3, 2], dtype=np.int64), parents).tolist() == [0, 1, 2, 3]
    assert with_ancestors(np.array([5], dtype=np.int64), parents).tolist() == [5, 6]
    assert with_ancestors(np.array([], dtype=np.int64), parents).tolist() == []
