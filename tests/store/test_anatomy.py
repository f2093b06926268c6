"""Self time, gaps, concurrency and the critical path of a trace."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.store.anatomy import Anatomy, anatomy
from dam_obs.store.timeline import Interval
from dam_obs.store.tree import traces
from dam_obs.trace.events import TraceEvent

MS = 1_000_000
US = 1_000


def span(name: str, parent: str | None, start: int, end: int, **fields: Any) -> TraceEvent:
    """An event of process 1 from `start` to `end`, in microseconds by the wall clock."""
    plain: dict[str, Any] = {
        "hrm_layer": "system", "operation": name, "component": "", "input_summary": "", "output_summary": "",
        "duration_ms": (end - start) // 1000, "duration_ns": (end - start) * US, "status": "success", "metadata": {},
        "timestamp": f"2026-01-13T14:00:{10 + start // 1_000_000:02d}.{start % 1_000_000:06d}+00:00", "pid": 1,
    }  # fmt: skip
    return TraceEvent(trace_id=name, parent_id=parent, **(plain | fields))


def taken_apart(*events: TraceEvent) -> Anatomy:
    (trace,) = traces(events)
    return anatomy(trace)


def path(found: Anatomy) -> list[tuple[str, int, int]]:
    """The critical path in microseconds."""
    return [(each.node.event.trace_id, each.start_ns // US, each.end_ns // US) for each in found.path]


def of(found: Anatomy, name: str) -> Any:
    return next(part for part in found.parts if part.node.event.trace_id == name)


# -- the critical path, case by case


class Case(NamedTuple):
    what: str
    spans: list[tuple[str, str | None, int, int]]
    path: list[tuple[str, int, int]]


CASES = [
    Case("a span alone decides all", [("a", None, 0, 9)], [("a", 0, 9)]),
    Case(
        "calls one after the other, and what lies between",
        [("a", None, 0, 100), ("b", "a", 10, 30), ("c", "a", 40, 90)],
        [("a", 0, 10), ("b", 10, 30), ("a", 30, 40), ("c", 40, 90), ("a", 90, 100)],
    ),
    Case(
        "of those awaited together the slowest",
        [("a", None, 0, 100), ("b", "a", 10, 50), ("c", "a", 10, 95), ("d", "a", 10, 70)],
        [("a", 0, 10), ("c", 10, 95), ("a", 95, 100)],
    ),
    Case(
        "two rounds of tasks: the slowest of each",
        [("a", None, 0, 100), ("b", "a", 0, 40), ("c", "a", 0, 30), ("d", "a", 40, 60), ("e", "a", 40, 100)],
        [("b", 0, 40), ("e", 40, 100)],
    ),
    Case(
        "down through the children's children",
        [("a", None, 0, 100), ("b", "a", 0, 100), ("c", "b", 20, 80), ("d", "b", 20, 60)],
        [("b", 0, 20), ("c", 20, 80), ("b", 80, 100)],
    ),
    Case(
        "one that started while another ran: until then the parent was at it",
        [("a", None, 0, 100), ("b", "a", 0, 60), ("c", "a", 50, 100)],
        [("a", 0, 50), ("c", 50, 100)],
    ),
    Case("what outlives the root decides nothing", [("a", None, 0, 10), ("b", "a", 5, 50)], [("a", 0, 10)]),
    Case("what starts after the root's end neither", [("a", None, 0, 10), ("b", "a", 20, 30)], [("a", 0, 10)]),
    Case(
        "a task that its starter does not wait for, but the root does",
        [("a", None, 0, 100), ("b", "a", 10, 30), ("task", "b", 20, 90)],
        [("a", 0, 10), ("b", 10, 20), ("task", 20, 90), ("a", 90, 100)],
    ),
    Case(
        "a task that began when its starter had ended",
        [("a", None, 0, 100), ("b", "a", 10, 30), ("task", "b", 50, 90)],
        [("a", 0, 10), ("b", 10, 30), ("a", 30, 50), ("task", 50, 90), ("a", 90, 100)],
    ),
    Case(
        "a task of a task",
        [("a", None, 0, 100), ("b", "a", 0, 20), ("t1", "b", 10, 40), ("t2", "t1", 30, 100)],
        [("b", 0, 10), ("t1", 10, 30), ("t2", 30, 100)],
    ),
    Case("a root without a duration has no path", [("a", None, 0, 0), ("b", "a", 0, 0)], []),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_the_critical_path(case: Case) -> None:
    """Who decided when the root ended."""
    assert path(taken_apart(*(span(*each) for each in case.spans))) == case.path


# -- what a measured run knows


def measured(name: str, parent: str | None, start: int, end: int, thread: int = 7, **fields: Any) -> TraceEvent:
    base = 5_000_000
    fields["segments"] = [((base + s) * US, (base + e) * US, t) for s, e, t in fields.get("segments", [])] or None
    return span(name, parent, start, end, start_mono_ns=(base + start) * US, thread_id=thread, **fields)


BUSY_PATHS = [
    ("it was busy with something else", [(0, 100, 7)], 100, 8, [("a", 0, 100)]),
    ("it was suspended", [(0, 10, 7), (60, 100, 7)], 50, 8, [("a", 0, 10), ("b", 10, 60), ("a", 60, 100)]),
    ("it blocked, as the CPU time shows", [(0, 100, 7)], 20, 8, [("a", 0, 10), ("b", 10, 60), ("a", 60, 100)]),
    ("it called it", [(0, 100, 7)], 100, 7, [("a", 0, 10), ("b", 10, 60), ("a", 60, 100)]),
]


@pytest.mark.parametrize(("what", "segments", "cpu", "thread", "expected"), BUSY_PATHS, ids=[b[0] for b in BUSY_PATHS])
def test_a_measured_run_knows_whether_a_child_was_waited_for(
    what: str, segments: Any, cpu: int, thread: int, expected: Any
) -> None:
    """A child ended at 60; the parent's segments tell what it did then."""
    parent = measured("a", None, 0, 100, segments=segments, cpu_ns=cpu * US)
    child = measured("b", "a", 10, 60, thread=thread)

    assert path(taken_apart(parent, child)) == expected


