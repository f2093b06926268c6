"""
A unified diff that ``git apply`` takes.

Lines are git's: they end with a line feed alone, so a carriage return is part of one, and a
last line without an end is said to have none. Paths are relative to the top of the
repository, and written the way git writes those that have other than plain characters.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

_PLAIN = re.compile(r"[ !#-\[\]-~]+")
_SHORT = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}


def top_of(folder: Path) -> Path:
    """Return the top of the repository that a folder is in, else the folder itself."""
    for each in (folder, *folder.parents):
        if (each / ".git").exists():
            return each
    return folder


def unified(name: str, before: bytes, after: bytes) -> bytes:
    """
    Write the diff of one file.

    Args:
        name: Its path from the top of the repository, with slashes.
        before: Its content.
        after: What it is to become.

    Returns:
        Nothing for contents that are equal.
    """
    if before == after:
        return b""
    old, new = _quoted(f"a/{name}"), _quoted(f"b/{name}")
    tab = "\t" if " " in name and not old.startswith('"') else ""
    head = f"diff --git {old} {new}\n--- {old}{tab}\n+++ {new}{tab}\n".encode()
    return head + b"".join(_hunks(before, after))


def _hunks(before: bytes, after: bytes) -> Iterator[bytes]:
    lines = difflib.diff_bytes(difflib.unified_diff, _lines(before), _lines(after), b"", b"")
    for number, line in enumerate(lines):
        if number < 2:
            continue  # the names, written above
        yield line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"


def _lines(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    return [*(part + b"\n" for part in parts[:-1]), *([parts[-1]] if parts[-1] else [])]


def _quoted(path: str) -> str:
    """Write a path as git does: in quotes and with escapes if it is not plain."""
    if _PLAIN.fullmatch(path):
        return path
    raw = path.encode("utf-8", "surrogateescape")
    return '"' + "".join(_character(byte) for byte in raw) + '"'


def _character(byte: int) -> str:
    if byte in _SHORT:
        return "\\" + _SHORT[byte]
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
