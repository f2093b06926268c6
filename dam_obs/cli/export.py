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
def command(source: Source, name: str, system: str | None, output: Path | None, force: bool) -> None:
    """
    Write the samples of a run for other tools.

    speedscope for https://speedscope.app; chrome for https://ui.perfetto.dev, on the time line; folded for
    flamegraph.pl and inferno; otlp-profiles for OpenTelemetry, each sample linked to its span. RUN is a run
    folder or a run's id; without it the newest run is taken.
    """
    run = run_of(source)
    target = output or default_path(run, name)
    FORMATS[name].check(target)
    if target.exists() and any(kept.exists() and target.samefile(kept) for kept in (run.raw_profile, run.trace)):
        raise OutputIsEvidence(target)
    if target.exists() and not force:
        raise OutputExists(target)

    settings = load_settings().settings
    with telling(f"Exporting {printable(source.name)}"):
        samples = RunSamples(run, system=system, redactor=Redactor(settings.redact_off, settings.redact_safe_keys))
        write_parts(target, FORMATS[name].parts(samples, target))
    click.echo(f"Wrote {printable(str(target))}")
    for line in (_summary(samples.counts), *samples.remarks):
        click.echo(line)


def _summary(counts: Counts) -> str:
    inside = f"{counts.claimed:,} in {counted(counts.executions, 'execution')}"
    unknown = f" ({counts.without_event:,} of them in executions without an event)" if counts.without_event else ""
    return f"{counted(counts.total, 'sample')}: {inside}{unknown}, {counts.unclaimed:,} outside any"
