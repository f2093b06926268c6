"""
What ``dam-obs diff`` was given: traces, runs, or reports by themselves.

Two runs are compared as runs if they are whole: a filter or a window chooses events, of which nothing
but the events themselves can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from dam_obs.cli._base import named_source
from dam_obs.cli._reading import telling
from dam_obs.errors import DamObsError
from dam_obs.store.by_group import population
from dam_obs.store.filter import parse_filter
from dam_obs.store.find import Source
from dam_obs.text import printable

if TYPE_CHECKING:
    from dam_obs.diagnose.compare.side import RunSide
    from dam_obs.diagnose.report import DiagnosticReport
    from dam_obs.store.table import EventTable

_OPENS_LIKE_A_REPORT: Final = re.compile(rb'\s*\{\s*"schema_version"')
_ENOUGH_TO_TELL: Final = 200


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A ``report.json`` that is compared by itself."""

    path: Path

    @property
    def name(self) -> str:
        """What to call it; not safe to print as it is."""
        return str(self.path)

    def read(self) -> DiagnosticReport:
        """
        Read it.

        Raises:
            NoReport: It is no report that this version of dam-obs reads.
        """
        from dam_obs.cli.draft import read_report

        return read_report(self.path)


def named(name: str | None) -> Source | ReportFile:
    """Return what the user names: a report, or a source of events. A file of events is no run, wherever it lies."""
    if name is not None and _is_report(Path(name)):
        return ReportFile(Path(name))
    source = named_source(name)
    return replace(source, run=None) if name is not None and Path(name).is_file() else source


def _is_report(path: Path) -> bool:
    if path.name == "report.json" and path.is_file():
        return True
    if path.suffix != ".json" or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return bool(_OPENS_LIKE_A_REPORT.match(file.read(_ENOUGH_TO_TELL)))
    except OSError:
        return False  # whoever reads it as a trace says why


def are_runs(sources: Sequence[Source | ReportFile]) -> bool:
    """Tell whether these are two runs: folders, ids or reports."""
    return len(sources) == 2 and all(
        isinstance(source, ReportFile) or (source.run is not None and not source.standard_input) for source in sources
    )


def run_side(source: Source | ReportFile, table: EventTable | None) -> RunSide | None:
    """
    Read one of two runs.

    Returns:
        `None` where it cannot be diagnosed; standard error has the reason.
    """
    from dam_obs.diagnose.build import build_report
    from dam_obs.diagnose.compare.side import SYSTEMS, side_of_report, side_of_run

    if isinstance(source, ReportFile):
        return side_of_report(source.read())
    if source.run is None or table is None:
        return None
    try:
        with telling(f"Diagnosing {printable(source.name)}") as tell:
            report = build_report(source.run, tell=tell)
            return side_of_run(source.run, report, population(table, SYSTEMS, wanted=parse_filter("")).groups)
    except DamObsError as error:
        click.echo(f"Only events are compared: {printable(str(error))}", err=True)
        return None
