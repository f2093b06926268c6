"""
Read paths: ``args.command.call_id``, ``self.name``, ``result.summary``.

A path says where to find a value; it is never an expression that is evaluated. Here it is
checked and taken apart; `reading` follows it.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, cast

Root = Literal["args", "self", "result"]
ROOTS: Final = ("args", "self", "result")

_INDEX: Final = re.compile(r"-?\d{1,9}")
_KEY: Final = re.compile(r"[^\W\d][\w-]*")


@dataclass(frozen=True, slots=True)
class ReadPath:
    """A root and the steps from there."""

    root: Root
    steps: tuple[str | int, ...] = ()
    """Attributes and keys as text, positions as numbers. The first one below ``args`` is the parameter."""
    otherwise: ReadPath | None = None
    """Read where this one finds nothing, or `None`."""

    def __str__(self) -> str:
        text = ".".join((self.root, *map(str, self.steps)))
        return f"{text}, {self.otherwise}" if self.otherwise is not None else text


def parse_path(text: str) -> ReadPath:
    """
    Take a path apart.

    Raises:
        ValueError: it is none; the message says why.
    """
    root, *steps = text.split(".")
    if root not in ROOTS:
        raise ValueError(f"must start with args, self or result, not {root!r}")
    if root == "args" and not steps:
        raise ValueError("must name a parameter: args.<parameter>")
    return ReadPath(cast(Root, root), tuple(_step(step, text) for step in steps))


def first_of(paths: Sequence[ReadPath]) -> ReadPath:
    """
    Make one path of several: the first that finds something other than `None` counts.

    Raises:
        ValueError: Some are read when the work starts, and some when it is done.
    """
    *others, last = paths
    for path in reversed(others):
        if (path.root == "result") is not (last.root == "result"):
            raise ValueError("must be all of arguments or all of the result")
        last = replace(path, otherwise=last)
    return last


def _step(step: str, text: str) -> str | int:
    if _INDEX.fullmatch(step):
        return int(step)
    if step.startswith("_"):
        raise ValueError(f"must not read the private {step!r}")
    if not _KEY.fullmatch(step):
        raise ValueError(f"must be names and positions joined by dots, not {text!r}")
    return step


def is_dotted_name(text: str) -> bool:
    """Say whether `text` is Python names joined by dots."""
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in text.split("."))
