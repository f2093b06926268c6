"""What ``dam-obs diff --json`` prints of two runs, beside their events."""

from __future__ import annotations

from dataclasses import dataclass

from dam_obs.cli._diff.document import Change, GroupDocument, change_of, group_document
from dam_obs.diagnose.compare.circumstances import Difference
from dam_obs.diagnose.compare.equal_input import EqualInput, FeatureMix, LawVerdict
from dam_obs.diagnose.compare.figure import Figure
from dam_obs.diagnose.compare.runs import RunComparison, SystemChange
from dam_obs.diagnose.compare.side import RunSide
from dam_obs.diagnose.compare.stacks import StackChange


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDocument:
    """One of the two runs."""

    run_id: str
    command: str
    started: str
    duration_ns: int
    executions: int
    samples: int | None
    verdict: str
    """``usable``, ``weak`` or ``refuse``."""
    single_executions: bool
    """They were at hand, and not a report alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualInputDocument:
    """Durations at equal values of the features."""

    laws: tuple[str, str]
    features: tuple[FeatureMix, ...]
    executions: tuple[int, int]
    of: tuple[int, int]
    ratio_of_medians: Change | None
    verdict: LawVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemDocument:
    """One system in both runs."""

    system: str
    layer: str
    operation: str
    component: str
    changed: bool
    time: GroupDocument
    mean: Figure | None
    parts: tuple[Figure, ...]
    bytes: tuple[Figure, ...]
    shares: tuple[Figure, ...]
    pace: tuple[Figure, ...]
    equal_input: EqualInputDocument | None
    functions: tuple[StackChange, ...]
    stacks: tuple[StackChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsDocument:
    """Two runs."""

    before: RunDocument
    after: RunDocument
    differences: tuple[Difference, ...]
    doubts: tuple[str, ...]
    whole: tuple[Figure, ...]
    systems: tuple[SystemDocument, ...]


def runs_document(compared: RunComparison) -> RunsDocument:
    """Put together what is printed."""
    return RunsDocument(
        before=_run(compared.before),
        after=_run(compared.after),
        differences=compared.differences,
        doubts=compared.doubts,
        whole=compared.whole,
        systems=tuple(_system(each) for each in compared.systems),
    )


def _run(side: RunSide) -> RunDocument:
    report = side.report
    return RunDocument(
        run_id=report.run_id,
        command=report.command,
        started=report.started,
        duration_ns=report.duration_ns,
        executions=report.quality.executions,
        samples=report.quality.samples_claimed,
        verdict=report.quality.verdict,
        single_executions=side.spreads is not None,
    )


def _system(each: SystemChange) -> SystemDocument:
    return SystemDocument(
        system=each.name,
        layer=each.layer,
        operation=each.operation,
        component=each.component,
        changed=each.changed,
        time=group_document(each.time),
        mean=each.mean,
        parts=each.parts,
        bytes=each.bytes,
        shares=each.shares,
        pace=each.pace,
        equal_input=None if each.equal_input is None else _equal_input(each.equal_input),
        functions=each.functions,
        stacks=each.stacks,
    )


def _equal_input(found: EqualInput) -> EqualInputDocument:
    return EqualInputDocument(
        laws=found.laws,
        features=found.features,
        executions=found.executions,
        of=found.of,
        ratio_of_medians=change_of(found.time),
        verdict=found.verdict,
    )
