"""What ``dam-obs backtest --json`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dam_obs.draft.backtest import Backtest, Prediction
from dam_obs.trace.events import Scalar

SCHEMA_VERSION: Final = 1
"""Raised when a field goes or changes its meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """One execution that the draft missed."""

    handle: str
    said_ms: int
    took_ns: int
    error: float
    features: dict[str, Scalar]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftDocument:
    """One draft."""

    system: str
    draft: str
    quantile: float
    executions: int
    left_out: int
    predicted: int
    mdape: float | None
    """Median absolute relative error, of times in whole milliseconds."""
    bias: float | None
    """Median signed relative error; positive: the draft says too much."""
    under_rate: float | None
    """Share of executions that took longer than the draft says; 1 - `quantile` was meant."""
    under_rate_low: float | None
    under_rate_high: float | None
    """Between the two it truly is, in 99 % of cases."""
    stopped: str | None
    problems: dict[str, int]
    not_rebuilt: tuple[str, ...]
    worst: tuple[Missed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestDocument:
    """What is printed."""

    schema_version: int
    run: str
    drafts: tuple[DraftDocument, ...]


def document(run: str, results: Sequence[Backtest]) -> BacktestDocument:
    """Put together what is printed."""
    return BacktestDocument(schema_version=SCHEMA_VERSION, run=run, drafts=tuple(map(_draft, results)))


def _draft(each: Backtest) -> DraftDocument:
    return DraftDocument(
        system=each.system,
        draft=str(each.draft),
        quantile=each.quantile,
        executions=each.executions,
        left_out=each.left_out,
        predicted=each.predicted,
        mdape=each.mdape,
        bias=each.bias,
        under_rate=None if each.under is None else each.under.value,
        under_rate_low=None if each.under is None else each.under.low,
        under_rate_high=None if each.under is None else each.under.high,
        stopped=each.stopped,
        problems=each.problems,
        not_rebuilt=each.not_rebuilt,
        worst=tuple(map(_missed, each.worst)),
    )


def _missed(one: Prediction) -> Missed:
    return Missed(
        handle=one.handle, said_ms=one.said_ms, took_ns=one.took_ns, error=one.error, features=dict(one.features)
    )
