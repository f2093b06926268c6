"""Gathering events, as they come, to whole traces."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.store.gather import Gathered, Gathering
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def gathering(clock: Hands) -> Gathering:
    return Gathering(settle_s=1.0, quiet_s=10.0, held_events=10, clock=clock)


def shown(gathered: Iterable[Gathered]) -> list[Any]:
    """Why, each tree's handles from the root down, and a mark where it is cut."""
    return [
        (each.why, *(" ".join(node.event.trace_id for _, node in trace.root.walk()) for trace in each.traces))
        + (("cut",) if each.cut else ())
        for each in gathered
    ]


def test_a_trace_is_given_once_its_root_has_ended(gathering: Gathering, clock: Hands, event: MakeEvent) -> None:
    """Children end first; nothing is shown of it before."""
    gathering.add(event("mem_1_c", parent_id="foc_1_b"))
    gathering.add(event("foc_1_b", parent_id="alt_1_a"))
    clock.at += 5
    assert shown(gathering.due()) == []

    gathering.add(event("alt_1_a"))
    clock.at += 1

    assert shown(gathering.due()) == [("ended", "alt_1_a foc_1_b mem_1_c")]
    assert shown(gathering.due()) == []
    assert gathering.held == 0


def test_it_waits_a_moment_for_what_other_processes_write(gathering: Gathering, clock: Hands, event: MakeEvent) -> None:
    """A child in another process is found by its span, and starts the moment anew."""
    gathering.add(event("alt_1_a", pid=1, otel_span_id="a" * 16))
    clock.at += 0.9
    gathering.add(event("foc_1_b", pid=2, parent_id="alt_1_a", otel_span_id="b" * 16, otel_parent_id="a" * 16))
    clock.at += 0.9
    assert shown(gathering.due()) == []

    clock.at += 0.1
    assert shown(gathering.due()) == [("ended", "alt_1_a foc_1_b")]


def test_a_trace_that_is_quiet_for_long_is_given_as_it_is(gathering: Gathering, clock: Hands, event: MakeEvent) -> None:
    """And what comes of it after all is known to be a part."""
    gathering.add(event("mem_1_c", parent_id="foc_1_b"))
    clock.at += 9.9
    assert shown(gathering.due()) == []
    clock.at += 0.1
    assert shown(gathering.due()) == [("quiet", "mem_1_c")]

    gathering.add(event("foc_1_b", parent_id="alt_1_a"))
    gathering.add(event("alt_1_a"))
    clock.at += 1
    assert shown(gathering.due()) == [("ended", "alt_1_a foc_1_b", "cut")]


def test_what_ends_after_its_root_is_given_late(gathering: Gathering, clock: Hands, event: MakeEvent) -> None:
    """A task that nobody awaits: its trace was shown, and it is not held back for long."""
    gathering.add(event("alt_1_a"))
    clock.at += 1
    assert shown(gathering.due()) == [("ended", "alt_1_a")]

    gathering.add(event("foc_1_b", parent_id="alt_1_a"))
    gathering.add(event("foc_1_c", parent_id="alt_1_a"))
    clock.at += 1

    assert shown(gathering.due()) == [("late", "foc_1_b", "foc_1_c")]


def test_handles_of_two_processes_are_two_traces(gathering: Gathering, clock: Hands, event: MakeEvent) -> None:
    """Each process issues its own."""
    for pid in (1, 2):
        gathering.add(event("foc_1_b", pid=pid, parent_id="alt_1_a"))
    gathering.add(event("alt_1_a", pid=2))
    clock.at += 1

    assert shown(gathering.due()) == [("ended", "alt_1_a foc_1_b")]


def test_beyond_the_bound_the_oldest_trace_goes_whole(gathering: Gathering, clock: Hands, event: MakeEvent) -> None:
    """It is counted, and its root, when it comes, does not look like all of it."""
    for number in range(3):
        gathering.add(event(f"mem_1_{number}", parent_id="alt_1_old"))
    for number in range(8):
        gathering.add(event(f"mem_2_{number}", parent_id="alt_2_new"))

    assert (gathering.let_go_traces, gathering.let_go_events, gathering.held) == (1, 3, 8)
    gathering.add(event("alt_1_old"))
    clock.at += 1
    assert shown(gathering.due()) == [("ended", "alt_1_old", "cut")]


def test_what_is_whole_is_given_rather_than_let_go(gathering: Gathering, event: MakeEvent) -> None:
    """Room is made by not waiting for latecomers."""
    gathering.add(event("alt_1_a"))
    for number in range(10):
        gathering.add(event(f"mem_2_{number}", parent_id="alt_2_b"))

    assert shown(gathering.due()) == [("ended", "alt_1_a")]
    assert (gathering.let_go_traces, gathering.held) == (0, 10)


def test_at_the_end_everything_is_given(gathering: Gathering, event: MakeEvent) -> None:
    """Whole or not."""
    gathering.add(event("foc_2_b", parent_id="alt_2_b"))
    gathering.add(event("alt_1_a"))

    assert shown(gathering.rest()) == [("stopped", "foc_2_b"), ("ended", "alt_1_a")]
    assert gathering.held == 0


@given(
    parents=st.lists(st.integers(-1, 8), min_size=1, max_size=9),
    order=st.randoms(use_true_random=False),
    looks=st.lists(st.booleans(), min_size=9, max_size=9),
)
def test_each_event_is_given_once_with_its_whole_trace(parents: list[int], order: Any, looks: list[bool]) -> None:
    """In whatever order events come, and however often one looks, unless a root comes before what is below it."""
    events = [
        TraceEvent(
            trace_id=f"h{n}", parent_id=f"h{parent}" if 0 <= parent < n else None, timestamp="2026-01-13T14:00:00",
            hrm_layer="system", operation="o", component="c", input_summary="", output_summary="", duration_ms=0,
            status="success", metadata={},
        )
        for n, parent in enumerate(parents)
    ]  # fmt: skip
    inner = [each for each in events if each.parent_id is not None]
    order.shuffle(inner)
    clock = Hands()
    gathering = Gathering(settle_s=1.0, quiet_s=99.0, clock=clock)
    given_away: list[Gathered] = []
    for each, look in zip([*inner, *(each for each in events if each.parent_id is None)], looks, strict=False):
        gathering.add(each)
        clock.at += 2 if look else 0
        given_away += gathering.due()
    given_away += gathering.rest()

    assert all(each.why == "ended" and not each.cut and len(each.traces) == 1 for each in given_away)
    assert not any(each.traces[0].partial for each in given_away)
    handles = [node.event.trace_id for each in given_away for _, node in each.traces[0].root.walk()]
    assert sorted(handles) == sorted(each.trace_id for each in events)
