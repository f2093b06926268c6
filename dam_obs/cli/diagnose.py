"""``dam-obs diagnose``: measure a program at work, and report on every system in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dam_obs.cli._base import console, echo_json, json_option
from dam_obs.cli._from import Reading, brought, from_options
from dam_obs.cli._profiles import send_if_wanted
from dam_obs.cli._reading import telling
from dam_obs.config import load_settings
from dam_obs.errors import DamObsError
from dam_obs.points.load import load_file
from dam_obs.sample.rate import BUDGET
from dam_obs.text import printable
from dam_obs.trace.handshake import DEFAULT_TIMEOUT_S

if TYPE_CHECKING:
    from dam_obs.diagnose.report import DiagnosticReport
    from dam_obs.sample.tracer import SystemTracer, TracedRun
    from dam_obs.store.find import Source

HIGHEST_RATE_HZ = 1000


@click.command("diagnose", context_settings={"allow_interspersed_args": False})
@click.argument("command_line", metavar="[-- COMMAND...]", nargs=-1, type=click.UNPROCESSED)
@from_options
@click.option("--pid", type=click.IntRange(min=1), metavar="N", help="Measure this process, which runs already.")
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True, max=86_400),
    metavar="S",
    help="With --pid: for so many seconds; Ctrl-C ends it early.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=1, max=HIGHEST_RATE_HZ),
    default=100,
    show_default=True,
    help="Looks at the stacks, a second, at the most.",
)
@click.option(
    "--budget",
    type=click.FloatRange(min=0.1, max=100),
    default=100 * BUDGET,
    show_default=True,
    metavar="PERCENT",
    help="Of one CPU, for the sampler: beyond it, it looks less often.",
)
@click.option(
    "--points",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A trace-point file besides those of plugins; may be given again.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The run's folder, new or empty. [default: .dam-obs/runs/<run id>]",
)
@click.option("--no-stacks", is_flag=True, help="Do not sample stacks.")
@click.option("--native", is_flag=True, help="Sample stacks of native code, too; it costs more.")
@click.option(
    "--offcpu/--no-offcpu",
    default=False,
    show_default=True,
    help="Have bpftrace tell what threads wait for; needs root, see `dam-obs doctor`.",
)
@click.option(
    "--offcpu-stacks",
    is_flag=True,
    help="Have bpftrace tell where in the kernel, too, for what lasts a millisecond or more.",
)
@click.option("--no-draft", is_flag=True, help="Do not draft trait code.")
@click.option(
    "--start-timeout",
    type=click.FloatRange(min=0, max=60),
    default=DEFAULT_TIMEOUT_S,
    show_default=True,
    metavar="S",
    help="Hold the program at its start until it is sampled, so long at most.",
)
@click.option(
    "--max-disk",
    type=click.FloatRange(min=0.001, max=1_000_000),
    default=4,
    show_default=True,
    metavar="GIB",
    help="What the trace may take on the disk; beyond that its oldest part goes, and is counted.",
)
@json_option
def command(
    command_line: tuple[str, ...],
    reading: Reading,
    pid: int | None,
    duration: float | None,
    rate: float,
    budget: float,
    points: tuple[Path, ...],
    out: Path | None,
    no_stacks: bool,
    native: bool,
    offcpu: bool,
    offcpu_stacks: bool,
    no_draft: bool,
    start_timeout: float,
    max_disk: float,
    as_json: bool,
) -> int:
    """
    Run COMMAND and measure it, measure a process that runs already, or diagnose what a backend has.

    COMMAND keeps its input, output, signals and exit status. When it has ended, a report is made of
    what was seen: report.html to look at, report.json, profile.speedscope.json and drafts of trait
    code, all in the run's folder. Where stacks cannot be sampled, the report has all else and says why.
    A backend has no stacks; what else it does not give back, the report says, too.

    \b
      dam-obs diagnose -- python your_program.py
      dam-obs diagnose --pid 4711 --duration 30
      dam-obs diagnose --from jaeger://localhost:16686 --since 2h --service worker
    """  # noqa: D301 - click's mark for lines that are not to be joined is the character itself
    backend = reading.backend()
    if backend is not None:
        _refuse_to_measure(command_line)
        return _diagnose_backend(backend, out, not no_draft, as_json)
    _check_what_to_measure(command_line, pid, duration)
    for path in points:
        load_file(path)
    from dam_obs.sample.tracer import SystemTracer

    settings = load_settings({"enabled": True, "measure": True, "points": _with_settings(points)}).settings
    tracer = SystemTracer(
        settings,
        rate_hz=rate,
        budget=budget / 100,
        native=native,
        stacks=not no_stacks,
        offcpu=offcpu,
        offcpu_stacks=offcpu_stacks,
        out=out,
        start_timeout_s=start_timeout,
        max_disk_bytes=int(max_disk * 1024**3),
    )
    traced = _measure(tracer, command_line, pid, duration)
    status = traced.manifest.exit_status or 0
    try:
        _report(traced, with_drafts=not no_draft, as_json=as_json)
    except DamObsError as error:
        if status == 0 and not _found_nothing(error):
            raise
        click.echo(f"dam-obs: {printable(str(error))}", err=True)
    sent = send_if_wanted(traced.folder, settings)
    if sent is not None:
        click.echo(sent, err=True)
    return status


def _refuse_to_measure(command_line: Sequence[str]) -> None:
    context = click.get_current_context()
    measuring = ("pid", "duration", "rate", "budget", "points", "no_stacks", "native", "offcpu", "offcpu_stacks")
    given = [
        name
        for name in (*measuring, "start_timeout", "max_disk")
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    if command_line or given:
        what = "a command" if command_line else f"--{given[0].replace('_', '-')}"
        raise click.UsageError(f"--from reads what was measured before: it does not go with {what}")


def _diagnose_backend(source: Source, out: Path | None, with_drafts: bool, as_json: bool) -> int:
    """Bring what a backend has into a run's folder, and report on it as on a run."""
    from dam_obs.sample.tracer import TracedRun

    folder, manifest = brought(source, out)
    _report(TracedRun(folder, manifest), with_drafts=with_drafts, as_json=as_json)
    return 0


