"""Tables that fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from dam_obs.cli._stats.columns import shortened


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("short", 5, "short"),
        ("src/very/long/path/file.py", 15, "src/ver…file.py"),
        ("abcdef", 5, "ab…ef"),
        ("abcdef", 2, "…f"),
        ("abcdef", 1, "…"),
    ],
)
def test_the_middle_is_left_out(text: str, room: int, shown: str) -> None:
    """Of what does not fit."""
    assert shortened(text, room) == shown


@given(st.text(st.sampled_from("ab漢é́ "), max_size=30), st.integers(1, 20))
def test_what_is_shortened_fits(text: str, room: int) -> None:
    """In columns of the terminal, of which some characters take two and some none."""
    assert cell_len(shortened(text, room)) <= room
