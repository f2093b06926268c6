"""Numbers as bars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.cli._stats.sparks import BLOCKS, PLAIN, bars_for, sparkline


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([0, 0], "▁▁"),
        ([5], "█"),
        ([1, 2, 3, 4, 5, 6, 7, 8], "▁▂▃▄▅▆▇█"),
        ([50, 100], "▄█"),
        ([None, 1, None, 0], " █ ▁"),
        ([1, 10**18], "▁█"),
    ],
)
def test_values_become_bars(values: list[int | None], drawn: str) -> None:
    """The largest is the highest, half of it reaches half as high, and what is not there is a gap."""
    assert sparkline(values) == drawn


@given(st.lists(st.integers(0, 2**63), min_size=1))
def test_what_is_more_is_never_lower(values: list[int]) -> None:
    """Whatever the values."""
    heights = [BLOCKS.index(bar) for bar in sparkline(values)]

    assert [height for _, height in sorted(zip(values, heights, strict=True))] == sorted(heights)


@pytest.mark.parametrize(
    ("encoding", "bars"),
    [("utf-8", BLOCKS), ("ascii", PLAIN), ("latin-1", PLAIN), ("cp437", PLAIN), ("no such one", PLAIN), (None, PLAIN)],
)
def test_bars_fit_the_encoding(encoding: str | None, bars: str) -> None:
    """Which may have no blocks, or not all of them."""
    assert bars_for(encoding) == bars
