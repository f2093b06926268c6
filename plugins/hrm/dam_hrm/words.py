"""Look at text as words: how much of it is looked at, which words mean something, and a name made of them."""

from __future__ import annotations

import re
from typing import Final

MAX_CHARACTERS: Final = 10_000
"""Of an input, that rules look at. What it says beyond is kept and handed on, and decides nothing."""

NAME_CHARACTERS: Final = 60

_WORD: Final = re.compile(r"[^\W_]+")
_EMPTY_WORDS: Final = """
a about an and are at did do does for how i in is it my of on or our please that the this to was we were what when
where which who your
"""
_EMPTY: Final = frozenset(_EMPTY_WORDS.split())
"""Words that name nothing."""


def head(text: str) -> str:
    """Give the part of a text that is looked at."""
    return text[:MAX_CHARACTERS]


def telling(text: str) -> list[str]:
    """Give the words of a text that mean something, in lower case."""
    return [word for word in _WORD.findall(head(text).lower()) if word not in _EMPTY]


def slug(text: str, words: int = 4) -> str:
    """Make a name out of the first few words that mean something: ``wifi-password``."""
    return "-".join(telling(text)[:words])[:NAME_CHARACTERS]
