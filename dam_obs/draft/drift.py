"""
Hold what was declared of one system against what was observed of it.

Nothing is said on thin evidence: a figure must be off by more than the threshold, and be so for the whole
of its interval. What was not measured contradicts nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dam_obs.diagnose.costs import QUANTILE
from dam_obs.diagnose.pools import CPU_POOL
from dam_obs.diagnose.report import InferredTrait, SystemDiagnosis
from dam_obs.diagnose.traits import DRAFT_CONFIDENCE
from dam_obs.draft.backtest import whole_ms
from dam_obs.draft.certainty import quantile_interval, share_interval
from dam_obs.draft.figures import number, percent
from dam_obs.draft.findings import (
    IO_BOUND_MISSING,
    IO_BOUND_WRONG,
    POOL_MISSING,
    POOL_UNUSED,
    TIME_TOO_LONG,
    TIME_TOO_SHORT,
    Finding,
    Level,
    Rule,
)
from dam_obs.draft.recorded import Execution
from dam_obs.draft.sandbox import Answer

MIN_TIMED: Final = 5
"""Executions below which nothing is said of time."""

MIN_SPLIT: Final = 10
"""Executions below which nothing is said of being I/O-bound."""

MIN_UNTOUCHED: Final = 20
"""Executions below which it says little that none of them touched a resource."""

IDLE_CPU_SHARE: Final = 0.1
"""Of its own time; a system that computes less does not use a CPU in any sense that matters."""

MANY: Final = 3
"""Handles for one finding."""

_KINDS: Final = frozenset({CPU_POOL, "disk", "net", "process"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How far a declaration may be off."""

    threshold: float = 0.5
    """Of time, as a fraction."""
    quantile: float = QUANTILE
    """Of executions that ``time_ms`` is meant to hold for."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Declared pools to what they are called when observed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An execution and what was declared for its command."""

    execution: Execution
    answer: Answer


def differences(
    diagnosis: SystemDiagnosis, asked: Sequence[Asked], declared_pools: Mapping[str, int], terms: Terms
) -> Iterator[Finding]:
    """
    Yield where a declaration and observation differ.

    Args:
        diagnosis: What was observed of the system.
        asked: Its executions with usable answers.
        declared_pools: Pools by `pools_of`.
        terms: How far it may be off.
    """
    yield from _pools(diagnosis, asked, declared_pools, terms)
    yield from _io_bound(diagnosis, asked)
    yield from _time(diagnosis.system, asked, terms)


def pools_of(asked: Iterable[Asked]) -> dict[str, int]:
    """Count for how many executions each pool is declared."""
    counts = Counter(
        pool
        for each in asked
        for pool in {str(said.arguments["pool_path"]) for said in each.answer.of("ResourceUsageTrait")}
    )
    return dict(sorted(counts.items()))


def unseen_pools(diagnosis: SystemDiagnosis, declared: Iterable[str], terms: Terms) -> list[str]:
    """Return declared pools of a kind that is never observed, such as a limit of the program's own making."""
    kinds = _KINDS | {_kind(pool) for pool in _touched(diagnosis)}
    return [pool for pool in declared if _kind(terms.aliases.get(pool, pool)) not in kinds]


# -- pools


def _pools(
    diagnosis: SystemDiagnosis, asked: Sequence[Asked], declared: Mapping[str, int], terms: Terms
) -> Iterator[Finding]:
    if diagnosis.time.on_cpu_ns is None:
        return  # not a measured run: what was touched is not known either
    named = {pool: terms.aliases.get(pool, pool) for pool in declared}
    unseen = unseen_pools(diagnosis, declared, terms)
    for trait in diagnosis.traits:
        pool = trait.arguments.get("pool_path")
        if trait.trait != "ResourceUsageTrait" or trait.confidence < DRAFT_CONFIDENCE or not isinstance(pool, str):
            continue
        if not any(_covers(name, pool) for name in named.values()):
            yield _missing(diagnosis, asked, trait, pool, unseen)
    touched = _touched(diagnosis)
    for pool, count in declared.items():
        if pool not in unseen and count >= MIN_UNTOUCHED and not any(_covers(named[pool], seen) for seen in touched):
            yield _unused(diagnosis, pool, named[pool], count)


