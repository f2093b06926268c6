"""Which values memory takes, and that they come back as they were."""

from __future__ import annotations

import enum

import pytest
from dam_hrm.altitude.values import Level
from dam_hrm.memory.errors import NotJson, TooLarge
from dam_hrm.memory.jsonvalue import decode, encode
from hypothesis import given
from hypothesis import strategies as st

TEXTS = st.text(st.characters())  # lone surrogates, too
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@given(VALUES)
def test_what_is_written_is_what_is_read(value):
    """Equal, and of the same types, all through, in the same order."""
    assert repr(decode(encode(value, 1 << 20))) == repr(value)


class Number(enum.IntEnum):
    ONE = 1


nested: list[object] = []
for _ in range(65):
    nested = [nested]
itself: dict[str, object] = {}
itself["again"] = itself


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ((1, 2), "value is of type tuple, not JSON's: write a list"),
        ({"a": [1, {2}]}, "value.a[1] is of type set, not JSON's: write a list"),
        ({"a": {1: 2}}, "value.a has the key '1' of type int: JSON's keys are text"),
        ([float("nan")], "value[0] is nan: JSON has finite numbers only"),
        ([float("-inf")], "value[0] is -inf: JSON has finite numbers only"),
        ({"level": Level.STRATEGY}, "value.level is of type Level, not JSON's: write its plain value"),
        (Number.ONE, "value is of type Number, not JSON's: write its plain value"),
        ([b"x"], "value[0] is of type bytes, not JSON's: write text, numbers, booleans, None, lists and dicts"),
        (object, "value is of type type, not JSON's: write text, numbers, booleans, None, lists and dicts"),
        (1 << 5000, "value is an integer of 5001 bits: write it as text"),
    ],
)
def test_what_is_no_json(value, said, memory, run):
    """It is refused before any gate is asked, with the path to what is wrong."""
    for tier in ("hot", "warm", "cold"):
        with pytest.raises(NotJson) as caught:
            run(memory.write("n", "secret", value, tier=tier))
        assert str(caught.value) == said
    assert run(memory.read("n", "secret")).tier is None


@pytest.mark.parametrize("value", [nested, itself])
def test_too_deep(value, memory, run):
    """Nested too deep, or in itself: said so, with a path of bounded length."""
    with pytest.raises(NotJson, match="is nested in more than 64 levels, or contains itself: flatten it") as caught:
        run(memory.write("n", "key", value))
    assert len(str(caught.value)) < 300


def test_too_large(begin, run):
    """A value has a bound, in bytes of JSON; one that just fits is kept, in any tier."""
    memory = begin(value_bytes=1000, hot_bytes=1010)
    for tier in ("hot", "warm", "cold"):
        with pytest.raises(TooLarge, match="takes 1001 bytes and may take 1000: write it in parts, or a summary"):
            run(memory.write("n", tier, "x" * 999, tier=tier))
        assert run(memory.write("n", tier, "x" * 998, tier=tier)).tier == tier
        assert run(memory.read("n", tier)).value == "x" * 998


def test_a_value_that_is_changed_afterwards(memory, run):
    """What memory keeps is what was written, and what it gave is the reader's own."""
    for tier in ("hot", "warm", "cold"):
        value = {"list": [1]}
        run(memory.write("n", tier, value, tier=tier))
        value["list"].append(2)
        run(memory.read("n", tier)).value["list"].append(3)
        assert run(memory.read("n", tier)).value == {"list": [1]}
