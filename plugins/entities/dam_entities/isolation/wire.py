"""
How stored values cross from a child process: as JSON with tags, never as objects that run code when read.

Types are named, and found among what is loaded on this side already; nothing is imported for a
message. A value of a type of the user's own crosses as pydantic writes it, and is validated when it is read.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import enum
import fractions
import pathlib
import sys
import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from dam_entities.entity import Entity
from dam_entities.version import Child, Items, Opaque, Pairs, Stored


class Unwritable(Exception):
    """A value that cannot cross; says which."""


class Unreadable(Exception):
    """A message that says something that cannot be; says what."""


def write(message: Any) -> bytes:
    """Return a message of encoded values as bytes."""
    return to_json(message, inf_nan_mode="constants")


def read(message: bytes) -> Any:
    """
    Return what `write` was given.

    Raises:
        Unreadable: It is no JSON.
    """
    try:
        return from_json(message)
    except ValueError as error:
        raise Unreadable(str(error)) from error


def encode(stored: Stored) -> Any:
    """
    Return a stored value as plain JSON data.

    Raises:
        Unwritable: It, or something in it, cannot cross.
    """
    kind = type(stored)
    if stored is None or kind in (bool, int, float):
        return stored
    if kind is str:
        return stored if _is_clean(stored) else {"surrogates": _text(stored.encode("utf-8", "surrogatepass"))}
    if kind is Child:
        return {"entity": str(stored.ecs_id)}
    if kind is Items:
        return {stored.kind: [encode(item) for item in stored.items]}
    if kind is Pairs:
        return {"dict": [[encode(key), encode(value)] for key, value in stored.pairs]}
    if isinstance(stored, enum.Enum):
        return {"enum": [*named(kind), stored.name]}
    if kind in _PLAIN:
        tag, written = _PLAIN[kind]
        return {tag: written(stored)}
    if kind is Opaque:
        return {"model": [*named(type(stored.value)), _by_pydantic(stored.value)]}
    raise Unwritable(f"a {kind.__qualname__}")


def decode(data: Any) -> Stored:
    """
    Return the stored value that `encode` was given.

    Raises:
        Unreadable: It is none.
    """
    if not isinstance(data, dict):
        return data
    if len(data) != 1:
        raise Unreadable("a value with more than one tag")
    tag, value = next(iter(data.items()))
    try:
        if tag in ("list", "tuple", "set", "frozenset"):
            return Items(tag, tuple(decode(item) for item in value))
        if tag == "dict":
            return Pairs(tuple((decode(key), decode(item)) for key, item in value))
        return _READ[tag](value)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise Unreadable(f"no {str(tag)[:40]}: {type(error).__name__}: {str(error)[:200]}") from error


def named(kind: type) -> list[Any]:
    """Name a type: module, qualified name, and (for types of functions' own, in a forked child) where it is."""
    return [kind.__module__, kind.__qualname__, id(kind)]


def found(module: str, qualname: str, place: int) -> type:
    """
    Return the type that `named` was given, among those loaded here.

    Raises:
        Unreadable: There is none.
    """
    here: Any = sys.modules.get(module)
    for name in qualname.split("."):
        here = getattr(here, name, None)
    if isinstance(here, type):
        return here
    alike = [kind for kind in _subclasses(Entity) if (kind.__module__, kind.__qualname__) == (module, qualname)]
    for kind in alike:
        if id(kind) == place:
            return kind
    if len(alike) == 1:
        return alike[0]
    raise Unreadable(f"there is no {module}.{qualname} on this side")


def _subclasses(kind: type) -> list[type]:
    every: dict[type, None] = {}
    waiting: list[type] = [kind]
    while waiting:
        below: type
        for below in type.__subclasses__(waiting.pop()):
            if below not in every:
                every[below] = None
                waiting.append(below)
    return list(every)


def _by_pydantic(value: Any) -> str:
    try:
        return _adapter(type(value)).dump_json(value, by_alias=False).decode()  # type: ignore[arg-type]
    except (PydanticUserError, PydanticSerializationError, UnicodeError, TypeError) as error:
        raise Unwritable(f"a {type(value).__qualname__} ({str(error).splitlines()[0][:200]})") from error


def _of_pydantic(value: list[Any]) -> Opaque:
    module, qualname, place, written = value
    try:
        return Opaque(_adapter(found(module, qualname, place)).validate_json(written))
    except (PydanticUserError, ValidationError) as error:
        raise Unreadable(str(error)) from error


@lru_cache(maxsize=256)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _is_clean(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _datetime(value: datetime.datetime) -> list[Any]:
    zone = value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None
    return [value.replace(tzinfo=None).isoformat() if zone else value.isoformat(), zone, value.fold]


def _read_datetime(value: list[Any]) -> datetime.datetime:
    written, zone, fold = value
    read = datetime.datetime.fromisoformat(written)
    return read.replace(tzinfo=ZoneInfo(zone) if zone else read.tzinfo, fold=fold)


_PLAIN: Final[Mapping[type, tuple[str, Callable[[Any], Any]]]] = {
    bytes: ("bytes", _text),
    decimal.Decimal: ("decimal", str),
    fractions.Fraction: ("fraction", str),
    uuid.UUID: ("uuid", str),
    datetime.datetime: ("datetime", _datetime),
    datetime.date: ("date", datetime.date.isoformat),
    datetime.time: ("time", datetime.time.isoformat),
    datetime.timedelta: ("timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
    complex: ("complex", lambda value: [value.real, value.imag]),
    range: ("range", lambda value: [value.start, value.stop, value.step]),
    pathlib.PosixPath: ("path", str),
    pathlib.PurePosixPath: ("pure_posix_path", str),
    pathlib.PureWindowsPath: ("pure_windows_path", str),
}

_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "entity": lambda value: Child(uuid.UUID(value)),
    "surrogates": lambda value: base64.b64decode(value, validate=True).decode("utf-8", "surrogatepass"),
    "bytes": lambda value: base64.b64decode(value, validate=True),
    "enum": lambda value: found(*value[:3])[value[3]],  # type: ignore[index]
    "decimal": decimal.Decimal,
    "fraction": fractions.Fraction,
    "uuid": uuid.UUID,
    "datetime": _read_datetime,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": lambda value: datetime.timedelta(*value),
    "complex": lambda value: complex(*value),
    "range": lambda value: range(*value),
    "path": pathlib.Path,
    "pure_posix_path": pathlib.PurePosixPath,
    "pure_windows_path": pathlib.PureWindowsPath,
    "model": _of_pydantic,
}
