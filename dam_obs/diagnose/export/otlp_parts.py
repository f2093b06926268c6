"""
Cut OTLP Profiles that are too large for one request into several, each whole in itself.

A collector takes messages up to a size. Every part has the resource, scope and profile that its samples
are of, and a dictionary with what they point to. How many samples were counted is said of the whole, so it
stands in a profile's first part alone, and the parts of a run add up to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from dam_obs.diagnose.export.otlp_tables import Tables
from dam_obs.sample.samples import Frame

_ROOM = 1.5
"""How much larger parts may be together than the whole, since each has a dictionary of its own: a first guess."""

_OF_THE_WHOLE = "dam.samples."


class _Piece(NamedTuple):
    """A sample, or some of the values and times of one."""

    sample: Any
    first: int
    end: int


def in_parts(data: Any, most_bytes: int) -> Iterator[Any]:
    """
    Yield `ProfilesData` messages that together have the samples of `data`.

    None has more than `most_bytes`, unless a single sample has.
    """
    if data.ByteSize() <= most_bytes:
        yield data
        return
    for resource in data.resource_profiles:
        for scope in resource.scope_profiles:
            for profile in scope.profiles:
                yield from _Cutting(data, resource, scope, profile).parts(most_bytes)


class _Cutting:
    """Cuts one profile."""

    def __init__(self, data: Any, resource: Any, scope: Any, profile: Any) -> None:
        self._whole = data
        self._of = resource, scope, profile
        self._is_first = True

    def parts(self, most_bytes: int) -> Iterator[Any]:
        profile = self._of[2]
        pieces = [_Piece(sample, 0, max(1, len(sample.values))) for sample in profile.samples]
        number = 1 + int(_ROOM * profile.ByteSize() / most_bytes)
        for some in _evenly(pieces, number):
            yield from self._small_enough(some, most_bytes)

    def _small_enough(self, pieces: Sequence[_Piece], most_bytes: int) -> Iterator[Any]:
        part = self._part(pieces)
        halves = list(_evenly(pieces, 2))
        if part.ByteSize() <= most_bytes or len(halves) < 2:
            self._is_first = False
            yield part
            return
        for half in halves:
            yield from self._small_enough(half, most_bytes)

    def _part(self, pieces: Sequence[_Piece]) -> Any:
        resource, scope, profile = self._of
        part = type(self._whole)()
        moved = _Moved(self._whole.dictionary, Tables(part.dictionary))
        to_resource = part.resource_profiles.add(resource=resource.resource, schema_url=resource.schema_url)
        to_scope = to_resource.scope_profiles.add(scope=scope.scope, schema_url=scope.schema_url)
        to = to_scope.profiles.add(
            time_unix_nano=profile.time_unix_nano, duration_nano=profile.duration_nano, period=profile.period
        )
        for name in ("sample_type", "period_type"):
            getattr(to, name).type_strindex = moved.string(getattr(profile, name).type_strindex)
            getattr(to, name).unit_strindex = moved.string(getattr(profile, name).unit_strindex)
        kept = [index for index in profile.attribute_indices if self._is_first or not moved.is_of_the_whole(index)]
        to.attribute_indices.extend(moved.attribute(index) for index in kept)
        for piece in pieces:
            _add(to, piece, moved)
        return part


def _add(to: Any, piece: _Piece, moved: _Moved) -> None:
    sample, first, end = piece
    to.samples.add(
        stack_index=moved.stack(sample.stack_index),
        attribute_indices=[moved.attribute(index) for index in sample.attribute_indices],
        link_index=moved.link(sample.link_index),
        values=sample.values[first:end],
        timestamps_unix_nano=sample.timestamps_unix_nano[first:end],
    )


def _evenly(pieces: Sequence[_Piece], number: int) -> Iterator[Sequence[_Piece]]:
    """Yield up to `number` groups of pieces with about as many values each; a piece that is larger is cut."""
    ends = list(accumulate(piece.end - piece.first for piece in pieces))
    total = ends[-1] if ends else 0
    borders = sorted({round(total * border / number) for border in range(number + 1)})
    at = 0
    for begin, end in pairwise(borders):
        group = []
        while at < len(pieces):
            piece, start = pieces[at], ends[at] - (pieces[at].end - pieces[at].first)
            if start >= end:
                break
            first, last = max(begin, start) - start, min(end, ends[at]) - start
            group.append(_Piece(piece.sample, piece.first + first, piece.first + last))
            if ends[at] > end:
                break
            at += 1
        yield group


class _Moved:
    """Puts what is in one dictionary into another; each thing once."""

    def __init__(self, source: Any, to: Tables) -> None:
        self._from = source
        self._to = to
        self._stacks: dict[int, int] = {0: 0}
        self._attributes: dict[int, int] = {0: 0}
        self._links: dict[int, int] = {0: 0}

    def string(self, index: int) -> int:
        return self._to.string(self._from.string_table[index])

    def is_of_the_whole(self, attribute: int) -> bool:
        key: str = self._from.string_table[self._from.attribute_table[attribute].key_strindex]
        return key.startswith(_OF_THE_WHOLE)

    def stack(self, index: int) -> int:
        if index not in self._stacks:
            locations = self._from.stack_table[index].location_indices
            self._stacks[index] = self._to.stack(tuple(self._frame(each) for each in reversed(locations)))
        return self._stacks[index]

    def _frame(self, index: int) -> Frame:
        (line,) = self._from.location_table[index].lines
        function, strings = self._from.function_table[line.function_index], self._from.string_table
        return Frame(strings[function.name_strindex], strings[function.filename_strindex], line.line or None)

    def attribute(self, index: int) -> int:
        if index not in self._attributes:
            attribute = self._from.attribute_table[index]
            value = getattr(attribute.value, attribute.value.WhichOneof("value"))
            self._attributes[index] = self._to.attribute(self._from.string_table[attribute.key_strindex], value)
        return self._attributes[index]

    def link(self, index: int) -> int:
        if index not in self._links:
            link = self._from.link_table[index]
            self._links[index] = self._to.link(link.trace_id, link.span_id)
        return self._links[index]
