"""Say in words what a report says about the run as a whole: head, quality, processes, faults."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from dam_obs.diagnose.page import units
from dam_obs.diagnose.page.describe_system import system_view
from dam_obs.diagnose.page.flame import flame_view
from dam_obs.diagnose.page.units import NOT_MEASURED
from dam_obs.diagnose.page.view import Fact, PageView, QualityView, Table
from dam_obs.diagnose.report import DiagnosticReport, HostFacts, ProcessSummary, Quality, Verdict
from dam_obs.diagnose.sampler_words import sampler_line
from dam_obs.text import printable

_PLAIN: Final[dict[Verdict, str]] = {
    "usable": "The evidence is good enough to write traits from.",
    "weak": "Read on with care: some of the evidence is thin.",
    "refuse": "The stacks of this run must not be used, and are left out. Times and counters stand.",
}


def page_view(report: DiagnosticReport) -> PageView:
    """Put all that the page says about `report` into words."""
    systems = [system_view(system, place, report) for place, system in enumerate(report.systems, start=1)]
    return PageView(
        title=f"{report.command} – dam-obs report",
        program=report.command,
        run_id=report.run_id,
        started=_moment(report.started),
        started_iso=report.started,
        lasted=units.duration(report.duration_ns),
        ended=_ended(report.exit_status),
        failed=bool(report.exit_status),
        host=", ".join(_host(report.host)),
        version=report.dam_obs_version,
        quality=_quality(report.quality),
        systems=systems,
        flame=flame_view(report.flame) if report.flame and report.flame.samples else None,
        no_flame=why_no_stacks(report),
        processes=_processes(report.processes),
        faults=_faults(report.faults),
        sampler=report.quality.sampler or "none",
    )


def why_no_stacks(report: DiagnosticReport) -> str:
    """Return in a sentence why a report has no stacks."""
    absent = next((one for one in report.quality.absent if one.evidence == "stacks"), None)
    if absent is not None:
        return f"{absent.why}. To have them: {absent.remedy}."
    if report.quality.verdict == "refuse":
        return "The verdict above is to refuse them."
    if report.flame is not None:
        return "No sample fell into an execution."
    return "The run has none."


def _moment(iso: str) -> str:
    """Write a moment as people do; what is no moment stays as it is."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    zone = moment.strftime("%z")
    return f"{moment:%Y-%m-%d %H:%M:%S}" + (f" UTC{zone[:3]}:{zone[3:5]}" if zone else "")


def _ended(status: int | None) -> str:
    """Say how the program ended, as a shell or Python's own subprocess module tells it."""
    if status is None:
        return "its exit status is not known"
    killer = -status if status < 0 else status - 128 if status > 128 else 0
    if killer in set(signal.Signals):
        return f"ended by {signal.Signals(killer).name}"
    return f"exit status {status}"


def _host(host: HostFacts) -> Iterator[str]:
    yield f"{host.implementation} {host.python}"
    yield f"{host.kernel} on {host.machine}"
    if host.cpus is not None:
        yield f"{host.cpus} CPU{'s' if host.cpus != 1 else ''}"
    if host.memory_bytes is not None:
        yield f"{units.size(host.memory_bytes)} of memory"


def _quality(quality: Quality) -> QualityView:
    return QualityView(
        verdict=quality.verdict,
        plain=_PLAIN[quality.verdict],
        reasons=quality.reasons,
        facts=list(_quality_facts(quality)),
        absent=quality.absent,
    )


def _quality_facts(quality: Quality) -> Iterator[Fact]:
    yield _count("Executions", quality.executions, "seen from start to end")
    yield _count("Executions dropped", quality.executions_dropped, "the queue was full", worry=True)
    yield _count("Lines skipped", quality.lines_skipped, "torn or foreign, in the event file", worry=True)
    yield from _read_back(quality)
    yield Fact("Sampler", quality.sampler or "none", f"privilege: {quality.privilege}")
    yield _rate(quality)
    yield _count("Samples", quality.samples, "stacks, of all threads")
    yield _count("Claimed", quality.samples_claimed, _of(quality.samples_claimed, quality.samples, "inside executions"))
    yield _count(
        "Unclaimed", quality.samples_unclaimed, _of(quality.samples_unclaimed, quality.samples, "given to no system")
    )
    yield _count("Late", quality.samples_late, "times the sampler fell behind", worry=True)
    yield _count("Failed", quality.samples_failed, "stacks that could not be read", worry=True)
    yield _held(quality)
    yield from _sampler(quality)
    yield _residual(quality)


