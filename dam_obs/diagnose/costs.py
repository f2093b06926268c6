"""
Choose the law that predicts what an execution costs, and say honestly how well it does.

Every candidate is judged on executions it was not fitted to: five folds, three times, by
the median absolute percentage error. Of those that tie with the best the simplest is
taken: those within one standard error of it, or within what chance alone makes of so many
trials, and those that the best does not beat execution by execution as well: where costs
come in lumps, a law that says nothing may still shift the median from one to the other.
When there is too little to go by, or even the best misses by half, the cost stays constant
and says why; what a law hides is told by `unexplained`.

A scheduler suffers from under-estimates. So a law comes with the factor that lifts it to a
quantile, and with how often executions it had not seen took longer than that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dam_obs.diagnose.columns import Columns, Floats, columns
from dam_obs.diagnose.families import CONSTANT, Candidate, Fitted, candidates
from dam_obs.diagnose.report import CostModel, Prediction
from dam_obs.diagnose.unexplained import told_by_features, unexplained
from dam_obs.diagnose.words import expression
from dam_obs.trace.events import Scalar

MIN_EXECUTIONS: Final = 20
"""With fewer successful executions the cost stays constant."""

MAX_ERROR: Final = 0.5
"""Median absolute percentage error above which no law is taken."""

MIN_GAIN: Final = 0.1
"""
Share of the error that a law must save over a simpler one.

Of many that are tried one always looks a little better, the more so the fewer executions
there are: ``1 / sqrt(executions)`` is added.
"""

CLEARLY: Final = 1.5
"""
Standard errors by which a law must beat a simpler one, execution by execution.

Tried on made-up executions: with 1 a law is made of two lumps now and then; with 2 one true
law in six is missed where there are only 25 executions.
"""

QUANTILE: Final = 0.9
FOLDS: Final = 5
REPEATS: Final = 3

ROWS_TO_CHOOSE: Final = 1_000
"""Executions, drawn at random, by which laws are compared; more make no difference to which is simplest."""

ROWS_TO_FIT: Final = 20_000
"""Executions, drawn at random, to which the chosen law is fitted."""

REJECTED_SHOWN: Final = 5
_SEED: Final = 20260113


@dataclass(frozen=True, slots=True)
class _Trial:
    """A candidate and how it did on what it had not seen."""

    candidate: Candidate
    errors: tuple[float, ...]
    """Median absolute percentage error, by fold."""
    ratios: tuple[Floats, ...]
    """Actual over predicted, by fold."""

    @property
    def error(self) -> float:
        return float(np.mean(self.errors))

    @property
    def standard_error(self) -> float:
        """Of the error; repeats see the same executions again, so only the folds of one count as independent."""
        return float(np.std(self.errors, ddof=1)) / math.sqrt(FOLDS)

    def beats(self, other: _Trial) -> bool:
        """Say whether it is nearer to the same executions than `other`, by logarithms and on average."""
        gains = np.abs(np.log(np.concatenate(other.ratios))) - np.abs(np.log(np.concatenate(self.ratios)))
        standard_error = float(np.std(gains)) / math.sqrt(len(gains) / REPEATS)
        return float(np.mean(gains)) > CLEARLY * standard_error


def fit_cost(
    durations_ns: NDArray[np.int64],
    features: Sequence[Mapping[str, Scalar]],
    starts_ns: NDArray[np.int64] | None = None,
) -> CostModel:
    """
    Find the cost model of executions.

    Args:
        durations_ns: Wall time of each successful execution.
        features: Their features, in the same order.
        starts_ns: When each started, on one clock: with it a drift is told from a law. `None`: not known.

    Returns:
        The same model for the same executions, whatever was called before.
    """
    every = columns(durations_ns, features, starts_ns)
    if len(durations_ns) < MIN_EXECUTIONS or len(every) < MIN_EXECUTIONS:
        return _too_few(durations_ns)

    chance = np.random.default_rng(_SEED)
    some = _sample(every, ROWS_TO_CHOOSE, chance)
    folds = _folds(len(some), chance)
    constant = _try(CONSTANT, some, folds)
    trials = [constant, *(_try(candidate, some, folds) for candidate in candidates(some))]
    rows = _sample(every, ROWS_TO_FIT, chance)
    chosen, warnings = _choose(trials, rows)
    law = chosen.candidate.fit(rows)
    return CostModel(
        family=law.family,
        features=list(law.features),
        coefficients=law.coefficients,
        categories=law.categories,
        slopes=law.slopes,
        expression=expression(law),
        quantile=QUANTILE,
        quantile_factor=_quantile(np.concatenate(chosen.ratios)),
        executions=len(durations_ns),
        held_out=_held_out(chosen),
        valid_range={name: _range(every.numbers[name]) for name in law.features if name in every.numbers},
        warnings=warnings or unexplained(rows, None if law.family == "constant" else law.predict(rows)),
        rejected=[*_rejected(trials, chosen), *every.refused],
    )


def predict(model: CostModel, features: Mapping[str, Scalar]) -> float | None:
    """
    Return the typical cost in nanoseconds that `model` gives for `features`.

    Multiply it by `CostModel.quantile_factor` for the stated quantile. `None` where a
    number that the model needs is missing or out of its domain.
    """
    row = Columns(np.ones(1))
    for place, name in enumerate(model.features):
        value = features.get(name)
        if model.family.startswith("category") and place == 0:
            row.categories[name] = np.array([str(value)])
        elif isinstance(value, int | float) and math.isfinite(value) and value >= _least(model):
            row.numbers[name] = np.array([float(value)])
        else:
            return None
    law = Fitted(model.family, tuple(model.features), model.coefficients, model.categories, model.slopes)
    return float(law.predict(row)[0])


def _least(model: CostModel) -> float:
    """Return the least value that a law's number may have."""
    return {"power": 5e-324, "nlogn": 0.0, "quadratic": 0.0}.get(model.family, -math.inf)


