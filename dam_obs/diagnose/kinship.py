"""
Which execution has which span id, and who was started by whom: numbers, sixteen to forty bytes an execution.

An id is looked up by bisection among all ids in order. Where a child names no execution's span, for a
span of another library lies between, its parent is found by the handle.
"""

from __future__ import annotations

from array import array
from collections.abc import ItemsView, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dam_obs.trace.events import TraceEvent

Ints = NDArray[np.int64]

NOWHERE: Final = -1

_NO_ID: Final = 0
"""No span has it."""

_MOST_STEPS_BETWEEN: Final = 1_000
_INTERVALS_AT_ONCE: Final = 65_536


def number_of(span_id: str | None) -> int:
    """Return a span id as a number; of one that is none, a number that hardly another one has."""
    if not span_id:
        return _NO_ID
    try:
        number = int(span_id, 16)
    except ValueError:
        number = hash(span_id)
    return number & 0xFFFF_FFFF_FFFF_FFFF


class Lookup:
    """Finds the place of a number in an array; of several, the last."""

    def __init__(self, numbers: array[int], kind: type[np.generic]) -> None:
        self._kind = kind
        column = np.frombuffer(numbers, dtype=kind) if len(numbers) else np.empty(0, dtype=kind)
        self._order = np.argsort(column, kind="stable")
        self._sorted = column[self._order]

    def places(self, wanted: NDArray[np.generic]) -> Ints:
        """Return the place of each of `wanted`, or `NOWHERE`."""
        if not len(self._sorted):
            return np.full(len(wanted), NOWHERE, dtype=np.int64)
        found = np.maximum(np.searchsorted(self._sorted, wanted, side="right") - 1, 0)
        return np.where(self._sorted[found] == wanted, self._order[found], NOWHERE)

    def place(self, wanted: int) -> int:
        """Return one place."""
        return int(self.places(np.array([wanted], dtype=self._kind))[0])


@dataclass(slots=True)
class Kinship:
    """The executions of a run by their ids, and those that others started."""

    _spans: array[int] = field(default_factory=lambda: array("Q"))
    _handles: array[int] = field(default_factory=lambda: array("q"))
    """Hashes of process and handle."""
    _systems: array[int] = field(default_factory=lambda: array("I"))
    _rows: array[int] = field(default_factory=lambda: array("I"))
    _children: array[int] = field(default_factory=lambda: array("I"))
    """Places in the above, of executions that have a parent."""
    _parents: array[int] = field(default_factory=lambda: array("Q"))
    """For each of these, the span id of its parent."""
    _parent_handles: array[int] = field(default_factory=lambda: array("q"))
    _steps: array[int] = field(default_factory=lambda: array("Q"))
    """Span ids of steps between executions."""
    _step_parents: array[int] = field(default_factory=lambda: array("Q"))
    _step_parent_handles: array[int] = field(default_factory=lambda: array("q"))
    _by_span: Lookup | None = None

    def add(self, event: TraceEvent, system: int, row: int) -> None:
        """Add an execution: row `row` of system number `system`."""
        if event.parent_id is not None:
            self._children.append(len(self._spans))
            self._parents.append(number_of(event.otel_parent_id))
            self._parent_handles.append(hash((event.pid, event.parent_id)))
        self._spans.append(number_of(event.otel_span_id))
        self._handles.append(hash((event.pid, event.trace_id)))
        self._systems.append(system)
        self._rows.append(row)

    def add_step(self, event: TraceEvent) -> None:
        """Remember what is between an execution and the one that started it."""
        if event.otel_span_id:
            self._steps.append(number_of(event.otel_span_id))
            self._step_parents.append(number_of(event.otel_parent_id))
            self._step_parent_handles.append(hash((event.pid, event.parent_id or "")))

    def find(self, span_id: str) -> tuple[int, int] | None:
        """Return system and row of the execution with a span id; once all have been added."""
        if self._by_span is None:
            self._by_span = Lookup(self._spans, np.uint64)
        place = self._by_span.place(number_of(span_id)) if span_id else NOWHERE
        return None if place == NOWHERE else (self._systems[place], self._rows[place])

    def children(self, starts: list[Ints], ends: list[Ints]) -> dict[int, Children]:
        """
        Return, by system, when the executions were in flight that each of its executions started.

        Args:
            starts: By system, when its executions began.
            ends: When they ended.
        """
        if not len(self._children):
            return {}
        children = np.frombuffer(self._children, dtype=np.uint32)
        parents = self._parent_places()
        known = parents != NOWHERE
        children, parents = children[known], parents[known]
        systems, rows = np.frombuffer(self._systems, dtype=np.uint32), np.frombuffer(self._rows, dtype=np.uint32)
        began, ended = _columns_of(systems[children], rows[children], starts, ends)
        return {
            int(system): Children(rows[parents[of]], began[of], ended[of])
            for system in np.unique(systems[parents])
            for of in [systems[parents] == system]
        }

    def _parent_places(self) -> Ints:
        """Return the place of each child's parent."""
        above = np.array(self._parents, dtype=np.uint64)
        handles = np.array(self._parent_handles, dtype=np.int64)
        steps = Lookup(self._steps, np.uint64)
        step_parents = np.array(self._step_parents, dtype=np.uint64)
        step_handles = np.array(self._step_parent_handles, dtype=np.int64)
        for _ in range(_MOST_STEPS_BETWEEN if len(self._steps) else 0):
            step = np.where(above == _NO_ID, NOWHERE, steps.places(above))
            between = step != NOWHERE
            if not between.any():
                break
            above[between], handles[between] = step_parents[step[between]], step_handles[step[between]]
        if self._by_span is None:
            self._by_span = Lookup(self._spans, np.uint64)
        found = np.where(above == _NO_ID, NOWHERE, self._by_span.places(above))
        lost = found == NOWHERE
        if lost.any():
            found[lost] = Lookup(self._handles, np.int64).places(handles[lost])
        return found


