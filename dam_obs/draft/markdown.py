"""
Text of a report made safe for Markdown as code hosts render it.

A name or a sentence from a run must not become markup, a link, an image, a mention of a
person or a reference to an issue, and must not leave the cell of its table.
"""

from __future__ import annotations

import re
from typing import Final

from dam_obs.draft.literals import shown

_PUNCTUATION: Final = re.compile(r"([!-/:-@\[-`{-~])")
_HARMLESS: Final = re.compile(r"\\([,;'%?/]|(?<=[A-Za-z%]\\)[.:](?=\s|$)|(?<=\d\\)\.(?=\d)|(?<=\w\\)-(?=\w))")
_INVISIBLE_BREAK: Final = "&#8203;"


def code(text: str) -> str:
    """Show text as code, also in a cell of a table."""
    plain = shown(text).replace("`", "'").replace("|", "\N{BROKEN BAR}").strip()
    return f"`{plain}`" if plain else "(empty)"


def sentence(text: str) -> str:
    """Show text as it is: every character stands for itself. Spaces around it are no part of a sentence."""
    plain = shown(text).strip() or "(empty)"
    escaped = _HARMLESS.sub(r"\1", _PUNCTUATION.sub(r"\\\1", plain))
    return re.sub(r"\\([@#])", rf"\\\1{_INVISIBLE_BREAK}", escaped)
