"""Choosing events of a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.store.recall import Recall
from dam_obs.store.select import (
    NoSuchLayer,
    Selection,
    Test,
    check_layer,
    of_layer,
    select,
    with_id,
    with_status,
)
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]


def choose(events: Sequence[TraceEvent], **options: Any) -> Selection:
    return select(Recall(lambda: iter(events), held_events=2), **({"last": None} | options))


def ids(events: Sequence[TraceEvent]) -> str:
    """Handles by their last part: ``a b c``."""
    return " ".join(event.trace_id.rpartition("_")[2] for event in events)


@pytest.fixture
def forest(event: MakeEvent) -> list[TraceEvent]:
    """Three traces as spans end: ``a`` over ``b`` over ``c``, ``d`` alone, ``e`` over ``f`` and ``g``."""
    return [
        event("mem_1_c", parent_id="foc_1_b", hrm_layer="memory", status="error"),
        event("foc_1_b", parent_id="alt_1_a", hrm_layer="focus"),
        event("mem_2_f", parent_id="alt_2_e", hrm_layer="memory"),
        event("alt_1_a"),
        event("sys_1_d", hrm_layer="system", status="blocked"),
        event("mem_2_g", parent_id="alt_2_e", hrm_layer="memory", status="error"),
        event("alt_2_e"),
    ]


@pytest.mark.parametrize(
    ("last", "shown", "left_out", "left_out_traces"),
    [
        (None, "c b f a d g e", 0, 0),
        (7, "c b f a d g e", 0, 0),
        (6, "f d g e", 3, 1),
        (4, "f d g e", 3, 1),
        (3, "f g e", 4, 2),
        (1, "f g e", 4, 2),
    ],
)
def test_the_newest_whole_traces(
    forest: list[TraceEvent], last: int | None, shown: str, left_out: int, left_out_traces: int
) -> None:
    """As many as fit into the bound, one at least, and none is cut."""
    chosen = choose(forest, last=last)

    assert (ids(chosen.events), chosen.ancestors) == (shown, [])
    assert (chosen.left_out, chosen.left_out_traces) == (left_out, left_out_traces)


@pytest.mark.parametrize(
    ("tests", "last", "shown", "above", "left_out"),
    [
        ([with_status("error")], None, "c g", "b a e", 0),
        ([with_status("error")], 1, "g", "e", 1),
        ([with_status("error", "blocked")], None, "c d g", "b a e", 0),
        ([of_layer("memory")], None, "c f g", "b a e", 0),
        ([of_layer("mem"), with_status("success")], None, "f", "e", 0),
        ([of_layer("altitude")], None, "a e", "", 0),
        ([of_layer("learning")], None, "", "", 0),
    ],
)
def test_events_that_pass_come_with_those_above_them(
    forest: list[TraceEvent], tests: list[Test], last: int | None, shown: str, above: str, left_out: int
) -> None:
    """The bound counts what was asked for, not its ancestors."""
    chosen = choose(forest, tests=tests, last=last)

    assert (ids(chosen.events), ids(chosen.ancestors), chosen.left_out) == (shown, above, left_out)


@pytest.mark.parametrize("handle", ["alt_1_a", "foc_1_b", "mem_1_c"])
def test_any_of_its_handles_names_a_whole_request(forest: list[TraceEvent], handle: str) -> None:
    """Root or leaf, the tree is the same."""
    chosen = choose(forest, request=with_id(handle))

    assert (ids(chosen.events), chosen.in_request, chosen.read) == ("c b a", 3, 7)


def test_a_request_can_be_narrowed(forest: list[TraceEvent]) -> None:
    """Tests apply within the request that was named."""
    chosen = choose(forest, request=with_id("alt_2_e"), tests=[with_status("error")])

    assert (ids(chosen.events), ids(chosen.ancestors), chosen.in_request) == ("g", "e", 3)


def test_an_unknown_id_names_nothing(forest: list[TraceEvent]) -> None:
    """Nothing is taken for it."""
    chosen = choose(forest, request=with_id("alt_1_zzz"))

    assert (chosen.events, chosen.in_request, chosen.read) == ([], 0, 7)


def test_the_handle_of_a_root_that_never_ended_names_its_children(event: MakeEvent) -> None:
    """A kill leaves children without their root; its handle is known from them."""
    events = [event("foc_1_b", parent_id="alt_1_lost"), event("foc_1_c", parent_id="alt_1_lost"), event("alt_1_d")]

    assert ids(choose(events, request=with_id("alt_1_lost")).events) == "b c"


def test_a_handle_of_two_processes_names_both(event: MakeEvent) -> None:
    """Which one was meant is for the user to say, by an OpenTelemetry id."""
    events = [
        event("alt_1_a", pid=1, otel_trace_id="1" * 32, otel_span_id="a" * 16),
        event("alt_1_a", pid=2, otel_trace_id="2" * 32, otel_span_id="b" * 16),
        event("foc_1_c", parent_id="alt_1_a", pid=2, otel_span_id="c" * 16, otel_parent_id="b" * 16),
    ]

    assert choose(events, request=with_id("alt_1_a")).events == events
    assert choose(events, request=with_id("2" * 32)).events == events[1:]
    assert choose(events, request=with_id("A" * 16)).events == events[:1]
    assert choose(events, request=with_id("c" * 16)).events == events[1:]


def test_a_span_of_another_library_names_what_ran_below_it(event: MakeEvent) -> None:
    """Its id is known as a parent's alone."""
    events = [event("alt_1_a", otel_span_id="a" * 16, otel_parent_id="f" * 16), event("alt_1_b")]

    assert choose(events, request=with_id("f" * 16)).events == events[:1]


