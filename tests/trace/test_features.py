"""Features of commands: what they store, read without running any of their code."""

import collections
import dataclasses
import enum
import pathlib
import time

import attrs
import msgspec
import numpy as np
import pydantic
import pytest

from dam_obs.testing import recording
from dam_obs.testing.faults import hostile_objects, ran
from dam_obs.trace import faults, features


class Kind(enum.Enum):
    ZIP = "zip"


class Plain:
    def __init__(self, **fields):
        self.__dict__.update(fields)


@dataclasses.dataclass
class Command:
    size: int
    kind: Kind
    name: str
    _secret: str = "x"


@dataclasses.dataclass(slots=True)
class Slotted:
    size: int
    ratio: float


class Struct(msgspec.Struct):
    size: int


class Level(enum.IntEnum):
    HIGH = 3


class Mode(enum.Flag):
    READ = 1
    WRITE = 2


@attrs.define
class Attrs:
    size: int
    kind: Kind
    items: list
    _hidden: int = 0
    unset: int = attrs.field(init=False)


class AttrsChild(Attrs):
    """No slots of its own: what it adds stands in a dictionary."""

    def __init__(self, *values):
        super().__init__(*values)
        self.more = 5


@attrs.define(slots=False, frozen=True)
class AttrsDict:
    size: int


@dataclasses.dataclass(slots=True)
class SlottedChild(Slotted):
    more: int = 5


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(populate_by_name=True, extra="allow")

    size: int = pydantic.Field(alias="theSize")
    kind: Kind = Kind.ZIP
    at: pathlib.Path = pathlib.Path("/a")
    inner: "Model | None" = None
    _private: int = pydantic.PrivateAttr(7)

    @pydantic.computed_field
    def costly(self) -> int:
        raise OSError("computed")

    @property
    def lazy(self) -> int:
        raise OSError("loaded")


class Frozen(pydantic.BaseModel, frozen=True):
    ratio: float
    flag: bool


Pair = collections.namedtuple("Pair", "left right")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (Command(5, Kind.ZIP, "a.zip"), {"size": 5, "kind": "ZIP", "name": "a.zip", "len(name)": 5}),
        (Slotted(5, 0.5), {"size": 5, "ratio": 0.5}),
        (Struct(7), {"size": 7}),
        (Pair(1, [1, 2, 3]), {"left": 1, "len(right)": 3}),
        ({"size": 3, "not a name": 4, 5: 6}, {"size": 3}),
        (Plain(flag=True, nothing=None, _hidden=1), {"flag": True, "nothing": None}),
        (Plain(long="x" * 65, data=b"abc"), {"len(long)": 65, "len(data)": 3}),
        (Plain(path=pathlib.Path("/a/b")), {"path": "/a/b"}),
        (Attrs(5, Kind.ZIP, [1]), {"size": 5, "kind": "ZIP", "len(items)": 1}),
        (AttrsChild(5, Kind.ZIP, []), {"size": 5, "kind": "ZIP", "len(items)": 0, "more": 5}),
        (AttrsDict(5), {"size": 5}),
        (SlottedChild(5, 0.5), {"size": 5, "ratio": 0.5, "more": 5}),
        (Model(theSize=5), {"size": 5, "kind": "ZIP", "at": "/a", "inner": None}),
        (
            Model(size=5, theSide="left", _hid=1),
            {"size": 5, "kind": "ZIP", "at": "/a", "inner": None, "theSide": "left", "len(theSide)": 4},
        ),
        (Frozen(ratio=0.5, flag=True), {"ratio": 0.5, "flag": True}),
        (Plain(level=Level.HIGH, mode=Mode.READ), {"level": "HIGH", "mode": "READ"}),
        (
            Plain(queue=collections.deque([1, 2]), steps=range(10), counts=collections.Counter("aab")),
            {"len(queue)": 2, "len(steps)": 10, "len(counts)": 2},
        ),
        (
            Plain(n=np.int32(3), x=np.float32(0.5), on=np.bool_(True), grid=np.zeros((4, 2)), one=np.array(1)),
            {"n": 3, "x": 0.5, "on": True, "len(grid)": 4},
        ),
        (Plain(huge=range(10**15), items=[None] * 10**6), {"len(huge)": 10**15, "len(items)": 10**6}),
        (Plain(big=2**70, other=1j), {"big": str(2**70)}),
        (Plain(other=object()), {}),
        (object(), {}),
        (5, {}),
    ],
)
def test_features_are_what_a_command_stores(command, expected):
    """Numbers, switches, short texts, enums, and lengths."""
    assert features.of(command) == expected