# -- self time, gaps, concurrency


def test_children_that_run_at_once_cover_their_union() -> None:
    """Not their sum: two children of 60 µs in 100 leave 20, not less than nothing."""
    found = taken_apart(span("a", None, 0, 100), span("b", "a", 10, 70), span("c", "a", 30, 90))
    part = of(found, "a")

    assert (part.self_ns, part.covered_ns, part.uncovered_ns) == (20 * US, 80 * US, 20 * US)
    assert (part.at_once, part.mean_at_once) == (2, 120 / 80)
    assert [of(found, name).beside for name in "abc"] == [1, 2, 2]


def test_the_longest_gap_is_named_with_its_place() -> None:
    """Before, between or after the children; a leaf has no gap, for nothing is missing there."""
    found = taken_apart(span("a", None, 0, 100), span("b", "a", 10, 20), span("c", "a", 80, 95))

    assert of(found, "a").gap == Interval(20 * US, 80 * US)
    assert of(found, "b").gap is None
    assert of(found, "b").uncovered_ns is None
    assert of(found, "b").self_ns == 10 * US
    assert found.longest_gap == (of(found, "a"), Interval(20 * US, 80 * US))


def test_a_child_that_outlives_its_parent_covers_what_they_share() -> None:
    """And of the root what comes after: a task that it awaits runs below it."""
    found = taken_apart(span("a", None, 0, 100), span("b", "a", 10, 30), span("t", "b", 20, 90))

    assert of(found, "b").self_ns == 10 * US
    assert of(found, "a").self_ns == 20 * US


