"""
Attributes of a trace point under names that a convention gives them: ``gen_ai.*``, ``openinference.*``.

They are on the span for those who know the convention. The event has the same facts under
the point's own names, so they are not in its metadata. Constants belong to the call site
and cost a call nothing; what is read goes on the span like data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from dam_obs.points.model import AttributeRead, Attributes, DataType, Plain
from dam_obs.points.tables import Table
from dam_obs.trace.site import Standard

LONGEST: Final = 200
"""Characters of a constant."""

MOST_SHARED: Final = 1000
"""Different sets of attributes that are remembered."""

_standards: dict[object, Standard] = {}
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
_OURS: Final = ("dam.", "code.", "error.", "exception.", "thread.")
"""What recording itself puts on spans."""


def read_attributes(table: Table) -> dict[str, Plain | AttributeRead]:
    """Return the table ``attributes`` of a point or a target."""
    attributes = table.table("attributes")
    if attributes is None:
        return {}
    found = {name: _value(attributes, name) for name in attributes.values if _is_name(attributes, name)}
    return {name: value for name, value in found.items() if value is not None}


def _is_name(table: Table, name: str) -> bool:
    if _NAME.fullmatch(name) is None:
        table.wrong(name, f"must be a whole name with dots, in quotes, such as {_whole_name(table.values, name)}")
        return False
    if name.startswith(_OURS):
        table.wrong(name, f"must not start with {name.partition('.')[0]!r}: that is what dam-obs itself says")
        return False
    return True


def _whole_name(values: Mapping[str, Any], name: str) -> str:
    """Guess what was meant: without quotes, TOML reads a name with dots as tables in each other."""
    parts = [name]
    inner = values[name]
    while isinstance(inner, dict) and len(inner) == 1 and "from" not in inner:
        (part,) = inner
        parts.append(part)
        inner = inner[part]
    whole = ".".join(parts)
    return f'"{whole}"' if _NAME.fullmatch(whole) else '"gen_ai.operation.name"'


def _value(table: Table, name: str) -> Plain | AttributeRead | None:
    value = table.values[name]
    if isinstance(value, dict):
        return _read(table, name)
    if not isinstance(value, get_args(Plain)):
        table.wrong(name, "must be text, a number or a boolean, or a table that says where to read it")
        return None
    if isinstance(value, str) and not 0 < len(value) <= LONGEST:
        table.wrong(name, f"must be text of 1 to {LONGEST} characters")
        return None
    return cast(Plain, value)


def _read(attributes: Table, name: str) -> AttributeRead | None:
    table = attributes.table(name)
    if table is None:
        return None
    table.check_keys(("from", "type"))
    kind = table.choice("type", get_args(DataType))
    path = table.path("from")
    if path is None and "from" not in table.values:
        table.wrong("from", "is missing")
    return AttributeRead(path, cast(DataType, kind)) if path is not None and kind is not None else None


def standard_of(attributes: Attributes) -> Standard | None:
    """
    Return what a call site has to know of them; `None` where there are none.

    Call sites that say the same share it: a host may make a plugin manager, and so all its call sites, again and again.
    """
    if not attributes:
        return None
    constants = {name: value for name, value in attributes.items() if not isinstance(value, AttributeRead)}
    # With the types, since 1 == True.
    key = (tuple((name, type(value), value) for name, value in constants.items()), frozenset(reads(attributes)))
    found = _standards.get(key)
    if found is None:
        if len(_standards) >= MOST_SHARED:
            _standards.clear()
        found = _standards[key] = Standard(constants, key[1])
    return found


def reads(attributes: Attributes) -> dict[str, AttributeRead]:
    """Return those that are read from calls."""
    return {name: value for name, value in attributes.items() if isinstance(value, AttributeRead)}
