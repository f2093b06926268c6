"""
Sum up the newest events of a trace, in SQL: by layer and operation, by what the user names, over time.

The events are read once, into a narrow table of their own that goes to disk where memory
ends; all figures come from that. Quantiles are exact, durations that occurred, for a trace of
any size: durations are counted in narrow bins first, and only the bins that a quantile falls
into are sorted.

What the figures are is said in `figures`; how they are laid out is the command's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, get_args

import duckdb

from dam_obs.store.errors import Unreadable
from dam_obs.store.figures import Durations, Figures, Groups, LayerFigures, OverTime, Series, Sums
from dam_obs.store.filter import Filter
from dam_obs.store.grouping import Grouping
from dam_obs.trace.events import Status, TraceEvent
from dam_obs.trace.layers import BUILT_IN

if TYPE_CHECKING:
    from dam_obs.store.table import EventTable

STATUSES: Final[tuple[Status, ...]] = get_args(Status)

PERCENTILES: Final = (50, 90, 95, 99)

_LONGEST_NS: Final = 2**63 - 1

_BINS_PER_OCTAVE: Final = 32
"""Durations in one bin differ by two per cent at most: a quantile's bin holds few of them."""


def sum_up(
    table: EventTable,
    *,
    wanted: Filter,
    last: int,
    slowest: int,
    by: Grouping | None = None,
    most_groups: int = 20,
    buckets: int = 24,
) -> Sums:
    """
    Sum up the events of a table.

    Args:
        table: Is read once, and once more for the slowest events.
        wanted: Which of its events.
        last: Only so many of the newest.
        slowest: How many of the slowest spans to name at most.
        by: What else to group by.
        most_groups: How many of those groups to give, and how many operations of a layer.
        buckets: In how many parts to divide the time at most.

    Raises:
        BadFilter: `wanted` names a layer that neither dam-obs nor the table knows.
        Unreadable: The database has no room, or cannot read the trace any more.
    """
    if wanted.has_strange_layers() and len(table):
        wanted.check_layers(table.layers)
    with _failing_in_words(table), _chosen(table, wanted, last, by) as fitting:
        ask = _Asker(table)
        layers = _layers(ask, most_groups)
        grouped = _groups(ask, by, most_groups) if by is not None else None
        return Sums(
            read=len(table),
            fitting=fitting,
            events=sum(layer.operations for layer in layers),
            layers=layers,
            grouped=grouped,
            over_time=_over_time(ask, layers, grouped, buckets),
            slowest=_slowest(ask, table, slowest),
        )


@contextmanager
def _failing_in_words(table: EventTable) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise Unreadable(table.name, str(error)) from error


class _Asker:
    """Asks the table ``chosen``."""

    def __init__(self, table: EventTable) -> None:
        self._connection = table.connection

    def __call__(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, parameters).fetchall()


@contextmanager
def _chosen(table: EventTable, wanted: Filter, last: int, by: Grouping | None) -> Iterator[int]:
    """Keep what is needed of the newest events that are wanted in the table ``chosen``; give the number of all such."""
    execute = table.connection.execute
    condition = wanted.condition()
    name, name_parameters = (by.sql, by.parameters) if by is not None else ("cast(null as varchar)", ())
    all_fit = wanted.is_everything
    from_position = max(0, len(table) - last) if all_fit else 0
    # What a user wrote goes in by parameter; the rest are texts of ours.
    chosen = f"""
        create or replace temp table chosen as
        select position, layer, operation, status, start_ns, duration_ns as took, {name} as name,
            cast(floor(log2(greatest(duration_ns, 1)) * {_BINS_PER_OCTAVE}) as smallint) as bin
        from events where position >= ? and {condition.sql}
    """  # noqa: S608
    execute(chosen, [*name_parameters, from_position, *condition.parameters])
    try:
        fitting = len(table) if all_fit else _number(execute("select count(*) from chosen").fetchone())
        if not all_fit and fitting > last:
            execute(
                "delete from chosen where position < "
                "(select min(position) from (select position from chosen order by position desc limit ?))",
                [last],
            )
        yield fitting
    finally:
        execute("drop table chosen")
        execute("drop table if exists kept")


def _number(row: tuple[Any, ...] | None) -> int:
    return int(row[0]) if row else 0


# -- figures


def _layers(ask: _Asker, most_operations: int) -> tuple[LayerFigures, ...]:
    by_layer = _figures(ask, "layer")
    by_operation = _figures(ask, "layer", "operation")
    found = []
    for (layer,), figures in sorted(by_layer.items(), key=lambda item: _rank(item[0][0])):
        below = _by_weight({name: each for (of, name), each in by_operation.items() if of == layer})
        found.append(
            LayerFigures(
                layer=layer,
                by_operation=below[:most_operations],
                operations_left_out=max(0, len(below) - most_operations),
                **figures,
            )
        )
    return tuple(found)


def _groups(ask: _Asker, by: Grouping, most: int) -> Groups:
    """Return the groups that took the longest together; there may be as many as events, so the others stay in SQL."""
    ((number, without),) = ask("select count(distinct name), count(*) - count(name) from chosen")
    ask(
        "create or replace temp table kept as select name from chosen where name is not null group by name "
        "order by coalesce(sum(took), 0) desc, count(*) desc, name limit ?",
        most,
    )
    figures = _figures(ask, "name", source="(select * from chosen semi join kept using (name))")
    groups = _by_weight({name: each for (name,), each in figures.items()})
    return Groups(by=by.name, groups=groups, groups_left_out=number - len(groups), events_without=without)


