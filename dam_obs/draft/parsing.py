"""Read Python files of unknown making as trees: bounded, without a word of the parser's, and never run."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path
from typing import Final

LONGEST_FILE: Final = 2_000_000
"""Bytes."""


class Unparsed(Exception):
    """A file is no Python that can be read; the text says why."""


def read_text(path: Path, longest: int = LONGEST_FILE) -> str:
    """
    Read a file of UTF-8 text.

    Raises:
        Unparsed: It cannot be read, is no file, no text or too long.
    """
    try:
        if not path.is_file():  # a pipe would be waited for
            raise Unparsed("it is no file")
        with path.open("rb") as file:
            raw = file.read(longest + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise Unparsed(error.strerror or "it cannot be read") from error
    except UnicodeDecodeError as error:
        raise Unparsed("it is no UTF-8 text") from error
    if len(raw) > longest:
        raise Unparsed(f"it is longer than {longest:,} bytes")
    return text


def parse(text: str) -> ast.Module:
    """
    Parse Python source.

    Raises:
        Unparsed: It is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise Unparsed("it is not valid Python") from error
    except (RecursionError, MemoryError) as error:
        raise Unparsed("it is nested too deeply") from error
