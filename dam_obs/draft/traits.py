"""
Inferred traits as lines of a draft: which are said, and which are left to the reviewer.

A line is a call of a class of `dam_traits` with arguments that the class accepts. A trait in
doubt, or with other arguments, becomes a comment with the reason in front.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from dam_obs.diagnose.report import InferredTrait, SystemDiagnosis
from dam_obs.diagnose.traits import DRAFT_CONFIDENCE
from dam_obs.draft import figures
from dam_obs.draft.costs import CostSource
from dam_obs.draft.literals import NotALiteral, comment, literal

DEFAULT_PRIORITY: Final = 100
MOST_TRAITS: Final = 50


@dataclass(frozen=True, slots=True)
class TraitLine:
    """One entry of the returned list."""

    trait: str
    """The class."""

    source: str
    """The call; for a commented line, text that is safe in a comment."""

    remark: str | None
    """Why it is commented out; `None`: it is said."""


def trait_lines(system: SystemDiagnosis, cost: CostSource) -> list[TraitLine]:
    """Write a system's traits: resources first, then cost, then markers, then what dam_traits does not know."""
    ranked = sorted(system.traits, key=lambda inferred: _rank(inferred.trait))[:MOST_TRAITS]
    lines = list(dict.fromkeys(_line(inferred, cost) for inferred in ranked))
    return _one_of_each_kind(lines)


def _line(inferred: InferredTrait, cost: CostSource) -> TraitLine:
    write = _WRITERS.get(inferred.trait)
    if write is None:
        return TraitLine(inferred.trait, _as_text(inferred), "no trait of dam_traits")
    try:
        source = write(inferred.arguments, cost)
    except (_Unusable, NotALiteral):
        return TraitLine(inferred.trait, _as_text(inferred), "its arguments are not what the trait takes")
    if inferred.confidence >= DRAFT_CONFIDENCE:
        return TraitLine(inferred.trait, source, None)
    return TraitLine(
        inferred.trait, comment(source), f"doubtful (confidence {figures.confidence(inferred.confidence)})"
    )


def _resource_usage(arguments: dict[str, Any], cost: CostSource) -> str:
    _only(arguments, "pool_path", "amount")
    pool, amount = arguments.get("pool_path"), arguments.get("amount", 1)
    if not is_pool_path(pool) or type(amount) is not int or amount < 1:
        raise _Unusable
    return f"ResourceUsageTrait(pool_path={literal(pool)}, amount={literal(amount)})"


def _execution_cost(arguments: dict[str, Any], cost: CostSource) -> str:
    _only(arguments, "priority", "time_ms")
    priority = arguments.get("priority", DEFAULT_PRIORITY)
    if type(priority) is not int:
        raise _Unusable
    return f"ExecutionCostTrait(priority={literal(priority)}, time_ms={cost.expression})"


def _io_bound(arguments: dict[str, Any], cost: CostSource) -> str:
    _only(arguments)
    return "IOBoundTrait()"


_WRITERS: Final[dict[str, Callable[[dict[str, Any], CostSource], str]]] = {
    "ResourceUsageTrait": _resource_usage,
    "ExecutionCostTrait": _execution_cost,
    "IOBoundTrait": _io_bound,
}


class _Unusable(Exception):
    """Arguments that the trait's class would refuse."""


def is_pool_path(pool: object) -> bool:
    """Whether `dam_traits.ResourceUsageTrait` takes this: printable names joined by ``/``."""
    if not isinstance(pool, str) or not pool.isprintable():
        return False
    return all(part and part == part.strip() for part in pool.split("/"))


def _only(arguments: dict[str, Any], *names: str) -> None:
    if not arguments.keys() <= set(names):
        raise _Unusable


def _as_text(inferred: InferredTrait) -> str:
    """Write a trait that is no code: its name, and of its arguments what fits."""
    given = ", ".join(f"{name}={_value(value)}" for name, value in list(inferred.arguments.items())[:5])
    return comment(f"{inferred.trait}({given})")


def _value(value: object) -> str:
    try:
        return literal(value)
    except NotALiteral:
        return "..."


def _rank(trait: str) -> int:
    return list(_WRITERS).index(trait) if trait in _WRITERS else len(_WRITERS)


def _one_of_each_kind(lines: list[TraitLine]) -> list[TraitLine]:
    """Leave one cost and one marker; of pools there may be many."""
    kept: list[TraitLine] = []
    for line in lines:
        said = {other.trait for other in kept if other.remark is None}
        if line.remark is None and line.trait != "ResourceUsageTrait" and line.trait in said:
            kept.append(TraitLine(line.trait, comment(line.source), "said above already"))
        else:
            kept.append(line)
    return kept
