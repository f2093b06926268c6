"""
Sum up a population of events by group, in SQL, for `populations` to compare.

Quantiles are exact, for a population of any size: durations are counted in narrow bins first, and
only the bins around a median are sorted. The database hands out the values that are near
enough to a group's median to matter for its interval: some thousands of a million spans.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import duckdb
import numpy as np

from dam_obs.errors import DamObsError
from dam_obs.store.errors import Unreadable
from dam_obs.store.grouping import Grouping
from dam_obs.store.intervals import REACH, Middle
from dam_obs.store.populations import Group, Times

if TYPE_CHECKING:
    from dam_obs.store.filter import Filter
    from dam_obs.store.table import EventTable

_BINS_PER_OCTAVE: Final = 32
"""Durations in one bin differ by two per cent at most."""

MOST_GROUPS: Final = 10_000
"""More cannot be read by anyone, and so fine a division is mostly a mistake."""

OPERATIONS: Final = Grouping("layer.operation", "layer || '.' || operation")
"""By layer and operation together, which is what a trace point is named by."""


class TooManyGroups(DamObsError):
    """Events were grouped by what is different for nearly each of them."""

    def __init__(self, by: str, groups: int) -> None:
        super().__init__(f"{by} splits the events into {groups:,} groups, more than {MOST_GROUPS:,}: group by another")
        self.by = by
        self.groups = groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The events that are compared, summed up."""

    events: int
    without_group: int
    """Events among them that have nothing to be grouped by."""
    groups: dict[str, Group]


def population(
    table: EventTable, by: Grouping, *, wanted: Filter, newest: int | None = None, skip_newest: int = 0
) -> Population:
    """
    Sum up events of a table by group.

    Args:
        table: Where they are.
        by: What they are grouped by.
        wanted: Only those that it lets through.
        newest: Of those only so many of the newest.
        skip_newest: Of those leave out so many of the newest first.

    Raises:
        TooManyGroups: There are more than `MOST_GROUPS`.
        BadFilter: `wanted` names a layer that neither dam-obs nor the table knows.
        Unreadable: The database cannot read it to its end.
    """
    if wanted.has_strange_layers() and len(table):
        wanted.check_layers(table.layers)
    condition = wanted.condition()
    window, bounds = ("", ()) if newest is None else ("order by position desc limit ? offset ?", (newest, skip_newest))
    # What a user wrote goes in by parameter; the rest are texts of ours.
    chosen = f"""
        create or replace temp table compared as
        select name, status, duration_ns as took, case when duration_ns is not null
            then floor(log2(greatest(duration_ns, 1)) * {_BINS_PER_OCTAVE})::smallint end as bin
        from (select position, {by.sql} as name, status, duration_ns from events where {condition.sql} {window})
    """  # noqa: S608
    try:
        table.connection.execute(chosen, [*by.parameters, *condition.parameters, *bounds])
        return _sum_up(table, by)
    except duckdb.Error as error:
        raise Unreadable(table.name, str(error)) from error
    finally:
        table.connection.execute("drop table if exists compared")


def _sum_up(table: EventTable, by: Grouping) -> Population:
    ask = table.connection.execute
    counted = ask("select count(*), count(*) - count(name), approx_count_distinct(name) from compared").fetchone()
    events, without_group, about = counted or (0, 0, 0)
    if about > 2 * MOST_GROUPS:  # it may be wrong by some per cent
        raise TooManyGroups(by.name, about)
    rows = ask(
        "select name, count(*), count(*) filter (status = 'error'), count(*) filter (status = 'blocked') "
        "from compared where name is not null group by name order by name"
    ).fetchall()
    if len(rows) > MOST_GROUPS:
        raise TooManyGroups(by.name, len(rows))
    times = dict(_times(table))
    groups = {
        name: Group(events=number, errors=errors, blocked=blocked, times=times.get(name))
        for name, number, errors, blocked in rows
    }
    return Population(events=events, without_group=without_group, groups=groups)


def _times(table: EventTable) -> Iterator[tuple[str, Times]]:
    rows = table.connection.execute(_TIMES).fetchall()
    for name, size, first, values, p95 in rows:
        yield name, Times(middle=Middle(size, first, np.asarray(values, dtype=np.float64)), p95_ns=p95)


_TIMES: Final = f"""
    with counted as (
        select name, bin, count(*) as held from compared where name is not null and bin is not null group by name, bin
    ), placed as (
        select *, sum(held) over (partition by name order by bin) - held as before,
            sum(held) over (partition by name) as size
        from counted
    ), asked as (
        select *, (size + 1) / 2.0 as middle, {REACH} * sqrt(size) + 2 as reach, middle - reach as low,
            middle + reach as high, (size * 95 + 99) // 100 as at_95
        from placed
    ), needed as (
        select * from asked
        where (before + held >= low and before + 1 <= high) or (before < at_95 and at_95 <= before + held)
    ), ranked as (
        select name, took, size, low, high, at_95,
            before + row_number() over (partition by name, bin order by took) as rank
        from compared join needed using (name, bin)
    )
    select name, any_value(size)::bigint, min(rank) filter (rank between low and high)::bigint,
        list(took order by rank) filter (rank between low and high), min(took) filter (rank = at_95)
    from ranked group by name
"""  # noqa: S608  (a constant of ours)
"""The spans of each group around its median, and the one at the 95th percentile; only their bins are sorted."""