def test_a_moment_covers_nothing_and_is_beside_nobody() -> None:
    """It has no duration."""
    found = taken_apart(span("a", None, 0, 100), span("m", "a", 10, 10, kind="event"), span("b", "a", 10, 20))

    assert (of(found, "m").duration_ns, of(found, "m").self_ns, of(found, "m").beside) == (None, 0, 1)
    assert (of(found, "a").self_ns, of(found, "b").beside) == (90 * US, 1)


def test_siblings_in_a_row_are_not_at_once() -> None:
    """The next one starts at the very time at which the last one ends."""
    found = taken_apart(span("a", None, 0, 100), span("b", "a", 0, 50), span("c", "a", 50, 100))

    assert (of(found, "a").at_once, of(found, "b").beside, of(found, "a").gap) == (1, 1, None)


def test_each_sibling_knows_how_many_ran_beside_it() -> None:
    """At most, while it ran: not how many there were elsewhere."""
    spans = [("b", 0, 30), ("c", 20, 60), ("d", 40, 60), ("e", 50, 60), ("f", 70, 80)]
    found = taken_apart(span("a", None, 0, 100), *(span(name, "a", start, end) for name, start, end in spans))

    assert {name: of(found, name).beside for name, *_ in spans} == {"b": 2, "c": 3, "d": 3, "e": 3, "f": 1}


# -- clocks


def test_within_a_process_the_monotonic_clock_decides() -> None:
    """The wall clock was set back by a second between the two."""
    parent = span("a", None, 1_000_000, 1_000_100, start_mono_ns=500 * US)
    child = span("b", "a", 20, 60, start_mono_ns=520 * US)

    assert of(taken_apart(parent, child), "b").place == Interval(20 * US, 60 * US)


SKEWED = [
    ("behind: it cannot start before its parent", -500, 40, (0, 40)),
    ("ahead: it was waited for, so it ended with its parent", 80, 40, (60, 100)),
    ("right: it stays", 20, 40, (20, 60)),
    ("longer than its parent: it did outlive it", 50, 300, (50, 350)),
    ("later than its parent's end: a message, taken up when it came", 200, 40, (200, 240)),
]


@pytest.mark.parametrize(("what", "start", "length", "expected"), SKEWED, ids=[each[0] for each in SKEWED])
def test_the_clock_of_another_process(what: str, start: int, length: int, expected: tuple[int, int]) -> None:
    """What it stamps is put where it can have been; below it everything goes along."""
    ids = {"otel_span_id": "b" * 16}
    child = span("b", "a", 500 + start, 500 + start + length, pid=2, **ids)
    below = span("c", "b", 500 + start + 10, 500 + start + 20, pid=2)
    found = taken_apart(span("a", None, 500, 600), child, below)

    assert of(found, "b").place == Interval(expected[0] * US, expected[1] * US)
    assert of(found, "c").place == Interval((expected[0] + 10) * US, (expected[0] + 20) * US)


def test_times_in_whole_milliseconds_do_not_make_a_child_outlive_its_parent() -> None:
    """As the seed writes them: 3.4 ms from 0.4 on are rounded to 3, those of the parent, 3.9, to 4."""
    rounded = {"duration_ns": None}
    parent = span("a", None, 0, 3_000, **rounded)
    child = span("b", "a", 400, 3_400, **rounded)

    assert path(taken_apart(parent, child)) == [("b", 0, 3_000)]


# -- laws


