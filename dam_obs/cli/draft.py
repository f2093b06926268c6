"""``dam-obs draft``: `calculate_traits` code from a run's report, for a person to review."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
from pydantic import ValidationError

from dam_obs.cli._assisting import REJECTED, Asked, contest_of, document, tell_verdict
from dam_obs.cli._base import echo_json, json_option, source_argument
from dam_obs.cli._drafting import into_sources
from dam_obs.cli._from import Reading, asking, brought, from_options
from dam_obs.cli._reading import telling
from dam_obs.diagnose.plausible import Implausible, check_plausible
from dam_obs.diagnose.report import DiagnosticReport
from dam_obs.draft.assist.model import TIMEOUT_SECONDS
from dam_obs.draft.assist.prompt import DEFAULT_BYTES, LEAST_BYTES, prompt
from dam_obs.draft.errors import DraftRefused
from dam_obs.draft.literals import shown
from dam_obs.draft.write import Drafts, make_drafts, review_text, save
from dam_obs.errors import DamObsError
from dam_obs.store.find import Source
from dam_obs.store.runs import RunFolder
from dam_obs.text import printable

_ADDRESS: Final = re.compile(r"[A-Za-z0-9._~:/?#@!$&'*+,;=%-]+")


class NoReport(DamObsError):
    """A run was not diagnosed, or its report cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} {why}: make it with `dam-obs report {path.parent}`")
        self.path = path
        self.why = why


@click.command("draft")
@source_argument
@from_options
@click.argument("named", required=False, metavar="[SYSTEM]")
@click.option(
    "--system", "systems", multiple=True, metavar="S", help="Draft this system only; may be given again. [default: all]"
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write here. [default: the folder drafts of the run]",
)
@click.option("--stdout", "modes", flag_value="stdout", multiple=True, help="Print the code, write no files.")
@click.option("--review", "modes", flag_value="review", multiple=True, help="Print the text for a pull request.")
@click.option("--write", "modes", flag_value="write", multiple=True, help="Put each method into its system's file.")
@click.option("--patch", "modes", flag_value="patch", multiple=True, help="Print that as a diff for `git apply`.")
@click.option(
    "--source",
    "source_folder",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="With --write and --patch: only files below here. [default: the current folder]",
)
@click.option("--plots", "plots_at", metavar="URL", help="With --review: show the drafts folder's pictures from there.")
@click.option("--force", is_flag=True, help="Replace drafts and methods that a person edited or wrote.")
@click.option("--prompt", "modes", flag_value="prompt", multiple=True, help="Print what --llm would ask of a model.")
@click.option(
    "--prompt-bytes",
    type=click.IntRange(min=LEAST_BYTES),
    default=DEFAULT_BYTES,
    show_default=True,
    metavar="N",
    help="How long a prompt may be.",
)
@click.option("--llm", "model", metavar="MODEL", help="Have a model of the package llm write the cost of one system.")
@click.option(
    "--llm-timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=TIMEOUT_SECONDS,
    show_default=True,
    metavar="S",
    help="Seconds for its answer.",
)
@click.option("--answer", metavar="FILE", help="Instead of asking, take what a model answered from FILE, or from -.")
@json_option
@click.pass_context
def command(
    context: click.Context,
    source: Source,
    reading: Reading,
    named: str | None,
    systems: tuple[str, ...],
    output: Path | None,
    modes: tuple[str, ...],
    source_folder: Path | None,
    plots_at: str | None,
    force: bool,
    prompt_bytes: int,
    model: str | None,
    llm_timeout: float,
    answer: str | None,
    as_json: bool,
) -> None:
    """
    Draft calculate_traits code from the report of a run.

    The run is named by its folder or its id; without one the newest is taken. What is written is
    for a person to review: dam-obs never imports or runs it. --write and --patch touch all of their
    files or none, and no method that a person wrote or edited. With --from a report is made first of
    what a backend has; for a single SYSTEM there is --system then.

    With --llm a model writes the cost of one system. It is drafted if it predicts executions that neither
    has seen better than the template's; else it is shown as rejected, nothing is written, and the status is 1.
    """
    mode = _mode(modes, output=output, source_folder=source_folder, plots_at=plots_at, as_json=as_json)
    asked = Asked(
        model=model, seconds=llm_timeout, answer=answer, prompt_bytes=prompt_bytes, is_prompt=mode == "prompt"
    )
    reading.check(source)
    if source.uri is not None:
        backend = asking(source, reading.query(reading.wanted())[0])
        folder = context.with_resource(_read_back(backend, keep=mode == "files" and output is None))
    elif reading.since or reading.until:
        raise click.UsageError("--since and --until go with --from: a run's report is of the whole run")
    else:
        folder = source.run or RunFolder(source.trace.parent)
    report = read_report(folder.report_json)
    systems = (*systems, named) if named else systems
    verdict = None
    if asked.is_assisted:
        contest = contest_of(folder, report, systems)
        systems = (contest.system.system,)
        if asked.is_prompt:
            click.echo(prompt(contest, most_bytes=prompt_bytes), nl=False)
            return
        verdict = asked.verdict(contest)
        if not as_json:
            tell_verdict(verdict)
        if not verdict.accepted:
            if as_json:
                echo_json({"schema_version": 1, "assist": document(verdict)})
            context.exit(REJECTED)
    with telling("Drafting") as tell:
        written = verdict.in_draft() if verdict else None
        drafts = make_drafts(report, systems=systems or None, written=written, tell=tell)
    by_name = bool(systems)
    assist = {"assist": document(verdict)} if verdict else {}
    if mode in ("write", "patch"):
        into_sources(
            report,
            drafts,
            source_folder or Path(),
            patch=mode == "patch",
            force=force,
            by_name=by_name,
            as_json=as_json,
            also=assist,
        )
    elif mode == "stdout":
        click.echo("\n\n".join(drafts.sources.values()), nl=False)
    elif mode == "review":
        at = plots_at.rstrip("/") if plots_at else None
        click.echo(review_text(report, drafts, systems=systems or None, plots_at=at), nl=False)
    else:
        _into_folder(drafts, output or folder.drafts, force=force, as_json=as_json, also=assist)
    _tell_what_is_missing(drafts, asked_by_name=by_name)


