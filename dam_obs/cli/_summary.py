"""What `dam-obs diagnose` prints of a report: how far to trust it, a line for each system, and what was written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dam_obs.cli._units import duration
from dam_obs.diagnose.report import DiagnosticReport, Quality, SystemDiagnosis, TimeSplit
from dam_obs.diagnose.sampler_words import sampler_line
from dam_obs.diagnose.traits import DRAFT_CONFIDENCE
from dam_obs.sample.offcpu.causes import CAUSE_WORDS
from dam_obs.text import printable

MOST_SYSTEMS = 30
"""Lines of the table; all systems are in the page."""


def print_summary(report: DiagnosticReport, written: Iterable[Path], out: Console) -> None:
    """Print the quality line, the table of systems, what could not be measured, and the files."""
    out.print(quality_line(report.quality), soft_wrap=True)
    sampler = sampler_line(report.quality)
    if sampler is not None:
        out.print(printable(f"Sampler: {sampler}"), soft_wrap=True)
    for reason in report.quality.reasons:
        out.print(f"  {printable(reason)}", soft_wrap=True)
    if report.systems:
        out.print(systems_table(report.systems[:MOST_SYSTEMS]))
    if len(report.systems) > MOST_SYSTEMS:
        out.print(f"... and {len(report.systems) - MOST_SYSTEMS} more systems in the page")
    if report.offcpu is None and any(_has_counters(system.time) for system in report.systems):
        out.print(
            "Run queue and disk are counters from /proc, the coarser source: with --offcpu bpftrace sees each wait"
        )
    for one in report.quality.absent:
        out.print(printable(f"Not measured: {one.evidence}: {one.why}; to have it: {one.remedy}"), soft_wrap=True)
    print_written(written, out)


def print_written(written: Iterable[Path], out: Console) -> None:
    """Print the paths of files, relative to the current folder where they are below it."""
    here = Path.cwd()
    for path in written:
        out.print(
            f"Wrote {printable(str(path.relative_to(here) if path.is_relative_to(here) else path))}", soft_wrap=True
        )


def quality_line(quality: Quality) -> str:
    """Say in one line how far to trust a report."""
    parts = [f"Quality: {quality.verdict}", f"{quality.executions:,} executions"]
    if quality.sampler is None:
        parts.append("no stacks")
    else:
        reached, asked = quality.rate_reached_hz, quality.rate_asked_hz
        parts.append(f"{quality.sampler} at {_number(reached)} of {_number(asked)} Hz")
        parts.append(f"{_number(quality.samples)} samples, {_number(quality.samples_claimed)} in executions")
        parts.append(f"{_number(quality.samples_failed)} failed, {_number(quality.samples_late)} late")
        if quality.held_share is not None:
            parts.append(f"held the program for up to {quality.held_share:.0%} of the time")
    if quality.executions_dropped:
        parts.append(f"{quality.executions_dropped:,} executions dropped")
    return printable("; ".join(parts))


def systems_table(systems: Iterable[SystemDiagnosis]) -> Table:
    """Lay out one line for each system."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("System", overflow="fold")
    for name in ("Runs", "p50", "p95", "CPU"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("Waits", "Touches", "Traits"):
        table.add_column(name, overflow="fold")
    shown = list(systems)
    for system, name in zip(shown, _names(shown), strict=True):
        table.add_row(
            printable(name),
            _runs(system),
            duration(system.latency.p50_ns),
            duration(system.latency.p95_ns),
            "" if system.on_cpu_share is None else f"{system.on_cpu_share:.0%}",
            _waits(system.time),
            printable(", ".join(_touches(system))),
            printable(", ".join(_traits(system))),
        )
    return table


def _names(systems: Sequence[SystemDiagnosis]) -> list[str]:
    """Name systems by their components, those that share one by their operations too."""
    operations = Counter(system.system for system in systems)
    short = short_names(list(operations))
    return [
        f"{short[each.system]} {each.operation}" if operations[each.system] > 1 else short[each.system]
        for each in systems
    ]


def short_names(systems: Sequence[str]) -> dict[str, str]:
    """Return each name without its module, where that still tells it from the others."""
    short = [name.rpartition(":")[2] for name in systems]
    return {name: last if short.count(last) == 1 else name for name, last in zip(systems, short, strict=True)}


def _runs(system: SystemDiagnosis) -> str:
    troubles = [f"{count} {status}" for status, count in system.by_status.items() if status != "success" and count]
    return f"{system.executions:,}" + (f" ({', '.join(troubles)})" if troubles else "")


def _waits(time: TimeSplit) -> str:
    if not time.wall_ns:
        return ""
    waits = [(f"awaiting{_for_what(time)}", time.awaiting_ns), ("disk", time.block_io_ns), ("queue", time.run_queue_ns)]
    waits += [(CAUSE_WORDS[cause], ns) for cause, ns in (time.causes or {}).items()]
    shares = {name: ns / time.wall_ns for name, ns in waits if ns}
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share >= 0.005)


def _has_counters(time: TimeSplit) -> bool:
    return time.run_queue_ns is not None or time.block_io_ns is not None


def _for_what(time: TimeSplit) -> str:
    """Name the one or two kinds that most of the awaiting was spent on."""
    whole = time.awaiting_ns or 0
    named = [kind for kind, ns in (time.awaiting or {}).items() if kind != "short" and ns >= 0.2 * whole]
    return f" {' and '.join(named[:2])}" if named and whole else ""


def _touches(system: SystemDiagnosis) -> list[str]:
    pools = [device.pool for device in system.devices if device.executions]
    pools += [peer.pool for peer in system.peers] + [process.pool for process in system.processes]
    pools = list(dict.fromkeys(pools))
    return pools[:3] + ([f"and {len(pools) - 3} more"] if len(pools) > 3 else [])


def _traits(system: SystemDiagnosis) -> list[str]:
    likely = (trait.trait.removesuffix("Trait") for trait in system.traits if trait.confidence >= DRAFT_CONFIDENCE)
    return list(dict.fromkeys(likely))


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}"