@st.composite
def trees(draw: st.DrawFn) -> list[TraceEvent]:
    """Any tree: children early, late, too long, of other processes, moments, with clocks or without."""
    number = draw(st.integers(1, 14))
    events = []
    for index in range(number):
        parent = f"n{draw(st.integers(0, index - 1))}" if index else None
        start = draw(st.integers(0, 300))
        length = draw(st.integers(0, 200))
        fields: dict[str, Any] = {"pid": draw(st.sampled_from([1, 1, 2, None])), "thread_id": draw(st.integers(1, 2))}
        if draw(st.booleans()):
            fields["start_mono_ns"] = draw(st.integers(0, 300)) * US
            cuts = sorted(draw(st.sets(st.integers(0, length), max_size=6)))
            base = fields["start_mono_ns"] // US
            fields["segments"] = [
                ((base + one) * US, (base + other) * US, 1)
                for one, other in zip(cuts[::2], cuts[1::2], strict=False)
            ] or None  # fmt: skip
            fields["cpu_ns"] = draw(st.integers(0, length)) * US
        if draw(st.integers(0, 5)) == 0:
            fields["kind"] = "event"
        if draw(st.integers(0, 5)) == 0:
            fields["duration_ns"] = None
        events.append(span(f"n{index}", parent, start, start + length, **fields))
    return events


@given(events=trees())
def test_own_and_covered_time_are_the_duration(events: list[TraceEvent]) -> None:
    """Of every event, and neither is negative; a gap is part of the own time and lies within."""
    for part in taken_apart(*events).parts:
        assert part.covered_ns >= 0
        assert part.self_ns >= 0
        assert part.self_ns + part.covered_ns == (part.duration_ns or 0) == part.place.length_ns
        if part.gap is not None:
            assert part.place.start_ns <= part.gap.start_ns < part.gap.end_ns <= part.place.end_ns
            assert part.gap.length_ns <= part.self_ns


@given(events=trees())
def test_the_critical_path_is_the_roots_duration_end_to_end(events: list[TraceEvent]) -> None:
    """Its segments follow one another without hole or overlap, each while its span ran."""
    found = taken_apart(*events)
    places = {id(part.node): part.place for part in found.parts}

    bounds = [0, *(each.end_ns for each in found.path)]
    assert [each.start_ns for each in found.path] == bounds[:-1]
    assert bounds[-1] == found.duration_ns
    assert all(each.length_ns > 0 for each in found.path)
    for each in found.path:
        place = places[id(each.node)]
        assert place.start_ns <= each.start_ns < each.end_ns <= place.end_ns
    assert sum(part.critical_ns for part in found.parts) == found.duration_ns


@given(events=trees())
def test_nothing_starts_before_its_parent(events: list[TraceEvent]) -> None:
    """Whatever the clocks say."""
    found = taken_apart(*events)
    places = {id(part.node): part.place for part in found.parts}
    for part in found.parts:
        assert all(places[id(child)].start_ns >= part.place.start_ns for child in part.node.children)


@given(spans=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8))
def test_levels_are_those_of_counting(spans: list[tuple[int, int]]) -> None:
    """How many run at once, beside whom: as if one looked at every instant."""
    pairs = [(min(pair), max(pair)) for pair in spans]
    found = taken_apart(span("a", None, 0, 40), *(span(f"c{n}", "a", *pair) for n, pair in enumerate(pairs)))
    level = [sum(start <= at < end for start, end in pairs) for at in range(40)]

    assert of(found, "a").at_once == max(level)
    for number, (start, end) in enumerate(pairs):
        assert of(found, f"c{number}").beside == max(level[start:end], default=1)


def test_a_deep_chain_of_tasks_needs_neither_stack_nor_patience() -> None:
    """Ten thousand, each started by the one before and outliving it."""
    events = [span("n0", None, 0, 20_000)]
    events += [span(f"n{n}", f"n{n - 1}", 2 * n, 2 * n + 3) for n in range(1, 9_000)]

    found = taken_apart(*events)

    assert len(found.parts) == 9_000
    assert sum(each.length_ns for each in found.path) == found.duration_ns


def test_a_wide_span_is_taken_apart_soon() -> None:
    """Five thousand children, all at once."""
    found = taken_apart(span("a", None, 0, 9_000), *(span(f"c{n}", "a", n, n + 4_000) for n in range(5_000)))

    assert of(found, "a").at_once == 4_000
