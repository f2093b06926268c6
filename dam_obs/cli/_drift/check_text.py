"""What `dam-obs check` prints: a line for each system, and each finding with its evidence as compilers print theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.table import Table

from dam_obs.cli._summary import short_names
from dam_obs.cli._units import counted
from dam_obs.draft.checking import CheckReport
from dam_obs.draft.findings import Finding, SystemCheck, Verdict
from dam_obs.text import printable

WORDS: Final[dict[Verdict, str]] = {
    "checked": "as declared",
    "undeclared": "no traits",
    "not_checkable": "not checkable",
    "not_in_source": "not in source",
    "not_in_run": "not run",
}
MOST_PROBLEMS: Final = 3
LONGEST_LINE: Final = 1_000
"""Characters; a name in a trace may be of any length."""
DIFFERS: Final = "drift"


def check_table(report: CheckReport) -> Table:
    """Lay out a line for each system."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("System", overflow="fold")
    table.add_column("Runs", justify="right", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Declares", overflow="fold")
    names = short_names([each.system for each in report.systems])
    for each in report.systems:
        runs = "" if each.verdict == "not_in_run" else f"{each.executions:,}"
        table.add_row(printable(names[each.system]), runs, _verdict(each), printable(", ".join(_declared(each))))
    return table


def finding_lines(report: CheckReport) -> Iterator[str]:
    """Yield each finding: ``file:line: level: what [rule]``, then its evidence."""
    for each in report.findings:
        yield f"{_line(f'{_place(each)}: {each.level}: {each.system} {each.message}')} [{each.rule.id}]"
        yield from (f"  {_line(line)}" for line in each.evidence)
        if each.handles:
            yield f"  Executions to look at: {_line(', '.join(each.handles))}"


def closing_lines(report: CheckReport) -> Iterator[str]:
    """Say what was not judged, and sum up."""
    for each in report.systems:
        yield from (_line(f"{each.system}: {remark}") for remark in _remarks(each))
    for file, why in report.unread:
        yield _line(f"{_relative(file)} was not read: {why}")
    verdicts = Counter(_verdict(each) for each in report.systems)
    yield f"{counted(len(report.systems), 'system')}: {', '.join(f'{n:,} {word}' for word, n in verdicts.items())}"


def _verdict(each: SystemCheck) -> str:
    if each.verdict == "checked" and any(finding.level == "error" for finding in each.findings):
        return DIFFERS
    return WORDS[each.verdict]


def _declared(each: SystemCheck) -> Iterator[str]:
    yield from each.pools
    if each.timed:
        yield "time"
    if each.io_bound:
        yield "I/O-bound"


def _remarks(each: SystemCheck) -> Iterator[str]:
    yield from each.remarks
    if each.verdict == "checked":
        for why, count in list(each.problems.items())[:MOST_PROBLEMS]:
            yield f"not evaluated for {counted(count, 'execution')}: {why}"


def _line(text: str) -> str:
    shown = printable(text[:LONGEST_LINE])
    return shown if len(text) <= LONGEST_LINE else f"{shown} [...]"


def _place(finding: Finding) -> str:
    if finding.file is None:
        return "(no file)"
    return f"{_relative(finding.file)}:{finding.line}"


def _relative(file: Path) -> Path:
    here, path = Path.cwd(), file.absolute()
    return path.relative_to(here) if path.is_relative_to(here) else path