def _columns_of(systems: Ints, rows: Ints, starts: list[Ints], ends: list[Ints]) -> tuple[Ints, Ints]:
    began, ended = np.empty(len(rows), dtype=np.int64), np.empty(len(rows), dtype=np.int64)
    for system in np.unique(systems):
        of = systems == system
        began[of], ended[of] = starts[system][rows[of]], ends[system][rows[of]]
    return began, ended


class Children(Mapping[int, list[tuple[int, int]]]):
    """By row of the parent, when its children were in flight; lists are made as they are asked for."""

    def __init__(self, rows: Ints, starts: Ints, ends: Ints) -> None:
        """Take three columns with a row for each child; the first says whose it is."""
        order = np.argsort(rows, kind="stable")
        self._starts, self._ends = starts[order], ends[order]
        self._rows, self._first = np.unique(rows[order], return_index=True)
        self._last = np.append(self._first[1:], len(rows))

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[int]:
        return (int(row) for row in self._rows)

    def __getitem__(self, row: int) -> list[tuple[int, int]]:
        place = int(np.searchsorted(self._rows, row))
        if place == len(self._rows) or self._rows[place] != row:
            raise KeyError(row)
        of = slice(self._first[place], self._last[place])
        return list(zip(self._starts[of].tolist(), self._ends[of].tolist(), strict=True))

    def items(self) -> ItemsView[int, list[tuple[int, int]]]:
        """Return rows with their lists, in order; the quick way through them all."""
        return _Items(self)

    def in_order(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """Yield rows with their lists."""
        for begin in range(0, len(self._rows), _INTERVALS_AT_ONCE):
            part = slice(begin, begin + _INTERVALS_AT_ONCE)
            rows, first, last = self._rows[part].tolist(), self._first[part].tolist(), self._last[part].tolist()
            offset = first[0]
            starts, ends = self._starts[offset : last[-1]].tolist(), self._ends[offset : last[-1]].tolist()
            for row, left, right in zip(rows, first, last, strict=True):
                of = slice(left - offset, right - offset)
                yield row, list(zip(starts[of], ends[of], strict=True))


class _Items(ItemsView[int, list[tuple[int, int]]]):
    def __init__(self, children: Children) -> None:
        super().__init__(children)
        self._children = children

    def __iter__(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        return self._children.in_order()
