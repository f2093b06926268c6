"""
Take down a value at once, on the caller's thread, without touching more of it than is safe.

Strings (up to a bound), numbers, booleans and `None` stay what they are. Built-in
containers, data classes, models and exceptions become a short text or, as metadata,
plain JSON values. Only storage is read: no property, no ``__repr__``, no ``__str__``, no
``__len__`` of the host's runs, so nothing loads from a database, does I/O or raises.
Everything else is shown by the name of its type.

Hiding secrets is the drain thread's (`redact`); but what stands under a secret's name
inside a text is not looked into here, since there a rule would see only its flat form.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import PosixPath, PurePath, PurePosixPath, PureWindowsPath, WindowsPath
from types import BuiltinFunctionType, FunctionType, WrapperDescriptorType
from typing import Any, Final
from uuid import UUID

from dam_obs.trace import faults
from dam_obs.trace._storage import class_attribute, shown_fields, type_name
from dam_obs.trace.events import Scalar
from dam_obs.trace.secret_names import key_rule

CAPTURE_CHARS: Final = 8192
"""Characters kept of a string. What leaves is cut to less, after redaction, so a secret cut in two here never does."""

TEXT_CHARS: Final = 4096
"""Characters after which the text of a container takes no further items."""

ITEM_CHARS: Final = 1024
"""Characters kept of a string inside a container."""

ITEMS: Final = 24
"""Items of each container shown in a text."""

DEPTH: Final = 4
"""Levels of containers looked into."""

DATA_ITEMS: Final = 64
"""Items of each container kept in metadata."""

DATA_CHARS: Final = 32_768
"""After this much, one metadata value takes no further items; each item counts for 64 characters and its text."""

KEY_CHARS: Final = 200
"""Characters kept of a key in metadata."""

_ITEM_COST: Final = 64
_BETWEEN: Final = 4
_INT64: Final = 1 << 63
_LONGEST_INT_BITS: Final = 512
_LAST_WORD_CHARS: Final = 256
_ONE_WORD: Final = re.compile(r"[\w.-]{1,200}")
_WORD_PUNCTUATION: Final = frozenset("_-./+=:@%~\\")

SCALARS: Final[frozenset[type]] = frozenset({str, int, float, bool, type(None)})
"""Types whose values are kept as they are, within bounds."""

_AS_IT_IS: Final = frozenset({float, bool, type(None)})
_CAPTURE = faults.guard("capture")


def capture(value: object) -> Scalar:
    """
    Return `value` as a scalar: itself, or a bounded text about it.

    Never raises, never runs the host's code, never consumes an iterator. An integer beyond 64 bits
    becomes text, since neither JSON readers nor OTLP take it.
    """
    kind = type(value)
    if kind is str:
        return value if len(value) <= CAPTURE_CHARS else value[:CAPTURE_CHARS]  # type: ignore[arg-type,index,return-value]
    if kind in _AS_IT_IS:
        return value  # type: ignore[return-value]
    if kind is int:
        return _integer(value)  # type: ignore[arg-type]
    with _CAPTURE:
        return _scalar_or_text(value, kind)
    return f"<{type_name(kind)}>"


def capture_data(value: object) -> Any:
    """
    Return `value` as a JSON value for metadata, copied at once.

    Dicts, lists, tuples and sets stay structured, to 4 levels of 64 items; all else is as in `capture`.
    What was left out is said in the place where it stood.
    """
    kind = type(value)
    if kind in SCALARS:
        return capture(value)
    with _CAPTURE:
        return _data(value, kind, 0, _Budget(DATA_CHARS))
    return f"<{type_name(kind)}>"


def error_message(error: BaseException) -> str:
    """
    Return the message of an exception without running code of its class.

    It is made of ``args``, as `str` would for most; a ``__str__`` written in Python is not asked.
    """
    with _CAPTURE:
        return _message(error)
    return ""


# -- scalars


def _integer(value: int) -> int | str:
    if -_INT64 <= value < _INT64:
        return value
    bits = value.bit_length()
    return str(value) if bits <= _LONGEST_INT_BITS else f"<int of {bits} bits>"


def _scalar_or_text(value: Any, kind: type, depth: int = 0) -> Scalar:
    plain, found = _plain(value, kind)
    return plain if found else _text(value, kind, _Budget(TEXT_CHARS), depth)


def _plain(value: Any, kind: type) -> tuple[Scalar, bool]:
    """Return what a subclass of a scalar holds, such as a member of an `IntEnum`, and whether it is one."""
    if issubclass(kind, str):
        return str.__getitem__(value, slice(CAPTURE_CHARS)), True
    if issubclass(kind, int):
        return (value if kind is bool else _integer(int.__int__(value))), True
    if issubclass(kind, float):
        return float.__float__(value), True
    numpy = sys.modules.get("numpy")
    if numpy is not None and issubclass(kind, getattr(numpy, "generic", ())):
        inside = numpy.generic.item(value)
        return capture(inside), type(inside) in SCALARS
    return None, value is None


# -- text


class _Budget:
    """How much may still be taken from one value."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


