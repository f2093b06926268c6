"""
Situations: what they may hold, and when two of them are the same.

Texts, booleans and whole numbers are the same when they are equal, and of the same kind: `True` is not 1. Numbers
with a fraction are the same when they are `NEAR`, for nothing is ever measured twice alike.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from dam_hrm.learning.errors import BadPattern

if TYPE_CHECKING:
    from dam_hrm.learning.values import Situation

NEAR: Final = 0.1
"""The most by which two numbers differ that are the same."""
_ROUNDING: Final = 1e-9


def plain(situation: Mapping[str, Any]) -> Situation:
    """
    Give a situation of plain values alone, in the order of their names; enumeration members become their texts.

    Raises:
        BadPattern: A value is of another kind, or is no finite number.
    """
    return {str(name): _plain(name, situation[name]) for name in sorted(situation)}


def rounded(situation: Situation) -> Situation:
    """Give a situation with its fractions rounded to one digit, so that what is near is counted together."""
    return {name: round(value, 1) if isinstance(value, float) else value for name, value in situation.items()}


def same(one: object, other: object) -> bool:
    """Tell whether two values of situations are the same."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) or isinstance(other, float):
        numbers = isinstance(one, (int, float)) and isinstance(other, (int, float))
        return numbers and abs(one - other) <= NEAR + _ROUNDING  # type: ignore[operator]
    return one == other


def fits(when: Situation, situation: Situation) -> bool:
    """Tell whether a situation has all that is asked of it."""
    return all(name in situation and same(value, situation[name]) for name, value in when.items())


def code_of(then: str, when: Situation) -> str:
    """Name what is done in a situation: always the same name for the same."""
    words = re.sub(r"[^a-z0-9]+", "_", then.lower()).strip("_")[:40] or "pattern"
    return f"{words}_{hashlib.blake2s(key_of(then, when).encode(), digest_size=3).hexdigest()}"


def key_of(then: str, when: Situation) -> str:
    """Give a text that is the same for the same situation and what is done in it, and for no other."""
    return json.dumps([then, sorted(when.items())], ensure_ascii=True)


def _plain(name: str, value: Any) -> str | float | int | bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    raise BadPattern(f"{name!s:.80} is {value!r:.80} in a situation: give a text, a finite number or a boolean")
