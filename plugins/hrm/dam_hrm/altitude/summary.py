"""Sum up a conversation in a few words of its own: what the first and the last inputs began with."""

from __future__ import annotations

import re
from typing import Final

from dam_hrm.words import head

WORDS_OF_A_LINE: Final = 6
CHARACTERS_OF_A_LINE: Final = 60
LINES: Final = 3
"""Of the end; the first line is there always."""

_END_OF_SENTENCE: Final = re.compile(r"(?<=[.!?])\s")


def summarize(conversation: str) -> str:
    """Give the beginnings of the first line and of the last few; as short as the conversation grows long."""
    lines = [line for line in conversation.splitlines() if line.strip()]
    kept = lines if len(lines) <= LINES + 1 else [lines[0], *lines[-LINES:]]
    return " / ".join(map(_beginning, kept))


def _beginning(line: str) -> str:
    sentence = _END_OF_SENTENCE.split(head(line).strip(), maxsplit=1)[0]
    words = sentence.split()
    beginning = " ".join(words[:WORDS_OF_A_LINE])[:CHARACTERS_OF_A_LINE]
    return beginning if beginning == " ".join(words) else f"{beginning}…"
