"""Write a report into its run folder: as data and as a page."""

from __future__ import annotations

from pathlib import Path

from dam_obs.diagnose.page import render_page
from dam_obs.diagnose.report import DiagnosticReport
from dam_obs.errors import DamObsError
from dam_obs.store.files import write_whole
from dam_obs.store.runs import RunFolder


class CannotWrite(DamObsError):
    """A report could not be written where it was to go."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be written ({why}): name another place with --output")
        self.path = path
        self.why = why


def write_report(run: RunFolder, report: DiagnosticReport) -> list[Path]:
    """
    Write ``report.json`` and ``report.html`` of `run`, whole or not at all, over older ones.

    Returns:
        The two files.

    Raises:
        CannotWrite: one of them cannot be written.
    """
    write_json(run.report_json, report)
    write_page(run.report_html, report)
    return [run.report_json, run.report_html]


def write_json(path: Path, report: DiagnosticReport) -> None:
    """Write `report` as data."""
    _write(path, report_json(report))


def write_page(path: Path, report: DiagnosticReport) -> None:
    """Write `report` as a page."""
    _write(path, render_page(report))


def report_json(report: DiagnosticReport) -> str:
    """Return `report` as ``report.json`` has it."""
    return f"{report.model_dump_json(indent=2)}\n"


def _write(path: Path, content: str) -> None:
    try:
        write_whole(path, content.encode())
    except OSError as error:
        raise CannotWrite(path, error.strerror or type(error).__name__) from error