def _item(value: Any, budget: _Budget, depth: int) -> str:
    """Return the text of something inside a container, strings in quotes."""
    kind = type(value)
    if kind is str:
        text = repr(value if len(value) <= ITEM_CHARS else _shortened(value))
    elif kind is int:
        text = str(_integer(value))
    elif kind in _AS_IT_IS:
        text = repr(value)
    else:
        plain, found = _plain(value, kind)
        if found:
            return _item(plain, budget, depth)
        return _text(value, kind, budget, depth)
    budget.left -= len(text)
    return text


def _shortened(text: str) -> str:
    """
    Cut a long string at a place where no word is cut in two.

    A token or a password that would be half inside is left out whole, for half of it is no longer
    known for one. Runs of word characters longer than any token are cut hard.
    """
    end = ITEM_CHARS
    for start in range(ITEM_CHARS, ITEM_CHARS - _LAST_WORD_CHARS, -1):
        character = text[start - 1]
        if not (character.isalnum() or character in _WORD_PUNCTUATION):
            end = start
            break
    return text[:end] + "…"


def _text(value: Any, kind: type, budget: _Budget, depth: int) -> str:
    text = _leaf(value, kind)
    if text is not None:
        budget.left -= len(text)
        return text
    return _container(value, kind, budget, depth)


def _container(value: Any, kind: type, budget: _Budget, depth: int) -> str:
    name = type_name(kind)
    budget.left -= len(name)
    if depth >= DEPTH:
        return f"<{name}>"
    if issubclass(kind, dict):
        body = _pairs(dict.items(value), dict.__len__(value), budget, depth, ": ")
        return f"{{{body}}}" if kind is dict else f"{name}({{{body}}})"
    if issubclass(kind, BaseException):
        return f"{name}: {_message(value, budget, depth)}"
    fields = shown_fields(value, kind)
    if fields is not None:
        return f"{name}({_pairs(iter(fields), len(fields), budget, depth, '=')})"
    for base, opening, closing in _SEQUENCES:
        if issubclass(kind, base):
            body = _members(base.__iter__(value), base.__len__(value), budget, depth)
            return f"{opening}{body}{closing}" if kind in _BARE else f"{name}({opening}{body}{closing})"
    return f"<{name}>"


def _pairs(pairs: Any, number: int, budget: _Budget, depth: int, between: str) -> str:
    parts: list[str] = []
    for key, value in islice(pairs, ITEMS):
        if budget.left <= 0:
            break
        name = key if between == "=" else _item(key, budget, depth + 1)
        shown = f"<{type_name(type(value))}>" if _keeps_a_secret(key, value) else _item(value, budget, depth + 1)
        parts.append(f"{name}{between}{shown}")
        budget.left -= len(name) + _BETWEEN
    return _joined(parts, number)


def _keeps_a_secret(key: Any, value: Any) -> bool:
    """
    Say whether a value is a secret, by its key, that a rule would not see in a flat text.

    It sees `'password': 'x'`, but neither what is nested below such a name nor a name of many words.
    """
    if type(key) is not str or key_rule(key) is None or value is None:
        return False
    return type(value) not in SCALARS or _ONE_WORD.fullmatch(key) is None


def _members(members: Iterator[Any], number: int, budget: _Budget, depth: int) -> str:
    parts: list[str] = []
    for member in islice(members, ITEMS):
        if budget.left <= 0:
            break
        parts.append(_item(member, budget, depth + 1))
        budget.left -= _BETWEEN
    return _joined(parts, number)


def _joined(parts: list[str], number: int) -> str:
    text = ", ".join(parts)
    missing = number - len(parts)
    return text if missing <= 0 else f"{text}, … {missing} more" if text else f"… {missing} more"


def _leaf(value: Any, kind: type) -> str | None:
    """Return the text of a value that holds no others; `None` if it is not of a known type."""
    known = _LEAVES.get(kind)
    if known is not None:
        return str(known(value))
    for base, show in _LEAF_BASES:
        if issubclass(kind, base):
            return str(show(value))
    return None


