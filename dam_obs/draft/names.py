"""
Names in drafted code: which of a report's names are Python names, and what stands in for the rest.

A name that is not fit for code is never repaired into another one that means something
else: the command's type becomes `Any`, a feature makes its cost model unusable, and a
class or file gets a name of ours.
"""

from __future__ import annotations

import hashlib
import keyword
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LONGEST_NAME: Final = 100
LONGEST_PATH: Final = 300

TAKEN: Final = frozenset(
    {
        "Any", "Enum", "ExecutionCostTrait", "IOBoundTrait", "ResourceUsageTrait", "TYPE_CHECKING", "Trait", "abs",
        "annotations", "calculate_traits", "category", "category_ms", "classmethod", "cls", "cmd", "dict", "float",
        "int", "isinstance", "len", "list", "math", "max", "min", "object", "round", "slope_ms", "str", "world",
    }
)  # fmt: skip
"""Names with a meaning of their own in a draft: neither a class nor an imported command may take one."""

_LENGTH: Final = re.compile(r"len\((.+)\)")
_NOT_IN_FILE_NAMES: Final = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class CommandType:
    """Where a command's class can be imported from, and what a draft calls it."""

    module: str

    name: str
    """What is imported: the first part of the class's qualified name."""

    alias: str | None
    """What it is imported as, where its own name is taken."""

    annotation: str
    """How the class is written in the draft: ``ExtractMember``, ``Commands.Extract``."""

    @property
    def import_line(self) -> str:
        """The statement that imports it."""
        return f"from {self.module} import {self.name}" + (f" as {self.alias}" if self.alias else "")


def is_name(text: str) -> bool:
    """Whether text is an identifier, no keyword, and the same after Python's own normalisation of identifiers."""
    return (
        len(text) <= LONGEST_NAME
        and text.isidentifier()
        and not keyword.iskeyword(text)
        and unicodedata.normalize("NFKC", text) == text
    )


def is_public_name(text: str) -> bool:
    """Whether text is a name without a leading underscore."""
    return is_name(text) and not text.startswith("_")


def class_name(system: str) -> str:
    """Name the class that stands for a system in its draft: the last class in the system's own name, or ``System``."""
    parts = [part for part in re.split(r"[.:/]", system[-LONGEST_PATH:].removesuffix(".py")) if is_public_name(part)]
    capitals = [part for part in parts if part[0].isupper()]
    name = (capitals or parts or ["System"])[-1]
    return name if name not in TAKEN else f"{name}System"


def command_type(text: str, *, taken: str) -> CommandType | None:
    """
    Read ``module:qualname`` of a command's class.

    Args:
        text: As the report has it.
        taken: The name of the class in the draft.

    Returns:
        `None` where it cannot be imported by name: a local class, one of ``__main__``, or no name at all.
    """
    module, _, qualname = text.partition(":")
    modules, names = module.split("."), qualname.split(".")
    if len(text) > LONGEST_PATH or not all(map(is_name, modules + names)) or modules[0].startswith("__"):
        return None

    alias = "Command" if names[0] in TAKEN or names[0] == taken else None
    if alias == taken:
        alias = "CommandType"
    return CommandType(module, names[0], alias, ".".join([alias or names[0], *names[1:]]))


def feature_source(feature: str, *, command_is_dict: bool) -> str | None:
    """
    Write how a feature is read from ``cmd``.

    ``size`` is ``cmd.size``, ``entry.size`` is ``cmd.entry.size``, ``len(entry)`` is ``len(cmd.entry)``.

    Returns:
        `None` for any other form: such a feature was made by a plugin and is not on the command.
    """
    measured = _LENGTH.fullmatch(feature)
    path = measured[1] if measured else feature
    parts = path.split(".")
    if len(path) > LONGEST_PATH or not all(map(is_public_name, parts)):
        return None

    source = f'cmd["{parts[0]}"]' if command_is_dict else f"cmd.{parts[0]}"
    source = ".".join([source, *parts[1:]])
    return f"len({source})" if measured else source


def file_names(systems: Iterable[str]) -> dict[str, str]:
    """
    Name a file for each system, no two alike even where case does not count.

    A name that says less than the system's own ends in a piece of its hash.
    """
    names: dict[str, str] = {}
    used: set[str] = {"review"}
    for system in sorted(systems):
        stem = _stem(system)
        if stem.casefold() in used:
            stem = f"{stem[:LONGEST_NAME]}_{_short_hash(system)}"
        used.add(stem.casefold())
        names[system] = f"{stem}.py"
    return names


def _stem(system: str) -> str:
    plain = _NOT_IN_FILE_NAMES.sub("_", system).strip("_")
    faithful = 0 < len(plain) <= LONGEST_NAME and len(plain) >= len(system.strip("_"))
    stem = plain if faithful else f"{plain[:LONGEST_NAME]}_{_short_hash(system)}"
    return stem if is_name(stem) else f"system_{stem}"


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
