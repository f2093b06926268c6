"""
Who descends from whom, for traces of any size: some fifty bytes for each event, in any order.

Parents are found as `dam_obs.store.tree` finds them, but only positions come out: this
says which events to fetch, the tree is made of those.
"""

from __future__ import annotations

from array import array
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dam_obs.trace.events import TraceEvent

Positions: TypeAlias = npt.NDArray[np.int64]

_NONE = 0
"""Stands for no id. An empty span id is none either; an empty handle, which only a forged file has, is one."""

_EMPTY = 1
"""Stands for an empty handle, whose hash is 0."""


class Lineage:
    """Collects the events of a trace; asked when all are in it."""

    def __init__(self) -> None:
        self._spans, self._parent_spans = array("q"), array("q")
        self._locals, self._parent_locals = array("q"), array("q")
        self._handles, self._parent_handles = array("q"), array("q")

    def add(self, event: TraceEvent) -> None:
        """Add the next event."""
        handle, parent = event.trace_id, event.parent_id
        self._spans.append(_number(event.otel_span_id))
        self._parent_spans.append(_number(event.otel_parent_id))
        self._locals.append(hash((event.pid, handle)))
        self._parent_locals.append(_NONE if parent is None else hash((event.pid, parent)))
        self._handles.append(hash(handle) or _EMPTY)
        self._parent_handles.append(_NONE if parent is None else hash(parent) or _EMPTY)

    def parents(self) -> Positions:
        """Return for each event the position of its parent; -1 where that is not in the trace."""
        found = _find(_numbers(self._spans), _numbers(self._parent_spans), last=True)
        for own, wanted in ((self._locals, self._parent_locals), (self._handles, self._parent_handles)):
            without = np.flatnonzero(found < 0)
            found[without] = _find(_numbers(own), _numbers(wanted)[without])
        found[found == np.arange(len(found))] = -1
        return found


def roots(parents: Positions) -> Positions:
    """
    Return for each event the position of the root it descends from.

    Events whose parents lead in a circle, as in a forged file, all get the first of them.
    """
    own = np.arange(len(parents), dtype=np.int64)
    above = np.where(parents < 0, own, parents)
    for _ in range(max(1, len(parents)).bit_length()):
        above = above[above]
    circling = np.flatnonzero(parents[above] >= 0)
    if len(circling):
        above[circling] = circling[0]
    return above


def with_ancestors(positions: Positions, parents: Positions) -> Positions:
    """Return `positions` and those of all events above them, in order."""
    chosen = np.zeros(len(parents), dtype=np.bool_)
    added = positions
    while len(added):
        chosen[added] = True
        above = parents[added]
        above = np.unique(above[above >= 0])
        added = above[~chosen[above]]
    return np.flatnonzero(chosen)


def _number(span_id: str | None) -> int:
    """Return a number for an id; two ids share one about once in 2**64."""
    return hash(span_id) if span_id else _NONE


def _numbers(column: array[int]) -> Positions:
    return np.array(column, dtype=np.int64)


def _find(own: Positions, wanted: Positions, *, last: bool = False) -> Positions:
    """Return where each of `wanted` stands in `own`: the first place, or the last; -1 for nowhere and for `_NONE`."""
    if not len(own):
        return np.full(len(wanted), -1, dtype=np.int64)
    order = np.argsort(own, kind="stable")
    ordered = own[order]
    at = np.searchsorted(ordered, wanted, side="right") - 1 if last else np.searchsorted(ordered, wanted, side="left")
    at = np.clip(at, 0, len(own) - 1)
    there = (ordered[at] == wanted) & (wanted != _NONE)
    return np.where(there, order[at], -1)