def _read_back(quality: Quality) -> Iterator[Fact]:
    """Yield where the events are from, if they were read back: that, what it loses, and what else is known of it."""
    source = quality.source
    if source is None:
        return
    asked = ", ".join(f"{name} {value}" for name, value in source.asked.items()) or "everything"
    yield Fact("Read back from", printable(source.uri), printable(f"{source.kind}, asked for {asked}"))
    for lost in source.loses:
        yield Fact("Not given back", "", printable(lost))
    for note in source.notes:
        yield Fact("Note", "", printable(note))


def _rate(quality: Quality) -> Fact:
    asked, reached = quality.rate_asked_hz, quality.rate_reached_hz
    if asked is None:
        return Fact("Sampling rate", NOT_MEASURED)
    if reached is None:
        return Fact("Sampling rate", NOT_MEASURED, f"{units.digits(asked)} Hz asked")
    seconds = sum(span.seconds for span in quality.rates)
    due = sum(span.rate_hz * span.seconds for span in quality.rates) / seconds if seconds else asked
    return Fact("Sampling rate", f"{units.digits(reached)} Hz", f"{units.digits(asked)} Hz asked", reached < due / 2)


def _sampler(quality: Quality) -> Iterator[Fact]:
    line = sampler_line(quality)
    if line is not None:
        value, _, note = line.partition("; ")
        yield Fact("Cost of sampling", value, note)


def _held(quality: Quality) -> Fact:
    if quality.held_share is None:
        return Fact("Held by the sampler", NOT_MEASURED)
    note = "of the time: a process stands still while it is read, which is in other"
    return Fact("Held by the sampler", f"at most {units.percent(quality.held_share)}", note)


def _residual(quality: Quality) -> Fact:
    if quality.clock_residual_ns is not None:
        return Fact(
            "Clock residual", units.duration(quality.clock_residual_ns), "of samples on the time line, 95 % at most"
        )
    if quality.samples is None:
        return Fact("Clock residual", NOT_MEASURED)
    return Fact("Clock residual", NOT_MEASURED, "too few samples can be checked")


def _count(label: str, number: int | None, note: str, *, worry: bool = False) -> Fact:
    """Make a fact of a count; with `worry`, any is a reason to look."""
    if number is None:
        return Fact(label, NOT_MEASURED)
    return Fact(label, units.count(number), note, doubtful=worry and number > 0)


def _of(part: int | None, whole: int | None, what: str) -> str:
    return f"{units.percent(part / whole)} {what}" if part is not None and whole else what


def _processes(processes: list[ProcessSummary]) -> Table | None:
    if not processes:
        return None
    return Table(
        "Processes",
        [
            ("Process", "text"),
            ("Executions", "number"),
            ("Samples", "number"),
            ("CPU time", "number"),
            ("Most memory", "number"),
            ("Read", "number"),
            ("Written", "number"),
        ],
        [
            [
                f"{process.program} ({process.pid})" if process.program else str(process.pid),
                units.count(process.executions) if process.observed else "not observed",
                NOT_MEASURED if process.samples is None else units.count(process.samples),
                NOT_MEASURED if process.cpu_ns is None else units.duration(process.cpu_ns),
                *(
                    NOT_MEASURED if amount is None else units.size(amount)
                    for amount in (process.max_rss_bytes, process.read_bytes, process.write_bytes)
                ),
            ]
            for process in processes
        ],
    )


def _faults(faults: dict[str, int]) -> Table | None:
    if not faults:
        return None
    rows = [[place, units.count(times)] for place, times in sorted(faults.items())]
    return Table("Faults of dam-obs", [("Place", "name"), ("Times", "number")], rows)