def _missing(
    diagnosis: SystemDiagnosis, asked: Sequence[Asked], trait: InferredTrait, pool: str, unseen: Sequence[str]
) -> Finding:
    hint = f"; if that is meant by {unseen[0]}, say so by an alias" if unseen else ""
    return Finding(
        rule=POOL_MISSING,
        level=POOL_MISSING.level,
        system=diagnosis.system,
        subject=pool,
        message=f"uses {pool} and does not declare it{hint}",
        evidence=tuple(trait.evidence),
        figures={"confidence": trait.confidence, "executions": diagnosis.executions},
        handles=tuple(each.execution.handle for each in asked if _touches(each.execution, pool))[:MANY],
    )


def _unused(diagnosis: SystemDiagnosis, pool: str, named: str, count: int) -> Finding:
    doubt = _doubt(diagnosis, named)
    waiting = _waiting_share(diagnosis)
    if _kind(named) == CPU_POOL and waiting is not None:
        seen = f"it was on the CPU {percent(1 - waiting)} of its own time"
    else:
        seen = f"none of {number(diagnosis.executions)} executions touched it"
    level: Level = "note" if doubt else POOL_UNUSED.level
    return Finding(
        rule=POOL_UNUSED,
        level=level,
        system=diagnosis.system,
        subject=pool,
        message=f"declares {pool}, but {seen}" + (f"; {doubt}" if doubt else ""),
        figures={"declared_for": count, "executions": diagnosis.executions},
    )


def _doubt(diagnosis: SystemDiagnosis, pool: str) -> str | None:
    """Say how a resource may have been used without being touched: what is kept open is opened once."""
    waiting = _waiting_share(diagnosis) or 0.0
    match _kind(pool):
        case "disk":
            direction = pool.split("/")[1] if "/" in pool else None
            moved = any(use.bytes for use in diagnosis.devices if direction in (None, use.direction))
            return "bytes were counted, perhaps of files that were kept open" if moved else None
        case "net" | "process" if waiting >= IDLE_CPU_SHARE:
            return "it waited, perhaps for what was kept open from before"
    return None


def _touched(diagnosis: SystemDiagnosis) -> list[str]:
    """Return the pools that executions touched, the CPU among them where they computed or that is not known."""
    pools = [use.pool for use in diagnosis.devices if use.executions]
    pools += [peer.pool for peer in diagnosis.peers] + [process.pool for process in diagnosis.processes]
    waiting = _waiting_share(diagnosis)
    return pools if waiting is not None and 1 - waiting < IDLE_CPU_SHARE else [*pools, CPU_POOL]


def _covers(declared: str, observed: str) -> bool:
    """Whether a pool is another or lies above it: pools are trees."""
    return observed == declared or observed.startswith(f"{declared}/")


def _kind(pool: str) -> str:
    return pool.partition("/")[0]


def _touches(execution: Execution, pool: str) -> bool:
    kind, _, rest = pool.partition("/")
    match kind:
        case "disk":
            return bool(execution.touched.get("files_read" if rest.startswith("read") else "files_written"))
        case "net":
            return rest in execution.touched.get("peers", ())
        case "process":
            return rest in execution.touched.get("processes", ())
        case "cpu":
            return (execution.cpu_ns or 0) * 2 > execution.duration_ns
    return False


# -- waiting


