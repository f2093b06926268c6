"""
The dictionary of an OTLP profile: tables that samples point into, each value in them once.

The first entry of each table is the empty value, so that index 0 means "none".
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Generic, TypeVar

from dam_obs.sample.samples import Frame

Key = TypeVar("Key", bound=Hashable)


class _Table(Generic[Key]):
    """What has been put into a table, and where."""

    def __init__(self, empty: Key) -> None:
        self._indices: dict[Key, int] = {empty: 0}

    def index(self, key: Key) -> tuple[int, bool]:
        """Return the index of `key`, and whether it is new."""
        known = self._indices.get(key)
        if known is not None:
            return known, False
        self._indices[key] = len(self._indices)
        return self._indices[key], True


class Tables:
    """Fills a `ProfilesDictionary`."""

    def __init__(self, dictionary: Any) -> None:
        self._to = dictionary
        dictionary.string_table.append("")
        for table in (
            dictionary.mapping_table,
            dictionary.location_table,
            dictionary.function_table,
            dictionary.link_table,
            dictionary.attribute_table,
            dictionary.stack_table,
        ):
            table.add()
        self._strings = _Table("")
        self._functions = _Table((0, 0))
        self._locations = _Table((0, 0))
        self._stacks: _Table[tuple[int, ...]] = _Table(())
        self._links = _Table((b"", b""))
        self._attributes: _Table[tuple[int, type, str | int]] = _Table((0, str, ""))
        self._frames: dict[Frame, int] = {}

    def string(self, text: str) -> int:
        """Return the index of a string."""
        index, new = self._strings.index(text)
        if new:
            self._to.string_table.append(text)
        return index

    def stack(self, frames: tuple[Frame, ...]) -> int:
        """Return the index of a stack, which is given with its outermost frame first."""
        locations = tuple(self._location(frame) for frame in reversed(frames))
        index, new = self._stacks.index(locations)
        if new:
            self._to.stack_table.add(location_indices=locations)
        return index

    def link(self, trace_id: bytes, span_id: bytes) -> int:
        """Return the index of a link to a span."""
        index, new = self._links.index((trace_id, span_id))
        if new:
            self._to.link_table.add(trace_id=trace_id, span_id=span_id)
        return index

    def attribute(self, key: str, value: str | int) -> int:
        """Return the index of an attribute."""
        name = self.string(key)
        index, new = self._attributes.index((name, type(value), value))
        if new:
            added = self._to.attribute_table.add(key_strindex=name)
            if isinstance(value, int):
                added.value.int_value = value
            else:
                added.value.string_value = value
        return index

    def _location(self, frame: Frame) -> int:
        known = self._frames.get(frame)
        if known is None:
            known = self._frames[frame] = self._add_location(frame)
        return known

    def _add_location(self, frame: Frame) -> int:
        named = self.string(frame.function), self.string(frame.file)
        function, new = self._functions.index(named)
        if new:
            self._to.function_table.add(name_strindex=named[0], filename_strindex=named[1])
        line = frame.line or 0
        location, new = self._locations.index((function, line))
        if new:
            self._to.location_table.add().lines.add(function_index=function, line=line)
        return location
