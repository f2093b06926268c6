"""The estimate of tokens."""

import pytest
from dam_hrm.memory.tokens import estimate, saved
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("   ", 0),
        ("hello", 1),
        ("hello world", 2),
        ("internationalisation", 3),
        ("Gedächtnis", 3),
        ("in 1984, 123456 of 7", 8),
        ("a\n\n  b", 3),
        ('{"level":"L2"}', 6),
        ("snake_case", 3),
        ("记忆", 2),
        ("!" * 9, 3),
    ],
)
def test_estimate(text, tokens):
    """By the rules that the module tells."""
    assert estimate(text) == tokens


@given(st.text(), st.text())
def test_a_text_is_no_more_than_its_characters(one, other):
    """Nor is a whole less than its parts, when a line ends between them."""
    assert estimate(one) <= len(one)
    assert estimate(f"{one}\nx") >= max(estimate(one), 1)
    assert saved(one, other) == max(0, estimate(one) - estimate(other))