def _io_bound(diagnosis: SystemDiagnosis, asked: Sequence[Asked]) -> Iterator[Finding]:
    """Ask each execution whether it mostly waited; without CPU time measured, say nothing."""
    shares = [(_waited(each.execution), each.execution.handle) for each in asked]
    known = sorted((share, handle) for share, handle in shares if share is not None)
    waiting = _waiting_share(diagnosis)
    if len(known) < MIN_SPLIT or waiting is None:
        return
    declared = 2 * sum(bool(each.answer.of("IOBoundTrait")) for each in asked) > len(asked)
    mostly = share_interval(sum(share >= 0.5 for share, _ in known), len(known))
    inferred = [
        each for each in diagnosis.traits if each.trait == "IOBoundTrait" and each.confidence >= DRAFT_CONFIDENCE
    ]
    figures = {"waiting_share": waiting, "mostly_waiting": mostly.value, "executions": len(known)}
    if declared and waiting < 0.5 and mostly.high < 0.5:
        yield Finding(
            rule=IO_BOUND_WRONG,
            level=IO_BOUND_WRONG.level,
            system=diagnosis.system,
            message=f"declares IOBoundTrait, but is on the CPU {percent(1 - waiting)} of its own time",
            evidence=(f"{percent(mostly.value)} of {number(len(known))} executions mostly waited.",),
            figures=figures,
            handles=tuple(handle for _, handle in known[:MANY]),
        )
    if not declared and inferred and mostly.low > 0.5:
        yield Finding(
            rule=IO_BOUND_MISSING,
            level=IO_BOUND_MISSING.level,
            system=diagnosis.system,
            message=f"does not declare IOBoundTrait, but waits {percent(waiting)} of its own time",
            evidence=tuple(inferred[0].evidence),
            figures=figures,
            handles=tuple(handle for _, handle in known[: -MANY - 1 : -1]),
        )


def _waited(execution: Execution) -> float | None:
    own = execution.duration_ns - (execution.run_queue_ns or 0)
    if execution.cpu_ns is None or own <= 0:
        return None
    return 1 - min(execution.cpu_ns / own, 1.0)


def _waiting_share(diagnosis: SystemDiagnosis) -> float | None:
    """Return the share of its own time, which the run queue is no part of, that a system was off the CPU."""
    time = diagnosis.time
    own = time.wall_ns - (time.run_queue_ns or 0)
    if time.on_cpu_ns is None or own <= 0:
        return None
    return 1 - min(time.on_cpu_ns / own, 1.0)


# -- time


def _time(system: str, asked: Sequence[Asked], terms: Terms) -> Iterator[Finding]:
    """Compare at the quantile how many times as long as declared executions take."""
    ratios = sorted(
        (whole_ms(each.execution.duration_ns) / said, each.execution.handle)
        for each in asked
        if each.execution.status == "success" and (said := each.answer.time_ms())
    )
    if len(ratios) < MIN_TIMED:
        return
    found = quantile_interval([ratio for ratio, _ in ratios], terms.quantile)
    if found.low > 1 + terms.threshold:
        handles = [handle for _, handle in reversed(ratios)]
        yield _off(TIME_TOO_SHORT, system, handles, found.value, f"at least {_times(found.low)}", terms)
    elif found.high < 1 / (1 + terms.threshold):
        handles = [handle for _, handle in ratios]
        yield _off(TIME_TOO_LONG, system, handles, found.value, f"at most {_times(found.high)}", terms)


def _off(rule: Rule, system: str, handles: Sequence[str], value: float, surely: str, terms: Terms) -> Finding:
    stated = percent(terms.quantile)
    return Finding(
        rule=rule,
        level=rule.level,
        system=system,
        message=f"declares time_ms, but {stated} of executions take up to {_times(value)} that, surely {surely}",
        evidence=(f"Of {number(len(handles))} executions that succeeded; {_times(1 + terms.threshold)} is let pass.",),
        figures={"ratio": value, "quantile": terms.quantile, "threshold": terms.threshold, "executions": len(handles)},
        handles=tuple(handles[:MANY]),
    )


def _times(ratio: float) -> str:
    return f"{ratio:.3g} times"
