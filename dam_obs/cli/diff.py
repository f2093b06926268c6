"""``dam-obs diff``: what got slower or fails more often, between two runs or two populations of events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from dam_obs.cli._base import console, echo_json, json_option
from dam_obs.cli._diff.document import DiffDocument, Side, document
from dam_obs.cli._diff.inputs import ReportFile, are_runs, named, run_side
from dam_obs.cli._diff.limits import Limit, read_limits
from dam_obs.cli._diff.text import closing_lines, comparison_table
from dam_obs.cli._reading import open_reading, tell_skipped, telling
from dam_obs.cli._units import counted
from dam_obs.errors import DamObsError
from dam_obs.store.by_group import OPERATIONS, Population, population
from dam_obs.store.filter import Filter, all_of, parse_filter
from dam_obs.store.find import Source
from dam_obs.store.grouping import Grouping, grouping
from dam_obs.store.populations import Comparison, compare
from dam_obs.store.table import EventTable
from dam_obs.text import printable

if TYPE_CHECKING:
    from dam_obs.diagnose.compare.runs import RunComparison

FAILED: Final = 1
"""The exit status if a limit is broken."""

TOP: Final = 40
"""Groups that are printed, if nothing is said."""


class NoEvents(DamObsError):
    """A report stands against a run that cannot be diagnosed."""

    def __init__(self, sources: Sequence[Source | ReportFile]) -> None:
        names = " and ".join(source.name for source in sources)
        super().__init__(f"{names} cannot be compared: a report has no events, and the other run no executions")
        self.sources = sources


class NoStacksToCompare(DamObsError):
    """Stacks of two runs were asked for, and one has none."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was not written, for one run has no stacks: measure both with `dam-obs diagnose -- COMMAND`"
        )
        self.path = path


@dataclass(frozen=True, slots=True)
class _Compared:
    """Two populations of events, compared."""

    before: Side
    after: Side
    groups: Sequence[Comparison]
    by: str


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
@click.option("--md", "as_markdown", is_flag=True, help="Print Markdown, for a pull request.")
@click.option(
    "--folded",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Of two runs: write stacks with both counts, for a differential flame graph.",
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    sources: Sequence[Source | ReportFile],
    filter_text: str,
    before_text: str | None,
    after_text: str | None,
    last: int | None,
    by: str | None,
    level: float,
    top: int,
    limits: Sequence[Limit],
    as_markdown: bool,
    folded: Path | None,
    as_json: bool,
) -> None:
    """
    Compare a run, or recorded events, with earlier ones.

    Two runs, BEFORE and AFTER, by folder, id or report.json: what got slower, and what that is made of. Two
    traces; or parts of one, with --before and --after, or with --last: what happens to their events.
    """
    if as_json and as_markdown:
        raise click.UsageError("--json and --md do not go together")
    whole = not filter_text and last is None and by is None and before_text is None and after_text is None
    runs_asked = whole and are_runs(sources)
    if not runs_asked and (folded is not None or any(isinstance(source, ReportFile) for source in sources)):
        raise click.UsageError("a report, and --folded, need two whole runs: folders, ids or report.json files")

    traces = [source for source in sources if isinstance(source, Source)]
    parts = (
        None if len(traces) < len(sources) else _parts(traces, parse_filter(filter_text), before_text, after_text, last)
    )
    grouped = OPERATIONS if by is None else grouping(by)

    with ExitStack() as stack:
        tables = _open(sources, stack)
        runs = _compare_runs(sources, tables, level) if runs_asked else None
        if parts is not None:
            compared = _of_events(parts, tables, grouped, level)
        elif runs is not None:
            compared = _of_reports(sources, runs)
        else:
            raise NoEvents(sources)

    if folded is not None:
        _write_folded(folded, runs)
    if as_json:
        echo_json(_document(compared, runs, level))
    elif as_markdown:
        click.echo(_markdown(compared, runs, level, top), nl=False)
    else:
        _print(compared, runs, level, top)
    broken = [sentence for limit in limits for sentence in limit.broken_by(_limited(compared, runs))]
    for sentence in broken:
        click.echo(f"Not within the limit: {sentence}.", err=True)
    if broken:
        context.exit(FAILED)


def _sources(context: click.Context, names: Sequence[str]) -> list[Source | ReportFile]:
    if context.resilient_parsing:  # completion in the shell
        return []
    if len(names) > 2:
        raise click.UsageError(f"{len(names)} traces were given: compare two, BEFORE and AFTER, or parts of one")
    return [named(name) for name in names or (None,)]


