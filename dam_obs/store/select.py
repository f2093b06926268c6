"""
Choose events of a trace: the newest, or those that a filter lets through, with their place in a tree.

Without a filter whole traces are chosen, so that no tree is cut; with one, the events that it
lets through, and their ancestors, so that each can be shown where it belongs. Only what is
chosen is read as events; who descends from whom is asked of the table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

import duckdb
import numpy as np

from dam_obs.errors import DamObsError
from dam_obs.store.errors import Unreadable
from dam_obs.store.kin import Family, Positions
from dam_obs.store.table import EventTable
from dam_obs.trace.events import TraceEvent
from dam_obs.trace.layers import UnknownLayer, layer, layers

if TYPE_CHECKING:
    from dam_obs.store.filter import Filter

MOST_OF_A_TRACE: Final = 50_000
"""Events of one trace that are shown at most if nobody asks for more: some 100 MB of memory, and days of reading."""

_OTEL_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
_OTEL_SPAN_ID: Final = re.compile(r"[0-9a-f]{16}")


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
    """Older traces that were left out whole; 0 where a filter chooses single events."""

    in_request: int
    """Events in the traces of the request that was named; all events where none was."""

    read: int
    """Events in the trace."""

    layers: dict[str, str | None]
    """The layers that occur in the trace, each with its code where handles tell it."""

    whole: list[TraceEvent] | None
    """All events of the traces that something is shown of, those shown among them; `None` if these are too many."""

    cut: bool = False
    """The newest trace alone is too large, and a part of it was left out."""

    @property
    def ancestors(self) -> list[TraceEvent]:
        """What is shown without having been asked for."""
        asked_for = {id(event) for event in self.events}
        return [event for event in self.shown if id(event) not in asked_for]


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


def select(
    table: EventTable,
    *,
    wanted: Filter | None = None,
    request: str | None = None,
    last: int | None,
    whole_up_to: int = 0,
) -> Selection:
    """
    Choose events of a trace.

    Args:
        table: The trace.
        wanted: Chooses the events that it lets through; without it, whole traces.
        request: A handle, or an OpenTelemetry trace id (32 hex digits) or span id (16): only of the traces that have
            an event with this id, or one whose parent has it.
        last: So many of the newest at most. Of whole traces, as many of the newest as do not
            exceed it together, and one at least, if it has no more than `MOST_OF_A_TRACE`; of a larger one the newest
            events, with their ancestors. `None` for all.
        whole_up_to: Read all events of the traces that something is shown of, if they are so many at most.

    Raises:
        TraceChanged: The files are others than they were.
        Unreadable: There is no room for what the database has to put aside.
    """
    try:
        choice = _Choosing(table, None if request is None else _request(table, request), whole_up_to)
        if wanted is None or wanted.is_everything:
            return choice.whole_traces(last)
        return choice.passing(wanted, last)
    except duckdb.Error as error:
        raise Unreadable(table.name, str(error)) from error


class _Choosing:
    """Chooses within a request, or within all."""

    def __init__(self, table: EventTable, request: tuple[Family, Positions] | None, whole_up_to: int) -> None:
        self._table = table
        self._whole_up_to = whole_up_to
        self._family: Family | None = None
        self._eligible: Positions | None = None
        if request is not None:
            self._family, self._eligible = request
        self._in_request = len(table) if self._eligible is None else len(self._eligible)

    def whole_traces(self, last: int | None) -> Selection:
        """Choose the newest whole traces. New is what ended late."""
        if last is None or self._in_request == 0:
            everything = np.arange(len(self._table), dtype=np.int64)
            chosen = everything if self._eligible is None else self._eligible
            return self._selection(chosen, chosen, chosen, left_out=0)
        family, eligible = self._family, self._eligible
        if family is None or eligible is None:
            # More events than are to be shown: the traces that they belong to are the newest, and enough.
            eligible = np.arange(max(0, len(self._table) - last - 1), len(self._table), dtype=np.int64)
            family = self._table.kin.family(eligible)
        chosen, traces = _newest_traces(family, eligible, last)
        if len(chosen) > max(last, MOST_OF_A_TRACE):
            return self._cut(family, chosen, last)
        left_out = self._in_request - len(chosen)
        if not left_out:
            return self._selection(chosen, chosen, chosen, left_out=0)
        within = family.parents[family.indices(eligible)]
        roots = self._table.kin.roots() if self._eligible is None else int((within < 0).sum())
        return self._selection(chosen, chosen, chosen, left_out=left_out, left_out_traces=max(0, roots - traces))

    def _cut(self, family: Family, trace: Positions, last: int) -> Selection:
        """Choose the newest events of a trace that is too large to be shown."""
        chosen = trace[-max(last, MOST_OF_A_TRACE) :]
        shown = family.positions[family.with_ancestors(family.indices(chosen))]
        return self._selection(chosen, shown, trace, left_out=self._in_request - len(chosen), cut=True)

    def passing(self, wanted: Filter, last: int | None) -> Selection:
        """Choose the newest events that a filter lets through."""
        asked = self._passing(wanted)
        if self._eligible is not None:
            asked = np.intersect1d(asked, self._eligible)
        chosen = asked if last is None else asked[-last:]
        family = self._family or self._table.kin.family(chosen)
        shown = family.positions[family.with_ancestors(family.indices(chosen))]
        root_of = family.roots()
        traces = family.positions[np.isin(root_of, root_of[family.indices(shown)])]
        return self._selection(chosen, shown, traces, left_out=len(asked) - len(chosen))

    def _passing(self, wanted: Filter) -> Positions:
        """Return where the events stand that a filter lets through, in order."""
        condition = wanted.condition()
        # A table has positions of its own. To ask for those of `events` would take twice as long: they are counted up.
        self._table.connection.execute(
            f"create or replace temp table _answers as select {condition.sql} as passes from events",  # noqa: S608
            list(condition.parameters),
        )
        found = self._table.connection.execute(
            "select rowid from _answers where passes and rowid < ? order by rowid", [len(self._table)]
        ).fetchnumpy()
        return np.asarray(found["rowid"], dtype=np.int64)

    def _selection(
        self,
        chosen: Positions,
        shown: Positions,
        traces: Positions,
        *,
        left_out: int,
        left_out_traces: int = 0,
        cut: bool = False,
    ) -> Selection:
        """Read what was chosen, what is shown with it and, if they are not too many, all events of these traces."""
        whole = len(traces) <= self._whole_up_to
        read = traces if whole else shown
        fetched = self._table.fetch(read)
        return Selection(
            events=_those(fetched, read, chosen),
            shown=_those(fetched, read, shown),
            whole=fetched if whole else None,
            left_out=left_out,
            left_out_traces=left_out_traces,
            in_request=self._in_request,
            read=len(self._table),
            layers=self._table.layers,
            cut=cut,
        )


def _those(events: list[TraceEvent], positions: Positions, wanted: Positions) -> list[TraceEvent]:
    return [event for event, is_wanted in zip(events, np.isin(positions, wanted).tolist(), strict=True) if is_wanted]


def _request(table: EventTable, text: str) -> tuple[Family, Positions]:
    """Return a family with all events of the traces that an id names, and these events."""
    lower = text.lower()
    if _OTEL_TRACE_ID.fullmatch(lower):
        condition, parameters = "trace = hash(?)", [lower]
    elif _OTEL_SPAN_ID.fullmatch(lower):
        condition, parameters = "span = hash(?) or parent_span = hash(?)", [lower, lower]
    else:
        condition, parameters = "handle = hash(?) or parent_handle = hash(?)", [text, text]
    found = table.connection.execute(
        f"select rowid from _lineage where {condition} order by rowid",  # noqa: S608 - one of the above
        parameters,
    ).fetchnumpy()
    named = np.asarray(found["rowid"], dtype=np.int64)
    family = table.kin.family(named)
    roots = family.roots()
    return family, family.positions[np.isin(roots, roots[family.indices(named)])]


def _newest_traces(family: Family, eligible: Positions, last: int) -> tuple[Positions, int]:
    """
    Return the events of the newest whole traces, and how many roots are among them.

    Args:
        family: All events of the traces in question.
        eligible: At least one event of each of them: the one that ended last, and all after it.
        last: So many events at most, but one trace at least.
    """
    root_of = family.roots()
    newest_first = root_of[family.indices(eligible)][::-1]
    found, first_at = np.unique(newest_first, return_index=True)
    ordered = found[np.argsort(first_at)]
    sizes = np.bincount(root_of, minlength=len(root_of))[ordered]
    kept = max(1, int(np.searchsorted(np.cumsum(sizes), last, side="right")))
    chosen = ordered[:kept]
    roots = int((family.parents[chosen] < 0).sum())
    return family.positions[np.isin(root_of, chosen)], roots
