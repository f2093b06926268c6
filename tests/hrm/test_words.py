"""Text as words: what means something, and the names made of it."""

from __future__ import annotations

import pytest
from dam_hrm.words import head, slug, telling


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The Wi-Fi password!", "wi-fi-password"),
        ("what is it", ""),
        ("", ""),
        ("one two three four five", "one-two-three-four"),
        ("Größe, 日本", "größe-日本"),
        ("x" * 100, "x" * 60),
    ],
)
def test_a_name_is_made_of_the_words_that_mean_something(text, name):
    """The first few."""
    assert slug(text) == name


def test_only_the_beginning_is_looked_at():
    """However long a text is."""
    assert len(head("x" * 50_000)) == 10_000
    assert telling("word " * 50_000) == ["word"] * 2000
