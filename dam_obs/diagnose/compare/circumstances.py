"""
What two runs differ in besides their program: told first, for it may be why they differ.

Nothing is corrected for; a person who reads that one run had half the processors knows enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dam_obs.diagnose.report import DiagnosticReport

_RATE_APART: Final = 0.1
"""Of the larger of two sampling rates; less is how a sampler goes."""

_HELD_APART: Final = 0.01
"""Of wall time, that a sampler held a program for."""

_QUEUE_APART: Final = 0.05
"""Of wall time, that executions waited for a processor: how busy the machine was with something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something around the program that was not the same in both runs."""

    what: str
    before: str
    after: str


def differences(before: DiagnosticReport, after: DiagnosticReport) -> list[Difference]:
    """Return what is not alike, the most weighty first."""
    pairs = zip(_facts(before), _facts(after), strict=True)
    found = [
        Difference(what=what, before=first, after=second) for (what, first), (_, second) in pairs if first != second
    ]
    return [*found, *_of_sampling(before, after)]


def doubts(report: DiagnosticReport, which: str) -> Iterator[str]:
    """Yield why a run is to be trusted less; nothing of one that is usable."""
    if report.quality.verdict == "refuse":
        yield f"The stacks of the run {which} are refused, and are not compared."
    for reason in report.quality.reasons:
        yield f"The run {which} is {report.quality.verdict}: {reason}."


def _facts(report: DiagnosticReport) -> list[tuple[str, str]]:
    host, quality = report.host, report.quality
    python = ".".join(host.python.split(".")[:3])
    return [
        ("command", report.command),
        ("exit status", _shown(report.exit_status)),
        ("Python", f"{host.implementation} {python}"),
        ("machine", host.machine),
        ("processors", _shown(host.cpus)),
        ("memory", _shown(host.memory_bytes and f"{host.memory_bytes / 2**30:.1f} GiB")),
        ("kernel", host.kernel),
        ("dam-obs", report.dam_obs_version),
        ("sampler", quality.sampler or "none"),
        ("off-CPU causes", "measured" if report.offcpu else "not measured"),
        ("executions dropped", f"{quality.executions_dropped:,}"),
        ("not measured", ", ".join(sorted({absent.evidence for absent in quality.absent})) or "nothing"),
    ]


def _of_sampling(before: DiagnosticReport, after: DiagnosticReport) -> Iterator[Difference]:
    rates = before.quality.rate_reached_hz, after.quality.rate_reached_hz
    if rates[0] and rates[1] and abs(rates[0] - rates[1]) > _RATE_APART * max(rates[0], rates[1]):
        yield Difference(what="samples a second", before=f"{rates[0]:.0f}", after=f"{rates[1]:.0f}")
    held = before.quality.held_share, after.quality.held_share
    if held[0] is not None and held[1] is not None and abs(held[0] - held[1]) > _HELD_APART:
        yield Difference(what="time held by the sampler", before=f"{held[0]:.1%}", after=f"{held[1]:.1%}")
    queues = _share_in_queue(before), _share_in_queue(after)
    if queues[0] is not None and queues[1] is not None and abs(queues[0] - queues[1]) > _QUEUE_APART:
        yield Difference(what="time waiting for a processor", before=f"{queues[0]:.0%}", after=f"{queues[1]:.0%}")


def _share_in_queue(report: DiagnosticReport) -> float | None:
    known = [one.time for one in report.systems if one.time.run_queue_ns is not None]
    wall = sum(time.wall_ns for time in known)
    return sum(time.run_queue_ns or 0 for time in known) / wall if wall > 0 else None


def _shown(value: object) -> str:
    return "unknown" if value is None else str(value)