def _with_settings(points: tuple[Path, ...]) -> tuple[Path, ...] | None:
    """Return the files that were named and those of the settings; `None` where none were named."""
    return (*load_settings().settings.points, *points) if points else None


def _check_what_to_measure(command_line: Sequence[str], pid: int | None, duration: float | None) -> None:
    if pid is None and not command_line:
        raise click.UsageError("say what to measure: a command after --, or --pid N --duration S")
    if pid is not None and command_line:
        raise click.UsageError("give a command or --pid, not both")
    if pid is not None and duration is None:
        raise click.UsageError("--pid needs --duration: for how many seconds to measure the process")
    if pid is None and duration is not None:
        raise click.UsageError("--duration goes with --pid; a command is measured to its end")


def _measure(tracer: SystemTracer, command_line: Sequence[str], pid: int | None, duration: float | None) -> TracedRun:
    if pid is not None and duration is not None:
        return tracer.attach(pid, duration)
    return tracer.run(command_line)


def _found_nothing(error: DamObsError) -> bool:
    """Tell whether there simply was nothing to measure: the command did what it was to do, and so did we."""
    from dam_obs.diagnose.build import NothingMeasured

    return isinstance(error, NothingMeasured)


def _report(traced: TracedRun, *, with_drafts: bool, as_json: bool) -> None:
    from dam_obs.cli._example import example_trace
    from dam_obs.cli._summary import print_summary
    from dam_obs.diagnose.build import build_report
    from dam_obs.store.read import read_events

    run = traced.folder
    try:
        with telling("Diagnosing") as tell:
            report = build_report(run, tell=tell)
            written = [run.trace, *_write(report, traced, with_drafts=with_drafts)]
    except OSError as error:
        raise NotWritten(run.path, error) from error
    if as_json:
        echo_json(
            {"run": run.path, "exit_status": traced.manifest.exit_status, "report": report.model_dump(mode="json")}
        )
        return
    out = console(stderr=True)
    for line in example_trace(read_events(run.trace)) if run.trace.exists() else []:
        out.print(printable(line), soft_wrap=True, markup=False)
    print_summary(report, [path for path in written if path.exists()], out)


class NotWritten(DamObsError):
    """The report of a run could not be written."""

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(
            f"the report of {folder} cannot be written ({error.strerror or error}): "
            f"make room, then `dam-obs report {folder}` makes it from what was measured"
        )
        self.folder = folder


def _write(report: DiagnosticReport, traced: TracedRun, *, with_drafts: bool) -> list[Path]:
    """Write everything that is made of a run, and return the files."""
    from dam_obs.diagnose.write import write_report
    from dam_obs.draft.write import write_drafts
    from dam_obs.sample.speedscope import write_profile

    run = traced.folder
    written = write_report(run, report)
    if report.quality.verdict != "refuse":
        sampler = traced.manifest.sampler
        if write_profile(run, rate_hz=sampler.rate_asked_hz if sampler else None):
            written.append(run.profile)
    return written + (write_drafts(report, run.drafts) if with_drafts else [])