def test_so_many_features_and_no_more():
    """A command with thousands of fields costs no more than one with `MOST`."""
    assert len(features.of(Plain(**{f"f{number}": number for number in range(1000)}))) == features.MOST


class LyingNumber(int):
    def __add__(self, other):
        raise OSError

    __radd__ = __index__ = __int__ = __repr__ = __add__


class LyingList(list):
    def __len__(self):
        raise OSError


class LyingText(str):
    def __len__(self):
        raise OSError

    __str__ = __format__ = __len__


def test_values_are_read_by_the_built_in_types_alone():
    """A subclass of a number, text or list may compute, load or raise: its own methods are not called."""
    command = Plain(number=LyingNumber(3), texts=LyingText("ab"), items=LyingList([1, 2]))

    assert features.of(command) == {"number": 3, "texts": "ab", "len(texts)": 2, "len(items)": 2}
    assert faults.counts() == {}


@pytest.mark.parametrize("name", hostile_objects())
def test_a_hostile_command_is_not_run(name):
    """Whatever its class does at any access, it is not asked, and a type's name is told all the same."""
    faults.reset()
    command = hostile_objects()[name]

    assert type(features.of(command)) is type(features.of(Plain(field=command))) is dict
    assert type(features.type_of(command)) is str
    assert (ran, faults.counts()) == ([], {})


def test_types_are_named_by_module_and_name():
    """As targets are written."""
    assert [features.type_of(each) for each in (Command(1, Kind.ZIP, ""), 5)] == [
        f"{__name__}:Command",
        "builtins:int",
    ]


@pytest.fixture
def asked():
    """Let a plugin be asked, as a session does."""
    faults.reset()
    yield features.ask
    features.ask(None)
    faults.reset()


def test_a_plugin_that_is_slow_again_and_again_is_not_asked_any_more(asked, monkeypatch):
    """It is called on the program's own thread; after a few slow calls our own reading takes over."""
    monkeypatch.setattr(features, "SLOW_NS", 1)
    calls = []

    def slow(command):
        calls.append(command)
        time.sleep(0.001)
        return {"plugin": 1}

    asked(slow)
    told = [features.of(Plain(size=number)) for number in range(5)]

    assert told == [{"plugin": 1}] * features.PATIENCE + [{"size": 3}, {"size": 4}]
    assert (len(calls), faults.counts()) == (features.PATIENCE, {"features.slow": features.PATIENCE})


def test_what_a_plugin_tells_is_bounded(asked):
    """Its values are made plain: the span keeps no object of anybody's."""
    asked(lambda command: {"big": "x" * 100_000, "object": object(), **{f"f{number}": 1 for number in range(100)}})
    told = features.of(object())

    assert len(told) == features.MOST
    assert all(type(value) in (str, int) and len(str(value)) < 10_000 for value in told.values())


def test_a_plugins_features_stand_on_the_event(asked):
    """In a measured run."""
    asked(lambda command: {"members": 4})
    with recording(measure=True) as record:
        from dam_obs import tracer

        with tracer.span("sys", "execute", "Extractor") as span:
            span.set_command(Plain(size=3))

    assert record.event().features == {"members": 4}