def test_a_layer_of_a_plugin_that_is_not_here_is_known_from_the_trace(event: MakeEvent) -> None:
    """By its name, and by the code that its handles have."""
    events = [event("bil_1_a", hrm_layer="billing"), event("alt_1_b")]
    chosen = choose(events)

    assert ids(choose(events, tests=[of_layer("billing")]).events) == "a"
    assert ids(choose(events, tests=[of_layer("bil")]).events) == "a"
    assert chosen.layers == {"billing": "bil", "altitude": "alt"}
    for word in ("billing", "bil", "alt", "memory"):
        check_layer(word, chosen.layers)


@pytest.mark.parametrize(
    ("word", "hint"),
    [("altitud", "did you mean altitude? "), ("biling", "did you mean billing? "), ("xyzzy", "")],
)
def test_a_layer_that_nobody_knows_is_refused(word: str, hint: str) -> None:
    """The nearest name is told, and all that there are."""
    with pytest.raises(NoSuchLayer) as caught:
        check_layer(word, {"billing": "bil"})

    assert str(caught.value) == (
        f"unknown layer '{word}': {hint}there are altitude (alt), focus (foc), reasoning (rsn), "
        "learning (lrn), memory (mem), system (sys), billing (bil)"
    )


def test_an_empty_trace_gives_an_empty_selection() -> None:
    """With and without tests."""
    for options in ({}, {"last": 5}, {"tests": [with_status("error")]}, {"request": with_id("alt_1_a")}):
        chosen = choose([], **options)
        assert (chosen.events, chosen.left_out, chosen.read) == ([], 0, 0)


@given(parents=st.lists(st.none() | st.integers(0, 12), max_size=12), last=st.integers(1, 12))
def test_no_trace_is_ever_cut(parents: list[int | None], last: int) -> None:
    """Whoever is the parent of whom: an event is shown exactly if its parent is, and the sums agree."""
    events = [
        TraceEvent(
            trace_id=f"h{n}", parent_id=None if parent is None else f"h{parent}", timestamp="2026-01-13T14:00:00",
            hrm_layer="system", operation="o", component="c", input_summary="", output_summary="", duration_ms=0,
            status="success", metadata={},
        )
        for n, parent in enumerate(parents)
    ]  # fmt: skip
    chosen = choose(events, last=last)
    shown = {event.trace_id for event in chosen.events}

    assert len(chosen.events) + chosen.left_out == len(events)
    assert (chosen.events != []) == (events != [])
    assert not events or events[-1].trace_id in shown
    for event in events:
        if event.parent_id is not None and any(each.trace_id == event.parent_id for each in events):
            assert (event.trace_id in shown) == (event.parent_id in shown)
