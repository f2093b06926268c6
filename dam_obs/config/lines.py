"""
Find the line of a key in a TOML or YAML file, for messages.

The parsers do not say, so this reads the text again, loosely: a key that is written in a
way it does not know (inside an inline table, say) has no line, and a message does without.
"""

from __future__ import annotations

import re

_TABLE = re.compile(r"\s*\[([^\[\]]+)\]\s*(#.*)?$")
_ASSIGNMENT = re.compile(r"\s*([\w\"'.\s-]+?)\s*=(?!=)")
_YAML_KEY = re.compile(r"(\s*)([\w\"'-]+)\s*:(\s|$)")


def line_of_key(text: str, key: tuple[str, ...]) -> int | None:
    """Return the number of the line, counted from 1, on which `key` (with its tables) is set."""
    return _line_in_toml(text, key) or _line_in_yaml(text, key)


def _line_in_toml(text: str, key: tuple[str, ...]) -> int | None:
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = _parts(header[1])
            if table == key:
                return number
        elif (assignment := _ASSIGNMENT.match(line)) and table + _parts(assignment[1]) == key:
            return number
    return None


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _line_in_yaml(text: str, key: tuple[str, ...]) -> int | None:
    open_keys: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        found = _YAML_KEY.match(line)
        if not found:
            continue
        indent = len(found[1])
        open_keys = [each for each in open_keys if each[0] < indent]
        open_keys.append((indent, found[2].strip("\"'")))
        if tuple(name for _, name in open_keys) == key:
            return number
    return None
