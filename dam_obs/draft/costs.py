"""
A cost model as Python source: an expression for ``time_ms`` and the statements it needs.

Where the model cannot be trusted, or cannot be written with what is on the command, the
expression is a constant taken from the latencies seen, and it is said why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from dam_obs.diagnose.report import CostModel, Quantiles, SystemDiagnosis
from dam_obs.draft.literals import NotALiteral, literal
from dam_obs.draft.names import feature_source

MOST_CATEGORIES: Final = 50
NS_PER_MS: Final = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSource:
    """What a draft says ``time_ms`` is."""

    expression: str
    """Source of a whole number of milliseconds, at least 1."""

    setup: tuple[str, ...] = ()
    """Statements that stand before it."""

    imports_math: bool = False
    imports_enum: bool = False

    why_constant: tuple[str, ...] = ()
    """Why another model was not drafted; empty for a model taken as it is."""


class Unwritable(Exception):
    """A cost model that cannot be written as code; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Median:
    """Source of the median in ms."""

    terms: tuple[str, ...]
    setup: tuple[str, ...] = ()
    imports_math: bool = False
    imports_enum: bool = False


def cost_source(system: SystemDiagnosis) -> CostSource:
    """Write a system's cost model, or a constant in its place."""
    model = system.cost
    if model.warnings and model.family != "constant":
        return _seen(system, tuple(model.warnings))
    try:
        return _write(model, command_is_dict=system.command_type == "builtins:dict")
    except (Unwritable, NotALiteral, OverflowError) as error:
        return _seen(system, (f"the {model.family} model cannot be written as code: {error}",))


def _write(model: CostModel, *, command_is_dict: bool) -> CostSource:
    factor = _tidy(model.quantile_factor)
    if factor <= 0:
        raise Unwritable("its quantile factor is not positive")
    if model.family == "constant":
        value = _milliseconds(model, "intercept") * factor
        return CostSource(expression=literal(max(1, round(value))), why_constant=tuple(model.warnings))

    if not 1 <= len(model.features) <= 2:
        raise Unwritable(f"it has {len(model.features)} features")
    sources = tuple(_feature(name, command_is_dict=command_is_dict) for name in model.features)
    median = _FAMILIES[model.family](model, sources)
    total = _sum(median.terms)
    if factor != 1:
        total = f"({total}) * {literal(factor)}" if len(median.terms) > 1 else f"{total} * {literal(factor)}"
    return CostSource(
        expression=f"max(1, round({total}))",
        setup=median.setup,
        imports_math=median.imports_math,
        imports_enum=median.imports_enum,
    )


def _seen(system: SystemDiagnosis, why: tuple[str, ...]) -> CostSource:
    value = quantile_seen(system.latency, system.cost.quantile) / NS_PER_MS
    return CostSource(expression=literal(max(1, round(value))), why_constant=why)


def quantile_seen(latency: Quantiles, quantile: float) -> int:
    """Return the latency seen at `quantile`, or at the next higher one that is known."""
    known = ((0.5, latency.p50_ns), (0.9, latency.p90_ns), (0.95, latency.p95_ns), (0.99, latency.p99_ns))
    return next((seen for known_quantile, seen in known if quantile <= known_quantile), latency.max_ns)


def _linear(model: CostModel, sources: tuple[str, ...]) -> _Median:
    return _Median(terms=(*_constant_term(model), *_slopes(model, sources)))


def _power(model: CostModel, sources: tuple[str, ...]) -> _Median:
    names = ("exponent", "exponent_2")[: len(sources)]
    pairs = zip(names, sources, strict=True)
    powers = [f"max({source}, 1) ** {literal(_tidy(_coefficient(model, name), digits=5))}" for name, source in pairs]
    return _Median(terms=(" * ".join([literal(_milliseconds(model, "scale")), *powers]),))


def _nlogn(model: CostModel, sources: tuple[str, ...]) -> _Median:
    (source,) = _exactly(1, sources)
    term = f"{literal(_milliseconds(model, 'slope'))} * max({source}, 0) * math.log2(1 + max({source}, 0))"
    return _Median(terms=(*_constant_term(model), term), imports_math=True)


def _quadratic(model: CostModel, sources: tuple[str, ...]) -> _Median:
    (source,) = _exactly(1, sources)
    term = f"{literal(_milliseconds(model, 'slope'))} * max({source}, 0) ** 2"
    return _Median(terms=(*_constant_term(model), term))


