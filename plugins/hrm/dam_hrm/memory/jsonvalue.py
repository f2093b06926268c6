"""
Values as bytes and back: JSON in UTF-8, so that what is read equals what was written, type by type.

Only what comes back as it was is taken: no tuples, no enumeration members, no NaN, no keys that
are not text. Lone surrogates, which file names can have, come back too.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

from dam_hrm.memory.errors import NotJson, TooLarge

MOST_LEVELS: Final = 64
"""How deep a value may be nested."""

MOST_INTEGER_BITS: Final = 4096
"""Python itself refuses to read much longer numbers from text."""


def encode(value: Any, most_bytes: int) -> bytes:
    """
    Give a value's bytes.

    Raises:
        NotJson: It is none; says where in it.
        TooLarge: It takes more than `most_bytes`.
    """
    _check(value, "value", MOST_LEVELS)
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) > most_bytes:
        raise TooLarge(len(encoded), most_bytes)
    return encoded


def decode(encoded: bytes) -> Any:
    """
    Give the value back.

    Raises:
        ValueError: These are not a value's bytes.
    """
    return json.loads(encoded.decode("utf-8", "surrogatepass"))


def as_text(value: Any) -> str:
    """Give what a model would read: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _check(value: Any, path: str, levels: int) -> None:
    kind = type(value)
    if kind is list:
        _check_level(path, levels)
        for number, item in enumerate(value):
            _check(item, f"{path}[{number}]", levels - 1)
    elif kind is dict:
        _check_level(path, levels)
        for key, item in value.items():
            if type(key) is not str:
                raise NotJson(path, f"has the key {str(key)[:40]!r} of type {type(key).__name__}: JSON's keys are text")
            _check(item, f"{path}.{key[:40]}", levels - 1)
    elif kind is float and not math.isfinite(value):
        raise NotJson(path, f"is {value}: JSON has finite numbers only")
    elif kind is int and value.bit_length() > MOST_INTEGER_BITS:
        raise NotJson(path, f"is an integer of {value.bit_length()} bits: write it as text")
    elif kind not in (str, int, float, bool, type(None)):
        raise NotJson(path, f"is of type {kind.__name__}, not JSON's: {_instead(value)}")


def _check_level(path: str, levels: int) -> None:
    if levels == 0:
        raise NotJson(path[:200], f"is nested in more than {MOST_LEVELS} levels, or contains itself: flatten it")


def _instead(value: Any) -> str:
    if isinstance(value, tuple | set | frozenset):
        return "write a list"
    if isinstance(value, str | int):
        return "write its plain value"
    return "write text, numbers, booleans, None, lists and dicts"
