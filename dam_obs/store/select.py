"""
Choose events of a trace: the newest, or those that tests let through, with their place in a tree.

A test is a function of one event. Without tests whole traces are chosen, so that no tree
is cut; with them, the events that pass all, and their ancestors, so that each can be shown
where it belongs.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

import numpy as np

from dam_obs.errors import DamObsError
from dam_obs.store.lineage import Lineage, Positions, roots, with_ancestors
from dam_obs.store.recall import Recall
from dam_obs.trace.events import Status, TraceEvent
from dam_obs.trace.handles import code_of
from dam_obs.trace.layers import UnknownLayer, layer, layers

Test: TypeAlias = Callable[[TraceEvent], bool]

_OTEL_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_OTEL_SPAN_ID = re.compile(r"[0-9a-f]{16}")


class NoSuchLayer(DamObsError):
    """A layer was asked for that neither dam-obs nor the trace knows."""

    def __init__(self, word: str, seen: Mapping[str, str | None]) -> None:
        known = {each.name: each.code for each in layers()}
        known |= {name: code or name for name, code in seen.items() if name not in known}
        nearest = get_close_matches(word, [*known, *known.values()], n=1)
        hint = f"did you mean {nearest[0]}? " if nearest else ""
        listed = ", ".join(f"{name} ({code})" for name, code in known.items())
        super().__init__(f"unknown layer {word!r}: {hint}there are {listed}")
        self.word = word


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What was chosen of a trace."""

    events: list[TraceEvent]
    """What was asked for, in the order of the trace."""

    shown: list[TraceEvent]
    """The same together with their ancestors, which were not asked for themselves, in the order of the trace."""

    left_out: int
    """Older events that were asked for and exceed the bound."""

    left_out_traces: int
    """Older traces that were left out whole; 0 where tests choose single events."""

    in_request: int
    """Events in the traces of the request that was named; all events where none was."""

    read: int
    """Events in the trace."""

    layers: dict[str, str | None]
    """The layers that occur in the trace, each with its code where handles tell it."""

    @property
    def ancestors(self) -> list[TraceEvent]:
        """What is shown without having been asked for."""
        asked_for = {id(event) for event in self.events}
        return [event for event in self.shown if id(event) not in asked_for]


def of_layer(word: str) -> Test:
    """Let through the events of a layer: by its name, its code, or as a plugin that is not here has named it."""
    try:
        name = layer(word).name
    except UnknownLayer:
        return lambda event: event.hrm_layer == word or code_of(event.trace_id) == word
    return lambda event: event.hrm_layer == name


def check_layer(word: str, seen: Mapping[str, str | None]) -> None:
    """
    Refuse a layer that nobody knows.

    Args:
        word: A name or a code.
        seen: The layers of a trace, as in `Selection.layers`.

    Raises:
        NoSuchLayer: It is neither of a layer that is registered here, nor of one in the trace.
    """
    if word in seen or word in seen.values():
        return
    try:
        layer(word)
    except UnknownLayer:
        raise NoSuchLayer(word, seen) from None


def with_status(*statuses: Status) -> Test:
    """Let through the events that ended in one of `statuses`."""
    return lambda event: event.status in statuses


def with_id(text: str) -> Test:
    """
    Let through the events that an id names, and those directly below one that is not in the trace.

    Args:
        text: A handle, or an OpenTelemetry trace id (32 hex digits) or span id (16).
    """
    lower = text.lower()
    if _OTEL_TRACE_ID.fullmatch(lower):
        return lambda event: event.otel_trace_id == lower
    if _OTEL_SPAN_ID.fullmatch(lower):
        return lambda event: lower in (event.otel_span_id, event.otel_parent_id)
    return lambda event: text in (event.trace_id, event.parent_id)


def select(trace: Recall, *, tests: Sequence[Test] = (), request: Test | None = None, last: int | None) -> Selection:
    """
    Choose events of `trace`.

    Args:
        trace: Is iterated once.
        tests: Choose the events that pass all; without any, whole traces.
        request: Only of the traces that have an event which passes this.
        last: So many of the newest at most. Of whole traces, as many of the newest as do not
            exceed it together, and one at least. `None` for all.
    """
    lineage = Lineage()
    passing, named = array("q"), array("q")
    seen: dict[str, str | None] = {}
    for position, event in enumerate(trace):
        lineage.add(event)
        if event.hrm_layer not in seen:
            seen[event.hrm_layer] = code_of(event.trace_id)
        if tests and all(test(event) for test in tests):
            passing.append(position)
        if request is not None and request(event):
            named.append(position)

    parents = lineage.parents()
    root_of = roots(parents)
    eligible = np.arange(len(trace), dtype=np.int64)
    if request is not None:
        eligible = np.flatnonzero(np.isin(root_of, root_of[np.array(named, dtype=np.int64)]))
    if not tests:
        chosen, left_out_traces = _newest_traces(eligible, root_of, last)
        asked = eligible
    else:
        asked = np.intersect1d(np.array(passing, dtype=np.int64), eligible)
        chosen, left_out_traces = asked if last is None else asked[-last:], 0
    shown = with_ancestors(chosen, parents)
    fetched = trace.take(shown.tolist())
    asked_for = np.isin(shown, chosen).tolist()
    return Selection(
        events=[event for event, wanted in zip(fetched, asked_for, strict=True) if wanted],
        shown=fetched,
        left_out=len(asked) - len(chosen),
        left_out_traces=left_out_traces,
        in_request=len(eligible),
        read=len(trace),
        layers=seen,
    )


def _newest_traces(eligible: Positions, root_of: Positions, last: int | None) -> tuple[Positions, int]:
    """Return the events of the newest whole traces, and how many traces are left out. New is what ended late."""
    if last is None or not len(eligible):
        return eligible, 0
    backwards = root_of[eligible][::-1]
    found, first_at, sizes = np.unique(backwards, return_index=True, return_counts=True)
    newest_first = np.argsort(first_at)
    kept = max(1, int(np.searchsorted(np.cumsum(sizes[newest_first]), last, side="right")))
    chosen = found[newest_first[:kept]]
    return eligible[np.isin(root_of[eligible], chosen)], len(found) - kept if kept < len(found) else 0
