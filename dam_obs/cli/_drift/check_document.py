"""What ``dam-obs check --json`` prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dam_obs.draft.checking import CheckReport
from dam_obs.draft.findings import Finding, Level, SystemCheck, Verdict

SCHEMA_VERSION: Final = 1
"""Raised when a field goes or changes its meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingDocument:
    """One difference."""

    rule: str
    level: Level
    subject: str
    """What of the system: a pool, or empty."""
    message: str
    evidence: tuple[str, ...]
    figures: dict[str, float | int | None]
    handles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemDocument:
    """One system."""

    system: str
    verdict: Verdict
    why: str | None
    """Why it was not checked."""
    file: str | None
    line: int | None
    executions: int
    answered: int
    """Executions for whose command the declaration could be evaluated."""
    problems: dict[str, int]
    """Why others could not, and how many."""
    pools: dict[str, int]
    """Declared pools, and for how many executions."""
    io_bound: int
    timed: int
    remarks: tuple[str, ...]
    findings: tuple[FindingDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDocument:
    """What is printed."""

    schema_version: int
    run: str
    source: str
    threshold: float
    quantile: float
    drift: bool
    """Whether observation contradicts the source."""
    checked: int
    systems: tuple[SystemDocument, ...]
    unread: dict[str, str]


def document(report: CheckReport) -> CheckDocument:
    """Put together what is printed."""
    return CheckDocument(
        schema_version=SCHEMA_VERSION,
        run=report.run_id,
        source=_text(report.source),
        threshold=report.terms.threshold,
        quantile=report.terms.quantile,
        drift=any(finding.level == "error" for finding in report.findings),
        checked=report.checked,
        systems=tuple(map(_system, report.systems)),
        unread={_text(file): why for file, why in report.unread},
    )


def _system(each: SystemCheck) -> SystemDocument:
    return SystemDocument(
        system=each.system,
        verdict=each.verdict,
        why=each.why,
        file=None if each.file is None else _text(each.file),
        line=each.line,
        executions=each.executions,
        answered=each.answered,
        problems=dict(each.problems),
        pools=dict(each.pools),
        io_bound=each.io_bound,
        timed=each.timed,
        remarks=each.remarks,
        findings=tuple(map(_finding, each.findings)),
    )


def _finding(each: Finding) -> FindingDocument:
    return FindingDocument(
        rule=each.rule.id,
        level=each.level,
        subject=each.subject,
        message=each.message,
        evidence=each.evidence,
        figures=dict(each.figures),
        handles=each.handles,
    )


def _text(path: Path) -> str:
    """Write a path; bytes of it that are no text as escapes, for JSON knows text alone."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")
