"""Text from a trace cannot do anything to the terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, L3→L2 ✓ 日本", "plain text, L3→L2 ✓ 日本"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("two\nlines\tand a tab", "two\\nlines\\tand a tab"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("csi \x9b31m", "csi \\x9b31m"),
        ("lone \ud800 surrogate", "lone \\ud800 surrogate"),
        ("a\xa0b", "a\xa0b"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_shown(text: str, shown: str) -> None:
    """Control characters become escapes; all else stays as it is."""
    assert printable(text) == shown


@given(st.text(st.characters(exclude_characters="\u200c\u200d")))
def test_nothing_that_acts_is_left(text: str) -> None:
    """Whatever comes in, no control, format or line-breaking character comes out, and once is enough."""
    shown = printable(text)

    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert printable(shown) == shown
