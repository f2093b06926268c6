"""Going back to events of a trace that is too large to hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dam_obs.store.recall import Recall, TraceChanged
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]


@pytest.mark.parametrize("held", [0, 3, 10, 100])
@pytest.mark.parametrize("positions", [[], [0], [9], [7, 2, 7], range(10)])
def test_events_are_found_again(event: MakeEvent, held: int, positions: list[int]) -> None:
    """Whether at hand or read again, in the order of the trace."""
    events = [event(f"sys_1_{n}") for n in range(10)]
    trace = Recall(lambda: iter(events), held_events=held)

    assert [each.trace_id for each in trace] == [each.trace_id for each in events]
    assert len(trace) == 10
    assert trace.take(positions) == [events[position] for position in sorted(set(positions))]


def test_the_newest_are_not_read_again(event: MakeEvent) -> None:
    """A source that can be read once only serves for these."""
    events = [event(f"sys_1_{n}") for n in range(10)]
    once = iter([iter(events)])
    trace = Recall(lambda: next(once), held_events=4)
    for _ in trace:
        pass

    assert trace.take([6, 9]) == [events[6], events[9]]


@pytest.mark.parametrize("second", [range(1, 11), range(3)], ids=["moved on", "shortened"])
def test_a_trace_that_was_replaced_meanwhile_is_refused(event: MakeEvent, second: range) -> None:
    """Other events are never taken for those that were asked for."""
    readings = iter([range(10), second])
    trace = Recall(lambda: [event(f"sys_1_{n}") for n in next(readings)], held_events=1)
    for _ in trace:
        pass

    with pytest.raises(TraceChanged, match="try again"):
        trace.take([2, 4])


def test_what_was_appended_meanwhile_does_no_harm(event: MakeEvent) -> None:
    """A trace may grow while it is read."""
    readings = iter([range(10), range(12)])
    trace = Recall(lambda: [event(f"sys_1_{n}") for n in next(readings)], held_events=1)
    for _ in trace:
        pass

    assert [each.trace_id for each in trace.take([2, 9])] == ["sys_1_2", "sys_1_9"]
