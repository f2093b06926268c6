"""``dam-obs diff``: what got slower or fails more often, between two populations of events."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import click

from dam_obs.cli._base import console, echo_json, json_option, named_source
from dam_obs.cli._diff.document import Side, document
from dam_obs.cli._diff.limits import Limit, read_limits
from dam_obs.cli._diff.text import closing_lines, comparison_table
from dam_obs.cli._reading import open_reading, tell_skipped
from dam_obs.cli._units import counted
from dam_obs.store.by_group import OPERATIONS, Population, population
from dam_obs.store.filter import Filter, all_of, parse_filter
from dam_obs.store.find import Source
from dam_obs.store.grouping import Grouping, grouping
from dam_obs.store.populations import compare
from dam_obs.store.table import EventTable
from dam_obs.text import printable

FAILED: Final = 1
"""The exit status if a limit is broken."""

TOP: Final = 40
"""Groups that are printed, if nothing is said."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Which events of a source make a population."""

    source: Source
    wanted: Filter
    newest: int | None = None
    skip_newest: int = 0


@click.command("diff")
@click.argument(
    "sources", nargs=-1, metavar="[BEFORE] [AFTER]", callback=lambda context, _, names: _sources(context, names)
)
@click.option("--filter", "-f", "filter_text", default="", metavar="FILTER", help="Only events that fit, of both.")
@click.option("--before", "before_text", metavar="FILTER", help="In one trace: what to compare with.")
@click.option("--after", "after_text", metavar="FILTER", help="In one trace: what is compared.")
@click.option(
    "--last",
    type=click.IntRange(min=1),
    metavar="N",
    help="The newest N events; of one trace against the N before them.",
)
@click.option(
    "--by",
    metavar="WHAT",
    help="Group by component, operation, layer or @data.KEY. [default: layer and operation]",
)
@click.option(
    "--level",
    type=click.FloatRange(min=0.5, max=0.9999),
    default=0.95,
    show_default=True,
    help="Of the intervals; the rest is the share of false ones among what is called changed.",
)
@click.option(
    "--top", type=click.IntRange(min=1), metavar="N", default=TOP, show_default=True, help="Show N groups at most."
)
@click.option(
    "--fail-on",
    "limits",
    callback=read_limits,
    multiple=True,
    metavar="LIMIT",
    help="End with status 1 if a group got `slower`, `slower:10%`, or has more `errors`, `errors:1%`; may be repeated.",
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    sources: Sequence[Source],
    filter_text: str,
    before_text: str | None,
    after_text: str | None,
    last: int | None,
    by: str | None,
    level: float,
    top: int,
    limits: Sequence[Limit],
    as_json: bool,
) -> None:
    """
    Compare recorded events with earlier ones.

    Two traces, BEFORE and AFTER; or parts of one, with --before and --after, or with --last.
    """
    parts = _parts(sources, parse_filter(filter_text), before_text, after_text, last)
    grouped = OPERATIONS if by is None else grouping(by)
    (before, before_side), (after, after_side) = _sum_up(parts, grouped)
    comparisons = compare(before.groups, after.groups, level=level)

    if as_json:
        echo_json(document(before_side, after_side, comparisons, by=grouped.name, level=level))
    else:
        for word, side in (("Before", before_side), ("After", after_side)):
            click.echo(f"{word}: {_described(side)}")
        if comparisons:
            click.echo()
            out = console()
            out.print(comparison_table(comparisons[:top], out.width))
            out.print()
            for line in closing_lines(comparisons, level):
                out.print(line)
        _tell_rest(before_side, after_side, len(comparisons), top, grouped)
    broken = [sentence for limit in limits for sentence in limit.broken_by(comparisons)]
    for sentence in broken:
        click.echo(f"Not within the limit: {sentence}.", err=True)
    if broken:
        context.exit(FAILED)


def _sources(context: click.Context, names: Sequence[str]) -> list[Source]:
    if context.resilient_parsing:  # completion in the shell
        return []
    if len(names) > 2:
        raise click.UsageError(f"{len(names)} traces were given: compare two, BEFORE and AFTER, or parts of one")
    return [named_source(name) for name in names or (None,)]


def _parts(
    sources: Sequence[Source], both: Filter, before_text: str | None, after_text: str | None, last: int | None
) -> tuple[_Part, _Part]:
    """Say which events are compared, from what was typed."""
    split = before_text is not None or after_text is not None
    if len(sources) == 2:
        if split:
            raise click.UsageError("--before and --after are for parts of one trace, but two traces were given")
        return _Part(sources[0], both, last), _Part(sources[1], both, last)

    source = sources[0]
    if split:
        if before_text is None or after_text is None:
            raise click.UsageError("--before and --after go together: give a filter for each")
        before, after = parse_filter(before_text), parse_filter(after_text)
        return _Part(source, all_of(both, before), last), _Part(source, all_of(both, after), last)
    if last is None:
        raise click.UsageError(
            "one trace alone cannot be compared: name another, or its parts with --before and --after, or with --last"
        )
    return _Part(source, both, last, last), _Part(source, both, last)


def _sum_up(parts: tuple[_Part, _Part], by: Grouping) -> list[tuple[Population, Side]]:
    """Read each source once, and sum up its part or parts."""
    opened: dict[Source, EventTable] = {}
    with ExitStack() as stack:
        for part in parts:
            if part.source not in opened:
                opened[part.source] = stack.enter_context(open_reading(part.source))
                tell_skipped(opened[part.source])
        return [_population(part, opened[part.source], by) for part in parts]


def _population(part: _Part, table: EventTable, by: Grouping) -> tuple[Population, Side]:
    found = population(table, by, wanted=part.wanted, newest=part.newest, skip_newest=part.skip_newest)
    side = Side(
        trace=table.name,
        filter=part.wanted.text,
        newest=part.newest,
        skip_newest=part.skip_newest,
        events=found.events,
        without_group=found.without_group,
        skipped=table.skipped,
    )
    return found, side


def _described(side: Side) -> str:
    fitting = f" with {side.filter}" if side.filter else ""
    which = ", the newest" if side.newest is not None else ""
    if side.skip_newest:
        which = f", those before the newest {side.skip_newest:,}"
    return printable(f"{counted(side.events, 'event')} of {side.trace}{fitting}{which}")


def _tell_rest(before: Side, after: Side, groups: int, top: int, by: Grouping) -> None:
    """Say what was not compared or not shown, and why."""
    for side in (before, after):
        if not side.events:
            click.echo(
                printable(f"No event of {side.trace} fits {side.filter or 'where one was looked for'}."), err=True
            )
        if side.without_group:
            events = counted(side.without_group, "event")
            click.echo(printable(f"Left out: {events} of {side.trace} without {by.name}."), err=True)
    if groups > top:
        click.echo(f"Left out: {counted(groups - top, 'group')} that changed less; --top {groups} shows all.", err=True)
