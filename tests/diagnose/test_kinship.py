"""Executions are found by their ids, and their children by theirs, whatever lies between."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dam_obs.diagnose.evidence import RunEvidence, SystemKey, gather
from dam_obs.diagnose.kinship import Children, number_of
from dam_obs.store.mounts import Mounts
from dam_obs.trace.events import TraceEvent

PARENT, CHILD = SystemKey("system", "execute", "parent"), SystemKey("system", "execute", "child")


def gathered(*events: TraceEvent) -> RunEvidence:
    return gather(events, Mounts([]))


def intervals(run: RunEvidence) -> dict[str, dict[int, list[tuple[int, int]]]]:
    return {key.component: dict(found.items()) for key, found in run.children().items()}


@pytest.fixture
def parent(event) -> TraceEvent:
    return event(component="parent", start_mono_ns=0, duration_ns=100)


def child_of(event: Any, parent: TraceEvent, **given: Any) -> TraceEvent:
    plain = {"component": "child", "parent_id": parent.trace_id, "otel_parent_id": parent.otel_span_id}
    return event(**(plain | {"start_mono_ns": 10, "duration_ns": 20} | given))


def test_an_execution_is_found_by_its_span(event, parent):
    """With its system and its row there."""
    child = child_of(event, parent)
    run = gathered(event(component="parent"), child, parent)

    found = run.find(parent.otel_span_id or "")
    assert found is not None
    assert (found[0].key, found[1]) == (PARENT, 1)
    assert run.find("ffffffffffffffff") is None
    assert run.find("") is None


@pytest.mark.parametrize("between", [{}, {"otel_parent_id": "00000000000fffff"}, {"otel_parent_id": None}])
def test_children_are_found_by_span_or_else_by_handle(event, parent, between):
    """Another library's span may lie between; and the seed's events have no spans."""
    assert intervals(gathered(child_of(event, parent, **between), parent)) == {"parent": {0: [(10, 30)]}}


def test_a_handle_counts_in_its_own_process_alone(event, parent):
    """Two processes may have issued the same one."""
    child = child_of(event, parent, otel_parent_id=None, pid=8)

    assert intervals(gathered(child, parent)) == {}


def test_steps_of_the_host_are_passed_through(event, parent):
    """Several, one within the other."""
    outer = child_of(event, parent, kind="step")
    inner = child_of(event, outer, kind="step")
    child = child_of(event, inner, start_mono_ns=40, duration_ns=5)

    assert intervals(gathered(child, inner, outer, parent)) == {"parent": {0: [(40, 45)]}}


def test_steps_in_a_circle_are_left_for_the_handle(event, parent):
    """Nobody writes such a thing, and nobody hangs over it."""
    step = child_of(event, parent, kind="step")
    step.otel_parent_id = step.otel_span_id
    child = child_of(event, step)

    assert intervals(gathered(child, step, parent)) == {"parent": {0: [(10, 30)]}}


def test_children_are_by_row_in_the_order_in_which_they_came(event, parent):
    """Of several parents each has its own."""
    second = event(component="parent", start_mono_ns=200, duration_ns=100)
    children = [
        child_of(event, one, start_mono_ns=at, duration_ns=1)
        for one, at in ((second, 210), (parent, 20), (second, 205), (parent, 5))
    ]

    assert intervals(gathered(*children, parent, second)) == {
        "parent": {0: [(20, 21), (5, 6)], 1: [(210, 211), (205, 206)]}
    }


def test_children_can_be_asked_for_by_row():
    """As in any mapping."""
    children = Children(np.array([7, 3, 7]), np.array([1, 2, 3]), np.array([4, 5, 6]))

    assert (children[7], children[3], len(children), list(children)) == ([(1, 4), (3, 6)], [(2, 5)], 2, [3, 7])
    assert children.get(4) is None
    assert dict(children.items()) == {row: children[row] for row in children}


def test_an_id_that_is_none_is_a_number_all_the_same():
    """Whatever a foreign file says; no id is 0."""
    assert number_of("00f067aa0ba902b7") == 0x00F067AA0BA902B7
    assert number_of(None) == number_of("") == 0
    assert number_of("not hex") == number_of("not hex") != number_of("nor this")
