"""``dam-obs check``: declared traits against observed ones, for pipelines to gate on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from dam_obs.cli._base import console, echo_json, json_option, source_argument
from dam_obs.cli._drift.check_document import document
from dam_obs.cli._drift.check_text import check_table, closing_lines, finding_lines
from dam_obs.cli._drift.limits import read_percent
from dam_obs.cli._drift.running import run_of
from dam_obs.cli._reading import telling
from dam_obs.diagnose.costs import QUANTILE
from dam_obs.draft.checking import CheckReport, check_run
from dam_obs.draft.drift import Terms
from dam_obs.draft.sandbox import Limits
from dam_obs.draft.sarif import sarif
from dam_obs.errors import DamObsError
from dam_obs.store.find import Source
from dam_obs.text import printable

DRIFT: Final = 1
"""The exit status if observation contradicts the source, or nothing could be checked."""


class NotWritten(DamObsError):
    """The SARIF file could not be written."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be written ({why}): name a file in a folder that is there")
        self.path = path


def _read_aliases(_context: click.Context, _parameter: click.Parameter, texts: Sequence[str]) -> dict[str, str]:
    """Read ``DECLARED=OBSERVED``, as many as there are."""
    pairs = [text.partition("=") for text in texts]
    wrong = [text for text, (declared, _, observed) in zip(texts, pairs, strict=True) if not declared or not observed]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is no alias: write heavy=cpu")
    return {declared: observed for declared, _, observed in pairs}


@click.command("check")
@source_argument
@click.option(
    "--source",
    "path",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    metavar="PATH",
    help="The program's source: a file, or a folder that is searched.",
)
@click.option(
    "--threshold",
    callback=read_percent,
    default="50%",
    show_default=True,
    metavar="P%",
    help="How far off a declared time may be.",
)
@click.option(
    "--quantile",
    type=click.FloatRange(0.01, 0.99),
    default=QUANTILE,
    show_default=True,
    metavar="Q",
    help="Of executions that time_ms is meant to hold for.",
)
@click.option(
    "--alias",
    "aliases",
    callback=_read_aliases,
    multiple=True,
    metavar="DECLARED=OBSERVED",
    help="What a declared pool is called when it is observed, as in heavy=cpu; may be repeated.",
)
@click.option(
    "--run-source",
    is_flag=True,
    help="Import the source, in a child process with limits, for declarations that are more than a calculation.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="End with status 1 also if a system of the source declares nothing, or what it declares could not be checked.",
)
@click.option(
    "--sarif", "sarif_file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write SARIF, too."
)
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    metavar="DIR",
    help="The folder that paths in SARIF are relative to. [default: the current one]",
)
@click.option(
    "--timeout", type=click.FloatRange(1, 600), default=30, show_default=True, metavar="S", help="Seconds for a system."
)
@json_option
@click.pass_context
def command(
    context: click.Context,
    source: Source,
    path: Path,
    threshold: float,
    quantile: float,
    aliases: dict[str, str],
    run_source: bool,
    strict: bool,
    sarif_file: Path | None,
    root: Path,
    timeout: float,
    as_json: bool,
) -> None:
    """
    Hold the traits that a source declares against what a run observed.

    Ends with status 1 if they differ: a resource that is used and not declared, or declared and not used,
    IOBoundTrait where it computes or missing where it waits, a time that is off by more than the threshold and
    not by chance. The source is read, and not imported unless --run-source is given. The run is named by its
    folder or its id; without one the newest is taken.
    """
    limits = Limits(seconds=timeout, cpu_seconds=max(1, round(timeout)))
    terms = Terms(threshold=threshold, quantile=quantile, aliases=aliases)
    with telling(f"Checking {printable(str(path))}") as tell:
        report = check_run(run_of(source), path, terms, run_source=run_source, limits=limits, tell=tell)
    if sarif_file is not None:
        _write(sarif_file, report, root)
    if as_json:
        echo_json(document(report))
    else:
        _print(report)
    if not report.checked:
        click.echo(f"Nothing could be checked: {_why_nothing(report)}.", err=True)
    levels = {"error", "warning"} if strict else {"error"}
    if not report.checked or any(finding.level in levels for finding in report.findings):
        context.exit(DRIFT)


def _why_nothing(report: CheckReport) -> str:
    verdicts = {each.verdict for each in report.systems} - {"not_in_run"}
    if not verdicts:
        return "no execution of the run names its command, as `dam-obs diagnose` records it"
    if verdicts == {"not_in_source"}:
        return "no system of the run is in the source"
    return "no traits that the source declares could be evaluated"


def _print(report: CheckReport) -> None:
    out = console()
    out.print(check_table(report))
    lines = list(finding_lines(report))
    for line in (*([""] if lines else []), *lines, "", *closing_lines(report)):
        out.print(line, soft_wrap=True)


def _write(file: Path, report: CheckReport, root: Path) -> None:
    try:
        file.write_text(json.dumps(sarif(report, root), indent=2) + "\n", encoding="ascii")
    except OSError as error:
        raise NotWritten(file, error.strerror or type(error).__name__) from error
    click.echo(f"Wrote {file}", err=True)
