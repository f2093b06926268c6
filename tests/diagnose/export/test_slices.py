"""Cutting segments of a thread so that they are nested."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.diagnose.export.slices import ThreadSegments


def cut(*segments):
    """Return the pieces of segments that are numbered in order."""
    thread = ThreadSegments()
    for number, (start, end) in enumerate(segments):
        thread.add(start, end, number)
    return thread.cut()


@pytest.mark.parametrize(
    ("segments", "pieces"),
    [
        ([], {}),
        ([(0, 10), (10, 20), (30, 40)], {}),
        ([(0, 100), (10, 20), (12, 18), (20, 30)], {}),
        ([(0, 10), (0, 10)], {}),
        ([(0, 120), (41, 200)], {1: [(41, 120), (120, 200)]}),
        ([(41, 200), (0, 120)], {0: [(41, 120), (120, 200)]}),
        ([(0, 30), (10, 20), (15, 40)], {2: [(15, 20), (20, 30), (30, 40)]}),
        ([(0, 10), (5, 5), (10, 10)], {}),
    ],
    ids=["none", "apart", "nested", "equal", "overlapping", "in any order", "twice", "of no length"],
)
def test_only_what_overlaps_is_cut(segments, pieces):
    """Where the one before it ends, and as often as needed."""
    assert cut(*segments) == pieces


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)).map(lambda p: (p[0], p[0] + p[1])), max_size=12))
def test_pieces_are_nested_and_lose_no_time(segments):
    """No two pieces overlap in part, and those of a segment cover it, each moment once."""
    found = cut(*segments)
    shown = [piece for number, whole in enumerate(segments) for piece in found.get(number, [whole])]

    for a_start, a_end in shown:
        for b_start, b_end in shown:
            assert not a_start < b_start < a_end < b_end
    for number, pieces in found.items():
        assert [*(start for start, _ in pieces), segments[number][1]] == [
            segments[number][0],
            *(end for _, end in pieces),
        ]
