"""Choosing events of a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dam_obs.store.filter import Filter, all_of, of_layers, with_statuses
from dam_obs.store.select import NoSuchLayer, Selection, check_layer, select
from dam_obs.store.table import table_of
from dam_obs.trace.events import TraceEvent

MakeEvent = Callable[..., TraceEvent]


def choose(events: Sequence[TraceEvent], **options: Any) -> Selection:
    with table_of(events, "events") as table:
        return select(table, **({"last": None} | options))


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
    ("options", "shown", "whole"),
    [
        ({"wanted": with_statuses(["error"]), "last": 1, "whole_up_to": 3}, "g e", "f g e"),
        ({"wanted": with_statuses(["error"]), "last": 1, "whole_up_to": 2}, "g e", None),
        ({"wanted": with_statuses(["error"]), "whole_up_to": 99}, "c b a g e", "c b f a g e"),
        ({"wanted": of_layers(["mem"]), "request": "foc_1_b", "whole_up_to": 99}, "c b a", "c b a"),
        ({"last": 3, "whole_up_to": 99}, "f g e", "f g e"),
        ({"last": 3, "whole_up_to": 2}, "f g e", None),
        ({"last": 3}, "f g e", None),
    ],
)
def test_the_whole_traces_of_what_is_shown(
    forest: list[TraceEvent], options: dict[str, Any], shown: str, whole: str | None
) -> None:
    """For who tells what holds of the whole alone; the same objects, and not if they are too many."""
    chosen = choose(forest, **options)

    assert ids(chosen.shown) == shown
    assert (None if chosen.whole is None else ids(chosen.whole)) == whole
    if chosen.whole is not None:
        assert {id(event) for event in chosen.shown} <= {id(event) for event in chosen.whole}


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
    ("wanted", "last", "shown", "above", "left_out"),
    [
        (with_statuses(["error"]), None, "c g", "b a e", 0),
        (with_statuses(["error"]), 1, "g", "e", 1),
        (with_statuses(["error", "blocked"]), None, "c d g", "b a e", 0),
        (of_layers(["memory"]), None, "c f g", "b a e", 0),
        (all_of(of_layers(["mem"]), with_statuses(["success"])), None, "f", "e", 0),
        (of_layers(["altitude"]), None, "a e", "", 0),
        (of_layers(["learning"]), None, "", "", 0),
    ],
)
def test_events_that_pass_come_with_those_above_them(
    forest: list[TraceEvent], wanted: Filter, last: int | None, shown: str, above: str, left_out: int
) -> None:
    """The bound counts what was asked for, not its ancestors."""
    chosen = choose(forest, wanted=wanted, last=last)

    assert (ids(chosen.events), ids(chosen.ancestors), chosen.left_out) == (shown, above, left_out)


@pytest.mark.parametrize("handle", ["alt_1_a", "foc_1_b", "mem_1_c"])
def test_any_of_its_handles_names_a_whole_request(forest: list[TraceEvent], handle: str) -> None:
    """Root or leaf, the tree is the same."""
    chosen = choose(forest, request=handle)

    assert (ids(chosen.events), chosen.in_request, chosen.read) == ("c b a", 3, 7)


def test_a_request_can_be_narrowed(forest: list[TraceEvent]) -> None:
    """Tests apply within the request that was named."""
    chosen = choose(forest, request="alt_2_e", wanted=with_statuses(["error"]))

    assert (ids(chosen.events), ids(chosen.ancestors), chosen.in_request) == ("g", "e", 3)


def test_an_unknown_id_names_nothing(forest: list[TraceEvent]) -> None:
    """Nothing is taken for it."""
    chosen = choose(forest, request="alt_1_zzz")

    assert (chosen.events, chosen.in_request, chosen.read) == ([], 0, 7)


def test_the_handle_of_a_root_that_never_ended_names_its_children(event: MakeEvent) -> None:
    """A kill leaves children without their root; its handle is known from them."""
    events = [event("foc_1_b", parent_id="alt_1_lost"), event("foc_1_c", parent_id="alt_1_lost"), event("alt_1_d")]

    assert ids(choose(events, request="alt_1_lost").events) == "b c"


def test_a_handle_of_two_processes_names_both(event: MakeEvent) -> None:
    """Which one was meant is for the user to say, by an OpenTelemetry id."""
    events = [
        event("alt_1_a", pid=1, otel_trace_id="1" * 32, otel_span_id="a" * 16),
        event("alt_1_a", pid=2, otel_trace_id="2" * 32, otel_span_id="b" * 16),
        event("foc_1_c", parent_id="alt_1_a", pid=2, otel_span_id="c" * 16, otel_parent_id="b" * 16),
    ]

    assert choose(events, request="alt_1_a").events == events
    assert choose(events, request="2" * 32).events == events[1:]
    assert choose(events, request="A" * 16).events == events[:1]
    assert choose(events, request="c" * 16).events == events[1:]


def test_a_span_of_another_library_names_what_ran_below_it(event: MakeEvent) -> None:
    """Its id is known as a parent's alone."""
    events = [event("alt_1_a", otel_span_id="a" * 16, otel_parent_id="f" * 16), event("alt_1_b")]

    assert choose(events, request="f" * 16).events == events[:1]


