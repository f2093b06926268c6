"""
The stamp of a drafted file: a line with the hash of all its other lines.

It shows later whether a person has edited the file since. It keeps nobody from forging it:
it is there against overwriting somebody's work, not against an attacker.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

_STAMP: Final = re.compile(
    r"^(?:# |<!-- )Code: sha256 ([0-9a-f]{64}), of the lines other than this one(?: -->)?\n", re.M
)


def stamp(text: str, *, after_line: int, opening: str = "# ", closing: str = "") -> str:
    """Put the stamp behind the first `after_line` lines."""
    lines = text.splitlines(keepends=True)
    line = f"{opening}Code: sha256 {_hash(text)}, of the lines other than this one{closing}\n"
    return "".join([*lines[:after_line], line, *lines[after_line:]])


def is_untouched(text: str) -> bool:
    """Whether a file is as it was drafted."""
    found = _STAMP.search(text)
    return found is not None and found[1] == _hash(text[: found.start()] + text[found.end() :])


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
