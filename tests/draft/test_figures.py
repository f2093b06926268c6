"""Numbers of a report as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.draft import figures

numbers = st.integers() | st.floats() | st.sampled_from([10**5_000, -(10**400), 0, -0.0])


@given(numbers)
def test_whatever_a_number_is_its_text_is_short_and_plain(value):
    """Huge, tiny, negative, infinite or none."""
    texts = [
        figures.milliseconds(value),
        figures.percent(value, signed=True),
        figures.number(value),
        figures.confidence(value),
    ]

    assert all(len(text) <= 32 and text.isascii() and text.isprintable() for text in texts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (figures.milliseconds(18_000_000), "18 ms"),
        (figures.milliseconds(101_000), "0.101 ms"),
        (figures.milliseconds(9_000_000_000), "9,000 ms"),
        (figures.milliseconds(None), "not measured"),
        (figures.percent(0.083), "8%"),
        (figures.percent(0.083, signed=True), "+8%"),
        (figures.percent(-0.2, signed=True), "-20%"),
        (figures.percent(-0.001, signed=True), "0%"),
        (figures.percent(None), "not measured"),
        (figures.percent(float("nan")), "out of range"),
        (figures.number(5_000_000.0), "5,000,000"),
        (figures.number(2.5), "2.5"),
        (figures.number(10**5_000), "out of range"),
        (figures.confidence(0.4), "0.40"),
    ],
)
def test_figures_have_as_many_digits_as_they_are_worth(text, expected):
    """Three significant ones, thousands separated."""
    assert text == expected
