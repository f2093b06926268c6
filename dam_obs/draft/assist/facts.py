"""
What a model is told of a system: plain data of bounded size, without anything that a cost law has no use for.

Names and values come from the observed program; they are rid of secrets and cut. Texts that are
no category, files, stacks, peers, the machine and the source are left out: `Facts` is all there is.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from dam_obs.diagnose.report import CostModel
from dam_obs.draft.assist.contest import Contest
from dam_obs.draft.literals import shown
from dam_obs.draft.names import feature_source
from dam_obs.draft.recorded import Execution, evenly
from dam_obs.draft.written import COST
from dam_obs.trace.events import Scalar
from dam_obs.trace.redact import Redactor

LONGEST_FIELD: Final = 120
"""Characters of a name or a text."""

MOST_FEATURES: Final = 20
MOST_VALUES: Final = 12
"""Of a text that is a category; one with more values is no use to a law, and its values are not told."""

MOST_EXECUTIONS: Final = 200
MOST_LINES: Final = 8
"""Of evidence, warnings and rejected laws."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a model is told."""

    head: dict[str, Any]
    executions: list[list[Any]]
    """Rows of a table, the first names the columns; drawn evenly, in the order of the run."""

    def cut(self, rows: int) -> dict[str, Any]:
        """Return it with at most so many executions."""
        names, *rest = self.executions
        return {**self.head, "executions": [names, *evenly(rest, rows)]}


def facts(contest: Contest) -> Facts:
    """Put together what the training part shows."""
    clean = _Clean()
    executions = contest.training.executions
    features = _features(executions)
    sources = {name: feature_source(name, command_is_dict=contest.training.takes_dict) for name in features}
    readable = [name for name, source in sources.items() if source is not None][:MOST_FEATURES]
    system = contest.system
    head: dict[str, Any] = {
        "system": clean.text("system", system.system),
        "operation": clean.text("operation", f"{system.layer}.{system.operation}"),
        "quantile": system.cost.quantile,
        "time_ms_of_training_executions": _milliseconds(contest),
        "fields_of_cmd": [_feature(name, str(sources[name]), executions, clean) for name in readable],
        "law_of_the_template": _law(system.cost, clean),
        "other_traits": [clean.text("trait", shown(each.trait)) for each in system.traits if each.trait != COST][
            :MOST_LINES
        ],
        "template_draft": _lines(contest.template, clean),
    }
    told = [name for name, field in zip(readable, head["fields_of_cmd"], strict=True) if field["is"] != "text"]
    return Facts(head, _table(executions, told, sources, clean))


class _Clean:
    """Texts without secrets, of bounded length."""

    def __init__(self) -> None:
        self._redactor = Redactor()

    def text(self, key: str, value: str) -> str:
        return self._redactor.text(key, value, LONGEST_FIELD)

    def line(self, value: str) -> str:
        """Return a line of code, which is not cut."""
        return self._redactor.text("line", value, len(value) + LONGEST_FIELD)

    def value(self, key: str, value: Scalar) -> Scalar:
        cleaned: Scalar = self.text(key, value) if isinstance(value, str) else self._redactor.value(key, value)
        return cleaned


def _features(executions: Sequence[Execution]) -> list[str]:
    """Name the features, those that most executions have first."""
    counts = Counter(name for each in executions for name in each.features)
    return sorted(counts, key=lambda name: (-counts[name], name))


def _feature(name: str, source: str, executions: Sequence[Execution], clean: _Clean) -> dict[str, Any]:
    values = [each.features[name] for each in executions if name in each.features]
    told: dict[str, Any] = {"read_as": clean.text("field", source), "present_in": len(values)}
    numbers = [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == len(values):
        low, middle, high = np.quantile(numbers, [0, 0.5, 1]).tolist()
        return told | {"is": "number", "min": low, "median": middle, "max": high, "distinct": len(set(numbers))}
    counts = Counter(str(clean.value(name, value)) for value in values)
    if len(counts) > MOST_VALUES:
        return told | {"is": "text", "distinct": len(counts)}
    return told | {"is": "category", "values": dict(counts.most_common()), "distinct": len(counts)}


def _milliseconds(contest: Contest) -> dict[str, float]:
    latency = contest.system.latency
    told = {
        "min": latency.min_ns,
        "p50": latency.p50_ns,
        "p90": latency.p90_ns,
        "p99": latency.p99_ns,
        "max": latency.max_ns,
    }
    return {"count": latency.count, **{name: _short(value / 1e6) for name, value in told.items()}}


def _law(model: CostModel, clean: _Clean) -> dict[str, Any]:
    held_out = model.held_out
    return {
        "family": model.family,
        "median_in_ms": clean.text("law", model.expression),
        "lifted_by": _short(model.quantile_factor),
        "median_error": None if held_out is None else _short(held_out.mdape),
        "warnings": [clean.text("warning", text) for text in model.warnings[:MOST_LINES]],
        "also_tried": [clean.text("tried", text) for text in model.rejected[:MOST_LINES]],
    }


def _lines(source: str, clean: _Clean) -> list[str]:
    """Return the draft's code by lines, without the words and comments in it: what they say stands beside it."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return [clean.line(line) for line in ast.unparse(tree).splitlines()]


def _table(
    executions: Sequence[Execution], names: Sequence[str], sources: Mapping[str, str | None], clean: _Clean
) -> list[list[Any]]:
    columns = [clean.text("field", str(sources[name])) for name in names]
    rows = [
        [
            *(clean.value(name, each.features[name]) if name in each.features else None for name in names),
            _short(each.duration_ns / 1e6),
        ]
        for each in evenly(executions, MOST_EXECUTIONS)
    ]
    return [[*columns, "took_ms"], *rows]


def _short(value: float) -> float:
    return float(f"{value:.5g}")