def test_a_layer_of_a_plugin_that_is_not_here_is_known_from_the_trace(event: MakeEvent) -> None:
    """By its name, and by the code that its handles have."""
    events = [event("bil_1_a", hrm_layer="billing"), event("alt_1_b")]
    chosen = choose(events)

    assert ids(choose(events, wanted=of_layers(["billing"])).events) == "a"
    assert ids(choose(events, wanted=of_layers(["bil"])).events) == "a"
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
    for options in ({}, {"last": 5}, {"wanted": with_statuses(["error"])}, {"request": "alt_1_a"}):
        chosen = choose([], **options)
        assert (chosen.events, chosen.left_out, chosen.read) == ([], 0, 0)


def test_a_trace_beyond_all_bounds_is_cut(event: MakeEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its newest events are shown, below what led to them, and it says so."""
    monkeypatch.setattr("dam_obs.store.select.MOST_OF_A_TRACE", 3)
    events = [event("alt_1_z"), *(event(f"foc_1_{n}", parent_id="alt_1_a") for n in range(6)), event("alt_1_a")]

    chosen = choose(events, last=2)

    assert (ids(chosen.events), ids(chosen.ancestors), chosen.left_out, chosen.cut) == ("4 5 a", "", 5, True)
    assert ids(choose(events, last=7).events) == "0 1 2 3 4 5 a"
    assert not choose(events, last=7).cut


# -- against the same, done simply


def naive_parents(events: Sequence[TraceEvent]) -> list[int | None]:
    """Each event's parent: the last with the span id, else the first with the handle here, else the first with it."""
    found: list[int | None] = []
    for number, each in enumerate(events):
        spans = [
            n for n, other in enumerate(events) if other.otel_span_id and other.otel_span_id == each.otel_parent_id
        ]
        named = [n for n, other in enumerate(events) if other.trace_id == each.parent_id]
        here = [n for n in named if events[n].pid == each.pid]
        parent = spans[-1] if spans else here[0] if here else named[0] if named else None
        found.append(None if parent == number else parent)
    return found


def naive_traces(parents: Sequence[int | None]) -> list[set[int]]:
    """The events that hang together, each set once, the one that ended last first."""
    groups = [{number} for number in range(len(parents))]
    for number, parent in enumerate(parents):
        if parent is not None and groups[number] is not groups[parent]:
            groups[number] |= groups[parent]
            for member in groups[number]:
                groups[member] = groups[number]
    return sorted({id(group): group for group in groups}.values(), key=max, reverse=True)


@st.composite
def forests(draw: st.DrawFn) -> list[TraceEvent]:
    """Random parents, by span id or by handle alone, in any order, missing, across processes, in circles."""
    events = []
    for number in range(draw(st.integers(0, 14))):
        parent = draw(st.none() | st.integers(0, 15))
        otel, pid = draw(st.booleans()), draw(st.sampled_from([1, 2]))
        events.append(
            TraceEvent(
                trace_id=f"sys_1_{number % 11}", parent_id=None if parent is None else f"sys_1_{parent % 11}",
                timestamp="2026-01-13T14:00:00", hrm_layer="system", operation="o", component="c", input_summary="",
                output_summary=str(number), duration_ms=0, status=draw(st.sampled_from(["success", "error"])),
                metadata={}, pid=pid, otel_trace_id=f"{number % 3:032x}" if otel else None,
                otel_span_id=f"{number + 1:016x}" if otel else None,
                otel_parent_id=f"{parent + 1:016x}" if otel and parent is not None else None,
            )
        )  # fmt: skip
    return events


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(events=forests(), last=st.none() | st.integers(1, 12))
def test_whole_traces_are_those_of_a_simple_search(events: list[TraceEvent], last: int | None) -> None:
    """Whoever is the parent of whom: no trace is cut, the newest are taken, and the sums agree."""
    parents = naive_parents(events)
    kept: list[set[int]] = []
    for group in naive_traces(parents):
        if kept and last is not None and sum(map(len, kept)) + len(group) > last:
            break
        kept.append(group)
    expected = sorted(set().union(*kept))

    chosen = choose(events, last=last)

    assert chosen.events == chosen.shown == [events[number] for number in expected]
    assert (chosen.read, chosen.left_out) == (len(events), len(events) - len(expected))
    assert chosen.left_out_traces == sum(
        parent is None for number, parent in enumerate(parents) if number not in expected
    )


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(events=forests(), last=st.none() | st.integers(1, 6))
def test_passing_events_are_those_of_a_simple_search(events: list[TraceEvent], last: int | None) -> None:
    """The newest that pass, and whatever is above them."""
    parents = naive_parents(events)
    passing = [number for number, each in enumerate(events) if each.status == "error"]
    newest = passing if last is None else passing[-last:]
    shown = set(newest)
    for number in newest:
        above = parents[number]
        while above is not None and above not in shown:
            shown.add(above)
            above = parents[above]

    chosen = choose(events, wanted=with_statuses(["error"]), last=last)

    assert chosen.events == [events[number] for number in newest]
    assert chosen.shown == [events[number] for number in sorted(shown)]
    assert chosen.left_out == len(passing) - len(newest)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(events=forests(), named=st.integers(0, 10))
def test_a_request_is_that_of_a_simple_search(events: list[TraceEvent], named: int) -> None:
    """All traces that have an event with this handle, or a child of one, whole."""
    handle = f"sys_1_{named}"
    expected = [
        group
        for group in naive_traces(naive_parents(events))
        if any(handle in (events[number].trace_id, events[number].parent_id) for number in group)
    ]

    chosen = choose(events, request=handle)

    assert chosen.events == [events[number] for number in sorted(set().union(*expected))]
    assert chosen.in_request == len(chosen.events)