def _category(model: CostModel, sources: tuple[str, ...]) -> _Median:
    _exactly(1, sources)
    return _by_category(model, sources)


def _category_linear(model: CostModel, sources: tuple[str, ...]) -> _Median:
    _exactly(2, sources)
    return _by_category(model, sources)


def _category_slopes(model: CostModel, sources: tuple[str, ...]) -> _Median:
    """Look up two numbers by the category: what each execution takes, and what each unit of the other feature does."""
    _exactly(2, sources)
    if model.slopes.keys() != model.categories.keys():
        raise Unwritable("its categories are not those of its slopes")
    looked_up = _by_category(model, sources[:1])
    slope = f"slope_ms.get(category, {literal(_milliseconds(model, 'slope'))})"
    return replace(
        looked_up,
        terms=(*looked_up.terms, f"{slope} * {sources[1]}"),
        setup=(*looked_up.setup, f"slope_ms = {_table(model.slopes)}"),
    )


def _by_category(model: CostModel, sources: tuple[str, ...]) -> _Median:
    """Look the category up, as it stands in the trace: an enum by its name, all else by its text."""
    if not 0 < len(model.categories) <= MOST_CATEGORIES:
        raise Unwritable(f"it has {len(model.categories)} categories")
    source, *numbers = sources
    otherwise = (
        _milliseconds(model, "intercept")
        if "intercept" in model.coefficients
        else _tidy(max(model.categories.values()) / NS_PER_MS)
    )
    only_plain = model.categories.keys() <= {"True", "False", "None"}
    text = f"str({source})" if only_plain else f"{source}.name if isinstance({source}, Enum) else str({source})"
    return _Median(
        terms=(f"category_ms.get(category, {literal(otherwise)})", *_slopes(model, tuple(numbers))),
        setup=(f"category = {text}", f"category_ms = {_table(model.categories)}"),
        imports_enum=not only_plain,
    )


def _table(nanoseconds: Mapping[str, float]) -> str:
    """Write a dictionary of milliseconds."""
    pairs = (f"{literal(name)}: {literal(_tidy(value / NS_PER_MS))}" for name, value in sorted(nanoseconds.items()))
    return f"{{{', '.join(pairs)}}}"


_FAMILIES: Final[dict[str, Callable[[CostModel, tuple[str, ...]], _Median]]] = {
    "linear": _linear,
    "power": _power,
    "nlogn": _nlogn,
    "quadratic": _quadratic,
    "category": _category,
    "category_linear": _category_linear,
    "category_slopes": _category_slopes,
}


def _constant_term(model: CostModel) -> tuple[str, ...]:
    value = _milliseconds(model, "intercept") if "intercept" in model.coefficients else 0.0
    return (literal(value),) if value else ()


def _slopes(model: CostModel, sources: tuple[str, ...]) -> tuple[str, ...]:
    """Write a term for each number: ``slope`` belongs to the first, ``slope_2`` to the second."""
    names = ("slope", "slope_2")[: len(sources)]
    terms = zip(names, sources, strict=True)
    return tuple(f"{literal(_milliseconds(model, name))} * {source}" for name, source in terms)


def _feature(name: str, *, command_is_dict: bool) -> str:
    source = feature_source(name, command_is_dict=command_is_dict)
    if name.startswith("file_size("):
        raise Unwritable("a draft may not look at files, and its feature is the size of one")
    if source is None:
        raise Unwritable("its feature is not a public field of the command")
    return source


def _exactly(count: int, sources: tuple[str, ...]) -> tuple[str, ...]:
    if len(sources) != count:
        raise Unwritable(f"it has {len(sources)} features, not {count}")
    return sources


def _coefficient(model: CostModel, name: str) -> float:
    if name not in model.coefficients:
        raise Unwritable(f"its coefficient {name} is missing")
    return model.coefficients[name]


def _milliseconds(model: CostModel, name: str) -> float:
    return _tidy(_coefficient(model, name) / NS_PER_MS)


def _tidy(value: float, *, digits: int = 4) -> float:
    """Keep as many digits as a prediction is good for."""
    if not math.isfinite(value):
        raise Unwritable("one of its numbers is not finite")
    return float(f"{value:.{digits}g}")


def _sum(terms: tuple[str, ...]) -> str:
    first, *rest = terms
    return first + "".join(f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in rest)
