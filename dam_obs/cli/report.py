"""``dam-obs report``: what a run says about every system, as a page and as data."""

from __future__ import annotations

from pathlib import Path

import click

from dam_obs.cli._base import json_option, run_of, source_argument
from dam_obs.cli._reading import telling
from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.report import DiagnosticReport
from dam_obs.diagnose.write import report_json, write_page, write_report
from dam_obs.errors import DamObsError
from dam_obs.store.find import Source
from dam_obs.store.runs import RunFolder
from dam_obs.text import printable


class OutputExists(DamObsError):
    """A page would replace a file that is already there."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists: add --force to replace it, or --output to write elsewhere")
        self.path = path


@click.command("report")
@source_argument
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the page here and nothing else. [default: report.html of the run, with report.json]",
)
@click.option("--force", is_flag=True, help="Replace what is there.")
@json_option
def command(source: Source, output: Path | None, force: bool, as_json: bool) -> None:
    """
    Report on a run: what each of its systems costs, waits for and takes.

    Made anew from what the run folder holds, without a look at the program itself. RUN is a
    run folder, a run's id or a file in a run folder; without it the newest run is taken.
    """
    run = run_of(source)
    if as_json:
        click.echo(report_json(_built(run)), nl=False)
    elif output is not None:
        _refuse_to_replace([output], force)
        write_page(output, _built(run))
        click.echo(f"Wrote {output}")
    else:
        _refuse_to_replace([run.report_html, run.report_json], force)
        for path in reversed(write_report(run, _built(run))):
            click.echo(f"Wrote {path}")


def _built(run: RunFolder) -> DiagnosticReport:
    with telling(f"Reporting on {printable(str(run.path))}") as tell:
        return build_report(run, tell=tell)


def _refuse_to_replace(paths: list[Path], force: bool) -> None:
    for path in paths:
        if path.exists() and not force:
            raise OutputExists(path)
