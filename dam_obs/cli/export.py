"""``dam-obs export``: a run's samples in a format of other tools."""

from __future__ import annotations

from pathlib import Path

import click

from dam_obs.cli._base import run_of, source_argument
from dam_obs.cli._reading import telling
from dam_obs.cli._units import counted
from dam_obs.cli.report import OutputExists
from dam_obs.config import load_settings
from dam_obs.diagnose.export.formats import FORMATS, default_path
from dam_obs.diagnose.export.output import write_parts
from dam_obs.diagnose.export.samples import Counts, RunSamples
from dam_obs.errors import DamObsError
from dam_obs.store.find import Source
from dam_obs.store.runs import RunFolder
from dam_obs.text import printable
from dam_obs.trace.redact import Redactor


class OutputIsEvidence(DamObsError):
    """An export would replace what it is made of."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is what the run left, and would be lost: name another file with --output")
        self.path = path


@click.command("export")
@source_argument
@click.option("--format", "name", type=click.Choice(list(FORMATS)), required=True, help="What to write.")
@click.option("--system", metavar="S", help="Only samples in executions of this system.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write here; for otlp-profiles .json is JSON, .pb and .binpb are protobuf. [default: in the run's folder]",
)
@click.option("--force", is_flag=True, help="Replace what is there.")
@click.option("--to", metavar="URL", help="With otlp-profiles: send to this collector instead of writing a file.")
def command(source: Source, name: str, system: str | None, output: Path | None, force: bool, to: str | None) -> None:
    """
    Write the samples of a run for other tools.

    speedscope for https://speedscope.app; chrome for https://ui.perfetto.dev, on the time line; folded for
    flamegraph.pl and inferno; otlp-profiles for OpenTelemetry, each sample linked to its span, as a file or, by
    --to, to a collector. RUN is a run folder or a run's id; without it the newest run is taken.
    """
    run = run_of(source)
    if to is not None:
        if name != "otlp-profiles" or output is not None:
            raise click.UsageError("--to sends --format otlp-profiles, and goes with no --output")
        _send(run, system, to)
        return
    target = output or default_path(run, name)
    FORMATS[name].check(target)
    if target.exists() and any(kept.exists() and target.samefile(kept) for kept in (run.raw_profile, run.trace)):
        raise OutputIsEvidence(target)
    if target.exists() and not force:
        raise OutputExists(target)

    with telling(f"Exporting {printable(source.name)}"):
        samples = _samples(run, system)
        write_parts(target, FORMATS[name].parts(samples, target))
    click.echo(f"Wrote {printable(str(target))}")
    _tell(samples)


def _samples(run: RunFolder, system: str | None) -> RunSamples:
    settings = load_settings().settings
    return RunSamples(run, system=system, redactor=Redactor(settings.redact_off, settings.redact_safe_keys))


def _send(run: RunFolder, system: str | None, to: str) -> None:
    from dam_obs.cli._profiles import send
    from dam_obs.sinks.otlp_profiles import profiles_to

    otlp = profiles_to(to)
    samples = _samples(run, system)
    click.echo(send(samples, otlp))
    _tell(samples)


def _tell(samples: RunSamples) -> None:
    for line in (_summary(samples.counts), *samples.remarks):
        click.echo(line)


def _summary(counts: Counts) -> str:
    inside = f"{counts.claimed:,} in {counted(counts.executions, 'execution')}"
    unknown = f" ({counts.without_event:,} of them in executions without an event)" if counts.without_event else ""
    return f"{counted(counts.total, 'sample')}: {inside}{unknown}, {counts.unclaimed:,} outside any"
