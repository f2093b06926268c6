"""
A Python source file as bytes that are to stay as they are, and the few edits made to it.

Edits are places and what stands there instead; all other bytes are copied. Nothing here
knows what is edited, or why.
"""

from __future__ import annotations

import ast
import codecs
import io
import re
import tokenize
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dam_obs.draft.literals import shown

BOM: Final = b"\xef\xbb\xbf"
_LONE_RETURN: Final = re.compile(rb"\r(?!\n)")


class Unplaced(Exception):
    """A draft does not go into a source file; the text says why."""

    def __init__(self, why: str, *, is_function: bool = False) -> None:
        super().__init__(why)
        self.is_function = is_function
        """It has no place there, whatever the file is like: the system is no class."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What stands in the place of the bytes from `start` to `end`."""

    start: int
    end: int
    content: bytes


def edited(data: bytes, edits: Iterable[Edit]) -> bytes:
    """Make edits that do not overlap."""
    for edit in sorted(edits, key=lambda each: each.start, reverse=True):
        data = data[: edit.start] + edit.content + data[edit.end :]
    return data


def require_utf8(data: bytes) -> None:
    """
    Make sure that a file is text in UTF-8, also by what it says of itself.

    Raises:
        Unplaced: It is not, or has a carriage return that ends no line as Python's tools see it.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        data.decode("utf-8")
    except (SyntaxError, UnicodeDecodeError):
        raise Unplaced("the file is not UTF-8, or declares an encoding that Python does not know") from None
    if codecs.lookup(encoding).name not in ("utf-8", "utf-8-sig"):
        raise Unplaced(f"the file declares the encoding {shown(encoding)}, not UTF-8")
    if _LONE_RETURN.search(data):
        raise Unplaced("the file has a carriage return without a line feed")


def parsed(data: bytes) -> ast.Module:
    """
    Parse a file; its places are in bytes behind the byte-order mark.

    Raises:
        Unplaced: It is no Python that this interpreter reads.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the user's own code, which is not what was asked
            return ast.parse(data)
    except SyntaxError as error:
        raise Unplaced(f"the file cannot be parsed: {shown(str(error.msg))} in line {error.lineno}") from None
    except (ValueError, RecursionError, MemoryError):
        raise Unplaced("the file cannot be parsed") from None


def newline_of(data: bytes) -> bytes:
    """Return what ends most lines."""
    windows = data.count(b"\r\n")
    return b"\r\n" if windows * 2 > data.count(b"\n") else b"\n"


def line_starts(data: bytes) -> list[int]:
    """Return where each line starts, the first at 0; one more for the end of the file."""
    starts = [0]
    starts.extend(match.end() for match in re.finditer(b"\n", data))
    return [*starts, len(data)]


def line_start(data: bytes, place: int) -> int:
    """Return where the line of a place starts."""
    return data.rfind(b"\n", 0, place) + 1


def line_end(data: bytes, place: int) -> int:
    """Return where the line of a place ends, in front of what ends it."""
    end = data.find(b"\n", place)
    if end < 0:
        return len(data)
    return end - 1 if data[end - 1 : end] == b"\r" and end > place else end