def _figures(ask: _Asker, *keys: str, source: str = "chosen") -> dict[tuple[str, ...], dict[str, Any]]:
    """Return the fields of `Figures` by group."""
    listed = ", ".join(keys)
    rows = ask(
        f"select {listed}, count(*), {', '.join('count(*) filter (status = ?)' for _ in STATUSES)}, "  # noqa: S608
        f"avg(took), max(took), sum(took) from {source} group by {listed}",
        *STATUSES,
    )
    quantiles = _quantiles(ask, keys, PERCENTILES, source)
    return {row[: len(keys)]: _fields(row[len(keys) :], quantiles.get(row[: len(keys)])) for row in rows}


def _fields(row: Sequence[Any], quantiles: Mapping[int, int] | None) -> dict[str, Any]:
    operations, *statuses, mean, longest, total = row
    by_status = dict(zip(STATUSES, statuses, strict=True))
    durations = None
    if quantiles is not None:
        durations = Durations(
            mean_ns=round(mean),
            max_ns=longest,
            total_ns=min(int(total), _LONGEST_NS),
            **{f"p{percent}_ns": quantiles[percent] for percent in PERCENTILES},
        )
    return {
        "operations": operations,
        "by_status": by_status,
        "error_rate": by_status["error"] / operations,
        "blocked_rate": by_status["blocked"] / operations,
        "durations": durations,
    }


def _quantiles(
    ask: _Asker, keys: Sequence[str], percentiles: Sequence[int], source: str
) -> dict[tuple[Any, ...], dict[int, int]]:
    """Return quantiles of the durations by group: the smallest that so many per cent do not exceed."""
    listed = ", ".join(keys)
    rows = ask(
        f"""
        with cells as (
            select {listed}, bin, count(*) as size from {source} where took is not null group by {listed}, bin
        ), piled as (
            select *, sum(size) over (partition by {listed} order by bin) as upto,
                sum(size) over (partition by {listed}) as spans
            from cells
        ), targets as (
            select {listed}, bin, percent, cast((spans * percent + 99) // 100 - (upto - size) as bigint) as place
            from piled, unnest(?::integer[]) as asked(percent)
            where (spans * percent + 99) // 100 between upto - size + 1 and upto
        ), placed as (
            select {listed}, bin, took, row_number() over (partition by {listed}, bin order by took) as place
            from {source} semi join targets using ({listed}, bin) where took is not null
        )
        select {listed}, percent, took from placed join targets using ({listed}, bin, place)
        """,  # noqa: S608
        list(percentiles),
    )
    found: dict[tuple[Any, ...], dict[int, int]] = {}
    for *key, percent, took in rows:
        found.setdefault(tuple(key), {})[percent] = took
    return found


def _by_weight(figures: Mapping[str, dict[str, Any]]) -> tuple[Figures, ...]:
    made = [Figures(name=name, **each) for name, each in figures.items()]
    return tuple(sorted(made, key=lambda each: (-_total(each), -each.operations, each.name)))


def _total(figures: Figures) -> int:
    return figures.durations.total_ns if figures.durations else 0


def _rank(name: str) -> tuple[int, str]:
    names = [each.name for each in BUILT_IN]
    return (names.index(name), "") if name in names else (len(names), name)


# -- time


def _over_time(ask: _Asker, layers: Sequence[LayerFigures], grouped: Groups | None, buckets: int) -> OverTime | None:
    ((first, last),) = ask("select min(start_ns), max(start_ns) from chosen")
    if first is None:
        return None
    bucket_ns = (last - first) // buckets + 1
    number = (last - first) // bucket_ns + 1
    key, names = ("layer", [layer.layer for layer in layers])
    kept = ""
    if grouped is not None:
        key, names = "name", [group.name for group in grouped.groups]
        kept = "semi join kept using (name)"
    source = f"(select {key}, bin, took, (start_ns - {first}) // {bucket_ns} as bucket from chosen {kept})"  # noqa: S608
    counts = ask(f"select {key}, bucket, count(*) from {source} group by {key}, bucket")  # noqa: S608
    operations = {(name, bucket): count for name, bucket, count in counts}
    p95 = _quantiles(ask, (key, "bucket"), (95,), source)
    return OverTime(
        first_ns=first,
        bucket_ns=bucket_ns,
        buckets=number,
        by=grouped.by if grouped is not None else "layer",
        series=tuple(
            Series(
                name=name,
                operations=tuple(operations.get((name, bucket), 0) for bucket in range(number)),
                p95_ns=tuple(p95.get((name, bucket), {}).get(95) for bucket in range(number)),
            )
            for name in names
        ),
    )


# -- the slowest


def _slowest(ask: _Asker, table: EventTable, number: int) -> tuple[TraceEvent, ...]:
    rows = ask("select position from chosen where took is not null order by took desc, position limit ?", number)
    positions = [position for (position,) in rows]
    events = dict(zip(sorted(positions), table.fetch(sorted(positions)), strict=True)) if positions else {}
    return tuple(events[position] for position in positions)
