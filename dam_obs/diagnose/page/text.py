"""
Make text from a run safe to show.

Names, paths and messages come from the observed program and whoever talks to it. A
control character or a bidirectional override among them could reorder or hide what stands
around it, so each is shown as an escape; text without end is cut in the middle. HTML is
not escaped here: the templates do that.
"""

from __future__ import annotations

import unicodedata
from typing import Final

LONGEST: Final = 400
"""Characters of one piece of text that the page shows."""

_KEPT: Final = frozenset("\u200c\u200d")
"""Joiners that several scripts and emoji need, and that move nothing."""

_ESCAPED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories: control, format (bidirectional overrides too), lone surrogates, line and paragraph separators."""


def shown(text: str, longest: int = LONGEST) -> str:
    r"""
    Return `text` on one line of at most `longest` characters, with nothing in it that cannot be seen.

        >>> shown("a\u202eb\n"), shown("abcdefghij", longest=5)
        ('a\\u202eb\\n', 'ab…ij')
    """
    if len(text) > longest:
        head, tail = longest // 2, (longest - 1) // 2
        text = f"{text[:head]}…{text[-tail:]}"
    if text.isprintable():
        return text
    return "".join(_seen(character) for character in text)


def _seen(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _ESCAPED:
        return character
    return character.encode("unicode_escape").decode("ascii")