def _bytes(value: bytes | bytearray) -> str:
    base: Any = bytes if issubclass(type(value), bytes) else bytearray
    size = base.__len__(value)
    text = repr(bytes(base.__getitem__(value, slice(ITEM_CHARS // 4))))
    return text if size <= ITEM_CHARS // 4 else f"{text}… ({size} bytes)"


def _moment(value: datetime) -> str:
    if type(value) is datetime and (value.tzinfo is None or _is_known_zone(type(value.tzinfo))):
        return value.isoformat()
    # A zone or a subclass of the host's would run its code: it is shown without.
    return f"{date.isoformat(value)}T{datetime.time(value).isoformat()}"


def _is_known_zone(kind: type) -> bool:
    zoneinfo = sys.modules.get("zoneinfo")
    return kind is timezone or (zoneinfo is not None and kind is zoneinfo.ZoneInfo)


def _clock(value: time) -> str:
    return time.isoformat(value) if value.tzinfo is None else "<datetime.time>"


def _decimal(value: Decimal) -> str:
    return Decimal.__str__(value) if Decimal.__sizeof__(value) < ITEM_CHARS // 2 else "<decimal.Decimal>"


def _member(value: Enum) -> str:
    name = class_attribute(Enum, "__dict__").__get__(value).get("_name_")
    return f"{type_name(type(value), module=False)}.{name if type(name) is str else '?'}"


def _class(value: type) -> str:
    return f"<class {type_name(value)}>"


def _function(value: Any) -> str:
    module = value.__module__ if type(value.__module__) is str else "?"
    return f"<function {module}.{value.__qualname__}>"[:ITEM_CHARS]


def _range(value: range) -> str:
    return f"range({_integer(value.start)}, {_integer(value.stop)}, {_integer(value.step)})"


_SEQUENCES: Final[tuple[tuple[Any, str, str], ...]] = (
    (list, "[", "]"),
    (tuple, "(", ")"),
    (set, "{", "}"),
    (frozenset, "{", "}"),
    (deque, "[", "]"),
)

_BARE: Final = frozenset({list, tuple, set})
"""Shown without their name, as Python does."""

_LEAVES: Final[dict[type, Any]] = {
    bytes: _bytes,
    bytearray: _bytes,
    datetime: _moment,
    date: date.isoformat,
    time: _clock,
    timedelta: timedelta.__str__,
    Decimal: _decimal,
    complex: complex.__repr__,
    UUID: UUID.__str__,
    range: _range,
    FunctionType: _function,
    BuiltinFunctionType: _function,
    **dict.fromkeys((PosixPath, PurePosixPath, WindowsPath, PureWindowsPath), PurePath.__str__),
}

_LEAF_BASES: Final[tuple[tuple[type, Any], ...]] = (
    (Enum, _member),
    (type, _class),
    (bytes, _bytes),
    (bytearray, _bytes),
    (datetime, _moment),
    (date, date.isoformat),
    (timedelta, timedelta.__str__),
)


# -- exceptions


def _message(error: BaseException, budget: _Budget | None = None, depth: int = 0) -> str:
    budget = budget or _Budget(TEXT_CHARS)
    kind = type(error)
    if issubclass(kind, OSError):
        number, reason, path = (_member_of(OSError, name, error) for name in ("errno", "strerror", "filename"))
        if number is not None:
            where = "" if path is None else f": {_item(path, budget, depth + 1)}"
            return f"[Errno {_item(number, budget, depth)}] {capture(reason)}{where}"
    args: tuple[Any, ...] = BaseException.args.__get__(error)  # type: ignore[attr-defined]
    if len(args) == 1 and issubclass(type(args[0]), str):
        return str.__getitem__(args[0], slice(CAPTURE_CHARS))
    if not args:
        return _own_message(error, kind)
    return ", ".join(_item(each, budget, depth + 1) for each in args[:ITEMS])


def _own_message(error: BaseException, kind: type) -> str:
    """Ask an exception whose ``__str__`` is written in C (pydantic's, for instance) for its message."""
    show = class_attribute(kind, "__str__")
    if type(show) is not WrapperDescriptorType:
        return ""
    return str(capture(show(error)))


def _member_of(base: Any, name: str, error: BaseException) -> Any:
    return base.__dict__[name].__get__(error)


# -- metadata


def _data(value: Any, kind: type, depth: int, budget: _Budget) -> Any:
    budget.left -= _ITEM_COST
    if kind is str:
        budget.left -= min(len(value), CAPTURE_CHARS)
    if kind in SCALARS:
        return capture(value)
    if depth < DEPTH:
        if issubclass(kind, dict):
            return _mapping(value, depth, budget)
        for base, _, _ in _SEQUENCES:
            if issubclass(kind, base) and class_attribute(kind, "_fields") is None:
                return _list(base.__iter__(value), base.__len__(value), depth, budget)
    text = _scalar_or_text(value, kind, DEPTH - 1 if depth >= DEPTH else 0)
    budget.left -= len(text) if type(text) is str else 0
    return text


def _mapping(value: dict[Any, Any], depth: int, budget: _Budget) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, item in islice(dict.items(value), DATA_ITEMS):
        if budget.left <= 0:
            break
        name = key if type(key) is str else str(capture(key))
        result[name if len(name) <= KEY_CHARS else name[:KEY_CHARS]] = _data(item, type(item), depth + 1, budget)
    missing = dict.__len__(value) - len(result)
    if missing > 0:
        result["…"] = f"{missing} more"
    return result


def _list(items: Iterator[Any], number: int, depth: int, budget: _Budget) -> list[Any]:
    result: list[Any] = []
    for item in islice(items, DATA_ITEMS):
        if budget.left <= 0:
            break
        result.append(_data(item, type(item), depth + 1, budget))
    missing = number - len(result)
    if missing > 0:
        result.append(f"… {missing} more")
    return result
