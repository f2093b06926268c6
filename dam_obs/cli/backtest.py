"""``dam-obs backtest``: what a draft would have said of the executions of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from dam_obs.cli._base import console, echo_json, json_option, source_argument
from dam_obs.cli._drift.backtest_document import document
from dam_obs.cli._drift.backtest_text import backtest_table, lines_below
from dam_obs.cli._drift.limits import Limit, read_limits
from dam_obs.cli._drift.running import run_of
from dam_obs.cli._reading import telling
from dam_obs.draft.backtest import NO_TIME, WORST, Backtest, backtest, read_drafts, system_of
from dam_obs.draft.recorded import recorded_systems
from dam_obs.draft.sandbox import Limits
from dam_obs.draft.telling import parts
from dam_obs.store.find import Source
from dam_obs.text import printable

FAILED: Final = 1
"""The exit status if a limit is broken, or a draft gives no predictions."""


@click.command("backtest")
@click.argument("draft", type=click.Path(exists=True, path_type=Path))
@source_argument
@click.option("--system", metavar="S", help="The system that DRAFT is for. [default: as DRAFT says]")
@click.option(
    "--quantile",
    type=click.FloatRange(0.01, 0.99),
    metavar="Q",
    help="Of executions that time_ms is meant to hold for. [default: as DRAFT says, or 0.9]",
)
@click.option(
    "--worst",
    type=click.IntRange(0, WORST),
    default=3,
    show_default=True,
    metavar="N",
    help="Show the N worst executions of each system.",
)
@click.option(
    "--timeout", type=click.FloatRange(1, 600), default=30, show_default=True, metavar="S", help="Seconds for a draft."
)
@click.option(
    "--fail-on",
    "limits",
    callback=read_limits,
    multiple=True,
    metavar="LIMIT",
    help="End with status 1 if a draft is off by more: `mdape:25%`, `bias:20%`, `under`, `under:15%`; may be repeated.",
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    draft: Path,
    source: Source,
    system: str | None,
    quantile: float | None,
    worst: int,
    timeout: float,
    limits: Sequence[Limit],
    as_json: bool,
) -> None:
    """
    Compare what DRAFT says with what the executions of a run took.

    DRAFT is a file that `dam-obs draft` wrote, or a folder of such files. It is checked to hold nothing but a
    calculation, and then run on the recorded commands in a child process without your environment and
    with limits. The run is named by its folder or its id; without one the newest is taken.
    """
    run = run_of(source)
    drafts = read_drafts(draft)
    if system is not None and len(drafts) > 1:
        raise click.UsageError(f"--system is for one draft, and {draft} has {len(drafts)}: name one file")
    with telling(f"Reading {printable(str(run.path))}"):
        recorded = recorded_systems(run)
    pairs = [(each, system_of(each, recorded, system)) for each in drafts]
    allowed = Limits(seconds=timeout, cpu_seconds=max(1, round(timeout)))
    with telling("Asking drafts") as tell:
        results = [
            backtest(each, found, quantile=quantile, limits=allowed, tell=part)
            for (each, found), part in parts(pairs, tell)
        ]

    if as_json:
        echo_json(document(str(run.path), results))
    else:
        out = console()
        out.print(backtest_table(results))
        for line in lines_below(results, worst):
            out.print(line, soft_wrap=True)
    broken = [sentence for limit in limits for sentence in limit.broken_by(results)]
    for sentence in broken:
        click.echo(f"Not within the limit: {sentence}.", err=True)
    if broken or any(_is_useless(each) for each in results):
        context.exit(FAILED)


def _is_useless(result: Backtest) -> bool:
    """Whether a draft did not get to its end, or failed for every execution."""
    return result.stopped is not None or (result.predicted == 0 and bool(result.problems.keys() - {NO_TIME}))
