"""Where the agent's lines come from: a script, a pipe, or somebody at a terminal."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROMPT: Final = "> "


def lines_of(script: Path | None) -> Iterator[str]:
    """
    Yield what is to be done, line by line, without empty lines and, in a script, without comments.

    Raises:
        OSError: The script cannot be read.
    """
    if script is not None:
        return _meant(script.read_text(encoding="utf-8", errors="replace").splitlines())
    return _typed() if is_terminal() else _piped()


def is_terminal() -> bool:
    """Say whether somebody sits at standard input."""
    return sys.stdin is not None and sys.stdin.isatty()


def _meant(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _piped() -> Iterator[str]:
    if sys.stdin is None:
        return
    for data in sys.stdin.buffer:
        line = data.decode("utf-8", errors="replace").strip()
        if line:
            yield line


def _typed() -> Iterator[str]:
    if importlib.util.find_spec("readline") is not None:
        importlib.import_module("readline")  # gives input() its line editing
    while True:
        try:
            line = input(PROMPT).strip()
        except EOFError:
            print()
            return
        if line:
            yield line
