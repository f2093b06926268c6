"""Spans in the order in which they ended."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dam_obs.store.otlp import OtlpSpan
from dam_obs.store.remote import ordering
from dam_obs.store.remote.ordering import Ends, as_they_ended, by_wall_clock, in_pages

MS = 10_000_000
"""Of the tests: so that what is held back for a moment plays its part."""

TIMES = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 60)), max_size=60)


def span(number: int, start: int, length: int) -> OtlpSpan:
    return OtlpSpan({"endTimeUnixNano": (start + length) * MS}, {}, {}, "", f"{number:016x}", start * MS)


@given(TIMES, st.sets(st.integers(1, 98)))
def test_slices_give_what_one_sort_does(times: list[tuple[int, int]], cuts: set[int]) -> None:
    """However time is cut."""
    spans = [span(number, *time) for number, time in enumerate(times)]
    ends = [*sorted(cuts), 100]
    slices = [
        (end * MS, sorted((one for one in spans if begin * MS <= one.start_ns < end * MS), key=by_wall_clock))
        for begin, end in zip([0, *ends], ends, strict=False)
    ]

    assert list(as_they_ended(slices)) == sorted(spans, key=Ends())


def test_a_child_that_ended_later_by_the_wall_clock_comes_before_its_parent() -> None:
    """That clock was read a moment too late for it; the monotonic one knows better."""

    def measured(number: int, wall_ns: int, mono_ns: int, length_ns: int) -> OtlpSpan:
        attributes = {"dam.start_mono_ns": mono_ns}
        return OtlpSpan({"endTimeUnixNano": wall_ns + length_ns}, attributes, {}, "", f"{number:016x}", wall_ns)

    parent = measured(1, 1_000_000, 500, 10_000)
    child = measured(2, 1_000_900, 700, 9_700)

    assert list(as_they_ended([(2_000_000, [parent, child])])) == [child, parent]


def test_no_more_is_held_than_may_be(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Then the first of them come early, and each comes once all the same."""
    monkeypatch.setattr(ordering, "MOST_HELD", 3)
    spans = [span(number, number, 1_000) for number in range(10)]

    found = list(as_they_ended([(100 * MS, spans), (200 * MS, [])]))

    assert found == spans


def test_pages() -> None:
    """The last one is what is left."""
    assert [len(page) for page in in_pages(range(1_100))] == [512, 512, 76]