@contextmanager
def _read_back(source: Source, *, keep: bool) -> Iterator[RunFolder]:
    """Report on what a backend has, in a run folder that stays if its drafts are to be in it."""
    from dam_obs.diagnose.build import build_report
    from dam_obs.diagnose.write import write_json, write_report

    with TemporaryDirectory(prefix="dam-obs-") as temporary:
        folder, _ = brought(source, None if keep else Path(temporary) / "run")
        with telling("Diagnosing") as tell:
            report = build_report(folder, tell=tell)
        if keep:
            write_report(folder, report)
            click.echo(f"Wrote {printable(str(folder.report_html))}", err=True)
        else:
            write_json(folder.report_json, report)
        yield folder


def _into_folder(drafts: Drafts, folder: Path, *, force: bool, as_json: bool, also: Mapping[str, Any]) -> None:
    written = save(drafts, folder, force=force)
    if as_json:
        echo_json({"schema_version": 1, "files": [{"file": path, "action": "written"} for path in written], **also})
    else:
        click.echo("\n".join(f"Wrote {path}" for path in written))


def _mode(
    modes: tuple[str, ...], *, output: Path | None, source_folder: Path | None, plots_at: str | None, as_json: bool
) -> str:
    """
    Return what to do with the drafts.

    Raises:
        click.UsageError: Options do not go together.
    """
    if len(set(modes)) > 1:
        raise click.UsageError(f"{' and '.join(f'--{mode}' for mode in dict.fromkeys(modes))} do not go together")
    mode = modes[0] if modes else "files"
    if output is not None and mode != "files":
        raise click.UsageError(f"--output does not go with --{mode}")
    if source_folder is not None and mode not in ("write", "patch"):
        raise click.UsageError("--source goes with --write and --patch")
    if plots_at is not None and (mode != "review" or not _ADDRESS.fullmatch(plots_at)):
        raise click.UsageError("--plots goes with --review, and is an address without blanks and brackets")
    if as_json and mode in ("stdout", "review", "prompt"):
        raise click.UsageError(f"--json does not go with --{mode}")
    return mode


def read_report(path: Path) -> DiagnosticReport:
    """
    Read ``report.json``.

    Raises:
        NoReport: It is not there, or it is no report that this version of dam-obs reads.
    """
    try:
        content = path.read_bytes()
        report = DiagnosticReport.model_validate_json(content)
        check_plausible(content)
        return report
    except (FileNotFoundError, NotADirectoryError):
        raise NoReport(path, "is not there") from None
    except OSError as error:
        raise NoReport(path, f"cannot be read ({error.strerror})") from error
    except Implausible as error:
        raise NoReport(path, f"is not the report of a run ({shown(str(error))})") from error
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
