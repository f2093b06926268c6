"""What drift can be: the rules by which declared traits are held against observed ones, and what is found by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

Level = Literal["error", "warning", "note"]
"""``error``: observation contradicts the source. ``warning``: nothing can be said. ``note``: worth knowing."""

Verdict = Literal["checked", "undeclared", "not_checkable", "not_in_source", "not_in_run"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which a declaration and a run can differ."""

    id: str
    level: Level
    """Unless a finding is in doubt."""
    short: str
    help: str


POOL_MISSING: Final = Rule(
    "pool-missing",
    "error",
    "A resource is used and not declared",
    "Executions use a resource that calculate_traits does not name, so a scheduler shares it out as if it were free. "
    "Add a ResourceUsageTrait for it, or for a pool above it.",
)
POOL_UNUSED: Final = Rule(
    "pool-unused",
    "error",
    "A resource is declared and not used",
    "No execution touched the declared resource, so a scheduler holds back others for nothing. Remove the "
    "ResourceUsageTrait, or correct its pool_path.",
)
IO_BOUND_WRONG: Final = Rule(
    "io-bound-wrong",
    "error",
    "IOBoundTrait is declared for what computes",
    "Most executions spend most of their own time on the CPU. Remove the IOBoundTrait.",
)
IO_BOUND_MISSING: Final = Rule(
    "io-bound-missing",
    "error",
    "IOBoundTrait is missing for what waits",
    "Most executions spend most of their own time off the CPU. Add an IOBoundTrait.",
)
TIME_TOO_SHORT: Final = Rule(
    "time-too-short",
    "error",
    "Executions take longer than time_ms says",
    "At the stated quantile executions take longer than declared, by more than the threshold and not by chance. "
    "Draft the cost anew with dam-obs draft.",
)
TIME_TOO_LONG: Final = Rule(
    "time-too-long",
    "error",
    "Executions take less time than time_ms says",
    "At the stated quantile executions take less time than declared, by more than the threshold and not by chance. "
    "Draft the cost anew with dam-obs draft.",
)
UNDECLARED: Final = Rule(
    "undeclared",
    "warning",
    "A system was run and declares no traits",
    "A scheduler knows nothing of this system. Draft its traits with dam-obs draft.",
)
NOT_CHECKABLE: Final = Rule(
    "not-checkable",
    "warning",
    "What is declared could not be evaluated",
    "The declaration was not held against the run, for the reason that the message gives.",
)
NEVER_RUN: Final = Rule(
    "never-run",
    "note",
    "Declared traits of what was never run",
    "The run says nothing of this declaration.",
)

RULES: Final = (
    POOL_MISSING,
    POOL_UNUSED,
    IO_BOUND_WRONG,
    IO_BOUND_MISSING,
    TIME_TOO_SHORT,
    TIME_TOO_LONG,
    UNDECLARED,
    NOT_CHECKABLE,
    NEVER_RUN,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference. Its texts hold names of the run and of the source: not safe to print as they are."""

    rule: Rule
    level: Level
    system: str
    subject: str = ""
    """What of the system: a pool, or nothing."""
    message: str
    evidence: tuple[str, ...] = ()
    figures: Mapping[str, float | int | None] = field(default_factory=dict)
    handles: tuple[str, ...] = ()
    """Executions to look at."""
    file: Path | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemCheck:
    """What came of one system."""

    system: str
    verdict: Verdict
    why: str | None = None
    """Why it was not checked."""
    file: Path | None = None
    line: int | None = None
    executions: int = 0
    answered: int = 0
    """Executions for whose command the declaration could be evaluated."""
    problems: Mapping[str, int] = field(default_factory=dict)
    """Why others could not, and how many."""
    pools: Mapping[str, int] = field(default_factory=dict)
    """Declared pools, and for how many executions."""
    io_bound: int = 0
    """Executions that an `IOBoundTrait` is declared for."""
    timed: int = 0
    """Executions that a ``time_ms`` is declared for."""
    remarks: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