def _open(sources: Sequence[Source | ReportFile], stack: ExitStack) -> dict[Source, EventTable]:
    """Read each source of events once."""
    opened: dict[Source, EventTable] = {}
    for source in sources:
        if isinstance(source, Source) and source not in opened:
            opened[source] = stack.enter_context(open_reading(source))
            tell_skipped(opened[source])
    return opened


def _compare_runs(
    sources: Sequence[Source | ReportFile], tables: Mapping[Source, EventTable], level: float
) -> RunComparison | None:
    from dam_obs.diagnose.compare.runs import compare_runs

    sides = [run_side(source, tables.get(source) if isinstance(source, Source) else None) for source in sources]
    before, after = sides
    if before is None or after is None:
        return None
    with telling("Comparing"):
        return compare_runs(before, after, level=level)


def _of_events(
    parts: tuple[_Part, _Part], tables: Mapping[Source, EventTable], by: Grouping, level: float
) -> _Compared:
    (before, before_side), (after, after_side) = (_population(part, tables[part.source], by) for part in parts)
    with telling("Comparing"):
        groups = compare(before.groups, after.groups, level=level)
    return _Compared(before_side, after_side, groups, by.name)


def _of_reports(sources: Sequence[Source | ReportFile], runs: RunComparison) -> _Compared:
    """Take what two reports say of their systems for what is to be said of groups of events."""
    before, after = (
        Side(
            trace=printable(source.name),
            filter="",
            newest=None,
            skip_newest=0,
            events=side.report.quality.executions,
            without_group=0,
            skipped={},
        )
        for source, side in zip(sources, (runs.before, runs.after), strict=True)
    )
    return _Compared(before, after, [system.time for system in runs.systems], "system")


def _limited(compared: _Compared, runs: RunComparison | None) -> list[Comparison]:
    """Return what limits are held against: the groups, and of runs also systems that share one."""
    found = list(compared.groups)
    if runs is not None and compared.by != "system":
        shared = Counter((system.layer, system.operation) for system in runs.systems)
        found += [system.time for system in runs.systems if shared[system.layer, system.operation] > 1]
    return found


def _write_folded(path: Path, runs: RunComparison | None) -> None:
    from dam_obs.diagnose.compare.folded import differential_folded
    from dam_obs.diagnose.export.output import write_parts

    if runs is None or runs.before.stacks is None or runs.after.stacks is None:
        raise NoStacksToCompare(path)
    write_parts(path, differential_folded(runs.before.stacks, runs.after.stacks))
    click.echo(f"Wrote {printable(str(path))}", err=True)


def _document(compared: _Compared, runs: RunComparison | None, level: float) -> DiffDocument:
    from_runs = None
    if runs is not None:
        from dam_obs.cli._diff.run_document import runs_document

        from_runs = runs_document(runs)
    return document(compared.before, compared.after, compared.groups, by=compared.by, level=level, runs=from_runs)


def _markdown(compared: _Compared, runs: RunComparison | None, level: float, top: int) -> str:
    from dam_obs.cli._diff.markdown import events_page, runs_page

    if runs is not None:
        return runs_page(runs, top)
    return events_page(_described(compared.before), _described(compared.after), compared.groups, level, top)


def _print(compared: _Compared, runs: RunComparison | None, level: float, top: int) -> None:
    if runs is not None:
        from dam_obs.cli._diff.runs_text import print_runs

        print_runs(runs, console(), top)
        _tell_left_out(len(runs.systems), top, "system")
        return
    for word, side in (("Before", compared.before), ("After", compared.after)):
        click.echo(f"{word}: {_described(side)}")
    if compared.groups:
        click.echo()
        out = console()
        out.print(comparison_table(compared.groups[:top], out.width))
        out.print()
        for line in closing_lines(compared.groups, level):
            out.print(line)
    _tell_rest(compared, top)


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


def _tell_rest(compared: _Compared, top: int) -> None:
    """Say what was not compared or not shown, and why."""
    for side in (compared.before, compared.after):
        if not side.events:
            click.echo(
                printable(f"No event of {side.trace} fits {side.filter or 'where one was looked for'}."), err=True
            )
        if side.without_group:
            events = counted(side.without_group, "event")
            click.echo(printable(f"Left out: {events} of {side.trace} without {compared.by}."), err=True)
    _tell_left_out(len(compared.groups), top, "group")


def _tell_left_out(number: int, top: int, what: str) -> None:
    if number > top:
        click.echo(f"Left out: {counted(number - top, what)} that changed less; --top {number} shows all.", err=True)
