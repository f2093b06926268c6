"""Events are held to what their trace points promise, and to no more."""

import pytest

from dam_obs.points.check import event_problems
from dam_obs.trace.events import TraceEvent

POINT = """
[[points]]
layer = "focus"
operation = "gate_check"
meaning = "m"
[points.data.reason]
type = "str"
meaning = "m"
"""

TARGETS = {
    "none: the program sets it": ("", True),
    "one that reads it": ('[[points.targets]]\nfunction = "m:f"\ndata.reason.from = "result"\n', True),
    "one that leaves it to the program": ('[[points.targets]]\nfunction = "m:f"\n', True),
    "one that reads it and one that does not": (
        '[[points.targets]]\nfunction = "m:f"\ndata.reason.from = "result"\n[[points.targets]]\nfunction = "m:g"\n',
        False,
    ),
}


@pytest.mark.parametrize(("targets", "promised"), TARGETS.values(), ids=TARGETS)
def test_data_that_only_some_targets_read_is_not_promised(points, targets, promised):
    """A host may have what a point carries in some places and not in others."""
    event = TraceEvent(
        trace_id="foc_1705180800_a3f2",
        parent_id=None,
        timestamp="2026-01-13T14:00:00+00:00",
        hrm_layer="focus",
        operation="gate_check",
        component="gates.py",
        input_summary="",
        output_summary="",
        duration_ms=0,
        status="success",
        metadata={},
    )

    assert list(event_problems(points(POINT + targets).points, [event])) == (
        ["focus.gate_check: 1 of 1 finished events carry no reason"] if promised else []
    )
