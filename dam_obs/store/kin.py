"""
Find who descends from whom, for a few events of a trace of any size.

A family is a set of events such that nobody outside has a parent or a child in it. It is
gathered in the database, generation by generation, and only then looked at in memory: parents are
found there as `dam_obs.store.tree` finds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import duckdb
import numpy as np
import numpy.typing as npt

Positions: TypeAlias = npt.NDArray[np.int64]

AT_ONCE: Final = 50_000
"""An OpenTelemetry trace with no more events than that is taken in whole, rather than generation by generation."""

_COLUMNS: Final = "rowid as position, trace, span, parent_span, handle, parent_handle, pid"


@dataclass(frozen=True, slots=True)
class Family:
    """Events and who is whose parent among them."""

    positions: Positions
    """In the trace, in order."""
    parents: Positions
    """For each event the index, in here, of its parent; -1 for none."""

    def roots(self) -> Positions:
        """Return for each event the index of the root it descends from; in a circle all have the first of it."""
        return roots(self.parents)

    def indices(self, positions: Positions) -> Positions:
        """Return where events, which are in here, stand in here."""
        return np.searchsorted(self.positions, positions).astype(np.int64)

    def with_ancestors(self, indices: Positions) -> Positions:
        """Return `indices` and those of all events above them, in order."""
        chosen = np.zeros(len(self.parents), dtype=np.bool_)
        added = indices
        while len(added):
            chosen[added] = True
            above = self.parents[added]
            above = np.unique(above[above >= 0])
            added = above[~chosen[above]]
        return np.flatnonzero(chosen)


class Kin:
    """Answers questions about families from the table ``_lineage``."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        # A handle tells the parent only of an event whose OpenTelemetry parent is not in the trace.
        connection.execute("""
            create temp table _orphans as
            select child.rowid as position, child.parent_handle
            from _lineage child anti join (select span from _lineage where span is not null) parent
                on child.parent_span = parent.span
            where child.parent_span is not null or child.parent_handle is not null""")
        connection.execute("create temp view _by_handle as select * from _orphans where parent_handle is not null")
        self._has_handles = self._number("select count(*) from _by_handle") > 0

    def family(self, members: Positions) -> Family:
        """Return the smallest family that has all of `members`, or one that is a little larger."""
        execute = self._connection.execute
        execute("create or replace temp table _fresh (position bigint)")
        execute("insert into _fresh select unnest(?)", [members])
        execute(
            f"create or replace temp table _family as select {_COLUMNS} from _lineage"  # noqa: S608
            " where rowid in (select position from _fresh)"
        )
        execute("create or replace temp table _fresh as select * from _family")
        while self._number("select count(*) from _fresh"):
            execute(f"create or replace temp table _found as {self._relatives()}")
            execute("create or replace temp table _fresh as select * from _found")
            execute("insert into _family select * from _fresh")
        return self._look()

    def roots(self) -> int:
        """Return how many events of the whole trace have no parent in it."""
        alone = self._number("select count(*) from _lineage where parent_span is null and parent_handle is null")
        orphans = self._number("select count(*) from _orphans")
        if self._has_handles:
            orphans -= self._number(
                "select count(*) from _by_handle where parent_handle in (select handle from _lineage)"
            )
        return alone + orphans + self._own_parents()

    def _own_parents(self) -> int:
        """Count the events that name themselves as parent and would be taken for children."""
        return self._number("""
            select count(*) from _lineage own where parent_span = span
            and not exists (from _lineage later where later.span = own.span and later.rowid > own.rowid)
        """) + self._number("""
            select count(*) from _by_handle child join _lineage own on own.rowid = child.position
            where own.parent_handle = own.handle and not exists (
                from _lineage before where before.handle = own.handle
                and before.pid is not distinct from own.pid and before.rowid < own.rowid)
        """)

    def _relatives(self) -> str:
        """Return a query for what is not in the family yet and is next to what was added last."""
        near = [
            "select rowid from _lineage where span in (select parent_span from _fresh where parent_span is not null)",
            "select rowid from _lineage where parent_span in (select span from _fresh where span is not null)",
        ]
        if self._has_handles:
            named = "select parent_handle from _by_handle where position in (select position from _fresh)"
            near.append(f"select rowid from _lineage where handle in ({named})")  # noqa: S608
            near.append("select position from _by_handle where parent_handle in (select handle from _fresh)")
        same_trace = "from _lineage where trace in (select trace from _fresh where trace is not null)"
        if self._number(f"select count(*) {same_trace}") <= AT_ONCE:
            near.append(f"select rowid {same_trace}")
        return (
            f"select {_COLUMNS} from _lineage where rowid in ({' union all '.join(near)})"  # noqa: S608
            " and rowid not in (select position from _family)"
        )

    def _look(self) -> Family:
        columns = self._connection.execute("""
            select position, coalesce(span, 0) as span, coalesce(parent_span, 0) as parent_span, handle,
                coalesce(parent_handle, 0) as parent_handle,
                hash(coalesce(pid, -1), handle) as own,
                case when parent_handle is null then 0 else hash(coalesce(pid, -1), parent_handle) end as parent_own
            from _family order by position""").fetchnumpy()
        found = _find(columns["span"], columns["parent_span"], last=True)
        for own, wanted in (("own", "parent_own"), ("handle", "parent_handle")):
            without = np.flatnonzero(found < 0)
            found[without] = _find(columns[own], columns[wanted][without])
        found[found == np.arange(len(found))] = -1
        return Family(np.asarray(columns["position"], dtype=np.int64), found)

    def _number(self, query: str) -> int:
        row = self._connection.execute(query).fetchone()
        return 0 if row is None else int(row[0])


def roots(parents: Positions) -> Positions:
    """
    Return for each event the index of the root it descends from.

    Events whose parents lead in a circle, as in a forged file, have the first of that circle as root.
    """
    own = np.arange(len(parents), dtype=np.int64)
    above = np.where(parents < 0, own, parents)
    lowest = own.copy()
    for _ in range(max(1, len(parents)).bit_length()):
        lowest = np.minimum(lowest, lowest[above])
        above = above[above]
    circling = np.flatnonzero(parents[above] >= 0)
    above[circling] = lowest[above[circling]]
    return above


def _find(own: npt.NDArray[np.uint64], wanted: npt.NDArray[np.uint64], *, last: bool = False) -> Positions:
    """Return where each of `wanted` stands in `own`: the first place, or the last; -1 for nowhere and for 0."""
    if not len(own):
        return np.full(len(wanted), -1, dtype=np.int64)
    order = np.argsort(own, kind="stable")
    ordered = own[order]
    at = np.searchsorted(ordered, wanted, side="right") - 1 if last else np.searchsorted(ordered, wanted, side="left")
    at = np.clip(at, 0, len(own) - 1)
    there = (ordered[at] == wanted) & (wanted != 0)
    return np.where(there, order[at], -1)
