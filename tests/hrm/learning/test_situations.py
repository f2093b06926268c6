"""What a situation may hold, and when two are the same."""

from __future__ import annotations

import enum

import pytest
from dam_hrm.focus.values import Stance
from dam_hrm.learning.errors import BadPattern
from dam_hrm.learning.situations import code_of, fits, key_of, plain, rounded, same
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.text(max_size=5) | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
SITUATIONS = st.dictionaries(st.text(max_size=3), VALUES, max_size=4)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a", "a", True),
        ("a", "A", False),
        (1, 1, True),
        (1, 2, False),
        (True, True, True),
        (True, 1, False),
        (True, 1.0, False),
        (0, False, False),
        ("1", 1, False),
        ("1", 1.0, False),
        (0.3, 0.35, True),
        (0.3, 0.4, True),
        (0.3, 0.41, False),
        (1, 1.05, True),
    ],
)
def test_values_are_the_same(one, other, expected):
    """Of one kind and equal; fractions when they are near."""
    assert (same(one, other), same(other, one)) == (expected, expected)


@pytest.mark.parametrize(
    ("when", "situation", "expected"),
    [
        ({}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"a": ""}, {}, False),
    ],
)
def test_a_situation_fits_what_it_has_all_of(when, situation, expected):
    assert fits(when, situation) is expected


@given(SITUATIONS)
def test_every_situation_fits_itself(situation):
    """Also as it is counted: with its fractions rounded."""
    assert fits(situation, plain(situation))
    assert fits(rounded(plain(situation)), situation)


def test_members_of_enumerations_become_text():
    """So that they can be kept."""

    class Old(str, enum.Enum):  # noqa: UP042 - as older code has them
        MEMBER = "old"

    made = plain({"b": Stance.EXECUTION, "a": Old.MEMBER})

    assert list(made.items()) == [("a", "old"), ("b", "execution")]
    assert {type(value) for value in made.values()} == {str}


@pytest.mark.parametrize("value", [None, [], {}, b"", float("nan"), float("inf"), object])
def test_other_values_are_refused(value):
    with pytest.raises(BadPattern, match=r"odd is .* in a situation: give a text, a finite number or a boolean"):
        plain({"odd": value})


@given(st.text(), SITUATIONS)
def test_a_code_is_the_same_for_the_same(then, situation):
    """In whichever order its conditions come, and is a code."""
    backwards = dict(reversed(situation.items()))

    assert code_of(then, situation) == code_of(then, backwards)
    assert set(code_of(then, situation)) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")


@given(st.text(max_size=3), SITUATIONS, st.text(max_size=3), SITUATIONS)
def test_a_key_is_the_same_only_for_the_same(then, one, other_then, other):
    """`True` and 1 are not."""
    equal = (
        then == other_then
        and one == other
        and {k: type(v) for k, v in one.items()} == {k: type(v) for k, v in other.items()}
    )
    # 0.0 and -0.0 are equal, and are written differently.
    if "-0.0" not in key_of(then, one) + key_of(other_then, other):
        assert (key_of(then, one) == key_of(other_then, other)) == equal
