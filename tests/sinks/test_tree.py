"""The tree: the seed's shape, the right order, and nothing a terminal would obey."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.sinks.tree import render
from dam_obs.trace.events import TraceEvent


def event(handle: str, parent: str | None = None, second: int = 0, **given_fields) -> TraceEvent:
    fields = {
        "timestamp": f"2026-01-13T14:00:{second:02}",
        "hrm_layer": "altitude",
        "operation": "op",
        "component": "c.py",
        "input_summary": "",
        "output_summary": "",
        "duration_ms": 0,
        "status": "success",
        "metadata": {},
    }
    return TraceEvent(trace_id=handle, parent_id=parent, **{**fields, **given_fields})


def test_the_seeds_own_example():
    """The three events of the seed's file, in the order in which they end, print as the seed says."""
    events = [
        event("mem_1705180802_c8d2", "foc_1705180801_b7c1", 2, hrm_layer="memory", operation="write",
              input_summary="altitude.session", output_summary="written", duration_ms=3,
              metadata={"tokens_saved": 45, "tier": "warm"}),
        event("foc_1705180801_b7c1", "alt_1705180800_a3f2", 1, hrm_layer="focus", operation="gate_check",
              input_summary="WriteApprovalGate", output_summary="allowed", duration_ms=2,
              metadata={"user_consent": True}),
        event("alt_1705180800_a3f2", None, 0, operation="transition", input_summary="L3→L2",
              output_summary="success", duration_ms=5, metadata={"reason": "user requested tactical"}),
    ]  # fmt: skip

    assert render(events) == [
        "[alt] transition: L3→L2 → success (5ms)",
        "  └─[foc] gate_check: WriteApprovalGate → allowed (2ms)",
        "      └─[mem] write: altitude.session → written (3ms) [saved 45 tokens]",
    ]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "[alt] op: success (0ms)"),
        ({"input_summary": "in"}, "[alt] op: in → success (0ms)"),
        ({"output_summary": "out"}, "[alt] op: out (0ms)"),
        ({"status": "blocked", "input_summary": "in"}, "[alt] op: in → blocked (0ms)"),
        ({"status": "blocked", "output_summary": "denied"}, "[alt] op: denied (0ms)"),
        ({"status": "error"}, "[alt] op: error (0ms)"),
        (
            {"status": "error", "output_summary": "out", "metadata": {"error.type": "ValueError"}},
            "[alt] op: error: ValueError (0ms)",
        ),
        ({"metadata": {"tokens_saved": "many"}}, "[alt] op: success (0ms)"),
        ({"input_summary": "\x1b[31mred\n\u202e\ud800"}, r"[alt] op: \x1b[31mred\n\u202e\ud800 → success (0ms)"),
    ],
)
def test_a_line_says_what_is_known(fields, line):
    """Input where there is one, then output, else the status."""
    assert render([event("alt_1_a", **fields)]) == [line]


def test_a_code_comes_from_the_handle():
    """A layer that is not registered here has its code all the same."""
    assert render([event("xyz_1_a", hrm_layer="warehouse")]) == ["[xyz] op: success (0ms)"]
    assert render([event("odd", hrm_layer="warehouse")]) == ["[war] op: success (0ms)"]


def test_siblings_stand_in_the_order_in_which_they_started():
    """However they ended; roots too."""
    events = [
        event("alt_1_c", "alt_1_a", 3),
        event("alt_1_d", None, 9, operation="later"),
        event("alt_1_b", "alt_1_a", 2, operation="first"),
        event("alt_1_a", None, 1, operation="root"),
    ]

    assert render(events) == [
        "[alt] root: success (0ms)",
        "  └─[alt] first: success (0ms)",
        "  └─[alt] op: success (0ms)",
        "[alt] later: success (0ms)",
    ]


def test_a_parent_is_looked_for_in_the_same_trace_and_process_first():
    """Handles of two processes may meet."""
    events = [
        event("alt_1_a", None, 1, operation="one", otel_trace_id="1" * 32, pid=1),
        event("alt_1_a", None, 2, operation="two", otel_trace_id="1" * 32, pid=2),
        event("alt_1_a", None, 3, operation="three", otel_trace_id="3" * 32, pid=2),
        event("alt_1_b", "alt_1_a", 4, operation="of two", otel_trace_id="1" * 32, pid=2),
        event("alt_1_c", "alt_1_a", 5, operation="of one", otel_trace_id="1" * 32, pid=7),
        event("alt_1_d", "alt_1_a", 6, operation="of none", otel_trace_id="4" * 32, pid=2),
    ]

    assert render(events) == [
        "[alt] one: success (0ms)",
        "  └─[alt] of one: success (0ms)",
        "[alt] two: success (0ms)",
        "  └─[alt] of two: success (0ms)",
        "[alt] three: success (0ms)",
        "[alt] of none: success (0ms)",
    ]


handles = st.sampled_from(["alt_1_a", "alt_1_b", "alt_1_c", "alt_1_d"])


@given(st.lists(st.tuples(handles, st.none() | handles, st.integers(0, 59)), max_size=12))
def test_every_event_is_printed_once(triples):
    """Whatever a file claims about parents: loops, doubles, strangers."""
    assert len(render([event(*triple) for triple in triples])) == len(triples)


def test_a_deep_tree_is_no_recursion():
    """Ten thousand levels."""
    events = [event(f"alt_1_{number}", f"alt_1_{number - 1}" if number else None) for number in range(10_000)]

    assert render(events)[-1].startswith(" " * (4 * 9_999 - 2) + "└─[alt]")
