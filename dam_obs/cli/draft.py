"""``dam-obs draft``: `calculate_traits` code from a run's report, for a person to review."""

from __future__ import annotations

from pathlib import Path

import click
from pydantic import ValidationError

from dam_obs.cli._base import NotOfARun, source_argument
from dam_obs.diagnose.report import DiagnosticReport
from dam_obs.draft.errors import DraftRefused
from dam_obs.draft.literals import shown
from dam_obs.draft.write import Drafts, make_drafts, save
from dam_obs.errors import DamObsError
from dam_obs.store.find import Source
from dam_obs.store.runs import RunFolder


class NoReport(DamObsError):
    """A run was not diagnosed, or its report cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} {why}: make it with `dam-obs report {path.parent}`")
        self.path = path
        self.why = why


@click.command("draft")
@source_argument
@click.option(
    "--system", "systems", multiple=True, metavar="S", help="Draft this system only; may be given again. [default: all]"
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write here. [default: the folder drafts of the run]",
)
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the code instead of writing files.")
@click.option("--force", is_flag=True, help="Replace drafts that were edited since they were made.")
def command(source: Source, systems: tuple[str, ...], output: Path | None, to_stdout: bool, force: bool) -> None:
    """
    Draft calculate_traits code from the report of a run.

    The run is named by its folder or its id; without one the newest is taken. What is written is
    for a person to review: dam-obs never imports or runs it.
    """
    if source.uri is not None:
        raise NotOfARun(source.uri)
    folder = source.run or RunFolder(source.trace.parent)
    drafts = make_drafts(read_report(folder.report_json), systems=systems or None)
    if to_stdout:
        click.echo("\n\n".join(drafts.sources.values()), nl=False)
    else:
        for path in save(drafts, output or folder.drafts, force=force):
            click.echo(f"Wrote {path}")
    _tell_what_is_missing(drafts, asked_by_name=bool(systems))


def read_report(path: Path) -> DiagnosticReport:
    """
    Read ``report.json``.

    Raises:
        NoReport: It is not there, or it is no report that this version of dam-obs reads.
    """
    try:
        return DiagnosticReport.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise NoReport(path, "is not there") from None
    except OSError as error:
        raise NoReport(path, f"cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        why = f"{where}: {first['msg']}" if where else first["msg"]
        raise NoReport(path, f"is not a report of this version of dam-obs ({shown(why)})") from error


def _tell_what_is_missing(drafts: Drafts, *, asked_by_name: bool) -> None:
    """Name the systems without a draft; for those that were asked for by name that is a failure."""
    for system, why in drafts.refused.items():
        if asked_by_name:
            raise DraftRefused(why, system=system)
        click.echo(f"{shown(system)}: no draft: {shown(why)}", err=True)
    if not drafts.sources:
        click.echo("No system was seen with a command, so there is nothing to draft.", err=True)
