"""
Make text from a run fit for the page: one line, nothing unseen in it, and of bounded length.

HTML is not escaped here: the templates do that.
"""

from __future__ import annotations

from typing import Final

from dam_obs.text import printable

LONGEST: Final = 400
"""Characters of one piece of text that the page shows."""


def shown(text: str, longest: int = LONGEST) -> str:
    r"""
    Return `text` on one line of at most `longest` characters, with nothing in it that cannot be seen.

        >>> shown("a\u202eb\n"), shown("abcdefghij", longest=5)
        ('a\\u202eb\\n', 'ab…ij')
    """
    if len(text) > longest:
        head, tail = longest // 2, (longest - 1) // 2
        text = f"{text[:head]}…{text[-tail:]}"
    return printable(text)
