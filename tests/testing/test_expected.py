"""Whole events compare by what they say."""

import pytest

from dam_obs import tracer
from dam_obs.testing import event


def test_an_event_equals_what_says_the_same(recorder, clock):
    """Names, duration and data all count; ids only where they are named."""
    with tracer.span("foc", "gate_check", "gates.py", "write", gate="write") as span:
        clock.advance(seconds=3)
        span.set_output("allowed")

    wanted = {
        "input_summary": "write",
        "output_summary": "allowed",
        "metadata": {"gate": "write"},
        "duration_ns": 3 * 10**9,
    }
    assert recorder.events() == [event("focus", "gate_check", "gates.py", **wanted)]
    assert recorder.events() == [event("focus", "gate_check", "gates.py", **wanted, trace_id=span.trace_id)]


@pytest.mark.parametrize(
    "more",
    [
        {"parent_id": "alt_1_a"},
        {"output_summary": "x"},
        {"status": "blocked"},
        {"metadata": {"a": 1}},
        {"duration_ns": 1},
        {"pid": 0},
    ],
)
def test_an_event_that_says_something_else_differs(recorder, more):
    """Whatever is expected beyond what was said makes a difference."""
    with tracer.span("foc", "gate_check", "gates.py"):
        pass

    assert recorder.events() == [event("focus", "gate_check", "gates.py")]
    assert recorder.events() != [event("focus", "gate_check", "gates.py", **more)]


def test_it_shows_what_it_expects():
    """A failed assertion names every field."""
    shown = repr(event("focus", "gate_check", "gates.py", status="blocked"))

    assert shown.startswith("event(hrm_layer='focus', operation='gate_check', component='gates.py', parent_id=None")
    assert "status='blocked'" in shown
