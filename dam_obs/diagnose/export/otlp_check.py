"""See that an OTLP profile holds together: every index points into its table, every table begins with nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def wrong_indices(data: Any) -> Iterator[str]:
    """Yield, in words, what is wrong with a `ProfilesData` message; nothing if it is right."""
    sizes = {
        name: len(getattr(data.dictionary, f"{name}_table"))
        for name in ("string", "mapping", "function", "location", "stack", "link", "attribute")
    }
    for name, size in sizes.items():
        if size == 0:
            yield f"the {name} table is empty"
        elif name != "string" and getattr(data.dictionary, f"{name}_table")[0].ByteSize():
            yield f"the {name} table does not begin with the empty value"
    if sizes["string"] and data.dictionary.string_table[0]:
        yield "the string table does not begin with the empty string"
    for where, table, index in _references(data):
        if not 0 <= index < sizes[table]:
            yield f"{where} has index {index} of a {table} table with {sizes[table]} entries"
    yield from _wrong_shapes(data)


def _references(data: Any) -> Iterator[tuple[str, str, int]]:
    """Yield every index in the message: where it is, into which table it points, and what it is."""
    yield from _in_tables(data.dictionary)
    for profile in _profiles(data):
        for value_type in (profile.sample_type, profile.period_type):
            yield "a value type", "string", value_type.type_strindex
            yield "a value type", "string", value_type.unit_strindex
        yield from (("a profile", "attribute", index) for index in profile.attribute_indices)
        for sample in profile.samples:
            yield "a sample", "stack", sample.stack_index
            yield "a sample", "link", sample.link_index
            yield from (("a sample", "attribute", index) for index in sample.attribute_indices)


def _in_tables(dictionary: Any) -> Iterator[tuple[str, str, int]]:
    for function in dictionary.function_table:
        for index in (function.name_strindex, function.system_name_strindex, function.filename_strindex):
            yield "a function", "string", index
    for location in dictionary.location_table:
        yield "a location", "mapping", location.mapping_index
        yield from (("a location", "attribute", index) for index in location.attribute_indices)
        yield from (("a line", "function", line.function_index) for line in location.lines)
    for stack in dictionary.stack_table:
        yield from (("a stack", "location", index) for index in stack.location_indices)
    for attribute in dictionary.attribute_table:
        yield "an attribute", "string", attribute.key_strindex
        yield "an attribute", "string", attribute.unit_strindex


def _wrong_shapes(data: Any) -> Iterator[str]:
    """Yield what is wrong with samples whose numbers and times must go together."""
    for profile in _profiles(data):
        for sample in profile.samples:
            values, times = sample.values, sample.timestamps_unix_nano
            if not values and not times:
                yield "a sample has neither values nor times"
            if values and times and len(values) != len(times):
                yield f"a sample has {len(values)} values and {len(times)} times"


def _profiles(data: Any) -> Iterator[Any]:
    for resource in data.resource_profiles:
        for scope in resource.scope_profiles:
            yield from scope.profiles
