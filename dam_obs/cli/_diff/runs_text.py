"""
Two runs on a terminal: circumstances first, then systems that changed, with what the change is made of.

Names come from the observed program: each goes through `printable`, and a stack that is wider than
the terminal loses its outer frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dam_obs.cli._diff.text import closing_lines, comparison_table
from dam_obs.cli._diff.words import (
    FUNCTIONS_SHOWN,
    STACKS_SHOWN,
    VERDICTS,
    amount,
    change,
    equal_input_words,
    figures_shown,
    stack_words,
    surely_changed,
)
from dam_obs.cli._units import counted, duration
from dam_obs.diagnose.compare.figure import Figure
from dam_obs.diagnose.compare.runs import RunComparison, SystemChange
from dam_obs.diagnose.compare.side import RunSide
from dam_obs.diagnose.compare.stacks import StackChange
from dam_obs.text import printable

_INDENT: Final = "  "
_CHANGE_WIDTH: Final = 34
_LEAST_FOR_A_STACK: Final = 20


def print_runs(compared: RunComparison, out: Console, top: int) -> None:
    """Print two runs side by side; the `top` systems that changed most, at most."""
    for line in opening_lines(compared):
        out.print(printable(line), soft_wrap=True)
    times = [system.time for system in compared.systems]
    if times:
        out.print()
        out.print(comparison_table(times[:top], out.width))
        out.print()
        for line in closing_lines(times, compared.level):
            out.print(line)
    for system in compared.systems[:top]:
        if system.changed and system.mean is not None:
            out.print()
            _print_system(system, out)


def opening_lines(compared: RunComparison) -> Iterator[str]:
    """Yield what must be known before any figure is read."""
    for word, side in (("Before", compared.before), ("After", compared.after)):
        yield f"{word}: {_described(side)}"
    for each in compared.differences:
        yield f"Not alike: {each.what}: {each.before} → {each.after}"
    yield from compared.doubts


def _described(side: RunSide) -> str:
    report = side.report
    return (
        f"run {report.run_id} of {report.command}, {counted(report.quality.executions, 'execution')} in "
        f"{duration(report.duration_ns)}, {report.quality.verdict}"
    )


def _print_system(system: SystemChange, out: Console) -> None:
    out.print(Text(printable(system.name), "bold"))
    out.print(_figures(figures_shown(system)))
    said = equal_input_words(system)
    if said:
        out.print(Text(_INDENT + printable(said)))
    _print_stacks("time in functions, an execution", surely_changed(system.functions, FUNCTIONS_SHOWN), out)
    _print_stacks("in stacks", surely_changed(system.stacks, STACKS_SHOWN), out)


def _figures(figures: Sequence[Figure]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(_INDENT + "an execution", overflow="fold")
    table.add_column("Before", justify="right", no_wrap=True)
    table.add_column("After", justify="right", no_wrap=True)
    table.add_column("Change", overflow="fold")
    for figure in figures:
        table.add_row(
            _INDENT + printable(figure.name),
            amount(figure.before, figure.unit),
            amount(figure.after, figure.unit),
            _change(figure),
        )
    return table


def _change(figure: Figure) -> Text:
    style = {"rose": "red", "fell": "green"}.get(figure.verdict, "") if figure.unit != "per_second" else ""
    return Text(f"{VERDICTS[figure.verdict]} {change(figure)}".rstrip(), style)


def _print_stacks(title: str, changes: Sequence[StackChange], out: Console) -> None:
    if not changes:
        return
    out.print(f"{_INDENT}{title}:")
    for each in changes:
        said = f"{_INDENT * 2}{change(each.figure)}".ljust(_CHANGE_WIDTH)
        room = out.width - cell_len(said) - 1
        if room >= _LEAST_FOR_A_STACK:
            out.print(Text(f"{said} {_fitting(each, room)}"), no_wrap=True, overflow="ellipsis")
        else:
            out.print(Text(said.rstrip()))
            out.print(Text(f"{_INDENT * 3}{_fitting(each, out.width - 6)}"), no_wrap=True, overflow="ellipsis")


def _fitting(each: StackChange, room: int) -> str:
    """Return the stack without as many of its outer frames as do not fit."""
    text = printable(stack_words(each))
    while cell_len(text) > room and " › " in text:
        text = f"… › {text.removeprefix('… › ').partition(' › ')[2]}"
        if text.count(" › ") == 1:
            break
    return text
