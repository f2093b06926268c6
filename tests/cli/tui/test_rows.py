"""Traces as rows, and which of them fit a filter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.cli._tui.lines import fitted
from dam_obs.cli._tui.rows import find, rows_of
from dam_obs.store.filter import parse_filter
from dam_obs.store.tree import traces
from dam_obs.trace.events import TraceEvent


def made(number, parent=None, **fields):
    plain = {
        "timestamp": f"2026-01-13T14:00:{number % 60:02d}+00:00", "hrm_layer": "altitude", "operation": "plan",
        "component": "c", "input_summary": "", "output_summary": "", "duration_ms": 0, "status": "success",
        "metadata": {},
    }  # fmt: skip
    parent_id = None if parent is None else f"alt_1_{parent}"
    return TraceEvent(trace_id=f"alt_1_{number}", parent_id=parent_id, **(plain | fields))


forests = st.lists(st.one_of(st.none(), st.integers(0, 59)), max_size=40).map(
    lambda parents: [made(number, parent) for number, parent in enumerate(parents)]
)


@given(forests)
def test_rows_are_the_trees_walked_through(events):
    """Whatever is whose parent: each row knows its parent, and where what is below it ends."""
    trees = list(traces(events))
    rows = rows_of(events)

    assert [[id(node.event) for node in row.nodes] for row in reversed(rows)] == [
        [id(node.event) for _, node in tree.root.walk()] for tree in trees
    ]
    for row in rows:
        for number, node in enumerate(row.nodes):
            below = [each for each in range(len(row.nodes)) if _descends(row, each, number)]
            assert below == list(range(number, node.end))
            assert node.depth == (0 if node.parent is None else row.nodes[node.parent].depth + 1)


def _descends(row, number, ancestor):
    while number is not None and number != ancestor:
        number = row.nodes[number].parent
    return number == ancestor


@given(forests)
def test_events_that_fit_are_found(events):
    """The traces that have one, in their order, each with those that fit."""
    for number, event in enumerate(events):
        event.status = "error" if number % 3 == 0 else "success"
    rows = rows_of(events)
    found = find(rows, parse_filter("status:error"), lambda: False)

    expected = [
        (row, frozenset(n for n, node in enumerate(row.nodes) if node.event.status == "error"))
        for row in rows
        if row.errors
    ]
    assert [(each.row, each.matching) for each in found] == expected


def test_search_that_is_not_wanted_any_more_stops():
    """Without an answer, after at most some hundred events."""
    asked = []

    def given_up():
        asked.append(True)
        return len(asked) > 2

    rows = rows_of([made(number) for number in range(5_000)])

    assert find(rows, parse_filter("status:error"), given_up) is None
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("abc", 5, "abc  "),
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日 …"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
        ("abc", -3, ""),
        ("", 2, "  "),
    ],
)
def test_text_in_so_many_columns(text, width, expected):
    """Filled up or cut, also where a character takes two columns."""
    assert fitted(text, width) == expected
