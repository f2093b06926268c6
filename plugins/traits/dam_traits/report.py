"""
`SchedulingReport`: what a dispatched command would do, and why, as data.

Made by asking the same steps that a dispatch asks, up to the choice; nothing is executed and
no pool taken. It prints as a table and dumps as JSON; how a choice is made is not known here.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from dam_traits.aggregate import Candidate, ObservedTraits, explain_merge, merge
from dam_traits.errors import shown
from dam_traits.pools import PoolState
from dam_traits.strategies import SHIPPED, AllocationStrategy, Selection, wait_ms
from dam_traits.trait import Trait
from dam_traits.workflow import find_candidates, name_of_command, select, size_of

if TYPE_CHECKING:
    from dam_traits.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateReport:
    """One system that could handle the command."""

    system: str

    version: str

    predicted: tuple[Trait, ...] | None
    """What its `calculate_traits` says; `None`: it has none, or it failed."""

    problem: str | None
    """Why there is no prediction although there could be one."""

    observed: ObservedTraits | None
    """What past executions say; `None`: there are none."""

    traits: tuple[Trait, ...]
    """Merged."""

    merging: str
    """How they were merged, in one sentence."""

    expected_wait_ms: float
    """How long it would wait for its pools; infinite where it needs more than there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyReport:
    """What one strategy makes of the candidates."""

    strategy: str

    scores: Mapping[str, float]
    """By the system's name; lower is better."""

    chosen: tuple[str, ...]

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulingReport:
    """What would run for one command, and why."""

    world: str

    command: str
    """The name of its class."""

    size: float | None
    """How large its work is; `None`: it does not say."""

    candidates: tuple[CandidateReport, ...]
    """In order of registration."""

    pools: tuple[PoolState, ...]
    """Those that a candidate uses, and those above them."""

    strategies: tuple[StrategyReport, ...]
    """What each of the shipped strategies would choose."""

    choice: StrategyReport
    """What would run: the answer of the world's own strategy, or of the plugin that selects."""

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values: dicts, lists, texts and numbers."""
        plain: dict[str, Any] = _plain(self)
        return plain

    def to_json(self, *, indent: int | None = 2) -> str:
        """Give it as JSON; a number that JSON has not is a text."""
        return json.dumps(self.as_dict(), indent=indent, allow_nan=False)

    def __str__(self) -> str:
        return "\n".join(_lines(self))


async def make_report(world: World, command: Any) -> SchedulingReport:
    """
    Ask the steps what they would do for a command.

    Raises:
        UnknownCommand: No system handles it.
    """
    size = size_of(world, command)
    candidates = await find_candidates(world, command, size)
    return SchedulingReport(
        world=world.name,
        command=name_of_command(command),
        size=size,
        candidates=tuple(_of_candidate(world, each) for each in candidates),
        pools=_pools_of(world, candidates),
        strategies=tuple(_of_strategy(world, each, command, candidates) for each in SHIPPED),
        choice=_of_selection(select(world, command, candidates)),
    )


def _of_candidate(world: World, candidate: Candidate) -> CandidateReport:
    by_rule = merge(candidate.predicted, candidate.observed) == candidate.traits
    rule = explain_merge(candidate.predicted, candidate.observed)
    return CandidateReport(
        system=candidate.system.name,
        version=world.scheduler.version_of(candidate.system),
        predicted=None if candidate.predicted is None else tuple(candidate.predicted),
        problem=candidate.problem,
        observed=candidate.observed,
        traits=candidate.traits,
        merging=rule if by_rule else "A plugin merged them by a rule of its own.",
        expected_wait_ms=wait_ms(candidate, world.pools),
    )


def _pools_of(world: World, candidates: Sequence[Candidate]) -> tuple[PoolState, ...]:
    used = {need.pool_path for candidate in candidates for need in candidate.needs}
    return tuple(
        state
        for state in world.pools.state()
        if any(path == state.path or path.startswith(f"{state.path}/") for path in used)
    )


def _of_strategy(
    world: World, strategy: AllocationStrategy, command: Any, candidates: Sequence[Candidate]
) -> StrategyReport:
    return _of_selection(strategy(command, candidates, world.pools))


def _of_selection(selection: Selection) -> StrategyReport:
    return StrategyReport(
        strategy=selection.strategy,
        scores={system.name: score for system, score in selection.scores.items()},
        chosen=tuple(each.system.name for each in selection.chosen),
        reason=selection.reason,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Trait):
        return {"trait": str(value.identifier)} | _fields(value)
    if dataclasses.is_dataclass(value):
        return _fields(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, enum.Enum | PurePath):
        return str(value)
    return value if isinstance(value, str | int | float | None) else shown(value)


def _fields(value: Any) -> dict[str, Any]:
    if not dataclasses.is_dataclass(value):
        return {}
    return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}


# -- as text


def _lines(report: SchedulingReport) -> Iterable[str]:
    size = "" if report.size is None else f", size {report.size:g}"
    yield _clean(f"{report.command} in world {report.world}{size}")
    yield ""
    yield from _table(("candidate", "predicted", "observed", "merged", "wait for pools"), _candidate_rows(report))
    yield ""
    for each in report.candidates:
        problem = "" if each.problem is None else f" Its calculate_traits failed: {each.problem}."
        yield _clean(f"{each.system}: {each.merging}{problem}")
    if report.pools:
        yield ""
        yield from _table(("pool", "capacity", "used", "waiting"), _pool_rows(report))
    yield ""
    yield from _table(("score by", *(each.system for each in report.candidates)), _score_rows(report))
    yield ""
    yield _clean(f"{report.choice.strategy} runs {', then '.join(report.choice.chosen)}: {report.choice.reason}")


def _candidate_rows(report: SchedulingReport) -> Iterable[Sequence[str]]:
    for each in report.candidates:
        observed = "-" if each.observed is None else f"{each.observed.time_ms:.3g} ms x {each.observed.samples:.3g}"
        predicted = "-" if each.predicted is None else _of_traits(each.predicted)
        yield each.system, predicted, observed, _of_traits(each.traits), f"{each.expected_wait_ms:.3g} ms"


def _pool_rows(report: SchedulingReport) -> Iterable[Sequence[str]]:
    for each in report.pools:
        capacity = "unlimited" if each.capacity is None else str(each.capacity)
        yield each.path, capacity, str(each.used), str(each.waiting)


def _score_rows(report: SchedulingReport) -> Iterable[Sequence[str]]:
    strategies = list(report.strategies)
    if all(each.strategy != report.choice.strategy for each in strategies):
        strategies.append(report.choice)
    for each in strategies:
        yield [each.strategy, *(_score(each, candidate.system) for candidate in report.candidates)]


def _score(report: StrategyReport, system: str) -> str:
    score = report.scores.get(system)
    return ("-" if score is None else f"{score:g}") + (" *" if system in report.chosen else "")


def _of_traits(traits: Sequence[Trait]) -> str:
    return ", ".join(_of_trait(each) for each in traits) or "none"


def _of_trait(trait: Trait) -> str:
    name = type(trait).__name__.removesuffix("Trait")
    fields = " ".join(f"{field}={value}" for field, value in _fields(trait).items())
    return f"{name}({fields})" if fields else name


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    table = [[_clean(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(heads))]
    for number, row in enumerate(table):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        if number == 0:
            yield "  ".join("-" * width for width in widths)


def _clean(text: str) -> str:
    """Take from a text what would do more to a terminal than be read."""
    return "".join(each if each.isprintable() else "?" for each in text)
