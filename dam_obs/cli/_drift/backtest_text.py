"""What `dam-obs backtest` prints: a table of drafts that fits its terminal, the worst executions, and what is amiss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.table import Table

from dam_obs.cli._summary import short_names
from dam_obs.cli._units import counted, duration, percent
from dam_obs.draft.backtest import Backtest
from dam_obs.text import printable

MOST_PROBLEMS: Final = 5


def backtest_table(results: Sequence[Backtest]) -> Table:
    """Lay out a line for each draft."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("System", overflow="fold")
    for name in ("Runs", "Error", "Bias", "Too long", "Meant"):
        table.add_column(name, justify="right", no_wrap=True)
    names = short_names([each.system for each in results])
    for each in results:
        runs = f"{each.predicted:,}" + (f" of {each.executions:,}" if each.predicted < each.executions else "")
        table.add_row(printable(names[each.system]), runs, *_figures(each))
    return table


def lines_below(results: Sequence[Backtest], worst: int) -> Iterator[str]:
    """Say what the columns mean, which executions were missed most, and why some have no prediction."""
    yield "Error: median of what the draft is off by. Too long: executions that took longer than it says."
    for each in results:
        yield from map(printable, _of_one(each, worst))


def _figures(each: Backtest) -> tuple[str, ...]:
    if each.mdape is None or each.bias is None or each.under is None:
        return ("–", "–", "–", "–")
    bias = percent(each.bias)
    return (
        percent(each.mdape),
        f"+{bias}" if each.bias > 0 else bias,
        percent(each.under.value),
        percent(1 - each.quantile),
    )


def _of_one(each: Backtest, worst: int) -> Iterator[str]:
    missed = [one for one in each.worst[:worst] if one.error]
    remarks = list(_remarks(each))
    if not missed and not remarks:
        return
    yield ""
    yield each.system
    yield from (f"  {remark}" for remark in remarks)
    for one in missed:
        yield f"  {one.handle}: {one.said_ms:,} ms said, {duration(one.took_ns)} taken"


def _remarks(each: Backtest) -> Iterator[str]:
    if each.stopped is not None:
        yield f"The draft {each.stopped}."
    for why, count in list(each.problems.items())[:MOST_PROBLEMS]:
        yield f"No prediction for {counted(count, 'execution')}: {why}"
    if each.under is not None and each.under.low > 1 - each.quantile:
        yield (
            f"It surely says too little: {percent(each.under.low)} of executions at least take longer, "
            f"{percent(1 - each.quantile)} were meant."
        )
    if each.not_rebuilt:
        yield f"Not put into the commands, as they are no fields: {', '.join(each.not_rebuilt[:MOST_PROBLEMS])}"
