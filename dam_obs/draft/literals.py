"""
The only ways in which a report's content gets into drafted code.

A report holds names, paths and strings that the observed program, or whoever feeds it, may
have chosen to do harm. So a value enters code by `literal`, a remark by `comment`, and text
of a docstring by `prose`; nothing else is put between the lines of a template.
"""

from __future__ import annotations

import math
import unicodedata
from typing import Final

LONGEST_STRING: Final = 200
"""Characters of a string literal; a longer one is refused, for half a name is another name."""

LARGEST_INT: Final = 2**63
LONGEST_TEXT: Final = 300
"""Characters of one remark; the rest is left out and said to be."""

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


class NotALiteral(ValueError):
    """A value that is not written into code: of no plain type, not finite, or too large."""


def literal(value: object) -> str:
    """
    Write a plain value as Python source in ASCII, so that what a reviewer sees is what is there.

    Raises:
        NotALiteral: It is not exactly a `str`, `int`, `float`, `bool` or `None`, or it is too long, too large or
            not finite.
    """
    if value is None or type(value) is bool:
        return repr(value)
    if type(value) is int and abs(value) < LARGEST_INT:
        return repr(value)
    if type(value) is float and math.isfinite(value):
        return repr(value)
    if type(value) is str and len(value) <= LONGEST_STRING:
        return _double_quoted(ascii(value))
    raise NotALiteral(f"a {type(value).__name__} that is no plain, finite, short value")


def comment(text: str) -> str:
    """Make text safe to stand behind a ``#``: one line, without a second ``#``, for tools obey what follows one."""
    return shown(text).replace("#", _REPLACEMENT)


def prose(text: str) -> str:
    """Make text safe to stand in a docstring: one line, without double quotes and backslashes."""
    return shown(text).replace('"', "'").replace("\\", _REPLACEMENT)


def shown(text: str) -> str:
    """Make text one bounded line of characters that can be seen."""
    cut = text[:LONGEST_TEXT]
    seen = "".join(char if _visible(char) else _REPLACEMENT for char in cut)
    return seen if len(text) <= LONGEST_TEXT else f"{seen} [...]"


def _visible(char: str) -> bool:
    """Whether a character stands for itself: no control, bidi mark, surrogate, combining or unassigned one."""
    return char.isprintable() and unicodedata.category(char)[0] != "M"


def _double_quoted(source: str) -> str:
    body = source[1:-1]
    return f'"{body}"' if '"' not in body else source
