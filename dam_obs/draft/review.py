"""
``review.md``: what a pull request that takes drafts over should say, and what to look at.

Warnings stand first. Texts from the run are made safe for Markdown here; the template lays
them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from dam_obs.diagnose.report import DiagnosticReport, InferredTrait, Quality, SystemDiagnosis
from dam_obs.diagnose.traits import DRAFT_CONFIDENCE
from dam_obs.draft import figures
from dam_obs.draft.evidence import examples, label
from dam_obs.draft.markdown import code, sentence
from dam_obs.draft.ranges import RangeTable, range_table
from dam_obs.draft.templates import REVIEW, render
from dam_obs.draft.written import COST, Written

MOST: Final = 20
"""Of warnings, traits and sentences of evidence for one system."""

UNDER_RATE_MARGIN: Final = 0.05
"""How far the share of executions above the stated quantile may lie above what the quantile says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemReview:
    """A system as the review tells of it; every text is Markdown."""

    name: str
    file: str | None
    """`None`: no draft was made of it."""
    why_no_draft: str | None
    executions: str
    p50: str
    p95: str
    model: str
    expression: str
    held_out: str
    bias: str
    under_rate: str
    traits: list[str]
    evidence: list[str]
    ranges: list[str]
    warnings: list[str]
    examples: list[str]
    plot: str | None
    """Where the picture of the cost model is: a name or an address without anything that Markdown reads."""
    ranges_table: RangeTable | None
    """The model beside what was seen."""


def review_page(
    report: DiagnosticReport,
    systems: Sequence[SystemDiagnosis],
    *,
    files: Mapping[str, str],
    refused: Mapping[str, str],
    plots: Mapping[str, str],
    templates: Sequence[Path] = (),
    written: Mapping[str, Written] | None = None,
) -> str:
    """
    Write the review of drafts.

    Args:
        report: What the drafts were made of.
        systems: The systems that were asked for.
        files: System to the name of its draft.
        refused: System to the reason why it has none.
        plots: System to where its picture is.
        templates: Folders that are searched before the built-in one.
        written: System to the cost that stands in its draft in the place of the report's own.
    """
    parts = [
        _with_written(part, written[system.system], system) if written and system.system in written else part
        for system in systems
        for part in [_system(system, files.get(system.system), refused.get(system.system), plots.get(system.system))]
    ]
    content: dict[str, Any] = {
        "run_id": code(report.run_id),
        "command": code(report.command),
        "duration": figures.milliseconds(report.duration_ns),
        "verdict": report.quality.verdict,
        "quality": _quality(report.quality),
        "systems": [asdict(part) for part in parts],
        "confidence_bound": figures.confidence(DRAFT_CONFIDENCE),
    }
    return render(REVIEW, content, templates)


def _system(system: SystemDiagnosis, file: str | None, refused: str | None, plot: str | None) -> SystemReview:
    held_out = system.cost.held_out
    return SystemReview(
        name=code(system.system),
        file=code(file) if file else None,
        why_no_draft=None if file else sentence(refused or "no command of it was seen"),
        executions=figures.number(system.executions),
        p50=figures.milliseconds(system.latency.p50_ns),
        p95=figures.milliseconds(system.latency.p95_ns),
        model=code(f"{system.cost.family} ({', '.join(system.cost.features)})" if system.cost.features else "constant"),
        expression=code(system.cost.expression),
        held_out=figures.percent(held_out.mdape if held_out else None),
        bias=figures.percent(held_out.bias if held_out else None, signed=True),
        under_rate=figures.percent(held_out.under_rate if held_out else None),
        traits=[f"{code(label(t))} {figures.confidence(t.confidence)}" for t in system.traits[:MOST]],
        evidence=[text for trait in system.traits[:MOST] for text in _evidence(trait)],
        ranges=[
            f"{code(feature)}: {figures.number(low)} to {figures.number(high)}"
            for feature, (low, high) in list(system.cost.valid_range.items())[:MOST]
        ],
        warnings=_warnings(system),
        examples=[f"{code(p.handle)} ({figures.milliseconds(p.duration_ns)})" for p in examples(system.points)],
        plot=plot,
        ranges_table=range_table(system) if file else None,
    )


def _with_written(review: SystemReview, written: Written, system: SystemDiagnosis) -> SystemReview:
    """Tell of the cost that is drafted; of the report's own nothing is left that could be taken for it."""
    told = written.figures
    traits = [each for each in system.traits[:MOST] if each.trait != COST]
    return replace(
        review,
        model=sentence(f"by {written.author}"),
        expression=code("; ".join([*written.cost.setup, written.cost.expression])),
        held_out=figures.percent(told.mdape),
        bias=figures.percent(told.bias, signed=True),
        under_rate=figures.percent(told.under_rate),
        traits=[*(f"{code(label(t))} {figures.confidence(t.confidence)}" for t in traits), code(COST)],
        evidence=[text for trait in traits for text in _evidence(trait)],
        ranges=[],
        warnings=[*map(sentence, written.remarks[:MOST]), *_of_failures(system)],
        plot=None,
        ranges_table=None,
    )


def _quality(quality: Quality) -> list[str]:
    lines = [sentence(reason) for reason in quality.reasons[:MOST]]
    lines += [f"No {sentence(a.evidence)}: {sentence(a.why)}; {sentence(a.remedy)}" for a in quality.absent[:MOST]]
    if quality.executions_dropped:
        lines.append(f"{figures.number(quality.executions_dropped)} executions were lost before they were written.")
    return lines


def _warnings(system: SystemDiagnosis) -> list[str]:
    lines = [sentence(warning) for warning in system.cost.warnings[:MOST]]
    held_out = system.cost.held_out
    if held_out and held_out.under_rate > 1 - system.cost.quantile + UNDER_RATE_MARGIN:
        stated = figures.percent(1 - system.cost.quantile)
        lines.append(f"Under-estimates {figures.percent(held_out.under_rate)} of executions; {stated} were meant.")
    return [*lines, *_of_failures(system)]


def _of_failures(system: SystemDiagnosis) -> list[str]:
    failed = system.by_status.get("error", 0)
    return [f"{figures.number(failed)} of {figures.number(system.executions)} executions failed."] if failed else []


def _evidence(trait: InferredTrait) -> list[str]:
    doubt = "" if trait.confidence >= DRAFT_CONFIDENCE else " (in doubt, commented out)"
    lines = [f"{code(label(trait))}{doubt}: {sentence(text)}" for text in trait.evidence[:5]]
    if trait.rival:
        lines.append(f"{code(label(trait))} could also be: {sentence(trait.rival)}")
    return lines
