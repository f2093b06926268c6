"""Numbers read as people write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.diagnose.page import units


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0 ns"),
        (850, "850 ns"),
        (999.9, "1 µs"),
        (34_700, "34.7 µs"),
        (999_999, "1 ms"),
        (3_980_000, "3.98 ms"),
        (59_900_000_000, "59.9 s"),
        (125_000_000_000, "2 min 05 s"),
        (3_750_000_000_000, "1 h 02 min"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_duration(nanoseconds, text):
    """A duration has three digits that matter and the largest unit of which there is one."""
    assert units.duration(nanoseconds).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0 B"), (1023, "1,023 B"), (1024, "1 KiB"), (1_500_000, "1.43 MiB"), (2**34, "16 GiB"), (math.nan, "–")],
)
def test_size(amount, text):
    """Bytes are counted in powers of 1,024."""
    assert units.size(amount).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0%"),
        (0.00001, "<0.1%"),
        (-0.00001, ">-0.1%"),
        (0.042, "4.2%"),
        (0.0997, "10%"),
        (0.5, "50%"),
        (12, "1,200%"),
        (math.nan, "–"),
    ],
)
def test_percent(share, text):
    """A little is never called nothing."""
    assert units.percent(share) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (1000, "1k"), (8_100_000, "8.1M"), (0.5, "0.5"), (-20_000, "-20k"), (1e20, "1e+20")]
)
def test_short(number, text):
    """Marks of an axis are short."""
    assert units.short(number) == text


@pytest.mark.parametrize("say", [units.duration, units.size, units.short, units.percent, units.digits, units.count])
@given(number=st.floats(allow_nan=True, allow_infinity=True))
def test_any_number_can_be_said(say, number):
    """Whatever the number, there is a text for it, and never a nan or inf."""
    said = say(number)
    assert said
    assert "nan" not in said
    assert "inf" not in said