def _too_few(durations_ns: NDArray[np.int64]) -> CostModel:
    cost = np.maximum(durations_ns.astype(np.float64), 1.0)
    middle = float(np.median(cost)) if len(cost) else 0.0
    law = Fitted("constant", (), {"intercept": middle})
    what = f"only {len(cost)} successful executions" if len(cost) else "no execution succeeded"
    return CostModel(
        family="constant",
        features=[],
        coefficients=law.coefficients,
        expression=expression(law),
        quantile=QUANTILE,
        quantile_factor=_quantile(cost / middle) if len(cost) else 1.0,
        executions=len(cost),
        held_out=None,
        valid_range={},
        warnings=[f"{what}, less than {MIN_EXECUTIONS}: the cost stays constant"],
        rejected=[],
    )


def _choose(trials: Sequence[_Trial], rows: Columns) -> tuple[_Trial, list[str]]:
    """Return the simplest trial that ties with the best, and what to be warned of."""
    constant = trials[0]
    gain = MIN_GAIN + 1 / math.sqrt(sum(map(len, constant.ratios)) / REPEATS)
    best = min(trials, key=lambda trial: (trial.error, trial.candidate.rank))
    close = [
        trial
        for trial in trials
        if trial.error <= best.error + best.standard_error
        or best.error >= (1 - gain) * trial.error
        or not best.beats(trial)
    ]
    chosen = min(close, key=lambda trial: (trial.candidate.rank, trial.error))

    if chosen.error <= MAX_ERROR:
        return chosen, []
    if chosen is constant:
        why = f"executions differ by {constant.error:.0%} from the typical one, and no feature says why"
        return constant, told_by_features(rows) or [why]
    why = f"{chosen.candidate} is the best law and misses by {chosen.error:.0%}, more than {MAX_ERROR:.0%}"
    return constant, [f"{why}: the cost stays constant"]


def _rejected(trials: Sequence[_Trial], chosen: _Trial) -> list[str]:
    """Say of the best law of each family why it was not taken."""
    others = sorted(
        (trial for trial in trials if trial is not chosen), key=lambda trial: (-trial.error, -trial.candidate.rank)
    )
    best_last = {trial.candidate.family: trial for trial in others}
    ordered = sorted(best_last.values(), key=lambda trial: (trial.error, trial.candidate.rank))
    return [
        f"{trial.candidate}: off by {trial.error:.1%}, {_comparison(trial, chosen)}"
        for trial in ordered[:REJECTED_SHOWN]
    ]


def _comparison(trial: _Trial, chosen: _Trial) -> str:
    if trial.error > chosen.error:
        return f"against {chosen.error:.1%} of {chosen.candidate}"
    if trial.error > MAX_ERROR:
        return "too much to go by"
    return f"no clear gain over the simpler {chosen.candidate} with {chosen.error:.1%}"


def _try(candidate: Candidate, some: Columns, folds: Sequence[NDArray[np.int64]]) -> _Trial:
    errors, ratios = [], []
    everything = np.arange(len(some))
    for held_out in folds:
        law = candidate.fit(some.take(np.setdiff1d(everything, held_out, assume_unique=True)))
        seen = some.take(held_out)
        predicted = law.predict(seen)
        errors.append(float(np.median(np.abs(predicted - seen.cost) / seen.cost)))
        ratios.append(seen.cost / predicted)
    return _Trial(candidate, tuple(errors), tuple(ratios))


def _folds(rows: int, chance: np.random.Generator) -> list[NDArray[np.int64]]:
    return [np.sort(fold) for _ in range(REPEATS) for fold in np.array_split(chance.permutation(rows), FOLDS)]


def _held_out(trial: _Trial) -> Prediction:
    """Sum up what a law did on executions it had not seen; the quantile's factor, too, comes from others only."""
    every = np.concatenate(trial.ratios)
    over = [
        trial.ratios[fold] > _quantile(np.concatenate(_others_of_repeat(trial.ratios, fold)))
        for fold in range(len(trial.ratios))
    ]
    return Prediction(
        mdape=float(np.median(np.abs(1.0 / every - 1.0))),
        bias=float(np.median(1.0 / every - 1.0)),
        under_rate=float(np.mean(np.concatenate(over))),
    )


def _others_of_repeat(ratios: Sequence[Floats], fold: int) -> list[Floats]:
    first = fold - fold % FOLDS
    return [ratios[other] for other in range(first, first + FOLDS) if other != fold]


def _quantile(ratios: Floats) -> float:
    """Return the observed ratio that at least the stated share does not exceed, for any number of them."""
    level = min(1.0, QUANTILE * (1 + 1 / len(ratios)))
    return float(np.quantile(ratios, level, method="inverted_cdf"))


def _sample(every: Columns, most: int, chance: np.random.Generator) -> Columns:
    if len(every) <= most:
        return every
    return every.take(np.sort(chance.choice(len(every), most, replace=False)))


def _range(column: Floats) -> tuple[float, float]:
    return float(column.min()), float(column.max())
