"""
Make text from a trace safe to show, in a terminal or on a page.

Names, values and messages in a trace come from the observed program and whoever talks to
it. A control character among them could move the cursor, change the window's title or
reorder a line, so each is shown as an escape instead.
"""

from __future__ import annotations

import unicodedata

_KEPT = frozenset("\u200c\u200d")
"""Joiners that several scripts and emoji need, and that move nothing."""

_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories: control, format (bidirectional overrides too), lone surrogates, line and paragraph separators."""


def printable(text: str) -> str:
    r"""
    Return `text` on one line, with every control character written as an escape.

        >>> printable("a\x1b[2Jb\nc")
        'a\\x1b[2Jb\\nc'
    """
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _ESCAPED:
        return character
    return character.encode("unicode_escape").decode("ascii")
