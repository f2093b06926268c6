"""Capturing values: as they are or as a bounded text, and never by running the host's code."""

from __future__ import annotations

import dataclasses
import json
import sys
import uuid
from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.trace import faults
from dam_obs.trace.capture import CAPTURE_CHARS, ITEM_CHARS, SCALARS, capture, capture_data, error_message

LONGEST_TEXT = CAPTURE_CHARS + ITEM_CHARS


class Colour(Enum):
    RED = 1


class Number(IntEnum):
    TWO = 2


class Word(StrEnum):
    YES = "yes"


Point = namedtuple("Point", "x y")


@dataclasses.dataclass
class Login:
    user: str
    password: str = dataclasses.field(repr=False)


@dataclasses.dataclass(slots=True)
class Slotted:
    size: int
    later: int = dataclasses.field(init=False)


class Model(pydantic.BaseModel):
    size: int
    note: pydantic.SecretStr = pydantic.SecretStr("hidden")


class Struct(msgspec.Struct):
    size: int


class Text(str):
    def __str__(self) -> str:
        raise AssertionError("asked")


class Plain:
    pass


PLACE = __name__

CASES: list[tuple[Any, Any]] = [
    ("text", "text"),
    (3, 3),
    (True, True),
    (2.5, 2.5),
    (None, None),
    (Text("inside"), "inside"),
    (Number.TWO, 2),
    (Word.YES, "yes"),
    (2**63 - 1, 2**63 - 1),
    (2**63, "9223372036854775808"),
    (10**1000, "<int of 3322 bits>"),
    ("x" * (CAPTURE_CHARS + 1), "x" * CAPTURE_CHARS),
    ([1, "a", None], "[1, 'a', None]"),
    ({"a": 1, "b": [2.5]}, "{'a': 1, 'b': [2.5]}"),
    (OrderedDict(a=1), "collections.OrderedDict({'a': 1})"),
    (defaultdict(list, {"a": [1]}), "collections.defaultdict({'a': [1]})"),
    (deque([1]), "collections.deque([1])"),
    ((1,), "(1)"),
    ({1}, "{1}"),
    (frozenset(), "frozenset({})"),
    (list(range(30)), "[" + ", ".join(map(str, range(24))) + ", … 6 more]"),
    ([[[[[1]]]]], "[[[[<list>]]]]"),
    (b"abc", "b'abc'"),
    (b"x" * 1000, "b'" + "x" * 256 + "'… (1000 bytes)"),
    (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
    (date(2026, 1, 2), "2026-01-02"),
    (time(3, 4), "03:04:00"),
    (timedelta(seconds=5), "0:00:05"),
    (Decimal("1.50"), "1.50"),
    (Decimal("1" * 10_000), "<decimal.Decimal>"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Path("/a/b"), "/a/b"),
    (range(3), "range(0, 3, 1)"),
    (Colour.RED, "Colour.RED"),
    (Colour, f"<class {PLACE}.Colour>"),
    (len, "<function builtins.len>"),
    (Point(1, "b"), f"{PLACE}.Point(x=1, y='b')"),
    (Login("ann", "hunter2"), f"{PLACE}.Login(user='ann')"),
    (Slotted(3), f"{PLACE}.Slotted(size=3)"),
    (Model(size=3), f"{PLACE}.Model(size=3, note=<pydantic.types.SecretStr>)"),
    (Struct(3), f"{PLACE}.Struct(size=3)"),
    (ValueError("bad", 3), "ValueError: 'bad', 3"),
    (Plain(), f"<{PLACE}.Plain>"),
    (iter([1]), "<list_iterator>"),
    ({"password": ["a"], "k": 1}, "{'password': <list>, 'k': 1}"),
    ({"the password of ann": "hunter2"}, "{'the password of ann': <str>}"),
]


@pytest.fixture(autouse=True)
def _strict():
    faults.let_through(True)
    yield
    faults.let_through(False)
    faults.reset()


@pytest.mark.parametrize(("value", "captured"), CASES, ids=lambda value: type(value).__name__)
def test_a_value_is_captured_as_itself_or_as_a_short_text(value, captured):
    """Scalars stay, known containers show their items, everything else shows its type."""
    result = capture(value)

    assert (result, type(result)) == (captured, type(captured))


class Trap:
    """Everything that may be run of it raises."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)

    def _trap(self, *_: object) -> Any:
        raise AssertionError("ran")

    __repr__ = __str__ = __len__ = __iter__ = __hash__ = __eq__ = __bool__ = __format__ = __dir__ = _trap
    __class__ = property(_trap)  # type: ignore[assignment]


def _raise(*_: object) -> Any:
    raise AssertionError("ran")


class TrapMeta(type):
    def __getattribute__(cls, name: str) -> Any:
        raise AssertionError(name)

    def __repr__(cls) -> str:
        raise AssertionError("ran")

    __instancecheck__ = __subclasscheck__ = __repr__  # type: ignore[assignment]


class TrapOfTrapMeta(metaclass=TrapMeta):
    pass


class TrapDict(dict):
    __iter__ = __len__ = items = keys = values = __getitem__ = __repr__ = _raise  # type: ignore[assignment]


class TrapList(list):
    __iter__ = __len__ = __getitem__ = __repr__ = _raise  # type: ignore[assignment]


class TrapStr(str):
    __len__ = __getitem__ = __repr__ = __str__ = __iter__ = _raise  # type: ignore[assignment]


class TrapInt(int):
    __int__ = __index__ = __repr__ = __str__ = __lt__ = __ge__ = __neg__ = _raise  # type: ignore[assignment]


class TrapZone(tzinfo):
    utcoffset = tzname = dst = _raise  # type: ignore[assignment]


class TrapError(Exception):
    __str__ = __repr__ = _raise  # type: ignore[assignment]
    args = property(_raise)  # type: ignore[assignment]


@dataclasses.dataclass
class TrapFields:
    size: int

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)

    __repr__ = _raise


# Made when they are needed: pytest, too, asks its parameters for their repr.
TRAPS: dict[str, tuple[Callable[[], Any], Any]] = {
    "object": (Trap, f"<{PLACE}.Trap>"),
    "class": (lambda: TrapOfTrapMeta, f"<class {PLACE}.TrapOfTrapMeta>"),
    "of a class": (lambda: type.__call__(TrapOfTrapMeta), f"<{PLACE}.TrapOfTrapMeta>"),
    "dict": (lambda: TrapDict(a=1), f"{PLACE}.TrapDict({{'a': 1}})"),
    "list": (lambda: TrapList([1]), f"{PLACE}.TrapList([1])"),
    "str": (lambda: TrapStr("abc"), "abc"),
    "int": (lambda: TrapInt(7), 7),
    "zone": (lambda: datetime(2026, 1, 2, tzinfo=TrapZone()), "2026-01-02T00:00:00"),
    "error": (lambda: TrapError("why"), f"{PLACE}.TrapError: why"),
    "data class": (lambda: TrapFields(3), f"{PLACE}.TrapFields(size=3)"),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_no_code_of_the_hosts_is_run(trap):
    """Only storage is read: an object that raises whatever is asked of it is captured all the same."""
    make, captured = TRAPS[trap]

    assert capture(make()) == captured
    json.dumps(capture_data([make()]))


def test_an_unset_slot_is_left_out():
    """A field declared and not stored yet is not read."""
    assert capture(Slotted(1)) == f"{PLACE}.Slotted(size=1)"


def test_iterators_are_not_consumed():
    """A generator yields to its reader everything it would have."""
    generator = (number for number in range(3))

    capture(generator), capture_data({"g": generator}), capture([generator])

    assert list(generator) == [0, 1, 2]


def test_a_structure_that_holds_itself_ends():
    """Depth is bounded, so a cycle is cut."""
    cycle: list[Any] = []
    cycle.append(cycle)

    assert (capture(cycle), capture_data(cycle)) == ("[[[[<list>]]]]", [[[["[<list>]"]]]])


def test_a_long_text_inside_a_container_is_cut_between_words():
    """A token that the bound would cut in half is left out whole."""
    token = "ghp_" + "a" * 36
    text = "word " * ((ITEM_CHARS - 20) // 5) + token + " tail" * 100

    assert token[:8] not in str(capture([text]))
    assert str(capture([text])).endswith("word …']")


def test_metadata_keeps_its_structure():
    """Dicts and lists of scalars stay what they are, tuples and sets become lists, the rest a text."""
    given_value = {"context": {"user": "ann", "tags": ("a", "b"), "sizes": {1}, 5: Colour.RED}, "p": Point(1, 2)}

    assert capture_data(given_value) == {
        "context": {"user": "ann", "tags": ["a", "b"], "sizes": [1], "5": "Colour.RED"},
        "p": f"{PLACE}.Point(x=1, y=2)",
    }


def test_metadata_is_a_copy():
    """What the host changes later does not change what was captured."""
    value = {"a": [1]}
    captured = capture_data(value)
    value["a"].append(2)

    assert captured == {"a": [1]}


def test_metadata_says_what_it_left_out():
    """64 items of a level are kept, 4 levels are."""
    assert capture_data(list(range(66))) == [*range(64), "… 2 more"]
    assert capture_data(dict.fromkeys(map(str, range(65)), 0))["…"] == "1 more"
    assert capture_data([[[[[1]]]]]) == [[[["[1]"]]]]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("bad"), "bad"),
        (ValueError(), ""),
        (KeyError("k"), "k"),
        (ValueError("a", 1), "'a', 1"),
        (FileNotFoundError(2, "No such file", "/x"), "[Errno 2] No such file: '/x'"),
        (ValueError("x" * 100_000), "x" * CAPTURE_CHARS),
    ],
    ids=repr,
)
def test_an_exceptions_message_is_read_from_its_arguments(error, message):
    """Like `str(error)` where that is safe, without running a `__str__` of the host's."""
    assert error_message(error) == message


def test_a_message_written_in_c_is_asked_for():
    """pydantic's errors have no arguments, and their text is safe to ask for."""
    with pytest.raises(pydantic.ValidationError) as caught:
        Model(size="x")  # type: ignore[arg-type]

    assert error_message(caught.value).startswith("1 validation error for Model")


def test_a_fault_while_capturing_is_counted_and_shows_the_type(monkeypatch):
    """Whatever goes wrong in our code ends as a type name, not in the host."""
    faults.let_through(False)
    faults.reset()
    monkeypatch.setitem(sys.modules, "numpy", SimpleNamespace(generic="no class"))

    assert (capture(Plain()), capture_data([Plain()])) == (f"<{PLACE}.Plain>", "<list>")
    assert faults.counts() == {"capture": 2}


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals() | st.uuids()
keys = st.text() | st.integers() | st.booleans() | st.binary()
anything = st.recursive(
    scalars | st.datetimes() | st.timedeltas() | st.builds(Plain) | st.builds(ValueError, st.text()),
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner) | st.builds(Point, inner, inner) | st.tuples(inner),
    max_leaves=200,
)


@given(anything)
def test_whatever_is_captured_is_a_bounded_scalar(value):
    """The result is a scalar of an exact type, and short."""
    result = capture(value)

    assert type(result) in SCALARS
    assert len(result if isinstance(result, str) else repr(result)) <= LONGEST_TEXT


@given(anything)
def test_whatever_is_captured_as_metadata_is_json(value):
    """The result survives JSON, but for what floats JSON lacks."""
    result = capture_data(value)

    again = json.loads(json.dumps(result))
    assert again == result or "nan" in repr(result)


@given(st.binary(min_size=1000, max_size=2000), st.integers(1, 6))
def test_large_structures_stay_short(seed, depth):
    """Breadth times depth is bounded too."""
    value: Any = [seed.decode("latin-1")] * 50
    for _ in range(depth):
        value = [value] * 50

    assert len(str(capture(value))) <= LONGEST_TEXT
    assert len(json.dumps(capture_data(value))) <= 300_000
