"""
Check all systems of a run against a source: find what is declared, evaluate it, and hold it against what was seen.

Nothing of the source is imported, unless the caller says so: a `calculate_traits` that is no more than a
draft may be is evaluated as one, and of any other it is said why it was not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from dam_obs.diagnose.build import build_report
from dam_obs.diagnose.report import DiagnosticReport, SystemDiagnosis
from dam_obs.draft.as_draft import CLASS
from dam_obs.draft.declared import Calculation, Declaration, Declarations, read_declarations
from dam_obs.draft.drift import Asked, Terms, differences, pools_of, unseen_pools
from dam_obs.draft.findings import NEVER_RUN, NOT_CHECKABLE, UNDECLARED, Finding, Rule, SystemCheck
from dam_obs.draft.recorded import RecordedSystem, recorded_systems, unique_features
from dam_obs.draft.sandbox import Answer, DraftCode, Limits, SourceCode, ask
from dam_obs.draft.telling import Tell, nobody, parts
from dam_obs.store.runs import RunFolder

SOURCE_MEMORY_BYTES: Final = 4 * 2**30
"""Of address space, for a program with its libraries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a run says about what a source declares."""

    run_id: str
    source: Path
    terms: Terms
    systems: tuple[SystemCheck, ...]
    """Those with findings first, the worst of them first."""
    unread: tuple[tuple[Path, str], ...]
    """Files of the source that could not be read, and why."""

    @property
    def findings(self) -> list[Finding]:
        """Return all findings."""
        return [finding for system in self.systems for finding in system.findings]

    @property
    def checked(self) -> int:
        """Return how many systems were held against the run."""
        return sum(system.verdict == "checked" for system in self.systems)


def check_run(
    run: RunFolder,
    source: Path,
    terms: Terms | None = None,
    *,
    run_source: bool = False,
    limits: Limits | None = None,
    tell: Tell = nobody,
) -> CheckReport:
    """
    Hold what `source` declares against what `run` observed.

    Args:
        run: The run.
        source: A file, or the folder of the program's source.
        terms: How far a declaration may be off.
        run_source: Import the source, in a child process, for what is more than a draft may be.
        limits: What a child process may use.
        tell: Told how far it is, once the run is read.

    Raises:
        NotASource: There are no Python files.
        NothingMeasured, NoTraceFound, NotATrace, BrokenManifest: The run cannot be read.
    """
    terms = Terms() if terms is None else terms
    recorded = recorded_systems(run)
    report = build_report(run)
    declarations = read_declarations(source, recorded.keys())
    checking = _Checking(report, declarations, terms, run_source, Limits() if limits is None else limits)
    systems = [checking.system(each, telling) for each, telling in parts(recorded.values(), tell)]
    systems += checking.never_run()
    return CheckReport(
        run_id=report.run_id,
        source=source,
        terms=terms,
        systems=tuple(sorted(systems, key=_worst_first)),
        unread=tuple(sorted(declarations.unread.items())),
    )


class _Checking:
    """One check of many systems."""

    def __init__(
        self,
        report: DiagnosticReport,
        declarations: Declarations,
        terms: Terms,
        run_source: bool,
        limits: Limits,
    ) -> None:
        self._diagnoses = {(each.system, each.layer, each.operation): each for each in report.systems}
        self._declarations = declarations
        self._terms = terms
        self._run_source = run_source
        self._limits = limits
        self._ran: set[int] = set()

    def system(self, recorded: RecordedSystem, tell: Tell) -> SystemCheck:
        """Check one system of the run."""
        diagnosis = self._diagnoses.get((recorded.system, *recorded.operation))
        empty = SystemCheck(system=recorded.system, verdict="not_in_source", executions=recorded.seen)
        found = self._declarations.of(recorded.system, diagnosis.source_file if diagnosis else None)
        self._ran.update(map(id, found))
        if not found or diagnosis is None:
            return replace(empty, why="it is not in the source")
        if len(found) > 1:
            return replace(empty, verdict="not_checkable", why=f"it is in {len(found)} places of the source")
        (declaration,) = found
        placed = replace(empty, file=declaration.file, line=declaration.line)
        if declaration.calculation is None:
            return _without_calculation(placed, declaration)
        code, why = self._code(recorded, declaration, declaration.calculation)
        if code is None:
            return _fails(placed, why)
        return self._compare(placed, declaration.calculation, code, recorded, diagnosis, tell)

    def never_run(self) -> Iterator[SystemCheck]:
        """Yield what declares traits and was not run."""
        for each in self._declarations.found:
            if each.calculation is not None and id(each) not in self._ran and not each.is_base:
                name = f"{each.module}:{each.qualname}"
                finding = _of(NEVER_RUN, name, "declares traits and was not run", each.file, each.line)
                yield SystemCheck(
                    system=name, verdict="not_in_run", file=each.file, line=each.line, findings=(finding,)
                )

    def _code(
        self, recorded: RecordedSystem, declaration: Declaration, calculation: Calculation
    ) -> tuple[DraftCode | SourceCode | None, str]:
        """Return what is to be run, or why nothing is."""
        if calculation.plain is not None:
            return DraftCode(text=calculation.plain.draft, class_name=CLASS), ""
        if not self._run_source:
            return None, f"{calculation.why_not}; --run-source would import and run it"
        module = declaration.module
        return SourceCode(root=declaration.root, module=module, qualname=calculation.qualname), ""

    def _compare(
        self,
        placed: SystemCheck,
        calculation: Calculation,
        code: DraftCode | SourceCode,
        recorded: RecordedSystem,
        diagnosis: SystemDiagnosis,
        tell: Tell,
    ) -> SystemCheck:
        limits = self._limits
        if isinstance(code, SourceCode):
            limits = replace(limits, memory_bytes=max(limits.memory_bytes, SOURCE_MEMORY_BYTES))
        commands, which = unique_features(recorded.executions)
        outcome = ask(code, commands, is_dict=recorded.takes_dict, limits=limits, tell=tell)
        answers = [outcome.answers[place] if place < len(outcome.answers) else None for place in which]
        asked = [
            Asked(execution, answer)
            for execution, answer in zip(recorded.executions, answers, strict=True)
            if answer is not None and answer.traits is not None
        ]
        problems = _problems(answers)
        if outcome.stopped is not None:
            return _fails(replace(placed, answered=len(asked), problems=problems), f"it {outcome.stopped}")
        if not asked:
            return _fails(replace(placed, problems=problems), next(iter(problems), "no command was recorded"))
        pools = pools_of(asked)
        findings = differences(diagnosis, asked, pools, self._terms)
        return replace(
            placed,
            verdict="checked",
            answered=len(asked),
            problems=problems,
            pools=pools,
            io_bound=sum(bool(each.answer.of("IOBoundTrait")) for each in asked),
            timed=sum(each.answer.time_ms() is not None for each in asked),
            remarks=tuple(self._remarks(diagnosis, pools, calculation, recorded)),
            findings=tuple(replace(each, file=placed.file, line=placed.line) for each in findings),
        )

    def _remarks(
        self, diagnosis: SystemDiagnosis, pools: Iterable[str], calculation: Calculation, recorded: RecordedSystem
    ) -> Iterator[str]:
        """Say what was not judged."""
        unseen = unseen_pools(diagnosis, pools, self._terms)
        if unseen:
            yield f"not observable, so not judged: {', '.join(unseen)}"
        if calculation.plain is not None and calculation.plain.unknown:
            yield f"not known, so not judged: {', '.join(sorted(set(calculation.plain.unknown)))}"
        if recorded.seen > len(recorded.executions):
            yield f"{len(recorded.executions)} of {recorded.seen} executions were looked at"


def _without_calculation(placed: SystemCheck, declaration: Declaration) -> SystemCheck:
    if declaration.may_inherit:
        return _fails(placed, "it has none of its own, and may inherit one from another file")
    finding = _of(UNDECLARED, placed.system, "was run and declares no traits", placed.file, placed.line)
    return replace(placed, verdict="undeclared", why="it has no calculate_traits", findings=(finding,))


def _fails(placed: SystemCheck, why: str) -> SystemCheck:
    finding = _of(NOT_CHECKABLE, placed.system, f"could not be checked: {why}", placed.file, placed.line)
    return replace(placed, verdict="not_checkable", why=why, findings=(finding,))


def _of(rule: Rule, system: str, message: str, file: Path | None, line: int | None) -> Finding:
    return Finding(rule=rule, level=rule.level, system=system, message=message, file=file, line=line)


def _problems(answers: Sequence[Answer | None]) -> dict[str, int]:
    counts = Counter(
        "it was not asked any more" if each is None else each.problem or "it gave no answer"
        for each in answers
        if each is None or each.traits is None
    )
    return dict(counts.most_common())


def _worst_first(check: SystemCheck) -> tuple[int, str]:
    levels = ["error", "warning", "note"]
    worst = min((levels.index(each.level) for each in check.findings), default=len(levels))
    return worst, check.system
