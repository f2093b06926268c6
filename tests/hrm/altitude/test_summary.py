"""A conversation is summed up in its own words, the shorter the longer it grows."""

from __future__ import annotations

import pytest
from dam_hrm.altitude.summary import summarize


@pytest.mark.parametrize(
    ("conversation", "summary"),
    [
        ("", ""),
        ("Hello. More of it.", "Hello."),
        ("one two three four five six seven", "one two three four five six…"),
        ("x" * 100, "x" * 60 + "…"),
        ("a\n\nb\n", "a / b"),
        ("a\nb\nc\nd", "a / b / c / d"),
        ("a\nb\nc\nd\ne\nf", "a / d / e / f"),
    ],
)
def test_a_summary_has_the_first_line_and_the_last_ones(conversation, summary):
    """The beginning of each."""
    assert summarize(conversation) == summary
