"""
How each kind of setting is read, checked and written as text.

A kind follows from the type of the field in `Settings`. Files give typed values, the
environment gives text; both end in the same check. Values that do not fit raise
`ValueError`; who asked knows the place and makes a sentence of it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from dam_obs.config.settings import Limits, Settings

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


class Kind(msgspec.Struct, frozen=True):
    """One kind of setting."""

    expects: str
    """For messages: ``must be {expects}``."""

    read: Callable[[object, Path], object]
    """Check a typed value; relative paths start at the folder."""

    parse: Callable[[str], object]
    """Make a typed value, not yet checked, of text."""

    write: Callable[[Any], str] = str
    """Make text of a checked value."""

    separator: str | None = None
    """Between the elements of a list that is written as text."""


@cache
def kinds() -> Mapping[str, Kind]:
    """Return the kind of every setting, in the order of `Settings`."""
    hints = get_type_hints(Settings, include_extras=True)
    return MappingProxyType({field.name: _kind_of(hints[field.name]) for field in fields(Settings)})


def _kind_of(hint: Any) -> Kind:
    if get_origin(hint) is Annotated:
        number, limits = get_args(hint)
        return _number(number, limits)
    if hint is bool:
        return Kind("true or false", _read_flag, _parse_flag, lambda value: "1" if value else "0")
    if get_origin(hint) is Literal:
        return _choice(get_args(hint))
    if hint in (Path, Path | None):
        return Kind("a path", _read_path, str)
    if hint == tuple[Path, ...]:
        return _list("a list of paths", _read_path, os.pathsep)
    if hint == tuple[str, ...]:
        return _list("a list of names", _read_name, ",")
    raise TypeError(f"no kind of setting for {hint}")


def _read_flag(value: object, _folder: Path) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _parse_flag(text: str) -> object:
    word = text.strip().lower()
    if word in TRUE:
        return True
    return False if word in FALSE else text


def _number(number: type[int] | type[float], limits: Limits) -> Kind:
    allowed = (int,) if number is int else (int, float)

    def read(value: object, _folder: Path) -> float:
        if isinstance(value, bool) or not isinstance(value, allowed):
            raise ValueError
        if not limits.least <= value <= limits.most:
            raise ValueError
        return number(value)

    def parse(text: str) -> object:
        value = number(text)
        return value if math.isfinite(value) else text

    name = "a whole number" if number is int else "a number"
    return Kind(f"{name} from {limits.least:g} to {limits.most:_}", read, parse)


def _choice(words: tuple[str, ...]) -> Kind:
    def read(value: object, _folder: Path) -> str:
        if value not in words or not isinstance(value, str):
            raise ValueError
        return value

    return Kind("one of " + ", ".join(words), read, lambda text: text.strip().lower())


def _read_path(value: object, folder: Path) -> Path:
    if not isinstance(value, str | Path) or value == "" or "\0" in str(value):
        raise ValueError
    path = Path(value)
    if path.parts[:1] == ("~",):
        path = _home().joinpath(*path.parts[1:])
    return folder / path


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise ValueError from error


def _read_name(value: object, _folder: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


def _list(expects: str, read_one: Callable[[object, Path], Any], separator: str) -> Kind:
    def read(value: object, folder: Path) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError
        return tuple(read_one(each, folder) for each in value)

    def parse(text: str) -> object:
        return [part for part in text.split(separator) if part.strip()]

    return Kind(expects, read, parse, lambda value: separator.join(str(each) for each in value), separator)
