"""Text from a run cannot hide, reorder or flood what stands around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.diagnose.page.text import LONGEST, shown


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("Ä 🦊 👩‍🚀", "Ä 🦊 👩‍🚀"),
        ("a\nb\t\x00", "a\\nb\\t\\x00"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
        ("\u2028", "\\u2028"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_an_escape(text, seen):
    """Control characters, overrides and lone surrogates become escapes; letters of any script stay."""
    assert shown(text) == seen


def test_long_text_is_cut_in_the_middle():
    """Both ends of a long name are kept: they tell names apart."""
    assert shown("a" * 10_000 + "end", longest=11) == "aaaaa…aaend"


@given(text=st.text(alphabet=st.characters(), max_size=2_000))
def test_any_text_can_be_written_into_a_page(text):
    """What is shown is bounded and can be encoded."""
    assert len(shown(text)) <= LONGEST * len("\\U0001f600")
    shown(text).encode()
